//! Tests of credit notes and their allocations: requests, answers, and the outcome of each
//! document.

use domain::document::allocation::{AllocationDocument, InvoiceReference, RemoteAllocation};
use domain::document::credit_note::{CreditNoteDocument, CreditNoteType, RemoteCreditNote};
use domain::document::sales::DocumentStatus;
use domain::failure::FailureClass;
use domain::ids::{XeroAllocationId, XeroCreditNoteId};
use http::Method;
use jiff::Timestamp;
use jiff::civil::date;
use rust_decimal::Decimal;
use uuid::Uuid;
use xero::XeroError;
use xero::api::{PagePosition, TargetStatus, WriteOutcome, credit_notes};

use crate::requests::{Named, the_one};
use crate::samples::{CONTACT, INVOICE, a_key, a_session, an_invoice, collection};
use crate::scripted::{Scripted, reply};

const NOTE: XeroCreditNoteId = XeroCreditNoteId(Uuid::from_u128(0x7be5));
const OTHER: XeroCreditNoteId = XeroCreditNoteId(Uuid::from_u128(0x7be6));
const ALLOCATION: XeroAllocationId = XeroAllocationId(Uuid::from_u128(0x2bb1));

fn a_note() -> CreditNoteDocument {
    let invoice = an_invoice();
    CreditNoteDocument {
        credit_note_id: None,
        credit_note_type: CreditNoteType::Accreccredit,
        contact: invoice.contact,
        date: invoice.date,
        line_amount_types: invoice.line_amount_types,
        credit_note_number: "CN-0001".to_owned(),
        reference: "Job 1042 (SC-cn_0001)".to_owned(),
        currency_code: invoice.currency_code,
        status: invoice.status,
        line_items: invoice.line_items,
    }
}

fn an_allocation() -> AllocationDocument {
    AllocationDocument {
        invoice: InvoiceReference { invoice_id: INVOICE },
        amount: Decimal::new(6_050, 2),
        date: date(2026, 11, 20),
    }
}

/// A credit note as Xero returns it, with these members added (`"A":1,`).
pub fn note_json(members: &str) -> String {
    format!(
        r#"{{{members}"CreditNoteID":"{NOTE}","CreditNoteNumber":"CN-0001","Type":"ACCRECCREDIT",
        "Reference":"Job 1042 (SC-cn_0001)","RemainingCredit":63.50,"HasErrors":false,
        "Allocations":[{{"AllocationID":"{ALLOCATION}","Amount":60.50,
        "Date":"\/Date(1795132800000+0000)\/","Invoice":{{"InvoiceID":"{INVOICE}",
        "InvoiceNumber":"\u0023INV-0001"}}}}],"Contact":{{"ContactID":"{CONTACT}","Name":"Ridge"}},
        "DateString":"2026-10-03T00:00:00","Date":"\/Date(1790985600000+0000)\/",
        "Status":"AUTHORISED","LineItems":[],"SubTotal":103.33,"TotalTax":20.67,"Total":124.00,
        "UpdatedDateUTC":"\/Date(1551981568133)\/","CurrencyCode":"GBP"}}"#
    )
}

fn allocation_json(members: &str) -> String {
    format!(
        r#"{{{members}"Amount":60.50,"Date":"\/Date(1795132800000+0000)\/",
        "Invoice":{{"InvoiceID":"{INVOICE}"}},"CreditNote":{{"CreditNoteID":"{NOTE}"}},
        "ValidationErrors":[]}}"#
    )
}

