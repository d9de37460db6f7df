//! Tests of rejections of the login and of documents.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use domain::document::allocation::{AllocationDocument, InvoiceReference};
use domain::failure::FailureClass::{Rejected, Transient, Unauthorized, Untranslatable};
use domain::ids::{XeroAllocationId, XeroCreditNoteId};
use jiff::Timestamp;
use jiff::civil::date;
use rust_decimal::Decimal;
use uuid::Uuid;
use xero::api::{
    PagePosition, accounts, bank_transactions, contacts, credit_notes, invoices, items,
    organisation, payments, tax_rates, tracking_categories,
};
use xero::{CallOutcome, NotPermitted, Permit, RateLimiter, SCOPES, UndecodableRow, XeroError};

use crate::classification::{Meaning, NOW, Row, check, of_a_read, of_a_write, refused};
use crate::samples::{INVOICE, a_key, a_session, an_invoice, collection};
use crate::scripted::{Answer, Scripted, reply, reply_bytes};

fn problem(status: u16, detail: &str) -> Answer {
    let title = if status == 401 { "Unauthorized" } else { "Forbidden" };
    let body = format!(
        r#"{{"Type":null,"Title":"{title}","Status":{status},"Detail":"{detail}","Instance":"0b","Extensions":{{}}}}"#
    );
    reply(status, &[("content-type", "application/json")], &body)
}

#[tokio::test]
async fn a_login_that_xero_rejects_passes_and_a_missing_permission_does_not() {
    let scope = [("WWW-Authenticate", "Bearer error=\"insufficient_scope\"")];
    let misspelt = [("WWW-Authenticate", "Bearer error=\"Insufficent_Scope\"")];
    let rows = [
        Row(
            "expired",
            problem(401, "TokenExpired: token expired at 01/31/2026 09:00:00"),
            Meaning(Transient, "login_rejected", None),
        ),
        Row(
            "unknown token",
            problem(401, "AuthenticationUnsuccessful"),
            Meaning(Transient, "login_rejected", None),
        ),
        Row("scope", reply(401, &scope, ""), Meaning(Unauthorized, "permission_missing", None)),
        Row(
            "scope as Xero spells it",
            reply(401, &misspelt, ""),
            Meaning(Unauthorized, "permission_missing", None),
        ),
        Row(
            "scope, 403",
            reply(403, &scope, ""),
            Meaning(Unauthorized, "permission_missing", None),
        ),
        Row(
            "scope in the body",
            problem(403, "insufficient_scope"),
            Meaning(Unauthorized, "permission_missing", None),
        ),
        Row(
            "tenant not connected",
            problem(403, "AuthenticationUnsuccessful"),
            Meaning(Unauthorized, "organisation_not_connected", None),
        ),
        Row(
            "user lacks the role",
            problem(403, "You are not permitted to access this resource"),
            Meaning(Rejected, "not_permitted", None),
        ),
    ];
    for Row(row, answer, meaning) in rows {
        check(row, &of_a_read(answer).await, &meaning);
    }
}

#[tokio::test]
async fn a_missing_permission_is_distinguished_from_a_bad_login_and_named() {
    let session = || a_session(Scripted::new([problem(401, "AuthorizationUnsuccessful")]));
    let since = Timestamp::UNIX_EPOCH;
    let settings: &[&str] = &["accounting.settings.read"];
    let missing: [(XeroError, &[&str]); 10] = [
        (organisation::get_organisation(&session()).await.unwrap_err(), settings),
        (accounts::list_accounts(&session()).await.unwrap_err(), settings),
        (tax_rates::list_tax_rates(&session()).await.unwrap_err(), settings),
        (items::list_items(&session()).await.unwrap_err(), settings),
        (tracking_categories::list_tracking_categories(&session()).await.unwrap_err(), settings),
        (
            contacts::read_contact_page(&session(), PagePosition::FIRST).await.unwrap_err(),
            &["accounting.contacts"],
        ),
        (
            invoices::read_changed_page(&session(), since, PagePosition::FIRST).await.unwrap_err(),
            &["accounting.invoices"],
        ),
        (
            payments::read_changed_page(&session(), since, PagePosition::FIRST).await.unwrap_err(),
            &["accounting.payments"],
        ),
        (
            credit_notes::find_by_numbers(&session(), &["CN-1"]).await.unwrap_err(),
            &["accounting.invoices"],
        ),
        (
            bank_transactions::find_by_reference(&session(), "a").await.unwrap_err(),
            &["accounting.banktransactions"],
        ),
    ];
    for (error, wanted) in missing {
        check_permission(&error, wanted);
    }
}

