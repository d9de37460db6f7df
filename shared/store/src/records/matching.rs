//! The row of an account's matching settings.

use domain::ids::AccountId;
use domain::matching::MatchingSettings;
use serde::{Deserialize, Serialize};

use super::StoredRecord;
use crate::keys;
use crate::table::ItemKey;

/// The matching settings of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptMatching {
    pub(crate) account: AccountId,
    pub(crate) settings: MatchingSettings,
}

impl StoredRecord for KeptMatching {
    fn item_key(&self) -> ItemKey {
        keys::matching_key(&self.account)
    }
}
