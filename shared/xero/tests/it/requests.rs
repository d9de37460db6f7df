//! Tests of every request that the client makes, byte for byte.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use domain::ids::{XeroConnectionId, XeroInvoiceId, XeroPaymentId};
use http::Request;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use uuid::Uuid;
use xero::api::{PagePosition, TargetStatus};
use xero::api::{
    accounts, bank_transactions, contacts, invoices, items, organisation, payments, tax_rates,
    tracking_categories,
};
use xero::connections::{delete_connection, list_connections};

use crate::credit_notes::credit_note_requests;
use crate::samples::{
    ACCESS_TOKEN, CONTACT, INVOICE, PAYMENT, TRANSACTION, a_contact, a_fee, a_key, a_payment,
    a_session, a_surcharge, an_invoice, api_url, collection, contact_json, invoice_json,
    payment_json, token, transaction_json,
};
use crate::scripted::{Scripted, reply};

/// A request with the name of the function that made it.
pub type Named = (&'static str, Request<Bytes>);

pub fn the_one(name: &'static str, transport: &Arc<Scripted>) -> Named {
    let mut asked = transport.asked();
    assert_eq!(asked.len(), 1, "{name} is one call");
    (name, asked.remove(0))
}

/// One request for each function of the client.
async fn every_request() -> Vec<Named> {
    let mut requests = every_accounting_request().await;
    requests.extend(every_bank_transaction_request().await);
    requests.extend(every_connection_request().await);
    requests
}

/// The client's requests to the Accounting API, except those about bank transactions.
pub async fn every_accounting_request() -> Vec<Named> {
    let mut requests = settings_requests().await;
    requests.extend(contact_requests().await);
    requests.extend(invoice_requests().await);
    requests.extend(payment_requests().await);
    requests.extend(credit_note_requests().await);
    requests
}

async fn settings_requests() -> Vec<Named> {
    let organisations = Scripted::ok(
        r#"{"Organisations":[{"OrganisationID":"fe79f7dd-b6d4-4a92-ba7b-538af6289c58",
        "Name":"Demo","BaseCurrency":"GBP"}]}"#,
    );
    organisation::get_organisation(&a_session(organisations.clone())).await.unwrap();
    let chart = Scripted::ok(r#"{"Accounts":[]}"#);
    accounts::list_accounts(&a_session(chart.clone())).await.unwrap();
    let rates = Scripted::ok(r#"{"TaxRates":[]}"#);
    tax_rates::list_tax_rates(&a_session(rates.clone())).await.unwrap();
    let listed = Scripted::ok(r#"{"Items":[]}"#);
    items::list_items(&a_session(listed.clone())).await.unwrap();
    let categories = Scripted::ok(r#"{"TrackingCategories":[]}"#);
    let session = a_session(categories.clone());
    tracking_categories::list_tracking_categories(&session).await.unwrap();
    vec![
        the_one("organisation", &organisations),
        the_one("accounts", &chart),
        the_one("tax_rates", &rates),
        the_one("items", &listed),
        the_one("tracking_categories", &categories),
    ]
}

async fn contact_requests() -> Vec<Named> {
    let answer = collection("Contacts", &[contact_json("")]);
    let call = || Scripted::ok(&answer);
    let (number, id, name, new, known) = (call(), call(), call(), call(), call());
    contacts::find_by_number(&a_session(number.clone()), "SC-1/2 é?").await.unwrap();
    contacts::get(&a_session(id.clone()), CONTACT).await.unwrap();
    let odd = r#"O'Brien & "Sons", 100% + \ Co"#;
    contacts::find_by_name(&a_session(name.clone()), odd).await.unwrap();
    contacts::create_contacts(&a_session(new.clone()), &[a_contact()], &a_key()).await.unwrap();
    let update = domain::document::contact::ContactDocument {
        contact_id: Some(CONTACT),
        phones: vec![],
        addresses: vec![],
        ..a_contact()
    };
    contacts::update_contacts(&a_session(known.clone()), &[update], &a_key()).await.unwrap();
    let (page, search) = (call(), call());
    contacts::read_contact_page(&a_session(page.clone()), PagePosition::after_rows(1_000))
        .await
        .unwrap();
    contacts::search_contacts(&a_session(search.clone()), "O'Brien & Sons", 50).await.unwrap();
    vec![
        the_one("contacts_page", &page),
        the_one("contacts_search", &search),
        the_one("contact_by_number", &number),
        the_one("contact_by_id", &id),
        the_one("contact_by_name", &name),
        the_one("contact_create", &new),
        the_one("contact_update", &known),
    ]
}

async fn invoice_requests() -> Vec<Named> {
    let answer = collection("Invoices", &[invoice_json("")]);
    let call = || Scripted::ok(&answer);
    let (numbers, id, new, known, status) = (call(), call(), call(), call(), call());
    let recent = call();
    let wanted = ["#INV-0001", "INV 2&3"];
    invoices::find_by_numbers(&a_session(numbers.clone()), &wanted).await.unwrap();
    invoices::get(&a_session(id.clone()), INVOICE).await.unwrap();
    invoices::create_invoices(&a_session(new.clone()), &[an_invoice()], &a_key()).await.unwrap();
    let update = domain::document::invoice::InvoiceDocument {
        invoice_id: Some(INVOICE),
        status: None,
        reference: None,
        ..an_invoice()
    };
    invoices::update_invoices(&a_session(known.clone()), &[update], &a_key()).await.unwrap();
    let changes = [(INVOICE, TargetStatus::Voided)];
    invoices::set_status(&a_session(status.clone()), &changes, &a_key()).await.unwrap();
    invoices::read_changed_page(
        &a_session(recent.clone()),
        an_instant(),
        PagePosition::after_rows(2_000),
    )
    .await
    .unwrap();
    vec![
        the_one("invoices_by_number", &numbers),
        the_one("invoice_by_id", &id),
        the_one("invoice_create", &new),
        the_one("invoice_update", &known),
        the_one("invoice_status", &status),
        the_one("invoices_changed", &recent),
    ]
}

/// An instant with a fraction of a second, which Xero does not accept.
fn an_instant() -> Timestamp {
    "2026-11-02T09:00:10.987Z".parse().unwrap()
}

fn invoice_ids(count: u128) -> Vec<XeroInvoiceId> {
    (0..count).map(|at| XeroInvoiceId(Uuid::from_u128(INVOICE.0.as_u128() + at))).collect()
}

async fn payment_requests() -> Vec<Named> {
    let answer = collection("Payments", &[payment_json("")]);
    let call = || Scripted::ok(&answer);
    let (changed, one, several, id, new, gone) = (call(), call(), call(), call(), call(), call());
    let (refunds, by_ids) = (call(), call());
    let other = XeroPaymentId(Uuid::from_u128(2));
    payments::find_by_ids(&a_session(by_ids.clone()), &[PAYMENT, other]).await.unwrap();
    let since = an_instant();
    payments::read_changed_refunds_page(&a_session(refunds.clone()), since, PagePosition::FIRST)
        .await
        .unwrap();
    payments::read_changed_page(&a_session(changed.clone()), an_instant(), PagePosition::FIRST)
        .await
        .unwrap();
    payments::find_by_invoices(&a_session(one.clone()), &[INVOICE]).await.unwrap();
    payments::find_by_invoices(&a_session(several.clone()), &invoice_ids(3)).await.unwrap();
    payments::get(&a_session(id.clone()), PAYMENT).await.unwrap();
    payments::create_payments(&a_session(new.clone()), &[a_payment()], &a_key()).await.unwrap();
    payments::delete_payment(&a_session(gone.clone()), PAYMENT, &a_key()).await.unwrap();
    vec![
        the_one("payments_changed", &changed),
        the_one("refunds_changed", &refunds),
        the_one("payments_of_an_invoice", &one),
        the_one("payments_of_several_invoices", &several),
        the_one("payments_by_id", &by_ids),
        the_one("payment_by_id", &id),
        the_one("payment_create", &new),
        the_one("payment_delete", &gone),
    ]
}

/// The client's requests about bank transactions.
pub async fn every_bank_transaction_request() -> Vec<Named> {
    let spent = transaction_json("");
    let received = spent.replace("Stripe fee", "Stripe surcharge").replace("SPEND", "RECEIVE");
    let one = collection("BankTransactions", std::slice::from_ref(&spent));
    let both = Scripted::ok(&collection("BankTransactions", &[spent, received]));
    let call = || Scripted::ok(&one);
    let (reference, id, gone) = (call(), call(), call());
    let wanted = "Stripe fee pi_3Q9 (SC-pay_0001)";
    bank_transactions::find_by_reference(&a_session(reference.clone()), wanted).await.unwrap();
    bank_transactions::get(&a_session(id.clone()), TRANSACTION).await.unwrap();
    let documents = [a_fee(), a_surcharge()];
    bank_transactions::create_bank_transactions(&a_session(both.clone()), &documents, &a_key())
        .await
        .unwrap();
    bank_transactions::delete_bank_transaction(&a_session(gone.clone()), TRANSACTION, &a_key())
        .await
        .unwrap();
    vec![
        the_one("bank_transactions_by_reference", &reference),
        the_one("bank_transaction_by_id", &id),
        the_one("bank_transactions_create", &both),
        the_one("bank_transaction_delete", &gone),
    ]
}

/// The client's requests about connections.
pub async fn every_connection_request() -> Vec<Named> {
    let listed = Scripted::ok("[]");
    list_connections(&*listed, &api_url(), &token()).await.unwrap();
    let deleted = Scripted::new([reply(204, &[], "")]);
    let id = XeroConnectionId(Uuid::from_u128(7));
    delete_connection(&*deleted, &api_url(), &token(), id).await.unwrap();
    vec![the_one("connections", &listed), the_one("connection_delete", &deleted)]
}

/// The request as text, without its credentials.
pub fn as_text(request: &Request<Bytes>) -> String {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        if name != AUTHORIZATION {
            writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
        }
    }
    if !request.body().is_empty() {
        writeln!(text, "\n{}", std::str::from_utf8(request.body()).unwrap()).unwrap();
    }
    text
}

#[tokio::test]
async fn deleted_invoices_are_asked_for_by_their_status() {
    let transport = Scripted::ok(&collection("Invoices", &[invoice_json("")]));
    let session = a_session(transport.clone());
    let found = invoices::find_deleted_by_numbers(&session, &["#INV-0001"]).await.unwrap();
    assert_eq!(found.rows.len(), 1);
    let asked = transport.asked();
    let [request] = asked.as_slice() else { panic!("{asked:?}") };
    let query = request.uri().query().unwrap();
    assert!(query.starts_with("InvoiceNumbers=%23INV-0001&"), "{query}");
    assert!(query.contains("&Statuses=DELETED"), "{query}");
}

#[tokio::test]
async fn every_request_is_sent_as_it_was_agreed() {
    for (name, request) in every_request().await {
        insta::assert_snapshot!(name, as_text(&request));
    }
}

#[tokio::test]
async fn every_request_carries_the_token_and_hides_it_from_printing() {
    for (name, request) in every_request().await {
        let value = &request.headers()[AUTHORIZATION];
        assert_eq!(value.to_str().unwrap(), format!("Bearer {ACCESS_TOKEN}"), "{name}");
        assert!(!format!("{request:?}").contains(ACCESS_TOKEN), "{name}");
    }
}

#[tokio::test]
async fn the_bytes_a_caller_hashes_are_the_bytes_that_are_sent() {
    let requests = every_request().await;
    let body = |wanted: &str| {
        let (_, request) = requests.iter().find(|(name, _)| *name == wanted).unwrap();
        request.body().clone()
    };
    assert_eq!(body("contact_create"), contacts::contact_body(&[a_contact()]));
    assert_eq!(body("invoice_create"), invoices::invoice_body(&[an_invoice()]));
    let changes = [(INVOICE, TargetStatus::Voided)];
    assert_eq!(body("invoice_status"), invoices::status_body(&changes));
    assert_eq!(body("payment_create"), payments::payment_body(&[a_payment()]));
    assert_eq!(body("payment_delete"), payments::deletion_body());
    let transactions = [a_fee(), a_surcharge()];
    assert_eq!(
        body("bank_transactions_create"),
        bank_transactions::bank_transaction_body(&transactions)
    );
    assert_eq!(body("bank_transaction_delete"), bank_transactions::deletion_body(TRANSACTION));
}

#[tokio::test]
async fn an_api_below_a_path_is_reached_there() {
    let transport = Scripted::ok(r#"{"Accounts":[]}"#);
    let below = url::Url::parse("http://127.0.0.1:4010/xero/").unwrap();
    let session = xero::ApiSession::new(
        transport.clone(),
        below,
        ACCESS_TOKEN.into(),
        crate::samples::TENANT,
    );
    accounts::list_accounts(&session).await.unwrap();
    let asked = transport.asked();
    assert_eq!(asked[0].uri(), "http://127.0.0.1:4010/xero/api.xro/2.0/Accounts");
}

#[tokio::test]
async fn a_write_that_would_touch_the_wrong_document_is_never_sent() {
    let transport = Scripted::new([]);
    let session = a_session(transport.clone());
    let known =
        domain::document::invoice::InvoiceDocument { invoice_id: Some(INVOICE), ..an_invoice() };
    assert!(invoices::create_invoices(&session, &[known], &a_key()).await.is_err());
    assert!(invoices::update_invoices(&session, &[an_invoice()], &a_key()).await.is_err());
    assert!(contacts::update_contacts(&session, &[a_contact()], &a_key()).await.is_err());
    let known =
        domain::document::contact::ContactDocument { contact_id: Some(CONTACT), ..a_contact() };
    assert!(contacts::create_contacts(&session, &[known], &a_key()).await.is_err());
    let many = vec![an_invoice(); 51];
    assert!(invoices::create_invoices(&session, &many, &a_key()).await.is_err());
    assert!(transport.asked().is_empty());
}

#[tokio::test]
async fn an_empty_batch_makes_no_call() {
    let transport = Scripted::new([]);
    let session = a_session(transport.clone());
    assert!(invoices::create_invoices(&session, &[], &a_key()).await.unwrap().is_empty());
    assert!(contacts::update_contacts(&session, &[], &a_key()).await.unwrap().is_empty());
    assert!(invoices::find_by_numbers(&session, &[]).await.unwrap().is_empty());
    assert!(payments::create_payments(&session, &[], &a_key()).await.unwrap().is_empty());
    assert!(payments::find_by_invoices(&session, &[]).await.unwrap().is_empty());
    assert!(
        bank_transactions::create_bank_transactions(&session, &[], &a_key())
            .await
            .unwrap()
            .is_empty()
    );
    assert!(transport.asked().is_empty());
}
