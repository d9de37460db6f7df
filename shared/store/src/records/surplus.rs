//! The row of an overpayment or prepayment.

use domain::surplus::Surplus;

use super::StoredRecord;
use crate::keys;
use crate::table::{ItemKey, NewItem};

impl StoredRecord for Surplus {
    fn item_key(&self) -> ItemKey {
        keys::surplus_key(&self.ledger, self.id)
    }

    fn with_index_keys(&self, item: NewItem) -> NewItem {
        NewItem { attention: keys::undecided_surplus_key(self), ..item }
    }
}