/// The scopes that a refused call may lack are the ones that people read about, and are asked for
/// at the consent.
fn check_permission(error: &XeroError, wanted: &[&str]) {
    let XeroError::ScopeMissing { permission } = error else { panic!("{error:?}") };
    assert_eq!(permission.scope_names(), wanted);
    let failure = error.to_failure(NOW);
    for scope in wanted {
        assert!(SCOPES.contains(scope), "{scope} is asked for at the consent");
        assert!(failure.message.contains(scope), "{failure}");
        assert!(error.to_string().contains(scope), "{error}");
    }
    check(&wanted.join(" "), error, &Meaning(Unauthorized, "permission_missing", None));
}

#[tokio::test]
async fn both_permissions_that_an_allocation_may_need_are_named() {
    let session = || a_session(Scripted::new([problem(401, "AuthorizationUnsuccessful")]));
    let note = XeroCreditNoteId(Uuid::from_u128(0xc1));
    let allocation = AllocationDocument {
        invoice: InvoiceReference { invoice_id: INVOICE },
        amount: Decimal::new(6_050, 2),
        date: date(2026, 11, 20),
    };
    let applied = credit_notes::create_allocation(&session(), note, &allocation, &a_key()).await;
    let id = XeroAllocationId(Uuid::from_u128(0xa1));
    let taken_back = credit_notes::delete_allocation(&session(), note, id).await;
    for error in [applied.unwrap_err(), taken_back.unwrap_err()] {
        check_permission(&error, &["accounting.invoices", "accounting.payments"]);
    }
    // The note itself needs the permission for credit notes alone.
    let read = credit_notes::get(&session(), note).await.unwrap_err();
    check_permission(&read, &["accounting.invoices"]);
}

#[tokio::test]
async fn a_refused_login_is_distinguished_by_its_header_and_else_by_its_body() {
    let token = [("WWW-Authenticate", "Bearer error=invalid_token")];
    let plain = r#"{"title":"Forbidden","detail":"AuthorizationUnsuccessful"}"#;
    let rows = [
        (reply(403, &[], plain), "permission_missing"),
        (problem(403, "AuthorizationUnsuccessful"), "permission_missing"),
        (problem(403, "insufficent_scope"), "permission_missing"),
        (problem(403, "AuthenticationUnsuccessful"), "organisation_not_connected"),
        (problem(401, "AuthenticationUnsuccessful"), "login_rejected"),
        (reply(401, &token, plain), "login_rejected"),
    ];
    for (answer, code) in rows {
        assert_eq!(of_a_write(answer).await.to_failure(NOW).code, code);
    }
}