/// The client's requests about credit.
pub async fn credit_note_requests() -> Vec<Named> {
    let answer = collection("CreditNotes", &[note_json("")]);
    let call = || Scripted::ok(&answer);
    let (numbers, one, several) = (call(), call(), call());
    let (new, known, status) = (call(), call(), call());
    let wanted = ["CN 1&2", "CN-2"];
    credit_notes::find_by_numbers(&a_session(numbers.clone()), &wanted).await.unwrap();
    credit_notes::find_by_ids(&a_session(one.clone()), &[NOTE]).await.unwrap();
    credit_notes::find_by_ids(&a_session(several.clone()), &[NOTE, OTHER]).await.unwrap();
    let of_contact = call();
    credit_notes::find_by_contact(&a_session(of_contact.clone()), CONTACT, "REFUND-")
        .await
        .unwrap();
    credit_notes::create_credit_notes(&a_session(new.clone()), &[a_note()], &a_key())
        .await
        .unwrap();
    let update = CreditNoteDocument { credit_note_id: Some(NOTE), status: None, ..a_note() };
    credit_notes::update_credit_notes(&a_session(known.clone()), &[update], &a_key())
        .await
        .unwrap();
    let recent = call();
    let (session, since) = (a_session(recent.clone()), Timestamp::from_second(1_793_610_010));
    credit_notes::read_changed_page(&session, since.unwrap(), PagePosition::FIRST).await.unwrap();
    let changes = [(NOTE, TargetStatus::Voided)];
    credit_notes::set_status(&a_session(status.clone()), &changes, &a_key()).await.unwrap();
    let applied = Scripted::ok(&collection("Allocations", &[allocation_json("")]));
    let allocation = an_allocation();
    let session = a_session(applied.clone());
    credit_notes::create_allocation(&session, NOTE, &allocation, &a_key()).await.unwrap();
    let removed = Scripted::ok("{}");
    credit_notes::delete_allocation(&a_session(removed.clone()), NOTE, ALLOCATION).await.unwrap();
    vec![
        the_one("credit_notes_by_number", &numbers),
        the_one("credit_note_by_id", &one),
        the_one("credit_notes_by_id", &several),
        the_one("credit_notes_of_a_contact", &of_contact),
        the_one("credit_note_create", &new),
        the_one("credit_note_update", &known),
        the_one("credit_note_status", &status),
        the_one("credit_notes_changed", &recent),
        the_one("allocation_create", &applied),
        the_one("allocation_delete", &removed),
    ]
}

async fn read(row: &str) -> RemoteCreditNote {
    let session = a_session(Scripted::ok(&collection("CreditNotes", &[row.to_owned()])));
    credit_notes::get(&session, NOTE).await.unwrap().unwrap()
}

async fn allocated(body: &str) -> Result<WriteOutcome<RemoteAllocation>, XeroError> {
    let session = a_session(Scripted::ok(body));
    credit_notes::create_allocation(&session, NOTE, &an_allocation(), &a_key()).await
}

#[tokio::test]
async fn a_credit_note_is_read_with_its_remaining_credit_and_allocations() {
    let note = read(&note_json("")).await;
    assert_eq!((note.id, note.is_sales), (NOTE, true));
    assert_eq!(note.number.as_deref(), Some("CN-0001"));
    assert_eq!(note.reference.as_deref(), Some("Job 1042 (SC-cn_0001)"));
    assert_eq!(note.contact_id, Some(CONTACT));
    assert_eq!((note.total.to_string(), note.remaining.to_string()).0, "GBP 124.00");
    assert_eq!(note.remaining.to_string(), "GBP 63.50");
    assert_eq!(note.total_tax.unwrap().to_string(), "GBP 20.67");
    let amount = Decimal::new(6_050, 2);
    let applied = RemoteAllocation { id: Some(ALLOCATION), invoice: INVOICE, amount };
    assert_eq!(note.allocations, [applied]);
    let bill = read(&note_json("").replace("ACCRECCREDIT", "ACCPAYCREDIT")).await;
    assert!(!bill.is_sales);
    let used = read(&note_json("").replace("AUTHORISED", "PAID")).await;
    assert_eq!(used.status, DocumentStatus::Paid);
}

