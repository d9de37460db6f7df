//! Tests of payments on invoices: reading, and the outcome of each document sent.

use domain::document::payment::{MoneyStatus, PaymentDocument, RemotePayment};
use domain::failure::FailureClass::Uncertain;
use domain::ids::{XeroId, XeroInvoiceId, XeroPaymentId};
use jiff::Timestamp;
use jiff::civil::date;
use uuid::Uuid;
use xero::XeroError;
use xero::api::{WriteOutcome, payments};

use crate::classification::refused;
use crate::samples::{INVOICE, PAYMENT, a_key, a_payment, a_session, collection, payment_json};
use crate::scripted::{Answer, Scripted, reply};

async fn read(row: &str) -> RemotePayment {
    let session = a_session(Scripted::ok(&collection("Payments", &[row.to_owned()])));
    payments::get(&session, PAYMENT).await.unwrap().unwrap()
}

async fn created(
    documents: &[PaymentDocument],
    rows: &[String],
) -> Result<Vec<WriteOutcome<RemotePayment>>, XeroError> {
    let session = a_session(Scripted::ok(&collection("Payments", rows)));
    payments::create_payments(&session, documents, &a_key()).await
}

async fn deleted(answer: Answer) -> Result<WriteOutcome<RemotePayment>, XeroError> {
    payments::delete_payment(&a_session(Scripted::new([answer])), PAYMENT, &a_key()).await
}

/// Another part payment on the same invoice on the same day.
fn the_next() -> PaymentDocument {
    PaymentDocument { reference: "Stripe pi_3Q9 (SC-pay_0002)".to_owned(), ..a_payment() }
}

fn the_next_json() -> String {
    let next = payment_json("").replace("SC-pay_0001", "SC-pay_0002");
    next.replace(&PAYMENT.to_string(), &XeroPaymentId(Uuid::from_u128(2)).to_string())
}

