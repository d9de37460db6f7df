//! Answers of DynamoDB that an emulator does not give, and items that no table writes.

use std::error::Error as _;

use aws_sdk_dynamodb::types::AttributeValue;
use store::table::{
    CorruptItem, ItemKey, ItemTable as _, ItemVersion, ItemWrite, NewItem, SortOrder, SortRange,
    TableError, TableQuery, WriteExpectation,
};

use crate::emulator::{Emulator, Fault};

fn create(sk: &str) -> ItemWrite {
    ItemWrite::Put {
        item: NewItem::new(ItemKey::new("A", sk), "{}"),
        expect: WriteExpectation::Absent,
    }
}

fn answer(status: u16, kind: &str, rest: &str) -> Fault {
    let body =
        format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{kind}","message":"no"{rest}}}"#);
    Fault::Answer(status, body)
}

fn cancelled(codes: [&str; 2]) -> Fault {
    let [first, second] = codes;
    let reasons = format!(r#","CancellationReasons":[{{"Code":"{first}"}},{{"Code":"{second}"}}]"#);
    answer(400, "TransactionCanceledException", &reasons)
}

async fn outcome_after(faults: Vec<Fault>, writes: Vec<ItemWrite>) -> TableError {
    let emulator = Emulator::start().await;
    emulator.inject_faults(faults);
    let error = emulator.table().write_items(writes).await.unwrap_err();
    assert_eq!(emulator.faults_left(), 0);
    error
}

#[tokio::test]
async fn two_transactions_at_one_item_are_a_conflict() {
    let put =
        outcome_after(vec![answer(400, "TransactionConflictException", "")], vec![create("B")])
            .await;
    assert!(matches!(put, TableError::Conflict), "{put:?}");
    for codes in [["None", "TransactionConflict"], ["ThrottlingError", "ConditionalCheckFailed"]] {
        let both = outcome_after(vec![cancelled(codes)], vec![create("B"), create("C")]).await;
        assert!(matches!(both, TableError::Conflict), "{both:?}");
    }
}

#[tokio::test]
async fn throttling_is_a_refusal_or_unavailability_and_names_its_cause() {
    for codes in [["None", "ThrottlingError"], ["ProvisionedThroughputExceeded", "None"]] {
        let both = outcome_after(vec![cancelled(codes)], vec![create("B"), create("C")]).await;
        assert!(matches!(both, TableError::Refused { .. }), "{both:?}");
    }
    let invalid = vec![answer(400, "ValidationException", "")];
    let both = outcome_after(invalid, vec![create("B"), create("C")]).await;
    assert!(matches!(both, TableError::Refused { .. }), "{both:?}");
    for kind in ["ProvisionedThroughputExceededException", "ThrottlingException"] {
        let put = outcome_after(vec![answer(400, kind, ""); 3], vec![create("B")]).await;
        assert_eq!(put.to_string(), "the table did not complete the operation: put item");
        let cause = put.source().unwrap().to_string();
        assert!(cause.contains(kind), "{cause}");
    }
    let put =
        outcome_after(vec![answer(500, "InternalServerError", ""); 3], vec![create("B")]).await;
    assert!(matches!(put, TableError::Unavailable { .. }), "{put:?}");
}

/// After these answers, an earlier try whose answer was lost may have succeeded or failed.
#[tokio::test]
async fn a_transaction_that_may_have_been_performed_is_never_reported_as_refused() {
    let repeated = [
        (400, "ThrottlingException"),
        (400, "ProvisionedThroughputExceededException"),
        (400, "RequestLimitExceeded"),
        (400, "TransactionInProgressException"),
        (500, "InternalServerError"),
    ];
    let final_kinds = ["IdempotentParameterMismatchException", "ResourceNotFoundException"];
    let repeated = repeated.map(|(status, kind)| vec![answer(status, kind, ""); 3]);
    let final_answers = final_kinds.map(|kind| vec![answer(400, kind, "")]);
    for faults in repeated.into_iter().chain(final_answers) {
        let both = outcome_after(faults.clone(), vec![create("B"), create("C")]).await;
        assert!(matches!(both, TableError::Unavailable { .. }), "{faults:?}: {both:?}");
    }

    let emulator = Emulator::start().await;
    let throttled = answer(400, "ThrottlingException", "");
    emulator.inject_faults([Fault::LostReply, throttled.clone(), throttled]);
    let both = emulator.table().write_items(vec![create("B"), create("C")]).await;
    assert!(matches!(both, Err(TableError::Unavailable { .. })), "{both:?}");
    assert!(emulator.table().get(&ItemKey::new("A", "B")).await.unwrap().is_some());
}

#[tokio::test]
async fn throttling_is_tried_again_before_it_is_reported() {
    let emulator = Emulator::start().await;
    emulator.inject_faults([
        answer(400, "ThrottlingException", ""),
        answer(500, "InternalServerError", ""),
    ]);
    emulator.table().write_items(vec![create("B")]).await.unwrap();
    assert_eq!(emulator.faults_left(), 0);
}

#[tokio::test]
async fn an_unreachable_table_is_unavailable_to_readers() {
    let emulator = Emulator::start().await;
    let table = emulator.table();
    emulator.inject_faults(vec![Fault::LostReply; 3]);
    let read = table.get(&ItemKey::new("A", "B")).await.unwrap_err();
    assert!(matches!(read, TableError::Unavailable { operation: "get item", .. }), "{read:?}");
    emulator.inject_faults(vec![Fault::LostReply; 3]);
    let page = table.query_items(partition()).await.unwrap_err();
    assert!(matches!(page, TableError::Unavailable { operation: "query", .. }), "{page:?}");
}

#[tokio::test]
async fn an_item_written_by_something_else_is_corrupt() {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |digits: &str| AttributeValue::N(digits.to_owned());
    let whole = [("version", number("1")), ("record", text("{}"))];
    let broken: [(&str, Vec<(&str, AttributeValue)>); 7] = [
        ("its version is missing or not a whole number", vec![("record", text("{}"))]),
        ("its version is missing or not a whole number", vec![("version", number("1.5"))]),
        ("its record is missing or not a text", vec![("version", number("1"))]),
        ("its snapshot is not made of bytes", [&whole[..], &[("snapshot", text("{}"))]].concat()),
        ("its expiry is not an instant", [&whole[..], &[("expires_at", text("soon"))]].concat()),
        ("its key in the index due is incomplete", [&whole[..], &[("due_pk", text("D"))]].concat()),
        (
            "its key in the index open is incomplete",
            [&whole[..], &[("open_sk", text("O"))]].concat(),
        ),
    ];
    for (expected, attributes) in broken {
        let emulator = Emulator::start().await;
        let (client, table_name) = emulator.client();
        let mut put =
            client.put_item().table_name(table_name).item("pk", text("A")).item("sk", text("B"));
        for (name, value) in attributes {
            put = put.item(name, value);
        }
        put.send().await.unwrap();

        let key = ItemKey::new("A", "B");
        let read = emulator.table().get(&key).await.unwrap_err();
        assert_eq!(read.to_string(), format!("the item A B is corrupt: {expected}"));
        // It does not fail the page: the other items are read.
        emulator.table().write_items(vec![create("A"), create("C")]).await.unwrap();
        let page = emulator.table().query_items(partition()).await.unwrap();
        let read = page.items.iter().map(|item| item.key.sk.as_str()).collect::<Vec<_>>();
        assert_eq!(read, ["A", "C"]);
        assert_eq!(page.corrupt, [CorruptItem { key, reason: expected }]);
    }
}

#[tokio::test]
async fn an_item_without_a_write_id_is_read_and_replaced() {
    let emulator = Emulator::start().await;
    let (client, table_name) = emulator.client();
    client
        .put_item()
        .table_name(table_name)
        .item("pk", AttributeValue::S("A".to_owned()))
        .item("sk", AttributeValue::S("B".to_owned()))
        .item("version", AttributeValue::N("7".to_owned()))
        .item("record", AttributeValue::S("{}".to_owned()))
        .send()
        .await
        .unwrap();
    let found = emulator.table().get(&ItemKey::new("A", "B")).await.unwrap().unwrap();
    assert_eq!(found.version, ItemVersion::from_number(7));
    let refused = emulator.table().write_items(vec![create("B")]).await;
    assert!(matches!(refused, Err(TableError::Conflict)), "{refused:?}");
    let item = NewItem::new(ItemKey::new("A", "B"), "2");
    let replace = ItemWrite::Put { item, expect: WriteExpectation::Version(found.version) };
    emulator.table().write_items(vec![replace]).await.unwrap();
}

/// The answer to a batch of which DynamoDB has not processed the item `A B`.
fn unprocessed() -> Fault {
    let keys = r#"{"Keys":[{"pk":{"S":"A"},"sk":{"S":"B"}}]}"#;
    let body =
        format!(r#"{{"Responses":{{"records":[]}},"UnprocessedKeys":{{"records":{keys}}}}}"#);
    Fault::Answer(200, body)
}

#[tokio::test]
async fn keys_that_a_batch_leaves_unprocessed_are_read_again_or_left_out() {
    let emulator = Emulator::start().await;
    let table = emulator.table();
    table.write_items(vec![create("B")]).await.unwrap();
    let (there, missing) = (ItemKey::new("A", "B"), ItemKey::new("A", "C"));
    for (faults, requests, is_found) in [(2, 3, true), (3, 3, false)] {
        emulator.requests();
        emulator.inject_faults(vec![unprocessed(); faults]);
        let found = table.get_many(vec![there.clone(), missing.clone()]).await.unwrap();
        assert_eq!((emulator.requests(), emulator.faults_left()), (requests, 0));
        assert_eq!(found.get(&missing), Some(&None));
        assert_eq!(found.contains_key(&there), is_found);
        assert_eq!(found.get(&there).is_some_and(Option::is_some), is_found);
    }
}

#[tokio::test]
async fn a_corrupt_item_is_left_out_of_a_batch_and_an_unreachable_table_fails_it() {
    let emulator = Emulator::start().await;
    let (client, table_name) = emulator.client();
    let put = client.put_item().table_name(table_name);
    let put = put.item("pk", AttributeValue::S("A".to_owned()));
    put.item("sk", AttributeValue::S("B".to_owned())).send().await.unwrap();
    let table = emulator.table();
    table.write_items(vec![create("C")]).await.unwrap();
    let keys = ["B", "C"].map(|sk| ItemKey::new("A", sk)).to_vec();
    let found = table.get_many(keys.clone()).await.unwrap();
    assert_eq!(found.keys().map(|key| key.sk.as_str()).collect::<Vec<_>>(), ["C"]);
    emulator.inject_faults(vec![Fault::LostReply; 3]);
    let error = table.get_many(keys).await.unwrap_err();
    assert!(matches!(error, TableError::Unavailable { operation: "batch get items", .. }));
}

fn partition() -> TableQuery {
    TableQuery {
        pk: "A".to_owned(),
        range: SortRange::All,
        order: SortOrder::Ascending,
        limit: std::num::NonZeroU16::MAX,
        after: None,
    }
}
