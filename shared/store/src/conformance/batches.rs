//! Reads of many items at once.

use super::{create, delete, done, read};
use crate::table::{ItemKey, ItemTable, ItemVersion, NewItem};

/// Runs all checks of this module.
pub async fn check_all(table: &dyn ItemTable) {
    every_key_is_answered_with_its_newest_item_or_none(table).await;
    more_keys_than_one_request_takes_are_read(table).await;
    no_keys_have_no_items(table).await;
}

/// Items of several partitions, a missing one, and one that was deleted.
pub async fn every_key_is_answered_with_its_newest_item_or_none(table: &dyn ItemTable) {
    let keys = [("MANY-A", "1"), ("MANY-A", "2"), ("MANY-B", "1"), ("MANY-B", "2")];
    let [there, deleted, elsewhere, missing] = keys.map(|(pk, sk)| ItemKey::new(pk, sk));
    for key in [&there, &deleted, &elsewhere] {
        done(table, vec![create(NewItem::new(key.clone(), "1"))]).await;
    }
    done(table, vec![delete(&deleted, ItemVersion::FIRST)]).await;
    let keys = vec![there.clone(), deleted.clone(), elsewhere.clone(), missing.clone()];
    let found = table.get_many(keys.clone()).await.expect("the table answers a read");
    assert_eq!(found.len(), keys.len());
    for key in &keys {
        assert_eq!(found.get(key), Some(&read(table, key).await), "{key}");
    }
}

/// 120 items, which DynamoDB returns in two requests.
pub async fn more_keys_than_one_request_takes_are_read(table: &dyn ItemTable) {
    let keys = (0..120).map(|number| ItemKey::new("MANY", format!("{number:03}")));
    let keys = keys.collect::<Vec<_>>();
    for some in keys.chunks(60) {
        let writes = some.iter().map(|key| create(NewItem::new(key.clone(), key.sk.as_str())));
        done(table, writes.collect()).await;
    }
    let found = table.get_many(keys.clone()).await.expect("the table answers a read");
    assert_eq!(found.len(), keys.len());
    for key in &keys {
        let item = found.get(key).and_then(Option::as_ref);
        assert_eq!(item.map(|item| item.record.as_str()), Some(key.sk.as_str()));
    }
}

/// A read of no keys is no error.
pub async fn no_keys_have_no_items(table: &dyn ItemTable) {
    let found = table.get_many(Vec::new()).await.expect("the table answers a read");
    assert!(found.is_empty());
}
