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
    table::{ItemKey, ItemTable as _, ItemVersion, ItemWrite, NewItem, WriteExpectation},
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
    let write = ItemWrite::Put { item: item.clone(), expect: WriteExpectation::Absent };
    table.clone().write_items(vec![write]).await.unwrap();
    assert_eq!(table.all_items(), [item.into_stored(ItemVersion::FIRST)]);
}