#[tokio::test]
async fn an_expired_token_is_distinguished_from_one_that_is_not_known() {
    for (answer, wanted) in [
        (problem(401, "TokenExpired: token expired at 01/31/2026 09:00:00"), true),
        (
            reply(401, &[], r#"{"title":"Unauthorized","detail":"AuthenticationUnsuccessful"}"#),
            false,
        ),
        (reply(401, &[("WWW-Authenticate", "Bearer error=invalid_token")], ""), false),
    ] {
        let error = of_a_read(answer).await;
        let XeroError::TokenRejected { expired } = error else { panic!("{error:?}") };
        assert_eq!(expired, wanted);
    }
}

#[tokio::test]
async fn a_refusal_is_shown_in_xeros_words_with_a_remedy() {
    // What Xero never accepts is not retried.
    let rows = [
        (
            "The document date cannot be before the period lock date 31 March 2025",
            Rejected,
            "period_locked",
        ),
        (
            "Account code '9' is not a valid code for this document.",
            Rejected,
            "account_code_unknown",
        ),
        (
            "The TaxType code 'T' cannot be used with account code '200'.",
            Rejected,
            "tax_type_not_allowed",
        ),
        ("Organisation is not subscribed to currency SEK", Rejected, "currency_not_enabled"),
        ("Invoice not of valid status for modification", Untranslatable, "document_closed"),
        (
            "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it.",
            Untranslatable,
            "void_has_payments",
        ),
        (
            "Payment amount exceeds the amount outstanding on this document",
            Untranslatable,
            "amount_over_due",
        ),
        (
            "Payments can only be made against Authorised documents",
            Untranslatable,
            "invoice_not_approved",
        ),
        ("Payments within a batch cannot be deleted.", Untranslatable, "payment_in_batch"),
        (
            "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement.",
            Untranslatable,
            "payment_reconciled",
        ),
        ("The moon is in the wrong house", Rejected, "rejected"),
    ];
    for (message, class, code) in rows {
        let error = of_a_write(refused(message)).await;
        check(message, &error, &Meaning(class, code, None));
        let failure = error.to_failure(NOW);
        assert!(failure.message.contains(message), "{failure}");
        assert!(!failure.remedy.is_empty(), "{failure}");
    }
}

#[tokio::test]
async fn an_unparsable_value_hides_no_sentence() {
    let start =
        r#"{"ErrorNumber":10,"Type":"ValidationException","Elements":[{"Contact":{"Name":""#;
    let end =
        r#""},"Rate":1e400,"ValidationErrors":[{"Message":"The moon is in the wrong house"}]}]}"#;
    for name in [b"Ridge".as_slice(), br"\ud83d".as_slice(), b"\xf0\x9f\x98".as_slice()] {
        for mark in [b"".as_slice(), b"\xef\xbb\xbf".as_slice()] {
            let body = [mark, start.as_bytes(), name, end.as_bytes()].concat();
            let error = of_a_write(reply_bytes(400, body)).await;
            let XeroError::Rejected { messages } = &error else { panic!("{name:?}: {error:?}") };
            assert_eq!(messages, &["The moon is in the wrong house"]);
        }
    }
}

#[tokio::test]
async fn a_refusal_without_parts_is_explained_by_its_headline() {
    let bare = r#"{"Type":"ValidationException","Message":"A validation exception occurred"}"#;
    let explained = r#"{"Type":"ValidationException","Message":"You have reached the limit of invoices you can approve."}"#;
    let without = of_a_write(reply(400, &[], bare)).await;
    check("no reason", &without, &Meaning(Rejected, "rejected", None));
    let with = of_a_write(reply(400, &[], explained)).await;
    check("headline", &with, &Meaning(Rejected, "plan_limit", None));
}

/// Permits every call, and adds up the unknown sentences.
#[derive(Debug, Default)]
struct Counting(Mutex<usize>);

impl Counting {
    fn count(&self) -> usize {
        *self.0.lock().unwrap()
    }
}

#[async_trait]
impl RateLimiter for Counting {
    async fn acquire_permit(&self) -> Result<Permit, NotPermitted> {
        Ok(Permit(Uuid::nil()))
    }

    async fn release_permit(&self, _: Permit, _: CallOutcome) {}

    fn report_undecodable_rows(&self, _: &[UndecodableRow]) {}

    fn report_unknown_sentences(&self, count: usize) {
        *self.0.lock().unwrap() += count;
    }
}

#[tokio::test]
async fn unknown_sentences_are_reported_whatever_the_form_of_the_refusal() {
    let element = |name: &str, sentence: &str| {
        format!(r#"{{{name}"HasErrors":true,"ValidationErrors":[{{"Message":"{sentence}"}}]}}"#)
    };
    let (moon, known) = ("The moon is in the wrong house", "Invoice # must be unique.");
    let of_one = element(r##""InvoiceNumber":"#INV-0001","##, moon);
    let unrelated = element(r#""InvoiceNumber":"another","#, moon);
    let of_known = element(r##""InvoiceNumber":"#INV-0001","##, known);
    let bare = r#"{"Type":"ValidationException","Message":"A validation exception occurred."}"#;
    for (answer, expected) in [
        (reply(200, &[], &collection("Invoices", std::slice::from_ref(&of_one))), 1),
        (reply(200, &[], &collection("Invoices", std::slice::from_ref(&of_known))), 0),
        // The refusal of a document that was not sent also contains a sentence of Xero.
        (reply(200, &[], &collection("Invoices", &[of_known, unrelated.clone()])), 1),
        (reply(200, &[], &collection("Invoices", &[of_one, unrelated])), 2),
        (refused(moon), 1),
        (refused(known), 0),
        (reply(400, &[], bare), 0),
        (reply(503, &[], moon), 0),
    ] {
        let text = format!("{answer:?}");
        let counting = Arc::new(Counting::default());
        let session = a_session(Scripted::new([answer])).with_rate_limiter(counting.clone());
        drop(invoices::create_invoices(&session, &[an_invoice()], &a_key()).await);
        assert_eq!(counting.count(), expected, "{text}");
    }
    // A batch that is refused as a whole.
    let counting = Arc::new(Counting::default());
    let session = a_session(Scripted::new([refused(moon)])).with_rate_limiter(counting.clone());
    let documents = [an_invoice(), an_invoice()];
    let error = invoices::create_invoices(&session, &documents, &a_key()).await.unwrap_err();
    assert!(matches!(error, XeroError::BatchRejected { .. }), "{error:?}");
    assert_eq!((counting.count(), error.unknown_sentences()), (1, 1));
    let counting = Arc::new(Counting::default());
    let session = a_session(Scripted::new([refused(moon)])).with_rate_limiter(counting.clone());
    drop(invoices::read_changed_page(&session, Timestamp::UNIX_EPOCH, PagePosition::FIRST).await);
    assert_eq!(counting.count(), 1, "a read is refused");
}
