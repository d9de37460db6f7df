//! Rows of another release. While a deployment runs, and after a rollback, this release meets rows
//! that a later one has written. (Rows of earlier releases are covered where their fields are.)

use std::collections::BTreeSet;

use domain::connection::ConnectionState;
use serde_json::Value;
use store::table::StoredItem;

use crate::recovery::{all_synced, opened, passes};

/// The row as a release writes it that has added a field to the record.
fn with_added_field(item: StoredItem) -> StoredItem {
    let mut record: Value = serde_json::from_str(&item.record).unwrap();
    record["added_by_a_later_release"] = serde_json::json!({"of": ["any", "form"]});
    StoredItem { record: record.to_string(), ..item }
}

#[test]
fn rows_with_a_field_of_a_later_release_are_read_and_everything_keeps_syncing() {
    let mut world = opened();
    passes(&world, 1);
    let items = world.table.all_items();
    let kinds = items.iter().filter_map(|item| item.key.sk.split('#').next().map(str::to_owned));
    let kinds = kinds.collect::<BTreeSet<_>>();
    for kind in ["CONNECTION", "GRANT", "MAP", "MONEY", "XID", "POLL", "CALLS", "CHART"] {
        assert!(kinds.contains(kind), "no row of {kind}: {kinds:?}");
    }
    world.table.restore_items(items.into_iter().map(with_added_field).collect());
    world.restart();
    passes(&world, 2);
    all_synced(&world, 1);
    all_synced(&world, 2);
    assert_eq!(world.connection().state, ConnectionState::Active);
}
