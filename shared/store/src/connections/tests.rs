//! Tests of the limit of the accounts of a grant that are read.

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::memory::MemoryTable;
use crate::tests::complete;

#[test]
fn the_accounts_of_a_grant_are_all_read_up_to_a_limit() {
    let grant = GrantId(Uuid::from_u128(1));
    let per_page = usize::from(GRANT_USERS_PER_PAGE.get());
    let most = per_page * GRANT_USER_PAGES_MAX;
    for count in [0, 1, per_page, per_page + 1, most - 1, most, most + 1] {
        let store = Store::new(Arc::new(MemoryTable::new()));
        for number in 0..count {
            let account = AccountId::new(format!("acc_{number:04}")).unwrap();
            let connection = Connection::never_connected(account);
            let change = ConnectionChange { used: &[grant], ..ConnectionChange::default() };
            let put = store.put_connection(&connection, WriteExpectation::Absent, change);
            complete(put).unwrap();
        }
        let users = complete(store.list_grant_users(grant)).unwrap();
        assert_eq!(users.accounts.len(), count.min(most), "{count}");
        // A full page does not show whether it is the last.
        assert_eq!(users.is_all, count < most, "{count}");
        assert!(users.unreadable.is_empty(), "{count}: {:?}", users.unreadable);
    }
}
