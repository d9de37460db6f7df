//! Tests of asking for changes, and of answers without changes.

use domain::document::payment::MoneyStatus;
use jiff::Timestamp;
use uuid::Uuid;
use xero::XeroError;
use xero::api::{PagePosition, invoices, organisation, payments};

use crate::samples::{INVOICE, PAYMENT, a_session, collection, invoice_json, payment_json};
use crate::scripted::{Scripted, reply};

async fn header(since: &str) -> String {
    let transport = Scripted::ok(r#"{"Payments":[]}"#);
    let since: Timestamp = since.parse().unwrap();
    payments::read_changed_page(&a_session(transport.clone()), since, PagePosition::FIRST)
        .await
        .unwrap();
    transport.asked()[0].headers()["if-modified-since"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_instant_is_sent_in_utc_cut_to_the_second_and_without_a_zone() {
    for (since, sent) in [
        ("2026-11-02T09:00:10Z", "2026-11-02T09:00:10"),
        ("2026-11-02T09:00:10.999999999Z", "2026-11-02T09:00:10"),
        ("2026-11-02T09:00:10+13:00", "2026-11-01T20:00:10"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00"),
    ] {
        assert_eq!(header(since).await, sent);
    }
}

#[tokio::test]
async fn a_304_says_that_nothing_has_changed() {
    let unchanged = || Scripted::new([reply(304, &[], "")]);
    let since = Timestamp::UNIX_EPOCH;
    assert!(
        payments::read_changed_page(&a_session(unchanged()), since, PagePosition::FIRST)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    assert!(
        invoices::read_changed_page(&a_session(unchanged()), since, PagePosition::FIRST)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
}

#[tokio::test]
async fn a_304_to_a_call_that_did_not_ask_for_changes_comes_from_the_edge() {
    let session = a_session(Scripted::new([reply(304, &[], "")]));
    let error = organisation::get_organisation(&session).await.unwrap_err();
    assert!(matches!(error, XeroError::Edge { status: 304, .. }), "{error:?}");
}

#[tokio::test]
async fn what_has_changed_comes_in_xeros_order_deleted_and_voided_ones_included() {
    let gone = payment_json("").replace("AUTHORISED", "DELETED");
    let session =
        a_session(Scripted::ok(&collection("Payments", &[gone.clone(), payment_json("")])));
    let read = payments::read_changed_page(&session, Timestamp::UNIX_EPOCH, PagePosition::FIRST)
        .await
        .unwrap();
    let stand: Vec<_> = read.rows.iter().map(|one| one.status.clone()).collect();
    assert_eq!(stand, [MoneyStatus::Deleted, MoneyStatus::Authorised]);

    let void = invoice_json("").replace("AUTHORISED", "VOIDED");
    let session = a_session(Scripted::ok(&collection("Invoices", &[void, invoice_json("")])));
    let read = invoices::read_changed_page(&session, Timestamp::UNIX_EPOCH, PagePosition::FIRST)
        .await
        .unwrap();
    let stand: Vec<_> = read.rows.iter().map(|one| one.status.as_str()).collect();
    assert_eq!(stand, ["VOIDED", "AUTHORISED"]);
}

#[tokio::test]
async fn an_unreadable_row_affects_no_other_and_is_identified() {
    let id = Uuid::from_u128(0xbad);
    let broken = payment_json("")
        .replace("120.50,\"Reference", "\"a lot\",\"Reference")
        .replace(&PAYMENT.to_string(), &id.to_string());
    let session = a_session(Scripted::ok(&collection("Payments", &[broken, payment_json("")])));
    let page = payments::read_changed_page(&session, Timestamp::UNIX_EPOCH, PagePosition::FIRST)
        .await
        .unwrap();
    assert_eq!(page.rows.iter().map(|one| one.id).collect::<Vec<_>>(), [PAYMENT]);
    assert_eq!(page.row_count(), 2, "it fills its page like any other");
    let odd = &page.undecodable[0];
    assert_eq!((odd.endpoint, odd.id, odd.belongs_to), ("/Payments", Some(id), Some(INVOICE.0)));
    assert_eq!(odd.reference.as_deref(), Some("Stripe pi_3Q9 (SC-pay_0001)"));
    assert_eq!(odd.changed_at, Some("2026-10-20T09:15:30.123Z".parse().unwrap()));
    assert_eq!(odd.reason, "Amount has a value that cannot be read");
}

#[tokio::test]
async fn a_page_is_as_long_as_xero_says_and_dated_by_its_clock() {
    let body = collection("Payments", &[payment_json("")]);
    let session = a_session(Scripted::ok(&body));
    let page = payments::read_changed_page(&session, Timestamp::UNIX_EPOCH, PagePosition::FIRST)
        .await
        .unwrap();
    assert_eq!(page.full, 1_000);
    assert_eq!(page.answered_at, Some("2019-03-11T17:53:36.230Z".parse().unwrap()));
    let paged = body.replacen('{', r#"{"pagination":{"page":1,"pageSize":100,"pageCount":3},"#, 1);
    let session = a_session(Scripted::ok(&paged));
    let page = payments::read_changed_page(&session, Timestamp::UNIX_EPOCH, PagePosition::FIRST)
        .await
        .unwrap();
    assert_eq!(page.full, 100);
}
