//! The sparse indexes: their members, order and pages.

use std::num::NonZeroU16;

use super::{create, delete, done, refused, replace};
use crate::table::{
    IndexEntry, IndexKey, IndexPage, IndexQuery, ItemKey, ItemTable, ItemVersion, NewItem,
    SortOrder, SortRange, TableIndex,
};

/// How often an index is read before a difference counts as a failure. DynamoDB's indexes lag by up
/// to a second.
const LOOKS: usize = 500;

/// Runs all checks of this module.
pub async fn check_all(table: &dyn ItemTable) {
    an_item_is_in_the_indexes_it_has_a_place_in(table).await;
    an_item_moves_when_its_place_changes(table).await;
    an_item_without_a_place_leaves_the_index(table).await;
    a_deleted_item_leaves_the_indexes(table).await;
    a_refused_write_changes_no_index(table).await;
    an_index_is_read_in_order_by_range(table).await;
    index_pages_add_up_when_items_share_a_place(table).await;
    an_entry_outside_the_range_is_the_end(table).await;
}

/// Items in one index, in both, and in none.
pub async fn an_item_is_in_the_indexes_it_has_a_place_in(table: &dyn ItemTable) {
    let pk = "SPARSE";
    let [neither, due, open, both] =
        ["NEITHER", "DUE", "OPEN", "BOTH"].map(|sk| ItemKey::new(pk, sk));
    let place = |sk: &str| Some(IndexKey::new(pk, sk));
    let items = [
        NewItem::new(neither, "{}"),
        NewItem { due: place("1"), ..NewItem::new(due.clone(), "{}") },
        NewItem { open: place("1"), ..NewItem::new(open.clone(), "{}") },
        NewItem {
            due: place("2"),
            open: place("0"),
            attention: place("3"),
            ..NewItem::new(both.clone(), "{}")
        },
    ];
    done(table, items.map(create).to_vec()).await;
    shows(table, &all(TableIndex::Due, pk), &[entry(pk, "1", &due), entry(pk, "2", &both)]).await;
    shows(table, &all(TableIndex::Open, pk), &[entry(pk, "0", &both), entry(pk, "1", &open)]).await;
    shows(table, &all(TableIndex::Attention, pk), &[entry(pk, "3", &both)]).await;
    shows(table, &all(TableIndex::Due, "SPARSE-TOO"), &[]).await;
}

/// An item moves within a partition of the index and to another partition; the other index does not
/// change.
pub async fn an_item_moves_when_its_place_changes(table: &dyn ItemTable) {
    let key = ItemKey::new("MOVE", "A");
    let at = |pk: &str, sk: &str| NewItem {
        due: Some(IndexKey::new(pk, sk)),
        open: Some(IndexKey::new("MOVE", "open")),
        ..NewItem::new(key.clone(), "{}")
    };
    let second = ItemVersion::FIRST.next();
    done(table, vec![create(at("MOVE", "1"))]).await;
    shows(table, &all(TableIndex::Due, "MOVE"), &[entry("MOVE", "1", &key)]).await;
    done(table, vec![replace(at("MOVE", "2"), ItemVersion::FIRST)]).await;
    shows(table, &all(TableIndex::Due, "MOVE"), &[entry("MOVE", "2", &key)]).await;
    done(table, vec![replace(at("MOVED", "2"), second)]).await;
    shows(table, &all(TableIndex::Due, "MOVE"), &[]).await;
    shows(table, &all(TableIndex::Due, "MOVED"), &[entry("MOVED", "2", &key)]).await;
    shows(table, &all(TableIndex::Open, "MOVE"), &[entry("MOVE", "open", &key)]).await;
}

