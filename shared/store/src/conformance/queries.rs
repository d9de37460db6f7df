//! Reading partitions in order, by range and page by page.

use std::num::NonZeroU16;

use super::{create, delete, done};
use crate::table::{
    IndexKey, ItemKey, ItemPage, ItemTable, ItemVersion, NewItem, PageCursor, SortOrder, SortRange,
    StoredItem, TableQuery,
};

/// Sort keys in the order of their UTF-8 bytes. The last two are in the opposite order in UTF-16.
const SORT_KEYS: [&str; 14] =
    ["#", "A", "Z", "a", "a#", "a#1", "a#10", "a#2", "b", "é", "Ω", "水", "\u{FFFD}", "\u{1F527}"];

/// Runs all checks of this module.
pub async fn check_all(table: &dyn ItemTable) {
    a_partition_is_read_in_byte_order(table).await;
    a_query_returns_whole_items(table).await;
    a_range_holds_what_lies_between_its_bounds(table).await;
    pages_add_up_to_the_whole_in_both_directions(table).await;
    a_cursor_names_a_place_and_not_an_item(table).await;
    a_cursor_outside_the_range_is_the_end(table).await;
    a_partition_without_items_is_an_empty_page(table).await;
    large_items_are_found_page_by_page(table).await;
}

/// Order is by bytes, so uppercase precedes lowercase. Items of other partitions are not returned.
pub async fn a_partition_is_read_in_byte_order(table: &dyn ItemTable) {
    fill(table, "ORDER").await;
    for neighbour in ["ORDE", "ORDER#", "order"] {
        done(table, vec![create(NewItem::new(ItemKey::new(neighbour, "A"), "{}"))]).await;
    }
    let mut expected = SORT_KEYS.map(str::to_owned).to_vec();
    assert_eq!(walk(table, &all("ORDER", SortOrder::Ascending)).await, expected);
    expected.reverse();
    assert_eq!(walk(table, &all("ORDER", SortOrder::Descending)).await, expected);
}

/// A page holds what a read returns.
pub async fn a_query_returns_whole_items(table: &dyn ItemTable) {
    let item = NewItem {
        due: Some(IndexKey::new("WHOLE-ITEMS", "due")),
        ..NewItem::new(ItemKey::new("WHOLE-ITEMS", "A"), "{\"full\":true}")
    };
    done(table, vec![create(item.clone())]).await;
    let page = ask(table, &all("WHOLE-ITEMS", SortOrder::Ascending)).await;
    assert_eq!(page.items, [item.into_stored(ItemVersion::FIRST)]);
}

/// Bounds are inclusive. Empty and reversed bounds are no error.
pub async fn a_range_holds_what_lies_between_its_bounds(table: &dyn ItemTable) {
    fill(table, "RANGE").await;
    for range in ranges() {
        let mut expected: Vec<&str> =
            SORT_KEYS.into_iter().filter(|sort_key| range.contains_sort_key(sort_key)).collect();
        let query = TableQuery { range: range.clone(), ..all("RANGE", SortOrder::Ascending) };
        assert_eq!(walk(table, &query).await, expected, "{range:?}");
        expected.reverse();
        let query = TableQuery { range: range.clone(), ..all("RANGE", SortOrder::Descending) };
        assert_eq!(walk(table, &query).await, expected, "{range:?}");
    }
}

/// Pages of any size contain each item once, and none exceeds its limit.
pub async fn pages_add_up_to_the_whole_in_both_directions(table: &dyn ItemTable) {
    fill(table, "PAGES").await;
    let some = [
        SortRange::All,
        SortRange::Prefix("a".to_owned()),
        SortRange::AtLeast("b".to_owned()),
        SortRange::AtMost("b".to_owned()),
        SortRange::Between { from: "a#1".to_owned(), to: "水".to_owned() },
    ];
    for range in some {
        for order in [SortOrder::Ascending, SortOrder::Descending] {
            let whole = TableQuery { range: range.clone(), ..all("PAGES", order) };
            let expected = walk(table, &whole).await;
            for limit in [1, 2, 5, 14].into_iter().filter_map(NonZeroU16::new) {
                let paged = TableQuery { limit, ..whole.clone() };
                assert_eq!(walk(table, &paged).await, expected, "{paged:?}");
            }
        }
    }
}

