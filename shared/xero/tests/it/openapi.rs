//! Comparison of every request with Xero's own `OpenAPI` description, and reading of its example
//! answers.

use bytes::Bytes;
use domain::document::payment::MoneyStatus;
use domain::document::sales::DocumentStatus;
use domain::ids::XeroPaymentId;
use http::Request;
use jiff::Timestamp;
use jiff::civil::date;
use xero::XeroError;
use xero::api::{PagePosition, WriteOutcome, accounts, invoices, payments};

use crate::description::{Faults, description};
use crate::requests::{
    every_accounting_request, every_bank_transaction_request, every_connection_request,
};
use crate::samples::{INVOICE, PAYMENT, a_key, a_payment, a_session};
use crate::scripted::Scripted;

#[tokio::test]
async fn every_accounting_request_is_one_that_xero_describes() {
    let Some(xero) = description("accounting.acyclic.yaml") else { return };
    for (name, request) in every_accounting_request().await {
        assert_eq!(xero.faults(&request), Faults::new(), "{name}");
    }
}

#[tokio::test]
async fn every_bank_transaction_request_is_one_that_xero_describes() {
    let Some(xero) = description("accounting.acyclic.yaml") else { return };
    if !xero.describes("/BankTransactions") {
        println!("skipped: the description was cut before it came to bank transactions");
        return;
    }
    for (name, request) in every_bank_transaction_request().await {
        assert_eq!(xero.faults(&request), Faults::new(), "{name}");
    }
}

#[tokio::test]
async fn every_connection_request_is_one_that_xero_describes() {
    let Some(xero) = description("identity.yaml") else { return };
    for (name, request) in every_connection_request().await {
        assert_eq!(xero.faults(&request), Faults::new(), "{name}");
    }
}

async fn the_request(name: &str) -> Request<Bytes> {
    let requests = every_accounting_request().await;
    requests.into_iter().find(|(known, _)| *known == name).unwrap().1
}

fn at(request: &Request<Bytes>, uri: &str) -> Request<Bytes> {
    let mut request = request.clone();
    *request.uri_mut() = uri.parse().unwrap();
    request
}

fn with_body(request: &Request<Bytes>, from: &str, to: &str) -> Request<Bytes> {
    let body = std::str::from_utf8(request.body()).unwrap();
    assert!(body.contains(from), "{body}");
    request.clone().map(|_| Bytes::from(body.replace(from, to)))
}

#[tokio::test]
async fn an_undocumented_request_is_detected() {
    let Some(xero) = description("accounting.acyclic.yaml") else { return };
    let create = the_request("invoice_create").await;
    let payment = the_request("payment_create").await;
    let deletion = the_request("payment_delete").await;
    let changed = the_request("payments_changed").await;
    let with_parameter = format!("{}?summarizeErrors=false", deletion.uri());
    let mut without_tenant = create.clone();
    without_tenant.headers_mut().remove("xero-tenant-id");
    let mut long_key = create.clone();
    long_key.headers_mut().insert("idempotency-key", "k".repeat(129).parse().unwrap());
    for (fault, request) in [
        ("no path", at(&create, "https://api.xero.com/api.xro/2.0/Invoyces")),
        ("no query parameter", at(&create, "https://api.xero.com/api.xro/2.0/Invoices?unitDp=4")),
        ("does not fit", at(&create, "https://api.xero.com/api.xro/2.0/Invoices?unitdp=four")),
        ("is missing", without_tenant),
        ("is too long", long_key),
        ("has no property", with_body(&create, "\"LineItems\"", "\"Lines\"")),
        ("takes no", with_body(&create, "\"ACCREC\"", "\"ACCREX\"")),
        ("is text, not", with_body(&create, "1.3333", "\"1.3333\"")),
        ("is no \"uuid\"", with_body(&create, "eaa28f49", "eaa28f4")),
        ("no query parameter", at(&deletion, &with_parameter)),
        ("has no property", with_body(&deletion, "Status", "State")),
        ("no method", at(&payment, &deletion.uri().to_string())),
        ("is text, not", with_body(&payment, "120.50", "\"120.50\"")),
        ("no header", at(&changed, "https://api.xero.com/api.xro/2.0/TaxRates")),
    ] {
        let found = xero.faults(&request);
        assert!(found.iter().any(|text| text.contains(fault)), "{fault}: {found:?}");
    }
}

#[tokio::test]
async fn the_payments_of_xeros_own_examples_are_read() {
    let Some(xero) = description("accounting.acyclic.yaml") else { return };
    let session = |method, path| a_session(Scripted::ok(&xero.example(method, path)));

    let listed = payments::read_changed_page(
        &session("get", "/Payments"),
        Timestamp::UNIX_EPOCH,
        PagePosition::FIRST,
    )
    .await;
    let listed = listed.unwrap();
    assert_eq!(listed.rows[0].amount.to_string(), "46.0");
    assert!(
        listed.rows[0].is_receipt
            && listed.rows[0].batch.is_some()
            && listed.rows[0].invoice.is_some()
    );
    assert!(
        !listed.rows[1].is_receipt
            && listed.rows[1].batch.is_none()
            && listed.rows[1].invoice.is_none()
    );

    let one = payments::get(&session("get", "/Payments/{PaymentID}"), PAYMENT).await.unwrap();
    let one = one.unwrap();
    assert_eq!((one.id, one.date), (PAYMENT, Some(date(2018, 11, 29))));
    assert_eq!(one.account_code.as_deref(), Some("970"));

    let refused =
        payments::create_payments(&session("put", "/Payments"), &[a_payment()], &a_key()).await;
    let refused = refused.unwrap();
    let WriteOutcome::Refused(XeroError::Rejected { messages }) = &refused[0] else {
        panic!("{refused:?}")
    };
    assert_eq!(messages, &["Payment amount exceeds the amount outstanding on this document"]);

    let id = XeroPaymentId("c94c996b-1ab3-4ff3-ad19-1cdc77f30817".parse().unwrap());
    let deletion = session("post", "/Payments/{PaymentID}");
    let deleted = payments::delete_payment(&deletion, id, &a_key()).await.unwrap();
    let WriteOutcome::Done { remote, .. } = deleted else { panic!("{deleted:?}") };
    assert_eq!((remote.id, remote.status), (id, MoneyStatus::Deleted));
}

#[tokio::test]
async fn the_invoices_and_accounts_of_xeros_own_examples_are_read() {
    let Some(xero) = description("accounting.acyclic.yaml") else { return };
    let session = |path| a_session(Scripted::ok(&xero.example("get", path)));

    let listed = invoices::read_changed_page(
        &session("/Invoices"),
        Timestamp::UNIX_EPOCH,
        PagePosition::FIRST,
    )
    .await
    .unwrap();
    let paid = listed.rows.iter().find(|one| one.status == DocumentStatus::Paid).unwrap();
    assert_eq!(paid.settlement.paid.to_string(), "46.0");
    assert_eq!(paid.settlement.paid_on, Some(date(2018, 11, 29)));
    assert_eq!(paid.settlement.payments[0].id, PAYMENT);

    let one = invoices::get(&session("/Invoices/{InvoiceID}"), INVOICE).await.unwrap().unwrap();
    assert_eq!(one.settlement.payments[0].amount, one.settlement.paid);
    assert_eq!(one.settlement.payments[0].reference.as_deref(), Some("Yahoo"));

    let chart = accounts::list_accounts(&session("/Accounts")).await.unwrap();
    assert!(!chart.for_money.is_empty() && !chart.with_code.is_empty());
}
