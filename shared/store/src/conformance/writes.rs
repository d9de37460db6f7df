//! Writes of single items: versions, preconditions and what is read back.

use jiff::Timestamp;

use super::{create, delete, done, read, refused, replace, version_of};
use crate::table::{
    IndexKey, ItemKey, ItemTable, ItemVersion, ItemWrite, NewItem, WriteExpectation,
};

/// Runs all checks of this module.
pub async fn check_all(table: &dyn ItemTable) {
    a_missing_item_reads_as_none(table).await;
    the_first_write_gives_version_one_and_each_later_one_raises_it(table).await;
    a_create_is_refused_where_an_item_exists(table).await;
    a_replace_needs_the_current_version(table).await;
    a_replace_is_refused_where_no_item_exists(table).await;
    a_delete_needs_the_current_version(table).await;
    an_item_put_again_after_a_delete_starts_at_version_one(table).await;
    an_item_starts_at_the_version_that_its_writer_chooses(table).await;
    an_item_comes_back_as_it_was_written(table).await;
    a_replace_leaves_nothing_of_the_old_item(table).await;
    the_fraction_of_an_expiry_is_rounded_up(table).await;
    an_expired_item_is_still_there(table).await;
}

/// A key that was never written has no item, whether or not its partition has items.
pub async fn a_missing_item_reads_as_none(table: &dyn ItemTable) {
    let there = ItemKey::new("MISSING", "THERE");
    done(table, vec![create(NewItem::new(there, "{}"))]).await;
    assert_eq!(read(table, &ItemKey::new("MISSING", "ELSEWHERE")).await, None);
    assert_eq!(read(table, &ItemKey::new("MISSING-TOO", "THERE")).await, None);
}

/// Versions count writes, starting with one.
pub async fn the_first_write_gives_version_one_and_each_later_one_raises_it(table: &dyn ItemTable) {
    let key = ItemKey::new("VERSIONS", "A");
    done(table, vec![create(NewItem::new(key.clone(), "0"))]).await;
    let mut version = ItemVersion::FIRST;
    for round in 1..=12_u64 {
        let found = read(table, &key).await.expect("it was written");
        assert_eq!(found.version, version);
        assert_eq!(found.version.as_number(), round);
        done(table, vec![replace(NewItem::new(key.clone(), round.to_string()), version)]).await;
        version = version.next();
    }
    assert_eq!(version_of(table, &key).await, Some(13));
}

/// The first version may be chosen, and still requires that there is no item.
pub async fn an_item_starts_at_the_version_that_its_writer_chooses(table: &dyn ItemTable) {
    let key = ItemKey::new("FIRST-VERSION", "A");
    let first = ItemVersion::from_number(1_800_000_000_000);
    let create_at_first = |record: &str| ItemWrite::Put {
        item: NewItem::new(key.clone(), record),
        expect: WriteExpectation::AbsentWithFirst(first),
    };
    done(table, vec![create_at_first("1")]).await;
    assert_eq!(version_of(table, &key).await, Some(first.as_number()));
    refused(table, vec![create_at_first("2")]).await;
    done(table, vec![replace(NewItem::new(key.clone(), "2"), first)]).await;
    assert_eq!(version_of(table, &key).await, Some(first.next().as_number()));
}

/// A refused create leaves the item unchanged.
pub async fn a_create_is_refused_where_an_item_exists(table: &dyn ItemTable) {
    let key = ItemKey::new("CREATE", "A");
    done(table, vec![create(NewItem::new(key.clone(), "first"))]).await;
    let before = read(table, &key).await;
    refused(table, vec![create(NewItem::new(key.clone(), "second"))]).await;
    refused(table, vec![create(NewItem::new(key.clone(), "first"))]).await;
    assert_eq!(read(table, &key).await, before);
}

/// Neither an old version nor a future one is accepted.
pub async fn a_replace_needs_the_current_version(table: &dyn ItemTable) {
    let key = ItemKey::new("REPLACE", "A");
    let second = ItemVersion::FIRST.next();
    done(table, vec![create(NewItem::new(key.clone(), "1"))]).await;
    done(table, vec![replace(NewItem::new(key.clone(), "2"), ItemVersion::FIRST)]).await;
    let before = read(table, &key).await;
    for version in [ItemVersion::from_number(0), ItemVersion::FIRST, second.next()] {
        refused(table, vec![replace(NewItem::new(key.clone(), "3"), version)]).await;
    }
    // An old version is refused even if the content equals the item's.
    refused(table, vec![replace(NewItem::new(key.clone(), "2"), ItemVersion::FIRST)]).await;
    assert_eq!(read(table, &key).await, before);
}

/// A replace does not create an item.
pub async fn a_replace_is_refused_where_no_item_exists(table: &dyn ItemTable) {
    let key = ItemKey::new("REPLACE-NOTHING", "A");
    refused(table, vec![replace(NewItem::new(key.clone(), "1"), ItemVersion::FIRST)]).await;
    assert_eq!(read(table, &key).await, None);
}