/// A put without an index key removes the item from that index only.
pub async fn an_item_without_a_place_leaves_the_index(table: &dyn ItemTable) {
    let key = ItemKey::new("LEAVE", "A");
    let place = || Some(IndexKey::new("LEAVE", "1"));
    let plain = || NewItem::new(key.clone(), "{}");
    let found = [entry("LEAVE", "1", &key)];
    done(table, vec![create(NewItem { due: place(), open: place(), ..plain() })]).await;
    shows(table, &all(TableIndex::Due, "LEAVE"), &found).await;
    done(table, vec![replace(NewItem { open: place(), ..plain() }, ItemVersion::FIRST)]).await;
    shows(table, &all(TableIndex::Due, "LEAVE"), &[]).await;
    shows(table, &all(TableIndex::Open, "LEAVE"), &found).await;
    done(table, vec![replace(plain(), ItemVersion::FIRST.next())]).await;
    shows(table, &all(TableIndex::Open, "LEAVE"), &[]).await;
}

/// A delete removes the item from both indexes.
pub async fn a_deleted_item_leaves_the_indexes(table: &dyn ItemTable) {
    let key = ItemKey::new("GONE", "A");
    let place = || Some(IndexKey::new("GONE", "1"));
    let item = NewItem { due: place(), open: place(), ..NewItem::new(key.clone(), "{}") };
    done(table, vec![create(item)]).await;
    shows(table, &all(TableIndex::Due, "GONE"), &[entry("GONE", "1", &key)]).await;
    done(table, vec![delete(&key, ItemVersion::FIRST)]).await;
    shows(table, &all(TableIndex::Due, "GONE"), &[]).await;
    shows(table, &all(TableIndex::Open, "GONE"), &[]).await;
}

/// A refused write changes no index, alone or as part of a transaction.
pub async fn a_refused_write_changes_no_index(table: &dyn ItemTable) {
    let [there, fresh] = ["THERE", "FRESH"].map(|sk| ItemKey::new("STILL", sk));
    let at = |key: &ItemKey, sk: &str| NewItem {
        due: Some(IndexKey::new("STILL", sk)),
        ..NewItem::new(key.clone(), "{}")
    };
    done(table, vec![create(at(&there, "1"))]).await;
    refused(table, vec![create(at(&there, "2"))]).await;
    refused(table, vec![create(at(&fresh, "3")), create(at(&there, "4"))]).await;
    refused(
        table,
        vec![delete(&there, ItemVersion::FIRST), replace(at(&fresh, "5"), ItemVersion::FIRST)],
    )
    .await;
    shows(table, &all(TableIndex::Due, "STILL"), &[entry("STILL", "1", &there)]).await;
}

/// Ranges of an index: everything due by an instant, everything of an account, and the last
/// entries.
pub async fn an_index_is_read_in_order_by_range(table: &dyn ItemTable) {
    let pk = "INDEX-RANGE";
    let places = ["2026-11-02#b", "2026-11-02#a", "2026-11-03#a", "2026-10-31#c"];
    // The order of the table's own keys is different.
    let entries = places.map(|sk| entry(pk, sk, &ItemKey::new(sk, "A")));
    let items = entries
        .clone()
        .map(|entry| NewItem { open: Some(entry.index), ..NewItem::new(entry.key, "{}") });
    done(table, items.map(create).to_vec()).await;

    let [second_b, second_a, third, october] = entries;
    let everything = all(TableIndex::Open, pk);
    let ordered = [october.clone(), second_a.clone(), second_b.clone(), third.clone()];
    shows(table, &everything, &ordered).await;
    let until = SortRange::AtMost("2026-11-02#a".to_owned());
    shows(table, &IndexQuery { range: until, ..everything.clone() }, &[october, second_a.clone()])
        .await;
    let that_day = SortRange::Prefix("2026-11-02".to_owned());
    let descending = IndexQuery { order: SortOrder::Descending, ..everything.clone() };
    shows(table, &IndexQuery { range: that_day, ..descending.clone() }, &[second_b, second_a])
        .await;
    let last = IndexQuery { limit: NonZeroU16::MIN, ..descending };
    let page = table.query_index(last).await.expect("the table answers a query");
    assert_eq!(page.entries, [third]);
    let crossed = SortRange::Between { from: "b".to_owned(), to: "a".to_owned() };
    shows(table, &IndexQuery { range: crossed, ..everything }, &[]).await;
}

