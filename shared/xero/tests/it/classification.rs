//! Tests of the meaning of every answer of the API: one row for each answer that Xero is known to
//! give.

use domain::failure::FailureClass::{self, Defect, Throttled, Transient, Uncertain};
use jiff::{SignedDuration, Timestamp};
use xero::api::{WriteOutcome, contacts, invoices, organisation};
use xero::{RequestSent, TransportErrorKind, XeroError};

use crate::samples::{CONTACT, INVOICE, a_key, a_session, an_invoice, collection, contact_json};
use crate::scripted::{Answer, Scripted, reply};

pub const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A row: its name, Xero's answer, and the expected meaning.
pub struct Row(pub &'static str, pub Answer, pub Meaning);

/// The class, the code, and the seconds to wait.
pub struct Meaning(pub FailureClass, pub &'static str, pub Option<i64>);

pub async fn of_a_read(answer: Answer) -> XeroError {
    organisation::get_organisation(&a_session(Scripted::new([answer]))).await.unwrap_err()
}

pub async fn of_a_write(answer: Answer) -> XeroError {
    let session = a_session(Scripted::new([answer]));
    invoices::create_invoices(&session, &[an_invoice()], &a_key()).await.unwrap_err()
}

pub fn check(row: &str, error: &XeroError, Meaning(class, code, wait): &Meaning) {
    let failure = error.to_failure(NOW);
    assert_eq!(error.failure_class(), *class, "{row}: {error}");
    assert_eq!(failure.class, *class, "{row}");
    assert_eq!(failure.code, *code, "{row}: {error}");
    let expected = wait.map(|seconds| NOW + SignedDuration::from_secs(seconds));
    assert_eq!(failure.not_before, expected, "{row}");
    is_fit_for_people(row, &failure.message);
    is_fit_for_people(row, &failure.remedy);
    assert!(!failure.message.is_empty(), "{row}");
}

pub fn is_fit_for_people(row: &str, text: &str) {
    assert!(text.is_empty() || text.ends_with('.'), "{row}: {text}");
    for unfit in ["{", "}", "<", "http", "token", "JSON", "null", "secret"] {
        assert!(!text.contains(unfit), "{row}: {text}");
    }
}

pub fn refused(message: &str) -> Answer {
    let body = format!(
        r#"{{"ErrorNumber":10,"Type":"ValidationException","Message":"A validation exception occurred",
        "Elements":[{{"InvoiceNumber":"1","Contact":{{"ValidationErrors":[]}},
        "LineItems":[{{"ValidationErrors":[{{"Message":"{message}"}}]}}]}}]}}"#
    );
    reply(400, &[], &body)
}

pub fn limited(headers: &[(&str, &str)]) -> Answer {
    reply(429, headers, "<html>slow down</html>")
}

#[tokio::test]
async fn a_read_without_an_answer_or_with_a_fault_of_xeros_is_tried_again() {
    let rows = [
        Row(
            "connection refused",
            Answer::Unfinished(RequestSent::No, TransportErrorKind::Connect),
            Meaning(Transient, "xero_unreachable", None),
        ),
        Row(
            "no answer in time",
            Answer::Unfinished(RequestSent::Unknown, TransportErrorKind::Timeout),
            Meaning(Transient, "xero_silent", None),
        ),
        Row(
            "reset mid-body",
            Answer::Unfinished(RequestSent::Unknown, TransportErrorKind::Interrupted),
            Meaning(Transient, "xero_silent", None),
        ),
        Row("500", reply(500, &[], "<html>"), Meaning(Transient, "xero_faulty", None)),
        Row("502", reply(502, &[], ""), Meaning(Transient, "xero_faulty", None)),
        Row("504", reply(504, &[], ""), Meaning(Transient, "xero_faulty", None)),
        Row(
            "one organisation offline",
            reply(503, &[], "The Organisation is offline"),
            Meaning(Transient, "organisation_offline", Some(300)),
        ),
        Row(
            "maintenance",
            reply(503, &[], "The Xero API is currently offline for maintenance"),
            Meaning(Transient, "xero_maintenance", None),
        ),
        Row(
            "outage",
            reply(503, &[], "The Xero API is temporarily unavailable"),
            Meaning(Transient, "xero_unavailable", None),
        ),
    ];
    for Row(row, answer, meaning) in rows {
        check(row, &of_a_read(answer).await, &meaning);
    }
}

