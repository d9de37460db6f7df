//! Answers that Xero's applications did not write: pages of the edge in front of them.
//!
//! The edge (a load balancer, a content network, a page for robots) has been seen to answer 400, 403 and 503 with
//! HTML, at every host. Such an answer says nothing about the call, the login or the document: nobody behind the
//! edge has seen the request.

use http::header::WWW_AUTHENTICATE;

use super::Reply;

/// How much of a body is looked at.
const START_BYTES: usize = 1_024;

/// Whether a body is a page for people. Xero's own plain sentences, which it labels as HTML, are none.
pub(crate) fn is_page(body: &[u8]) -> bool {
    let start = body.get(..START_BYTES).unwrap_or(body);
    let start = String::from_utf8_lossy(start).to_ascii_lowercase();
    let start = start.trim_start_matches(|sign: char| sign.is_whitespace() || sign == '\u{feff}');
    let is_html = ["<!doctype html", "<html", "<head", "<body", "<title", "<center", "<h1"]
        .iter()
        .any(|tag| start.contains(tag));
    start.starts_with('<') && is_html
}

/// Whether a body holds nothing but blanks.
pub(crate) fn is_blank(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

/// Whether an answer other than a success comes from the edge. A fault in the 500s other than 503 may have come
/// about while Xero was at work, and so may 408; what 429 means is in its headers.
pub(super) fn is_from_the_edge(reply: &Reply<'_>) -> bool {
    // Whoever challenges the login has read the request.
    if reply.headers.contains_key(WWW_AUTHENTICATE) {
        return false;
    }
    match reply.status.as_u16() {
        408 | 429 | 500..=502 | 504..=599 => false,
        400 | 401 | 403 | 404 => is_page(reply.body) || is_blank(reply.body),
        _ => is_page(reply.body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_from_xeros_own_sentences_and_from_xml() {
        for page in [
            "<html><head><title>403 Forbidden</title></head></html>",
            "  \u{feff}<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">",
            "<!-- a comment --><html lang=\"en\">",
            "<center><h1>503 Service Temporarily Unavailable</h1></center>",
        ] {
            assert!(is_page(page.as_bytes()), "{page}");
        }
        for other in [
            "",
            "The resource you're looking for cannot be found",
            "<Response/>",
            r#"{"Message":"<html>"}"#,
            "The Organisation is offline",
        ] {
            assert!(!is_page(other.as_bytes()), "{other}");
        }
    }
}