/// Pages over seven items with three sort keys contain each item once, in both directions.
pub async fn index_pages_add_up_when_items_share_a_place(table: &dyn ItemTable) {
    let pk = "SHARED";
    let places = ["1", "1", "1", "2", "3", "3", "3"];
    let mut expected: Vec<IndexEntry> = places
        .into_iter()
        .enumerate()
        .map(|(number, sk)| entry(pk, sk, &ItemKey::new("SHARED-ITEMS", number.to_string())))
        .collect();
    let items = expected
        .iter()
        .cloned()
        .map(|entry| NewItem { due: Some(entry.index), ..NewItem::new(entry.key, "{}") });
    done(table, items.map(create).collect()).await;
    expected.sort();

    for order in [SortOrder::Ascending, SortOrder::Descending] {
        for limit in [1, 2, 3, 7, 8].into_iter().filter_map(NonZeroU16::new) {
            let query = IndexQuery { order, limit, ..all(TableIndex::Due, pk) };
            let found = settled(table, &query, expected.len()).await;
            let mut sort_keys: Vec<&str> = found.iter().map(|e| e.index.sk.as_str()).collect();
            if order == SortOrder::Descending {
                sort_keys.reverse();
            }
            assert_eq!(sort_keys, places, "{query:?}");
            let mut sorted = found;
            sorted.sort();
            assert_eq!(sorted, expected, "{query:?}");
        }
    }
}

/// Continuing after an entry outside the range returns an empty page and no error.
pub async fn an_entry_outside_the_range_is_the_end(table: &dyn ItemTable) {
    let pk = "INDEX-OUTSIDE";
    let key = ItemKey::new(pk, "A");
    let item = NewItem { due: Some(IndexKey::new(pk, "m")), ..NewItem::new(key.clone(), "{}") };
    done(table, vec![create(item)]).await;
    for outside in ["a", "z"] {
        let query = IndexQuery {
            range: SortRange::Prefix("m".to_owned()),
            after: Some(entry(pk, outside, &key)),
            ..all(TableIndex::Due, pk)
        };
        let page = table.query_index(query).await.expect("the table answers a query");
        assert_eq!(page, IndexPage { entries: Vec::new(), next: None });
    }
}

fn entry(pk: &str, sk: &str, key: &ItemKey) -> IndexEntry {
    IndexEntry { index: IndexKey::new(pk, sk), key: key.clone() }
}

fn all(index: TableIndex, pk: &str) -> IndexQuery {
    IndexQuery {
        index,
        pk: pk.to_owned(),
        range: SortRange::All,
        order: SortOrder::Ascending,
        limit: NonZeroU16::MAX,
        after: None,
    }
}

/// Reads the index until it shows these entries in this order.
async fn shows(table: &dyn ItemTable, query: &IndexQuery, expected: &[IndexEntry]) {
    let mut found = Vec::new();
    for _ in 0..LOOKS {
        found = walk(table, query).await;
        if found == expected {
            return;
        }
    }
    assert_eq!(found, expected, "{query:?}");
}

/// Reads the index until it shows this many entries.
async fn settled(table: &dyn ItemTable, query: &IndexQuery, count: usize) -> Vec<IndexEntry> {
    for _ in 0..LOOKS {
        let found = walk(table, query).await;
        if found.len() == count {
            return found;
        }
    }
    walk(table, query).await
}

/// Returns the entries of all pages.
async fn walk(table: &dyn ItemTable, query: &IndexQuery) -> Vec<IndexEntry> {
    let mut query = query.clone();
    let mut found = Vec::new();
    loop {
        let page = table.query_index(query.clone()).await.expect("the table answers a query");
        assert!(page.entries.len() <= usize::from(query.limit.get()));
        found.extend(page.entries);
        assert!(found.len() < 100, "the walk does not end");
        match page.next {
            None => return found,
            next => query.after = next,
        }
    }
}
