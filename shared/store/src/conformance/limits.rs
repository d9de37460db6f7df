//! The size limits.

use super::{create, done, read, replace, version_of};
use crate::table::{
    ItemKey, ItemTable, ItemVersion, ItemWrite, MAX_ITEM_BYTES, MAX_TRANSACTION_BYTES, NewItem,
    TableError,
};

/// Runs all checks of this module.
pub async fn check_all(table: &dyn ItemTable) {
    a_record_of_300_kb_comes_back(table).await;
    the_largest_item_is_found_and_kept(table).await;
    an_item_too_large_is_refused_and_changes_nothing(table).await;
    a_snapshot_counts_towards_the_size_of_its_item(table).await;
    size_is_counted_in_bytes(table).await;
    a_transaction_too_large_is_refused_and_changes_nothing(table).await;
}

/// A record several times as large as a long invoice.
pub async fn a_record_of_300_kb_comes_back(table: &dyn ItemTable) {
    let key = ItemKey::new("LARGE", "300");
    let item = NewItem::new(key.clone(), "0123456789ab".repeat(300 * 1024 / 12));
    done(table, vec![create(item.clone())]).await;
    assert_eq!(read(table, &key).await, Some(item.into_stored(ItemVersion::FIRST)));
}

/// The table must accept the largest item that we admit, which is nearly 400 KB.
pub async fn the_largest_item_is_found_and_kept(table: &dyn ItemTable) {
    let key = ItemKey::new("LARGE", "LARGEST");
    // Bisects between a size that is admitted and one that is not.
    let (mut admitted, mut refused) = (MAX_ITEM_BYTES - 1024, MAX_ITEM_BYTES);
    let mut version = None;
    while refused - admitted > 1 {
        let middle = usize::midpoint(admitted, refused);
        match table.write_items(vec![put(&key, "x".repeat(middle), version)]).await {
            Ok(()) => {
                version = Some(version.map_or(ItemVersion::FIRST, ItemVersion::next));
                admitted = middle;
            }
            Err(TableError::TooLarge { bytes, limit }) => {
                assert!(bytes > limit);
                assert_eq!(limit, MAX_ITEM_BYTES);
                refused = middle;
            }
            Err(error) => unreachable!("{middle} bytes are admitted but not kept: {error:?}"),
        }
    }
    let found = read(table, &key).await.expect("it was written");
    assert_eq!(found.record.len(), admitted);
}

/// A record of 400 KB alone exceeds the limit, for a create and for a replace.
pub async fn an_item_too_large_is_refused_and_changes_nothing(table: &dyn ItemTable) {
    let key = ItemKey::new("LARGE", "REFUSED");
    let record = || "x".repeat(MAX_ITEM_BYTES);
    too_large(table, vec![put(&key, record(), None)]).await;
    assert_eq!(read(table, &key).await, None);

    done(table, vec![create(NewItem::new(key.clone(), "small"))]).await;
    too_large(table, vec![put(&key, record(), Some(ItemVersion::FIRST))]).await;
    let other = ItemKey::new("LARGE", "REFUSED-TOO");
    let both = vec![
        create(NewItem::new(other.clone(), "small")),
        put(&key, record(), Some(ItemVersion::FIRST)),
    ];
    too_large(table, both).await;
    assert_eq!(read(table, &other).await, None);
    assert_eq!(version_of(table, &key).await, Some(1));
}

/// Record and snapshot share the 400 KB, and the larger of them is returned unchanged.
pub async fn a_snapshot_counts_towards_the_size_of_its_item(table: &dyn ItemTable) {
    let key = ItemKey::new("LARGE", "SNAPSHOT");
    let of_size = |bytes: usize| NewItem {
        snapshot: Some((0_u8..=255).cycle().take(bytes).collect()),
        ..NewItem::new(key.clone(), "x".repeat(50 * 1024))
    };
    too_large(table, vec![create(of_size(350 * 1024))]).await;
    let item = of_size(340 * 1024);
    done(table, vec![create(item.clone())]).await;
    assert_eq!(read(table, &key).await, Some(item.into_stored(ItemVersion::FIRST)));
}

/// 150,000 characters of three bytes are too many; 130,000 are not.
pub async fn size_is_counted_in_bytes(table: &dyn ItemTable) {
    let key = ItemKey::new("LARGE", "BYTES");
    too_large(table, vec![put(&key, "水".repeat(150_000), None)]).await;
    done(table, vec![put(&key, "水".repeat(130_000), None)]).await;
    assert_eq!(read(table, &key).await.map(|item| item.record.len()), Some(390_000));
}

/// Eleven items of nearly 400 KB each are accepted separately and refused together.
pub async fn a_transaction_too_large_is_refused_and_changes_nothing(table: &dyn ItemTable) {
    let keys: Vec<ItemKey> =
        (0..11).map(|number| ItemKey::new("LARGE-SUM", number.to_string())).collect();
    let size = MAX_TRANSACTION_BYTES / 11 + 1024;
    let writes = keys.iter().map(|key| put(key, "x".repeat(size), None)).collect();
    too_large(table, writes).await;
    for key in &keys {
        assert_eq!(read(table, key).await, None);
    }
}

fn put(key: &ItemKey, record: String, version: Option<ItemVersion>) -> ItemWrite {
    let item = NewItem::new(key.clone(), record);
    match version {
        None => create(item),
        Some(version) => replace(item, version),
    }
}

async fn too_large(table: &dyn ItemTable, writes: Vec<ItemWrite>) {
    let outcome = table.write_items(writes).await;
    assert!(matches!(outcome, Err(TableError::TooLarge { .. })), "not refused: {outcome:?}");
}
