//! The control surface: every action of a user, over the socket.

use crate::socket::{Served, served};
use serde_json::{Value, json};

async fn act(served: &Served, path: &str, body: Value) -> Value {
    let path = format!("/_simulator/organisations/{}/{path}", served.tenant());
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = served.json("POST", &path, &body).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

async fn refused(served: &Served, path: &str, body: Value) -> (u16, String) {
    let path = format!("/_simulator/organisations/{}/{path}", served.tenant());
    let (status, answer) = served.json("POST", &path, &body.to_string()).await;
    (status, answer["error"].as_str().unwrap_or_default().to_owned())
}

async fn balance(served: &Served, code: &str) -> String {
    let rows = served.rows("balances").await;
    rows.iter().find(|row| row["code"] == code).unwrap()["balance"].to_string()
}

#[tokio::test]
async fn a_payment_is_created_with_all_details_and_deleted() {
    let served = served().await;
    let made = act(
        &served,
        "invoices/SC-1/pay",
        json!({"amount": "20.00", "date": "2026-11-03", "account": "092", "reference": "ch_1",
            "reconciled": true}),
    )
    .await;
    let row = served.rows("payments").await[0].clone();
    assert_eq!(row["PaymentID"], made["id"]);
    assert_eq!((&row["Reference"], &row["IsReconciled"]), (&json!("ch_1"), &json!(true)));
    assert_eq!(balance(&served, "092").await, "20.0");
    let id = made["id"].as_str().unwrap();
    act(&served, &format!("payments/{id}/delete"), Value::Null).await;
    assert_eq!(served.rows("payments").await[0]["Status"], "DELETED");
    assert_eq!(balance(&served, "092").await, "0.0");
}

#[tokio::test]
async fn several_invoices_are_paid_together() {
    let served = served().await;
    let body = served.invoice_body("SC-2");
    assert_eq!(served.json("PUT", "/api.xro/2.0/Invoices", &body).await.0, 200);
    for invoices in
        [json!([{"invoice": "SC-1", "amount": 50}, {"invoice": "SC-2"}]), json!("SC-1=50, SC-2")]
    {
        let made = act(&served, "batches", json!({"invoices": invoices})).await;
        assert_eq!(balance(&served, "090").await, "170.0");
        let id = made["id"].as_str().unwrap();
        act(&served, &format!("batches/{id}/reconcile"), Value::Null).await;
        act(&served, &format!("batches/{id}/delete"), Value::Null).await;
    }
    assert_eq!(served.rows("batches").await.len(), 2);
    let (status, error) = refused(&served, "batches", json!({"invoices": "SC-9"})).await;
    assert_eq!((status, error.as_str()), (409, "The list of invoices cannot be read."));
}

#[tokio::test]
async fn credit_is_received_allocated_removed_and_refunded() {
    let served = served().await;
    let contact = served.rows("contacts").await[0]["ContactID"].as_str().unwrap().to_owned();
    let prepaid = act(&served, &format!("contacts/{contact}/prepay"), json!({"amount": 30})).await;
    let overpaid =
        act(&served, &format!("contacts/{contact}/overpay"), json!({"amount": 200})).await;
    let (prepaid, overpaid) = (prepaid["id"].as_str().unwrap(), overpaid["id"].as_str().unwrap());
    act(&served, &format!("prepayments/{prepaid}/allocate"), json!({"invoice": "SC-1"})).await;
    let allocated = act(
        &served,
        &format!("overpayments/{overpaid}/allocate"),
        json!({"invoice": "SC-1", "date": "2026-11-05"}),
    )
    .await;
    assert_eq!(served.rows("invoices").await[0]["Status"], "PAID");
    assert_eq!(served.rows("overpayments").await[0]["RemainingCredit"].to_string(), "110.0");
    assert_eq!(served.rows("prepayments").await[0]["Status"], "PAID");
    let id = allocated["id"].as_str().unwrap();
    act(&served, &format!("allocations/{id}/delete"), Value::Null).await;
    act(&served, &format!("overpayments/{overpaid}/refund"), Value::Null).await;
    assert_eq!(balance(&served, "090").await, "30.0");
    let brought = served.rows("transactions").await;
    let used = brought[0]["BankTransactionID"].as_str().unwrap();
    let (status, _) = refused(&served, &format!("transactions/{used}/delete"), json!({})).await;
    assert_eq!(status, 409);
    act(&served, &format!("transactions/{used}/reconcile"), Value::Null).await;
}

#[tokio::test]
async fn an_invoice_is_repriced_edited_and_overpaid() {
    let served = served().await;
    act(&served, "invoices/SC-1/price", json!({"line": 1, "price": "200"})).await;
    act(&served, "invoices/SC-1/edit", json!({"dueDate": "2026-12-24", "reference": "PO 4"})).await;
    let row = served.rows("invoices").await[0].clone();
    assert_eq!((row["Total"].to_string().as_str(), &row["Reference"]), ("240.0", &json!("PO 4")));
    assert_eq!(row["DueDateString"], "2026-12-24T00:00:00");
    act(&served, "invoices/SC-1/overpay", json!({"amount": 250})).await;
    assert_eq!(served.rows("invoices").await[0]["Status"], "PAID");
    assert_eq!(served.rows("overpayments").await[0]["RemainingCredit"].to_string(), "10.0");
    for (path, body, status) in [
        ("invoices/SC-1/price", json!({"line": 0, "price": 1}), 409),
        ("invoices/SC-1/price", json!({}), 409),
        ("invoices/SC-1/overpay", json!({}), 409),
        ("invoices/SC-1/pay", json!({"amount": "much"}), 409),
        ("invoices/SC-1/pay", json!({"date": "soon"}), 409),
        ("invoices/SC-1/frame", json!({}), 404),
        ("prepayments/nobody/refund", json!({}), 404),
        ("payments/nobody/delete", json!({}), 404),
    ] {
        assert_eq!(refused(&served, path, body.clone()).await.0, status, "{path} {body}");
    }
}

#[tokio::test]
async fn contacts_are_merged() {
    let served = served().await;
    let body = r#"{"Contacts":[{"Name":"Ridge Plumbing Ltd","ContactNumber":"sc-2"}]}"#;
    assert_eq!(served.json("PUT", "/api.xro/2.0/Contacts", body).await.0, 200);
    let invoice = served.rows("invoices").await[0].clone();
    let from = invoice["Contact"]["ContactID"].as_str().unwrap();
    act(&served, &format!("contacts/{from}/merge"), json!({"into": "sc-2"})).await;
    let invoice = served.rows("invoices").await[0].clone();
    assert_eq!(invoice["Contact"]["Name"], "Ridge Plumbing Ltd");
    let (status, _) = refused(&served, "contacts/sc-2/merge", json!({"into": "sc-9"})).await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn the_page_has_a_form_for_every_action_and_accepts_it() {
    let served = served().await;
    let path = format!("/_simulator/organisations/{}/invoices/SC-1/pay", served.tenant());
    let form = "amount=20&date=&account=092&reference=ch%201&rate=&reconciled=on";
    let kind = "content-type: application/x-www-form-urlencoded\r\naccept: text/html\r\n";
    let answer = served.raw_with("POST", &path, kind, form).await;
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    let row = served.rows("payments").await[0].clone();
    assert_eq!((&row["Reference"], &row["IsReconciled"]), (&json!("ch 1"), &json!(true)));
    act(&served, "invoices/SC-1/overpay", json!({"amount": 150})).await;
    let page = served.raw("GET", "/_simulator/", "").await;
    for shown in [
        "Bank accounts",
        "Batches",
        "pay together",
        "ch 1",
        "Overpayment</td>",
        "/refund\"",
        "name=\"into\"",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn a_credit_note_is_approved_allocated_and_refunded() {
    let served = served().await;
    let contact = served.rows("contacts").await[0]["ContactID"].clone();
    let body = json!({"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact},
        "CreditNoteNumber": "CR-1", "LineItems": [{"Description": "x", "UnitAmount": 50,
        "AccountCode": "200"}]});
    assert_eq!(served.json("PUT", "/api.xro/2.0/CreditNotes", &body.to_string()).await.0, 200);
    act(&served, "credit-notes/CR-1/approve", Value::Null).await;
    act(&served, "credit-notes/CR-1/allocate", json!({"invoice": "SC-1", "amount": 45})).await;
    act(&served, "credit-notes/CR-1/refund", Value::Null).await;
    let row = served.rows("credit-notes").await[0].clone();
    assert_eq!(
        (&row["Status"], row["RemainingCredit"].to_string()),
        (&json!("PAID"), "0.0".to_owned())
    );
    for action in ["void", "delete", "frame"] {
        let (status, _) = refused(&served, &format!("credit-notes/CR-1/{action}"), json!({})).await;
        assert_eq!(status, if action == "frame" { 404 } else { 409 });
    }
    let page = served.raw("GET", "/_simulator/", "").await;
    assert!(page.contains("<td>CR-1</td>"));
}
