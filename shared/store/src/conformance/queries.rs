//! Reading partitions in order, by range and page by page.

use std::num::NonZeroU16;

use super::{create, delete, done};
use crate::table::{
    Cursor, IndexKey, Item, ItemKey, NewItem, Order, Page, Query, SortRange, Table, Version,
};

/// Sort keys in the order of their UTF-8 bytes. The last two are in the opposite order in UTF-16.
const SORT_KEYS: [&str; 14] =
    ["#", "A", "Z", "a", "a#", "a#1", "a#10", "a#2", "b", "é", "Ω", "水", "\u{FFFD}", "\u{1F527}"];

/// Runs all checks of this module.
pub async fn check_all(table: &dyn Table) {
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
pub async fn a_partition_is_read_in_byte_order(table: &dyn Table) {
    fill(table, "ORDER").await;
    for neighbour in ["ORDE", "ORDER#", "order"] {
        done(table, vec![create(NewItem::new(ItemKey::new(neighbour, "A"), "{}"))]).await;
    }
    let mut expected = SORT_KEYS.map(str::to_owned).to_vec();
    assert_eq!(walk(table, &all("ORDER", Order::Ascending)).await, expected);
    expected.reverse();
    assert_eq!(walk(table, &all("ORDER", Order::Descending)).await, expected);
}

/// A page holds what a read returns.
pub async fn a_query_returns_whole_items(table: &dyn Table) {
    let item = NewItem {
        due: Some(IndexKey::new("WHOLE-ITEMS", "due")),
        ..NewItem::new(ItemKey::new("WHOLE-ITEMS", "A"), "{\"full\":true}")
    };
    done(table, vec![create(item.clone())]).await;
    let page = ask(table, &all("WHOLE-ITEMS", Order::Ascending)).await;
    assert_eq!(page.items, [item.stored(Version::FIRST)]);
}

/// Bounds are inclusive. Empty and reversed bounds are no error.
pub async fn a_range_holds_what_lies_between_its_bounds(table: &dyn Table) {
    fill(table, "RANGE").await;
    for range in ranges() {
        let mut expected: Vec<&str> =
            SORT_KEYS.into_iter().filter(|sort_key| range.contains(sort_key)).collect();
        let query = Query { range: range.clone(), ..all("RANGE", Order::Ascending) };
        assert_eq!(walk(table, &query).await, expected, "{range:?}");
        expected.reverse();
        let query = Query { range: range.clone(), ..all("RANGE", Order::Descending) };
        assert_eq!(walk(table, &query).await, expected, "{range:?}");
    }
}

/// Pages of any size contain each item once, and none exceeds its limit.
pub async fn pages_add_up_to_the_whole_in_both_directions(table: &dyn Table) {
    fill(table, "PAGES").await;
    let some = [
        SortRange::All,
        SortRange::Prefix("a".to_owned()),
        SortRange::AtLeast("b".to_owned()),
        SortRange::AtMost("b".to_owned()),
        SortRange::Between { from: "a#1".to_owned(), to: "水".to_owned() },
    ];
    for range in some {
        for order in [Order::Ascending, Order::Descending] {
            let whole = Query { range: range.clone(), ..all("PAGES", order) };
            let expected = walk(table, &whole).await;
            for limit in [1, 2, 5, 14].into_iter().filter_map(NonZeroU16::new) {
                let paged = Query { limit, ..whole.clone() };
                assert_eq!(walk(table, &paged).await, expected, "{paged:?}");
            }
        }
    }
}

/// Items added or removed between two pages do not affect the walk.
pub async fn a_cursor_names_a_place_and_not_an_item(table: &dyn Table) {
    let key = |sk: &str| ItemKey::new("MOVING", sk);
    for sk in ["b", "d", "f", "h"] {
        done(table, vec![create(NewItem::new(key(sk), "{}"))]).await;
    }
    let limit = NonZeroU16::MIN.saturating_add(1);
    let first = ask(table, &Query { limit, ..all("MOVING", Order::Ascending) }).await;
    assert_eq!(sort_keys(&first.items), ["b", "d"]);

    done(table, vec![delete(&key("d"), Version::FIRST)]).await;
    done(table, vec![create(NewItem::new(key("a"), "behind the cursor"))]).await;
    done(table, vec![create(NewItem::new(key("e"), "before the cursor"))]).await;
    let rest = Query { after: first.next.clone(), ..all("MOVING", Order::Ascending) };
    assert_eq!(walk(table, &rest).await, ["e", "f", "h"]);
    let back = Query { after: first.next, ..all("MOVING", Order::Descending) };
    assert_eq!(walk(table, &back).await, ["b", "a"]);
}

/// A cursor outside the range returns an empty page and no error.
pub async fn a_cursor_outside_the_range_is_the_end(table: &dyn Table) {
    fill(table, "OUTSIDE").await;
    for order in [Order::Ascending, Order::Descending] {
        for outside in ["", "A", "b", "水"] {
            let query = Query {
                range: SortRange::Prefix("a#".to_owned()),
                after: Some(Cursor::at(outside)),
                ..all("OUTSIDE", order)
            };
            assert_eq!(ask(table, &query).await, Page::empty());
        }
    }
}

/// A partition without items returns an empty page for every query.
pub async fn a_partition_without_items_is_an_empty_page(table: &dyn Table) {
    for range in ranges() {
        let query = Query { range, ..all("NOBODY", Order::Ascending) };
        assert_eq!(ask(table, &query).await, Page::empty());
    }
}

/// Six items of 300 KB are more than DynamoDB returns per page.
pub async fn large_items_are_found_page_by_page(table: &dyn Table) {
    let sort_keys = ["1", "2", "3", "4", "5", "6"];
    for sk in sort_keys {
        let item = NewItem::new(ItemKey::new("LARGE-PAGES", sk), sk.repeat(300 * 1024));
        done(table, vec![create(item)]).await;
    }
    assert_eq!(walk(table, &all("LARGE-PAGES", Order::Ascending)).await, sort_keys);
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

async fn fill(table: &dyn Table, pk: &str) {
    let items = SORT_KEYS.map(|sk| create(NewItem::new(ItemKey::new(pk, sk), "{}")));
    done(table, items.to_vec()).await;
}

fn all(pk: &str, order: Order) -> Query {
    Query { pk: pk.to_owned(), range: SortRange::All, order, limit: NonZeroU16::MAX, after: None }
}

async fn ask(table: &dyn Table, query: &Query) -> Page {
    let page = table.query(query.clone()).await.expect("the table answers a query");
    assert!(page.items.len() <= usize::from(query.limit.get()));
    page
}

/// Returns the sort keys of all pages.
async fn walk(table: &dyn Table, query: &Query) -> Vec<String> {
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

fn sort_keys(items: &[Item]) -> Vec<String> {
    items.iter().map(|item| item.key.sk.clone()).collect()
}