/// A delete requires the current version, and succeeds once.
pub async fn a_delete_needs_the_current_version(table: &dyn ItemTable) {
    let key = ItemKey::new("DELETE", "A");
    let second = ItemVersion::FIRST.next();
    refused(table, vec![delete(&key, ItemVersion::FIRST)]).await;
    done(table, vec![create(NewItem::new(key.clone(), "1"))]).await;
    done(table, vec![replace(NewItem::new(key.clone(), "2"), ItemVersion::FIRST)]).await;
    refused(table, vec![delete(&key, ItemVersion::FIRST)]).await;
    refused(table, vec![delete(&key, second.next())]).await;
    assert_eq!(version_of(table, &key).await, Some(2));
    done(table, vec![delete(&key, second)]).await;
    assert_eq!(read(table, &key).await, None);
    refused(table, vec![delete(&key, second)]).await;
}

/// Versions do not survive a delete.
pub async fn an_item_put_again_after_a_delete_starts_at_version_one(table: &dyn ItemTable) {
    let key = ItemKey::new("REBIRTH", "A");
    for _ in 0..3 {
        done(table, vec![create(NewItem::new(key.clone(), "same"))]).await;
        assert_eq!(version_of(table, &key).await, Some(1));
        done(table, vec![delete(&key, ItemVersion::FIRST)]).await;
        assert_eq!(read(table, &key).await, None);
    }
}

/// Keys, index keys, expiry and record are stored unchanged, in any script, including empty
/// records.
pub async fn an_item_comes_back_as_it_was_written(table: &dyn ItemTable) {
    let expiry = Timestamp::from_second(4_000_000_000).expect("an instant of this era");
    for (number, text) in
        ["", " ", "{}", "\"\\\n\t\u{1}", "Ōtāhuhu 水管工 🔧", "e\u{301}≠é", "null"]
            .into_iter()
            .enumerate()
    {
        let item = NewItem {
            key: ItemKey::new("ROUND-TRIP", format!("{number}#{text}")),
            due: Some(IndexKey::new("DUE#水", format!("due {text}"))),
            attention: None,
            open: Some(IndexKey::new(format!("OPEN {text}"), "🔧")),
            expires_at: Some(expiry),
            record: text.to_owned(),
            snapshot: Some(text.bytes().chain([0, 255, 128]).collect()),
        };
        done(table, vec![create(item.clone())]).await;
        assert_eq!(read(table, &item.key).await, Some(item.into_stored(ItemVersion::FIRST)));
    }
}

/// A put replaces the whole item, so missing attributes are removed.
pub async fn a_replace_leaves_nothing_of_the_old_item(table: &dyn ItemTable) {
    let key = ItemKey::new("WHOLE", "A");
    let rich = NewItem {
        due: Some(IndexKey::new("WHOLE", "due")),
        open: Some(IndexKey::new("WHOLE", "open")),
        expires_at: Some(Timestamp::from_second(4_000_000_000).expect("an instant of this era")),
        snapshot: Some(vec![1, 2, 3]),
        ..NewItem::new(key.clone(), "rich")
    };
    let plain = NewItem::new(key.clone(), "plain");
    done(table, vec![create(rich)]).await;
    done(table, vec![replace(plain.clone(), ItemVersion::FIRST)]).await;
    assert_eq!(read(table, &key).await, Some(plain.into_stored(ItemVersion::FIRST.next())));
}

/// Whole seconds stay, and fractions are rounded up, so that no item expires early.
pub async fn the_fraction_of_an_expiry_is_rounded_up(table: &dyn ItemTable) {
    for (nanosecond, expected) in
        [(0, 4_000_000_000), (1, 4_000_000_001), (999_999_999, 4_000_000_001)]
    {
        let key = ItemKey::new("EXPIRY", nanosecond.to_string());
        let expires_at = Timestamp::new(4_000_000_000, nanosecond).expect("an instant of this era");
        let item = NewItem { expires_at: Some(expires_at), ..NewItem::new(key.clone(), "{}") };
        done(table, vec![create(item)]).await;
        let found = read(table, &key).await.expect("it was written").expires_at;
        assert_eq!(found, Timestamp::from_second(expected).ok());
    }
}

/// The table deletes late, so the reader decides what an expiry in the past means.
pub async fn an_expired_item_is_still_there(table: &dyn ItemTable) {
    let key = ItemKey::new("EXPIRED", "A");
    let past = Timestamp::from_second(1_000_000_000).expect("an instant of this era");
    let item = NewItem { expires_at: Some(past), ..NewItem::new(key.clone(), "old") };
    done(table, vec![create(item.clone())]).await;
    assert_eq!(read(table, &key).await, Some(item.into_stored(ItemVersion::FIRST)));
    refused(table, vec![create(NewItem::new(key, "new"))]).await;
}
