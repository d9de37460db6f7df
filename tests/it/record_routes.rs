//! Every kind of record has its own routes, and a request only affects records of the kind in its
//! path.

use domain::entity::EntityKind;
use domain::entity::EntityKind::{CreditNote, Invoice, Payment};
use serde_json::Value;
use tests::World;
use tests::builders::{a_credit_note, a_payment, an_allocation, an_invoice};

use crate::api_lists;
use crate::gateway::{Delays, Gateway};

/// The id of one record of every kind.
const ID: &str = "x_1";

/// A connected account with a record of every kind, all with the same id.
fn a_business() -> World {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice(ID, ID).body());
    world.receive(CreditNote, &a_credit_note(ID, ID).body());
    world.receive(CreditNote, &an_allocation(ID, ID, ID, "10.00").body());
    let gift_card = a_payment(ID, &[(ID, "20.00")]).method("gift_card");
    world.receive(Payment, &gift_card.body());
    world
}

/// The path of the record of a kind.
fn address(kind: EntityKind) -> String {
    let collection = match kind {
        EntityKind::Contact => "clients",
        Invoice => "invoices",
        CreditNote => "credit-notes",
        EntityKind::Allocation => "allocations",
        Payment => "payments",
    };
    format!("/v1/{collection}/{ID}")
}

async fn send(gateway: &Gateway, method: &str, path: &str) -> (u16, Value) {
    api_lists::send(gateway, method, path, "Owner", None).await
}

/// The records in a response; for a payment, its parts.
fn records(answer: &Value) -> Vec<Value> {
    let parts = answer["parts"].as_array().cloned();
    let records = parts.unwrap_or_else(|| vec![answer.clone()]);
    assert!(!records.is_empty(), "{answer}");
    records
}

#[tokio::test(start_paused = true)]
async fn a_record_is_read_and_synced_on_the_routes_of_its_kind() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    for kind in EntityKind::ALL {
        let address = address(kind);
        for (method, path) in [("GET", address.clone()), ("POST", format!("{address}/sync"))] {
            let (status, answer) = send(&gateway, method, &path).await;
            assert_eq!(status, 200, "{method} {path}: {answer}");
            for record in records(&answer) {
                assert_eq!(record["entity"], kind.as_str(), "{method} {path}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn never_send_withholds_only_the_record_of_the_kind_in_the_path() {
    for kind in EntityKind::ALL {
        let world = a_business();
        let gateway = Gateway::new(&world, Delays::default());
        let path = format!("{}/never-send", address(kind));
        let (status, answer) = send(&gateway, "POST", &path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        for other in EntityKind::ALL {
            let (_, answer) = send(&gateway, "GET", &address(other)).await;
            for record in records(&answer) {
                assert_eq!(record["state"] == "never_send", other == kind, "{path}: {record}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_log_of_a_payment_has_the_entries_of_its_parts() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    let path = format!("/v1/sync-log?entity=payment&crm_id={ID}");
    let (status, log) = send(&gateway, "GET", &path).await;
    assert_eq!(status, 200, "{log}");
    let entries = log["entries"].as_array().unwrap();
    assert!(!entries.is_empty(), "{log}");
    let prefix = format!("{ID}.");
    for entry in entries {
        assert_eq!(entry["entity"], "payment", "{entry}");
        assert!(entry["crm_id"].as_str().unwrap().starts_with(&prefix), "{entry}");
    }
    let (_, other) = send(&gateway, "GET", "/v1/sync-log?entity=payment&crm_id=x").await;
    assert_eq!(other["entries"], serde_json::json!([]));
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_none_is_refused_under_the_name_of_its_parameter() {
    let gateway = Gateway::new(&World::connected(), Delays::default());
    for (path, field) in [
        ("/v1/clients/{}", "client_id"),
        ("/v1/clients/{}/preview", "client_id"),
        ("/v1/invoices/{}", "invoice_id"),
        ("/v1/invoices/{}/payments", "invoice_id"),
        ("/v1/invoices/{}/preview", "invoice_id"),
        ("/v1/credit-notes/{}", "credit_note_id"),
        ("/v1/credit-notes/{}/preview", "credit_note_id"),
        ("/v1/allocations/{}", "allocation_id"),
        ("/v1/payments/{}", "payment_id"),
    ] {
        for odd in ["a%20b", "%FF", "%23"] {
            let path = path.replace("{}", odd);
            let (status, problem) = send(&gateway, "GET", &path).await;
            assert_eq!((status, problem["field"].as_str()), (400, Some(field)), "{path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kind_is_not_found_and_no_record_changes() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    let calls = world.calls().len();
    let (_, before) = send(&gateway, "GET", &address(Invoice)).await;
    for (method, path) in [
        ("GET", format!("/v1/receipts/{ID}")),
        ("POST", format!("/v1/receipts/{ID}/sync")),
        ("POST", format!("/v1/receipts/{ID}/never-send")),
        ("POST", format!("/v1/contacts/{ID}/sync")),
    ] {
        let (status, answer) = send(&gateway, method, &path).await;
        assert_eq!(status, 404, "{method} {path}: {answer}");
    }
    let (_, after) = send(&gateway, "GET", &address(Invoice)).await;
    assert_eq!(after, before);
    assert_eq!(world.calls().len(), calls);
}

#[tokio::test(start_paused = true)]
async fn an_invoice_with_a_negative_total_has_the_routes_of_invoices() {
    let world = World::connected();
    let negative = an_invoice("inv_1", "cli_1").price("-95.00", "-114.00");
    world.receive(Invoice, &negative.body());
    let gateway = Gateway::new(&world, Delays::default());
    for (method, path, state) in [
        ("GET", "/v1/invoices/inv_1", "synced"),
        ("POST", "/v1/invoices/inv_1/sync", "synced"),
        ("POST", "/v1/invoices/inv_1/never-send", "never_send"),
        ("GET", "/v1/invoices/inv_1", "never_send"),
    ] {
        let (status, record) = send(&gateway, method, path).await;
        assert_eq!(status, 200, "{method} {path}: {record}");
        assert_eq!(record["entity"], "credit_note", "{method} {path}");
        assert_eq!(record["crm_id"], "inv_1~credit", "{method} {path}");
        assert_eq!(record["state"], state, "{method} {path}");
    }
    for path in ["/v1/sync-log?entity=invoice&crm_id=inv_1", "/v1/sync-log?crm_id=inv_1"] {
        let (status, log) = send(&gateway, "GET", path).await;
        assert_eq!(status, 200, "{log}");
        let entries = log["entries"].as_array().unwrap();
        assert!(!entries.is_empty(), "{path}");
        assert!(entries.iter().all(|entry| entry["crm_id"] == "inv_1~credit"), "{log}");
    }
    let (status, preview) = send(&gateway, "GET", "/v1/invoices/inv_1/preview").await;
    assert_eq!(status, 200, "{preview}");
    for (method, path) in [
        ("GET", "/v1/invoices/inv_2"),
        ("POST", "/v1/invoices/inv_2/sync"),
        ("POST", "/v1/invoices/inv_2/never-send"),
        ("GET", "/v1/invoices/inv_2/preview"),
        ("GET", "/v1/credit-notes/inv_1"),
    ] {
        let (status, answer) = send(&gateway, method, path).await;
        assert_eq!(status, 404, "{method} {path}: {answer}");
    }
}