#[tokio::test]
async fn an_allocation_may_come_back_without_an_id() {
    let named = format!(r#""AllocationID":"{ALLOCATION}","#);
    let body = collection("Allocations", &[allocation_json(&named)]);
    let WriteOutcome::Done { remote, .. } = allocated(&body).await.unwrap() else {
        panic!("it was refused")
    };
    assert_eq!(remote.id, Some(ALLOCATION));
    for id in ["", r#""AllocationID":"00000000-0000-0000-0000-000000000000","#] {
        let body = collection("Allocations", &[allocation_json(id)]);
        let WriteOutcome::Done { remote, .. } = allocated(&body).await.unwrap() else {
            panic!("{id}")
        };
        assert_eq!(remote.id, None);
    }
}

#[tokio::test]
async fn an_answer_about_another_allocation_is_not_believed() {
    let other = allocation_json("").replace("60.50", "60.51");
    let outcome = allocated(&collection("Allocations", &[other])).await.unwrap();
    assert!(
        matches!(outcome, WriteOutcome::Refused(XeroError::Unidentified { .. })),
        "its end is unknown: {outcome:?}"
    );
}

#[tokio::test]
async fn a_number_that_no_filter_can_hold_is_looked_for_among_those_that_begin_like_it() {
    let ours = note_json("").replace(r#""CN-0001""#, r#""CN 12\" pipe""#);
    let other = note_json("").replace(r#""CN-0001""#, r#""CN 12\" tube""#);
    let full = r#"{"pagination":{"pageSize":2},"#;
    let first = collection("CreditNotes", &[other.clone(), other]).replacen('{', full, 1);
    let second = collection("CreditNotes", &[ours]).replacen('{', full, 1);
    let known = collection("CreditNotes", &[note_json("")]);
    let pages = [known, first, second].map(|body| reply(200, &[], &body));
    let transport = Scripted::new(pages);
    let wanted = [r#"CN 12" pipe"#, "CN-0001"];
    let session = a_session(transport.clone());
    let found = credit_notes::find_by_numbers(&session, &wanted).await.unwrap();
    let numbers = found.rows.iter().map(|note| note.number.as_deref().unwrap());
    assert_eq!(numbers.collect::<Vec<_>>(), ["CN-0001", r#"CN 12" pipe"#]);
    let asked = transport.asked();
    let queries = asked.iter().map(|request| request.uri().query().unwrap()).collect::<Vec<_>>();
    assert!(queries[0].contains("CreditNoteNumber%3D%3D%22CN-0001%22"), "{}", queries[0]);
    for (query, page) in [(queries[1], "page=1&"), (queries[2], "page=2&")] {
        let beginning =
            "CreditNoteNumber%21%3Dnull%20AND%20CreditNoteNumber.StartsWith%28%22CN%2012%22%29";
        assert!(query.contains(beginning), "{query}");
        assert!(query.contains(page) && !query.contains("pipe"), "{query}");
    }
}

#[tokio::test]
async fn the_reason_of_a_refused_allocation_is_read_in_either_form() {
    let text = "Credit Note cannot be allocated as amount is greater than amount outstanding";
    let errors = format!(r#""ValidationErrors":[{{"Message":"{text}"}}]"#);
    let row = allocation_json("").replace(r#""ValidationErrors":[]"#, &errors);
    let WriteOutcome::Refused(error) = allocated(&collection("Allocations", &[row])).await.unwrap()
    else {
        panic!("it was taken")
    };
    assert_eq!(error.to_failure(Timestamp::UNIX_EPOCH).code, "credit_over_due");
    let exception = format!(
        r#"{{"ErrorNumber":10,"Type":"ValidationException","Message":"A validation exception occurred",
        "Elements":[{{{errors}}}]}}"#
    );
    let session = a_session(Scripted::new([reply(400, &[], &exception)]));
    let error = credit_notes::create_allocation(&session, NOTE, &an_allocation(), &a_key()).await;
    let error = error.unwrap_err();
    assert_eq!(error.to_failure(Timestamp::UNIX_EPOCH).code, "credit_over_due");
}

#[tokio::test]
async fn removing_what_is_gone_is_no_error_and_a_lost_answer_leaves_the_write_uncertain() {
    let session = a_session(Scripted::new([reply(404, &[], "The resource was not found")]));
    assert!(!credit_notes::delete_allocation(&session, NOTE, ALLOCATION).await.unwrap());
    let session = a_session(Scripted::new([reply(500, &[], "")]));
    let error = credit_notes::delete_allocation(&session, NOTE, ALLOCATION).await.unwrap_err();
    assert_eq!(error.failure_class(), FailureClass::Uncertain, "{error:?}");
}

/// The OpenAPI description shows a bare row; public reports (xero-php-oauth2#341, xero-python#159)
/// show a collection.
#[tokio::test]
async fn an_allocation_is_taken_back_whatever_form_the_answer_has() {
    let row = allocation_json(r#""IsDeleted":true,"#);
    for body in [row.clone(), collection("Allocations", &[row]), "{}".to_owned()] {
        let session = a_session(Scripted::ok(&body));
        assert!(
            credit_notes::delete_allocation(&session, NOTE, ALLOCATION).await.unwrap(),
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_allocation_counts_as_taken_back_only_if_the_answer_says_so() {
    let remove = async |answer| {
        let session = a_session(Scripted::new([answer]));
        credit_notes::delete_allocation(&session, NOTE, ALLOCATION).await
    };
    assert!(remove(reply(204, &[], "")).await.unwrap());
    for body in ["", " \r\n"] {
        let error = remove(reply(200, &[], body)).await.unwrap_err();
        assert!(matches!(error, XeroError::Edge { status: 200, .. }), "{error:?}");
        assert_eq!(error.failure_class(), FailureClass::Uncertain);
    }
    let kept = allocation_json(r#""IsDeleted":false,"#);
    for body in [
        kept.clone(),
        collection("Allocations", &[kept]),
        collection("Allocations", &[]),
        r#"{"ErrorNumber":500,"Message":"An error occurred"}"#.to_owned(),
        "[]".to_owned(),
        "true".to_owned(),
        "removed".to_owned(),
    ] {
        let error = remove(reply(200, &[], &body)).await.unwrap_err();
        assert!(matches!(error, XeroError::Unidentified { .. }), "{body}: {error:?}");
        assert_eq!(error.failure_class(), FailureClass::Uncertain);
    }
    let refused = r#"{"StatusAttributeString":"ERROR","ValidationErrors":[{"Message":"No."}]}"#;
    for body in [
        refused.to_owned(),
        collection("Allocations", &[refused.to_owned()]),
        format!(r#"{{"ErrorNumber":10,"Type":"ValidationException","Elements":[{refused}]}}"#),
    ] {
        let error = remove(reply(200, &[], &body)).await.unwrap_err();
        let XeroError::Rejected { messages } = &error else { panic!("{body}: {error:?}") };
        assert_eq!(messages, &["No."]);
    }
}

#[tokio::test]
async fn a_credit_note_that_the_answer_shows_unchanged_is_not_voided() {
    for (status, is_done) in [("VOIDED", true), ("DELETED", true), ("AUTHORISED", false)] {
        let body = collection("CreditNotes", &[note_json("").replace("AUTHORISED", status)]);
        let session = a_session(Scripted::ok(&body));
        let changes = [(NOTE, TargetStatus::Voided)];
        let outcomes = credit_notes::set_status(&session, &changes, &a_key()).await.unwrap();
        match &outcomes[0] {
            WriteOutcome::Done { .. } => assert!(is_done, "{status}"),
            WriteOutcome::Refused(error) => {
                assert!(!is_done, "{status}");
                assert!(matches!(error, XeroError::Unidentified { .. }), "{error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_write_that_would_touch_the_wrong_note_is_never_sent() {
    let transport = Scripted::new([]);
    let session = a_session(transport.clone());
    let known = CreditNoteDocument { credit_note_id: Some(NOTE), ..a_note() };
    assert!(credit_notes::create_credit_notes(&session, &[known], &a_key()).await.is_err());
    assert!(credit_notes::update_credit_notes(&session, &[a_note()], &a_key()).await.is_err());
    assert!(transport.asked().is_empty());
}

#[tokio::test]
async fn the_bytes_that_are_hashed_are_the_bytes_that_are_sent() {
    let requests = credit_note_requests().await;
    let sent = |wanted: &str| {
        let (_, request) = requests.iter().find(|(name, _)| *name == wanted).unwrap();
        (request.method().clone(), request.body().clone())
    };
    assert_eq!(
        sent("credit_note_create"),
        (Method::PUT, credit_notes::credit_note_body(&[a_note()]))
    );
    let changes = [(NOTE, TargetStatus::Voided)];
    assert_eq!(sent("credit_note_status"), (Method::POST, credit_notes::status_body(&changes)));
    let allocation = credit_notes::allocation_body(&an_allocation());
    assert_eq!(sent("allocation_create"), (Method::PUT, allocation));
    assert_eq!(sent("allocation_delete").0, Method::DELETE);
}