#[tokio::test]
async fn a_write_of_unknown_outcome_is_looked_up_first() {
    let rows = [
        Row(
            "no answer in time",
            Answer::Unfinished(RequestSent::Unknown, TransportErrorKind::Timeout),
            Meaning(Uncertain, "xero_silent", None),
        ),
        Row(
            "reset mid-body",
            Answer::Unfinished(RequestSent::Unknown, TransportErrorKind::Interrupted),
            Meaning(Uncertain, "xero_silent", None),
        ),
        Row("500", reply(500, &[], "<html>"), Meaning(Uncertain, "xero_faulty", None)),
        Row("504", reply(504, &[], ""), Meaning(Uncertain, "xero_faulty", None)),
        Row(
            "one organisation offline",
            reply(503, &[], "The Organisation is offline"),
            Meaning(Uncertain, "organisation_offline", Some(300)),
        ),
        Row(
            "number taken",
            refused("Invoice # must be unique."),
            Meaning(Uncertain, "number_taken", None),
        ),
        Row(
            "name taken",
            refused(
                "The contact name A is already assigned to another contact. The contact name must be unique across all active contacts.",
            ),
            Meaning(Uncertain, "contact_name_taken", None),
        ),
        Row(
            "contact number taken",
            refused("The contact number A is already assigned to another contact."),
            Meaning(Uncertain, "contact_number_taken", None),
        ),
        Row(
            "key used with other bytes, in an envelope",
            reply(
                400,
                &[],
                r#"{"Title":"Bad Request","Detail":"Idempotency Key: k is used with a different request."}"#,
            ),
            Meaning(Uncertain, "key_reused", None),
        ),
        Row(
            "key used with other bytes, in plain text",
            reply(400, &[], "Idempotency Key: k is used with a different request."),
            Meaning(Uncertain, "key_reused", None),
        ),
        Row(
            "the general sentence",
            refused(
                "An error occurred in Xero. Check the API Status page http://status.developer.xero.com for current service status.",
            ),
            Meaning(Uncertain, "unexplained", None),
        ),
    ];
    for Row(row, answer, meaning) in rows {
        check(row, &of_a_write(answer).await, &meaning);
    }
}

#[tokio::test]
async fn a_write_that_was_never_sent_is_retried() {
    let answer = Answer::Unfinished(RequestSent::No, TransportErrorKind::Connect);
    let meaning = Meaning(Transient, "xero_unreachable", None);
    check("connection refused", &of_a_write(answer).await, &meaning);
}