/// Items added or removed between two pages do not affect the walk.
pub async fn a_cursor_names_a_place_and_not_an_item(table: &dyn ItemTable) {
    let key = |sk: &str| ItemKey::new("MOVING", sk);
    for sk in ["b", "d", "f", "h"] {
        done(table, vec![create(NewItem::new(key(sk), "{}"))]).await;
    }
    let limit = NonZeroU16::MIN.saturating_add(1);
    let first = ask(table, &TableQuery { limit, ..all("MOVING", SortOrder::Ascending) }).await;
    assert_eq!(sort_keys(&first.items), ["b", "d"]);

    done(table, vec![delete(&key("d"), ItemVersion::FIRST)]).await;
    done(table, vec![create(NewItem::new(key("a"), "behind the cursor"))]).await;
    done(table, vec![create(NewItem::new(key("e"), "before the cursor"))]).await;
    let rest = TableQuery { after: first.next.clone(), ..all("MOVING", SortOrder::Ascending) };
    assert_eq!(walk(table, &rest).await, ["e", "f", "h"]);
    let back = TableQuery { after: first.next, ..all("MOVING", SortOrder::Descending) };
    assert_eq!(walk(table, &back).await, ["b", "a"]);
}

/// A cursor outside the range returns an empty page and no error.
pub async fn a_cursor_outside_the_range_is_the_end(table: &dyn ItemTable) {
    fill(table, "OUTSIDE").await;
    for order in [SortOrder::Ascending, SortOrder::Descending] {
        for outside in ["", "A", "b", "水"] {
            let query = TableQuery {
                range: SortRange::Prefix("a#".to_owned()),
                after: Some(PageCursor::at_sort_key(outside)),
                ..all("OUTSIDE", order)
            };
            assert_eq!(ask(table, &query).await, ItemPage::empty_page());
        }
    }
}

/// A partition without items returns an empty page for every query.
pub async fn a_partition_without_items_is_an_empty_page(table: &dyn ItemTable) {
    for range in ranges() {
        let query = TableQuery { range, ..all("NOBODY", SortOrder::Ascending) };
        assert_eq!(ask(table, &query).await, ItemPage::empty_page());
    }
}

/// Six items of 300 KB are more than DynamoDB returns per page.
pub async fn large_items_are_found_page_by_page(table: &dyn ItemTable) {
    let sort_keys = ["1", "2", "3", "4", "5", "6"];
    for sk in sort_keys {
        let item = NewItem::new(ItemKey::new("LARGE-PAGES", sk), sk.repeat(300 * 1024));
        done(table, vec![create(item)]).await;
    }
    for order in [SortOrder::Ascending, SortOrder::Descending] {
        let query = all("LARGE-PAGES", order);
        let page = ask(table, &query).await;
        let count = page.items.len();
        assert!(count < sort_keys.len() && page.next.is_some(), "{count} items on a page");
        let mut found = walk(table, &query).await;
        found.sort();
        assert_eq!(found, sort_keys, "{order:?}");
    }
}

fn ranges() -> Vec<SortRange> {
    let between =
        |from: &str, to: &str| SortRange::Between { from: from.to_owned(), to: to.to_owned() };
    vec![
        SortRange::All,
        SortRange::Prefix(String::new()),
        SortRange::Prefix("a".to_owned()),
        SortRange::Prefix("a#1".to_owned()),
        SortRange::Prefix("水".to_owned()),
        SortRange::Prefix("nothing".to_owned()),
        SortRange::AtLeast(String::new()),
        SortRange::AtLeast("a#10".to_owned()),
        SortRange::AtLeast("a#11".to_owned()),
        SortRange::AtMost(String::new()),
        SortRange::AtMost("b".to_owned()),
        SortRange::AtMost("c".to_owned()),
        between("a", "b"),
        between("a#1", "a#1"),
        between("c", "d"),
        between("b", "a"),
        between("", "Z"),
        between("é", "\u{1F527}"),
    ]
}

async fn fill(table: &dyn ItemTable, pk: &str) {
    let items = SORT_KEYS.map(|sk| create(NewItem::new(ItemKey::new(pk, sk), "{}")));
    done(table, items.to_vec()).await;
}

fn all(pk: &str, order: SortOrder) -> TableQuery {
    TableQuery {
        pk: pk.to_owned(),
        range: SortRange::All,
        order,
        limit: NonZeroU16::MAX,
        after: None,
    }
}

async fn ask(table: &dyn ItemTable, query: &TableQuery) -> ItemPage {
    let page = table.query_items(query.clone()).await.expect("the table answers a query");
    assert!(page.items.len() <= usize::from(query.limit.get()));
    page
}

/// Returns the sort keys of all pages.
async fn walk(table: &dyn ItemTable, query: &TableQuery) -> Vec<String> {
    let mut query = query.clone();
    let mut found = Vec::new();
    loop {
        let page = ask(table, &query).await;
        assert!(page.items.iter().all(|item| item.key.pk == query.pk));
        found.extend(sort_keys(&page.items));
        assert!(found.len() < 100, "the walk does not end");
        match page.next {
            None => return found,
            next => query.after = next,
        }
    }
}

fn sort_keys(items: &[StoredItem]) -> Vec<String> {
    items.iter().map(|item| item.key.sk.clone()).collect()
}
