//! The progress of carrying records over from one organisation of an account to another.

use serde::{Deserialize, Serialize};

use crate::entity::EntityKind;
use crate::ids::TenantId;

/// Where carrying the records of one organisation over to another stopped. The next invocation
/// resumes there, so that records which stay in the first organisation are processed once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarryOverCursor {
    /// The organisation whose records are carried over.
    pub source: TenantId,
    /// The organisation that receives them.
    pub target: TenantId,
    /// The number of requests, [`carry_requests`](super::Connection::carry_requests), that were
    /// known. After another request the walk starts again.
    pub requests: u32,
    /// The kind of the next record.
    pub kind: EntityKind,
    /// The sort key of the last record of this kind that was processed; `None` at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Whether a record before this cursor was left because an attempt held it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_held: bool,
}

impl CarryOverCursor {
    /// The beginning of a walk.
    pub const fn at_walk_start(source: TenantId, target: TenantId, requests: u32) -> Self {
        let [kind, ..] = EntityKind::ALL;
        Self { source, target, requests, kind, after: None, has_held: false }
    }

    /// Whether both are cursors of the same walk.
    pub fn is_same_walk(&self, other: &Self) -> bool {
        (self.source, self.target, self.requests) == (other.source, other.target, other.requests)
    }
}