#[tokio::test]
async fn a_document_that_the_answer_leaves_out_is_looked_up_first() {
    let session = a_session(Scripted::ok(r#"{"Invoices":[]}"#));
    let outcomes = invoices::create_invoices(&session, &[an_invoice()], &a_key()).await.unwrap();
    let WriteOutcome::Refused(error) = &outcomes[0] else { panic!("{outcomes:?}") };
    check("left out", error, &Meaning(Uncertain, "answer_incomplete", None));
    assert!(error.is_answered());
}

#[tokio::test]
async fn a_throttle_is_waited_for_as_long_as_xero_says() {
    let rows = [
        ("minute", limited(&[("X-Rate-Limit-Problem", "minute"), ("Retry-After", "17")]), 17),
        ("minute without a time", limited(&[("X-Rate-Limit-Problem", "Minute")]), 60),
        ("app minute", limited(&[("X-Rate-Limit-Problem", "appminute")]), 60),
        ("app minute, hyphenated", limited(&[("X-Rate-Limit-Problem", "App-Minute")]), 60),
        ("concurrent", limited(&[("X-Rate-Limit-Problem", "concurrent")]), 2),
        ("a time that is no number", limited(&[("Retry-After", "soon")]), 60),
        ("a time before now", limited(&[("Retry-After", "-5")]), 1),
        ("a time beyond reason", limited(&[("Retry-After", "999999999999")]), 86_400),
    ];
    for (row, answer, seconds) in rows {
        let meaning = Meaning(Throttled, "rate_limited", Some(seconds));
        check(row, &of_a_write(answer).await, &meaning);
    }
    for (row, headers, seconds) in [
        ("day", vec![("X-Rate-Limit-Problem", "day"), ("Retry-After", "40000")], 40_000),
        ("day without a time", vec![("X-Rate-Limit-Problem", "day")], 3_600),
    ] {
        let meaning = Meaning(Throttled, "day_limit_reached", Some(seconds));
        check(row, &of_a_read(limited(&headers)).await, &meaning);
    }
}

#[tokio::test]
async fn a_call_that_xero_does_not_understand_is_our_defect() {
    let rows = [
        (
            "unreadable JSON",
            reply(
                400,
                &[],
                r#"{"ErrorNumber":14,"Type":"PostDataInvalidException","Message":"JSON request body could not be read, Error ..."}"#,
            ),
        ),
        (
            "bad filter",
            reply(400, &[], r#"{"ErrorNumber":16,"Type":"QueryParseException","Message":"x"}"#),
        ),
        (
            "empty collection",
            reply(
                400,
                &[],
                r#"{"ErrorNumber":17,"Type":"NoDataProcessedException","Message":"No data has been processed for this endpoint. This endpoint is expecting Invoice data to be specifed in the request body."}"#,
            ),
        ),
        ("over 100,000 documents", reply(400, &[], "Too many documents")),
        (
            "a query that is too long",
            reply(404, &[], "The resource you're looking for cannot be found"),
        ),
        ("412", reply(412, &[], "The condition does not hold")),
        ("413", reply(413, &[], "")),
        ("501", reply(501, &[], "The Api Method called is not implemented")),
    ];
    for (row, answer) in rows {
        check(row, &of_a_write(answer).await, &Meaning(Defect, "call_refused", None));
    }
}

#[tokio::test]
async fn an_answer_that_is_not_what_xero_promises_is_a_defect() {
    let rows = [
        ("XML", reply(200, &[], "<Response/>")),
        ("another collection", reply(200, &[], r#"{"Contacts":[]}"#)),
        ("no collection", reply(200, &[], "[]")),
    ];
    for (row, answer) in rows {
        check(row, &of_a_write(answer).await, &Meaning(Defect, "answer_unreadable", None));
    }
}

#[tokio::test]
async fn a_missing_id_is_an_answer_and_not_an_error() {
    let missing =
        || Scripted::new([reply(404, &[], "The resource you're looking for cannot be found")]);
    assert!(contacts::find_by_number(&a_session(missing()), "SC-1").await.unwrap().is_none());
    assert!(invoices::get(&a_session(missing()), INVOICE).await.unwrap().is_none());
}

#[tokio::test]
async fn a_contact_missing_from_its_own_route_is_searched_for_among_archived_ones() {
    for (rows, is_there) in [(vec![], false), (vec![contact_json("")], true)] {
        let listed = reply(200, &[], &collection("Contacts", &rows));
        let missing = reply(404, &[], "The resource you're looking for cannot be found");
        let transport = Scripted::new([missing, listed]);
        let session = a_session(transport.clone());
        assert_eq!(contacts::get(&session, CONTACT).await.unwrap().is_some(), is_there);
        let query = transport.asked()[1].uri().query().unwrap().to_owned();
        assert!(query.contains("includeArchived=true"), "{query}");
    }
}

#[tokio::test]
async fn the_key_serial_rises_once_xero_has_answered_and_not_before() {
    let answered = [reply(500, &[], ""), limited(&[]), refused("No.")];
    for answer in answered {
        assert!(of_a_write(answer).await.is_answered());
    }
    for (sent, kind) in [
        (RequestSent::No, TransportErrorKind::Connect),
        (RequestSent::Unknown, TransportErrorKind::Timeout),
        (RequestSent::Unknown, TransportErrorKind::TooLarge),
        (RequestSent::No, TransportErrorKind::Invalid),
    ] {
        assert!(!of_a_write(Answer::Unfinished(sent, kind)).await.is_answered());
    }
}
