//! Answers that Xero's applications did not write: pages of the edge in front of them.
//!
//! The edge (a load balancer, a content delivery network, a bot filter) answers 400, 403 and 503
//! with HTML, on every host, and may redirect to a page of its own. Such an answer says nothing
//! about the call, the login or the document, because Xero's applications have not seen the
//! request.

use http::header::WWW_AUTHENTICATE;
use http::{Method, StatusCode};

use super::FailedAnswer;

/// The number of bytes of a body that are examined.
const START_BYTES: usize = 1_024;

/// Whether a body is an HTML page. Xero's own plain sentences, which it labels as HTML, are not.
pub(crate) fn is_html_page(body: &[u8]) -> bool {
    let start = body.get(..START_BYTES).unwrap_or(body);
    let start = String::from_utf8_lossy(start).to_ascii_lowercase();
    let start = start.trim_start_matches(|sign: char| sign.is_whitespace() || sign == '\u{feff}');
    let is_html = ["<!doctype html", "<html", "<head", "<body", "<title", "<center", "<h1"]
        .iter()
        .any(|tag| start.contains(tag));
    start.starts_with('<') && is_html
}

/// Whether a body is empty or consists of blanks.
pub(crate) fn is_blank(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

/// Whether a success carries Xero's answer: it is no page, and it has a body. Only a deletion may
/// have an answer without a body, which its status must announce (204). A 200 without a body does
/// not say that anything was deleted.
pub(crate) fn is_answer(method: &Method, status: StatusCode, body: &[u8]) -> bool {
    let may_be_blank = *method == Method::DELETE && status == StatusCode::NO_CONTENT;
    !is_html_page(body) && (may_be_blank || !is_blank(body))
}

/// Whether an answer other than a success comes from the edge. A fault in the 500s other than 503,
/// or a 408, may have occurred while Xero processed the call. The headers of a 429 say what it
/// means.
pub(super) fn is_from_the_edge(reply: &FailedAnswer<'_>) -> bool {
    // An answer that challenges the login comes from an application that has read the request.
    if reply.headers.contains_key(WWW_AUTHENTICATE) {
        return false;
    }
    match reply.status.as_u16() {
        // 413 and 414 are about the call, which is too long, even if the edge sends them.
        408 | 413 | 414 | 429 | 500 | 502 | 504..=599 => false,
        // Xero's applications redirect no call.
        300..=399 => true,
        400..=407 | 409..=412 | 415..=428 | 430..=499 => {
            is_html_page(reply.body) || is_blank(reply.body)
        }
        _ => is_html_page(reply.body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_distinguished_from_xeros_own_sentences_and_from_xml() {
        for page in [
            "<html><head><title>403 Forbidden</title></head></html>",
            "  \u{feff}<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">",
            "<!-- a comment --><html lang=\"en\">",
            "<center><h1>503 Service Temporarily Unavailable</h1></center>",
        ] {
            assert!(is_html_page(page.as_bytes()), "{page}");
        }
        for other in [
            "",
            "The resource you're looking for cannot be found",
            "<Response/>",
            r#"{"Message":"<html>"}"#,
            "The Organisation is offline",
        ] {
            assert!(!is_html_page(other.as_bytes()), "{other}");
        }
    }
}
