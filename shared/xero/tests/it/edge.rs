//! Tests of pages and empty bodies from the edge: they mean an outage, whatever their status.

use domain::failure::FailureClass::{
    Defect, Rejected, Throttled, Transient, Unauthorized, Uncertain,
};
use xero::XeroError;
use xero::api::{contacts, credit_notes, invoices};

use crate::classification::{Meaning, check, of_a_read, of_a_write};
use crate::samples::{CONTACT, INVOICE, a_key, a_session};
use crate::scripted::{Answer, Scripted, reply};

const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Access denied</title></head></html>";

fn page(status: u16) -> Answer {
    reply(status, &[("content-type", "text/html; charset=utf-8")], PAGE)
}

#[tokio::test]
async fn a_page_is_transient_for_reads_and_for_writes_that_never_got_behind_the_edge() {
    for status in [302, 400, 401, 403, 404, 405, 410, 451, 501, 503] {
        let meaning = Meaning(Transient, "xero_unreachable", None);
        check("read", &of_a_read(page(status)).await, &meaning);
        let write = of_a_write(page(status)).await;
        check("write", &write, &meaning);
        assert!(!write.is_answered(), "{status}: the key was not used");
    }
}

#[tokio::test]
async fn a_write_that_may_have_been_carried_out_is_uncertain() {
    for status in [200, 202] {
        check("page", &of_a_write(page(status)).await, &Meaning(Uncertain, "xero_silent", None));
        let read = of_a_read(page(status)).await;
        check("page", &read, &Meaning(Transient, "xero_unreachable", None));
        for body in ["", " \r\n"] {
            let nothing = || reply(status, &[], body);
            let meaning = Meaning(Uncertain, "xero_silent", None);
            check("nothing", &of_a_write(nothing()).await, &meaning);
            let meaning = Meaning(Transient, "xero_unreachable", None);
            check("nothing", &of_a_read(nothing()).await, &meaning);
        }
    }
    for status in [500, 502, 504] {
        check("fault", &of_a_write(page(status)).await, &Meaning(Uncertain, "xero_faulty", None));
    }
    let meaning = Meaning(Uncertain, "xero_unavailable", None);
    check("plain 503", &of_a_write(reply(503, &[], "")).await, &meaning);
}

#[tokio::test]
async fn an_empty_body_says_nothing_about_call_login_or_document() {
    for status in [400, 401, 403, 404, 405, 410, 412, 421] {
        for body in ["", " \r\n"] {
            let error = of_a_write(reply(status, &[], body)).await;
            check("nothing", &error, &Meaning(Transient, "xero_unreachable", None));
        }
    }
}

#[tokio::test]
async fn an_html_page_instead_of_a_document_does_not_count_as_missing() {
    for status in [404, 403] {
        let session = || a_session(Scripted::new([page(status)]));
        assert!(matches!(invoices::get(&session(), INVOICE).await, Err(XeroError::Edge { .. })));
        assert!(contacts::get(&session(), CONTACT).await.is_err());
        let note = domain::ids::XeroCreditNoteId(INVOICE.0);
        let allocation = domain::ids::XeroAllocationId(INVOICE.0);
        assert!(credit_notes::delete_allocation(&session(), note, allocation).await.is_err());
    }
}

#[tokio::test]
async fn a_redirect_says_nothing_about_the_call_whatever_its_body() {
    for status in [301, 302, 303, 307, 308] {
        for body in ["", "Moved", "{}"] {
            let redirect = || reply(status, &[("Location", "https://elsewhere.example")], body);
            let meaning = Meaning(Transient, "xero_unreachable", None);
            check("read", &of_a_read(redirect()).await, &meaning);
            let write = of_a_write(redirect()).await;
            check("write", &write, &meaning);
            assert!(!write.is_answered(), "{status}: the key was not used");
        }
    }
}

#[tokio::test]
async fn a_request_that_is_too_long_is_refused_whether_or_not_a_page_says_so() {
    for status in [413, 414] {
        for answer in [page(status), reply(status, &[], "")] {
            let error = of_a_write(answer).await;
            check("too long", &error, &Meaning(Defect, "call_refused", None));
            assert!(error.is_answered());
        }
    }
}

#[tokio::test]
async fn sentences_of_xero_itself_are_still_read() {
    let scope = [("WWW-Authenticate", "Bearer error=\"insufficient_scope\"")];
    let rows = [
        (reply(401, &scope, PAGE), Meaning(Unauthorized, "permission_missing", None)),
        (
            reply(401, &[("WWW-Authenticate", "Bearer error=invalid_token")], ""),
            Meaning(Transient, "login_rejected", None),
        ),
        (reply(429, &[], PAGE), Meaning(Throttled, "rate_limited", Some(60))),
        (reply(403, &[], "Not for you"), Meaning(Rejected, "not_permitted", None)),
        (reply(400, &[], "Too many documents"), Meaning(Defect, "call_refused", None)),
    ];
    for (answer, meaning) in rows {
        check("Xero", &of_a_write(answer).await, &meaning);
    }
}

#[tokio::test]
async fn no_defect_no_refusal_and_no_loss_follows_from_a_page_in_a_batch() {
    let session = a_session(Scripted::new([page(400)]));
    let documents = [crate::samples::an_invoice(), crate::samples::an_invoice()];
    let error = invoices::create_invoices(&session, &documents, &a_key()).await.unwrap_err();
    assert!(matches!(error, XeroError::Edge { status: 400, .. }), "{error:?}");
}
