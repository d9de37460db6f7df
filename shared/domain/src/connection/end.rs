//! The end of a connection.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::UserId;

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionEnd {
    /// When it ended.
    pub at: Timestamp,
    /// The user who ended it in the CRM; `None` if it was ended in Xero or by an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
}
