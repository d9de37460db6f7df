//! The table's contract, for every implementation, and the failure that only DynamoDB can have:
//! lost replies.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this is test code, but clippy knows only the functions marked as tests"
)]

mod emulator;
mod endpoint;
mod failures;
mod lost_replies;

use store::{
    conformance,
    memory::MemoryTable,
    table::{Expect, ItemKey, NewItem, Table as _, Version, Write},
};

use self::emulator::Emulator;

#[tokio::test]
async fn memory_keeps_the_contract() {
    conformance::check_all(&MemoryTable::new()).await;
}

#[tokio::test]
async fn dynamodb_in_this_program_keeps_the_contract() {
    conformance::check_all(&Emulator::start().await.table()).await;
}

#[tokio::test]
async fn dynamodb_at_an_endpoint_keeps_the_contract() {
    #[expect(clippy::disallowed_methods, reason = "the test itself is configured from outside")]
    let Ok(endpoint_url) = std::env::var("DYNAMODB_ENDPOINT") else {
        eprintln!("skipped: DYNAMODB_ENDPOINT is not set");
        return;
    };
    conformance::check_all(&endpoint::table(&endpoint_url).await).await;
}

#[tokio::test]
async fn clones_of_a_memory_table_share_its_items() {
    let table = MemoryTable::new();
    let item = NewItem::new(ItemKey::new("A", "B"), "{}");
    let write = Write::Put { item: item.clone(), expect: Expect::Absent };
    table.clone().write(vec![write]).await.unwrap();
    assert_eq!(table.items(), [item.stored(Version::FIRST)]);
}