#[tokio::test]
async fn a_payment_is_read_with_every_field() {
    let batch = "b54aa50c-794c-461b-89d1-846e1b84d9c0";
    let row = payment_json(&format!(r#""BatchPaymentID":"{batch}","#))
        .replace(r#""IsReconciled":false"#, r#""IsReconciled":true"#);
    let expected = RemotePayment {
        id: PAYMENT,
        invoice: Some(INVOICE),
        parent: Some(XeroId(INVOICE.0)),
        is_receipt: true,
        status: MoneyStatus::Authorised,
        amount: "120.50".parse().unwrap(),
        bank_amount: Some("120.50".parse().unwrap()),
        date: Some(date(2026, 10, 20)),
        reference: Some("Stripe pi_3Q9 (SC-pay_0001)".to_owned()),
        account_code: Some("090".to_owned()),
        account_id: Some(XeroId("5690f1e8-1d02-4893-90c2-ee1a69eff942".parse().unwrap())),
        is_reconciled: true,
        batch: Some(XeroId(batch.parse().unwrap())),
        updated_at: Some("2026-10-20T09:15:30.123Z".parse().unwrap()),
    };
    assert_eq!(read(&row).await, expected);
}

#[tokio::test]
async fn a_payment_with_only_the_required_members_is_read() {
    let bare = format!(r#"{{"PaymentID":"{PAYMENT}","Status":"AUTHORISED","Amount":120.50}}"#);
    let expected = RemotePayment {
        id: PAYMENT,
        invoice: None,
        parent: None,
        is_receipt: true,
        status: MoneyStatus::Authorised,
        amount: "120.50".parse().unwrap(),
        bank_amount: None,
        date: None,
        reference: None,
        account_code: None,
        account_id: None,
        is_reconciled: false,
        batch: None,
        updated_at: None,
    };
    assert_eq!(read(&bare).await, expected);
}

#[tokio::test]
async fn a_deleted_payment_is_distinguished_from_one_that_counts() {
    let row = payment_json("").replace("AUTHORISED", "DELETED");
    assert_eq!(read(&row).await.status, MoneyStatus::Deleted);
    let row = payment_json("").replace("AUTHORISED", "PENDING");
    assert_eq!(read(&row).await.status, MoneyStatus::Other("PENDING".to_owned()));
}

#[tokio::test]
async fn a_payment_in_a_batch_names_its_batch_and_one_outside_names_none() {
    let batch = r#""BatchPaymentID":"00000000-0000-0000-0000-000000000007","#;
    assert_eq!(read(&payment_json(batch)).await.batch, Some(XeroId(Uuid::from_u128(7))));
    let nil = r#""BatchPaymentID":"00000000-0000-0000-0000-000000000000","#;
    assert_eq!(read(&payment_json(nil)).await.batch, None);
    assert_eq!(read(&payment_json("")).await.batch, None);
}

#[tokio::test]
async fn a_reconciled_payment_says_so_plainly_or_in_quotes() {
    for (sent, is_reconciled) in [
        ("true", true),
        (r#""true""#, true),
        (r#""True""#, true),
        ("false", false),
        (r#""false""#, false),
        ("null", false),
    ] {
        let sent = format!(r#""IsReconciled":{sent}"#);
        let row = payment_json("").replace(r#""IsReconciled":false"#, &sent);
        assert_eq!(read(&row).await.is_reconciled, is_reconciled, "{sent}");
    }
}

#[tokio::test]
async fn a_payment_to_an_account_without_a_code_keeps_the_id_of_the_account() {
    for code in ["", r#","Code":"""#, r#","Code":null"#] {
        let row = payment_json("").replace(r#","Code":"090""#, code);
        let payment = read(&row).await;
        assert_eq!(payment.account_code, None, "{row}");
        let id = "5690f1e8-1d02-4893-90c2-ee1a69eff942".parse().unwrap();
        assert_eq!(payment.account_id, Some(XeroId(id)));
    }
}

#[tokio::test]
async fn only_a_customers_payment_of_an_invoice_is_a_receipt() {
    for kind in [
        "ACCPAYPAYMENT",
        "ARCREDITPAYMENT",
        "APCREDITPAYMENT",
        "AROVERPAYMENTPAYMENT",
        "ARPREPAYMENTPAYMENT",
        "APOVERPAYMENTPAYMENT",
        "APPREPAYMENTPAYMENT",
    ] {
        let payment = read(&payment_json("").replace("ACCRECPAYMENT", kind)).await;
        // `Invoice` is then a bill, or the credit that was refunded.
        assert_eq!((payment.is_receipt, payment.invoice), (false, None), "{kind}");
    }
}

#[tokio::test]
async fn a_refund_names_its_credit_note_as_the_invoice_or_as_the_note() {
    let row = payment_json("").replace("ACCRECPAYMENT", "ARCREDITPAYMENT");
    assert_eq!(read(&row).await.parent, Some(XeroId(INVOICE.0)));
    let note = Uuid::from_u128(9);
    let row = row.replace(
        r#""Invoice":{"#,
        &format!(r#""CreditNote":{{"CreditNoteID":"{note}"}},"Other":{{"#),
    );
    assert_eq!(read(&row).await.parent, Some(XeroId(note)));
}

#[tokio::test]
async fn the_amount_of_a_payment_keeps_its_digits() {
    for digits in ["1234567890123.4567", "0.1", "148062.76", "0.00", "99999999999999.99"] {
        for token in [digits.to_owned(), format!("\"{digits}\"")] {
            let row =
                payment_json("").replace(r#""Amount":120.50"#, &format!(r#""Amount":{token}"#));
            assert_eq!(read(&row).await.amount.to_string(), digits, "{token}");
        }
    }
}

#[tokio::test]
async fn a_payment_that_does_not_exist_is_none() {
    let missing = reply(404, &[], "The resource you're looking for cannot be found");
    for answer in [missing, reply(200, &[], r#"{"Payments":[]}"#)] {
        let session = a_session(Scripted::new([answer]));
        assert_eq!(payments::get(&session, PAYMENT).await.unwrap(), None);
    }
}

#[tokio::test]
async fn invoices_beyond_one_query_are_asked_for_in_the_next() {
    let answer = || reply(200, &[], &collection("Payments", &[payment_json("")]));
    let transport = Scripted::new([answer(), answer(), answer()]);
    let invoices: Vec<_> = (1..=31).map(|at| XeroInvoiceId(Uuid::from_u128(at))).collect();
    let session = a_session(transport.clone());
    let found = payments::find_by_invoices(&session, &invoices).await.unwrap();
    assert_eq!(found.len(), 3, "what each call found");
    let asked = transport.asked();
    let counts: Vec<_> = asked
        .iter()
        .map(|request| request.uri().query().unwrap().matches("Invoice.InvoiceID").count())
        .collect();
    assert_eq!(counts, [15, 15, 1]);
    let longest = asked.iter().map(|request| request.uri().query().unwrap().len()).max().unwrap();
    assert!(longest <= 2_048, "Xero takes no query of {longest} characters");
}

#[tokio::test]
async fn deleted_payments_are_asked_for_by_their_status() {
    let answer = || reply(200, &[], &collection("Payments", &[payment_json("")]));
    let transport = Scripted::new([answer(), answer()]);
    let invoices: Vec<_> = (1..=16).map(|at| XeroInvoiceId(Uuid::from_u128(at))).collect();
    let session = a_session(transport.clone());
    let found = payments::find_deleted_by_invoices(&session, &invoices).await.unwrap();
    assert_eq!(found.len(), 2, "what each call found");
    for request in transport.asked() {
        let query = request.uri().query().unwrap();
        let first = "where=Status%3D%3D%22DELETED%22%20AND%20%28Invoice.InvoiceID%3D%3Dguid";
        assert!(query.starts_with(first) && query.contains("%22%29%29&"), "{query}");
        assert!(query.len() <= 2_048, "Xero takes no query of {} characters", query.len());
    }
}

#[tokio::test]
async fn a_created_payment_is_returned_as_xero_stores_it() {
    let row = payment_json(
        r#""StatusAttributeString":"WARNING","Warnings":[{"Message":"It was rounded"}],"#,
    );
    let outcomes = created(&[a_payment()], &[row]).await.unwrap();
    let WriteOutcome::Done { remote, warnings } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((remote.id, remote.invoice), (PAYMENT, Some(INVOICE)));
    assert_eq!(warnings, &["It was rounded"]);
}

#[tokio::test]
async fn a_refused_payment_in_a_batch_affects_no_other() {
    let sentence = "Payment amount exceeds the amount outstanding on this document";
    let errors = format!(r#""ValidationErrors":[{{"Message":"{sentence}"}}]"#);
    for refused in [
        // As in Xero's documentation: an id, no verdict, and then the errors.
        payment_json(&format!("{errors},")).replace(
            r#""LineItems":[],"CurrencyCode":"GBP"},"HasValidationErrors":false"#,
            r#""LineItems":[],"CurrencyCode":"GBP"},"HasValidationErrors":true"#,
        ),
        // The smallest possible answer: the values that were sent, and the errors.
        format!(
            r#"{{"PaymentID":"00000000-0000-0000-0000-000000000000","Amount":120.50,
            "Invoice":{{"InvoiceID":"{INVOICE}"}},"StatusAttributeString":"ERROR",{errors}}}"#
        ),
    ] {
        let outcomes =
            created(&[a_payment(), the_next()], &[refused, the_next_json()]).await.unwrap();
        let WriteOutcome::Refused(error) = &outcomes[0] else { panic!("{outcomes:?}") };
        let XeroError::Rejected { messages } = error else { panic!("{error:?}") };
        assert_eq!(messages, &[sentence]);
        assert_eq!(error.to_failure(Timestamp::UNIX_EPOCH).code, "amount_over_due");
        let WriteOutcome::Done { remote, .. } = &outcomes[1] else { panic!("{outcomes:?}") };
        assert_eq!(remote.id, XeroPaymentId(Uuid::from_u128(2)));
    }
}

#[tokio::test]
async fn an_answer_about_another_payment_is_not_believed_and_costs_no_other() {
    let other_amount = payment_json("").replace("120.50", "120.51");
    let other_invoice = payment_json("")
        .replace(&INVOICE.to_string(), &XeroInvoiceId(Uuid::from_u128(9)).to_string());
    let other_reference = payment_json("").replace("SC-pay_0001", "SC-pay_0009");
    for stranger in [other_amount, other_invoice, other_reference] {
        let answers = [stranger, the_next_json()];
        let outcomes = created(&[a_payment(), the_next()], &answers).await.unwrap();
        let WriteOutcome::Refused(error) = &outcomes[0] else { panic!("{outcomes:?}") };
        assert!(matches!(error, XeroError::Unidentified { .. }), "{error:?}");
        let WriteOutcome::Done { remote, .. } = &outcomes[1] else { panic!("{outcomes:?}") };
        assert_eq!(remote.id, XeroPaymentId(Uuid::from_u128(2)));
    }
}

#[tokio::test]
async fn payments_are_matched_by_their_reference_in_whatever_order_they_come() {
    // Two parts of one invoice, paid on the same day, differ only in their reference.
    for answers in [[payment_json(""), the_next_json()], [the_next_json(), payment_json("")]] {
        let outcomes = created(&[a_payment(), the_next()], &answers).await.unwrap();
        let ids = outcomes.iter().map(|outcome| match outcome {
            WriteOutcome::Done { remote, .. } => remote.id,
            WriteOutcome::Refused(error) => panic!("{error:?}"),
        });
        assert_eq!(ids.collect::<Vec<_>>(), [PAYMENT, XeroPaymentId(Uuid::from_u128(2))]);
    }
}

#[tokio::test]
async fn a_payment_without_an_answer_is_uncertain_and_the_others_are_not() {
    let outcomes = created(&[a_payment(), the_next()], &[the_next_json()]).await.unwrap();
    let WriteOutcome::Refused(error) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(error.failure_class(), Uncertain);
    assert!(matches!(outcomes[1], WriteOutcome::Done { .. }), "{outcomes:?}");
}

#[tokio::test]
async fn the_answer_to_a_deletion_is_the_payment_as_deleted() {
    let row = payment_json("").replace("AUTHORISED", "DELETED");
    let outcome = deleted(reply(200, &[], &collection("Payments", &[row]))).await.unwrap();
    let WriteOutcome::Done { remote, warnings } = outcome else { panic!("{outcome:?}") };
    assert_eq!((remote.id, remote.status), (PAYMENT, MoneyStatus::Deleted));
    assert!(warnings.is_empty());
}

#[tokio::test]
async fn the_reason_of_a_refused_deletion_is_read_in_either_form() {
    let sentence = "Payments within a batch cannot be deleted.";
    let whole = deleted(refused(sentence)).await.unwrap_err();
    assert_eq!(whole.to_failure(Timestamp::UNIX_EPOCH).code, "payment_in_batch");
    let row = payment_json(&format!(r#""ValidationErrors":[{{"Message":"{sentence}"}}],"#));
    let outcome = deleted(reply(200, &[], &collection("Payments", &[row]))).await.unwrap();
    let WriteOutcome::Refused(error) = outcome else { panic!("{outcome:?}") };
    assert_eq!(error.to_failure(Timestamp::UNIX_EPOCH).code, "payment_in_batch");
}

#[tokio::test]
async fn a_deletion_counts_only_if_the_answer_shows_the_payment_as_deleted() {
    for rows in [vec![the_next_json()], vec![], vec![payment_json("")]] {
        let outcome = deleted(reply(200, &[], &collection("Payments", &rows))).await.unwrap();
        let WriteOutcome::Refused(error) = outcome else { panic!("{outcome:?}") };
        assert!(matches!(error, XeroError::Unidentified { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn deleting_what_xero_does_not_have_says_so() {
    let error = deleted(reply(404, &[], "The resource you're looking for cannot be found")).await;
    let error = error.unwrap_err();
    assert!(matches!(error, XeroError::NotFound { endpoint: "/Payments/{PaymentID}" }), "{error}");
}

#[tokio::test]
async fn a_payment_of_unknown_outcome_is_looked_up_first() {
    let fault = || Scripted::new([reply(500, &[], "<html>")]);
    let create = payments::create_payments(&a_session(fault()), &[a_payment()], &a_key()).await;
    assert_eq!(create.unwrap_err().failure_class(), Uncertain);
    assert_eq!(deleted(reply(504, &[], "")).await.unwrap_err().failure_class(), Uncertain);
}
