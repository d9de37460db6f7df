//! What browsers receive.

use std::io::Read as _;

use flate2::read::GzDecoder;
use lambda_http::http::{HeaderMap, Method, StatusCode};
use lambda_http::{Body, Request, RequestExt, Response};
use url::Url;

use super::{BundleFile, FileRole, PageSite};
use crate::config::PagesConfig;

const SCRIPT: &[u8] = b"export const configure = () => {};";

fn site() -> PageSite {
    let file = |role, name, bytes| BundleFile { role, name, bytes };
    let files = [
        file(FileRole::Script, "xero.0123.js", SCRIPT),
        file(FileRole::FrameScript, "frame.4567.js", b"import './xero.0123.js';".as_slice()),
        file(FileRole::FrameStyle, "frame.89ab.css", b"body{margin:0}".as_slice()),
    ];
    let config = PagesConfig {
        crm_origins: vec!["https://app.example".to_owned(), "https://crm.example".to_owned()],
        crm_return_url: Url::parse("https://app.example/settings?tab=xero&x=1").unwrap(),
    };
    PageSite::new(&files, &config)
}

fn ask(method: Method, path: &str, headers: &[(&'static str, &str)]) -> Response<Body> {
    let mut request = Request::new(Body::Empty).with_raw_http_path(path);
    *request.method_mut() = method;
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    site().answer_request(&request)
}

fn get(path: &str) -> Response<Body> {
    ask(Method::GET, path, &[])
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

fn bytes(response: Response<Body>) -> Vec<u8> {
    let Body::Binary(bytes) = response.into_body() else { panic!("the response has no contents") };
    bytes
}

#[test]
fn a_file_with_a_hash_in_its_name_is_kept_forever_and_the_stable_name_for_minutes() {
    let hashed = get("/pages/xero.0123.js");
    assert_eq!(text(hashed.headers(), "cache-control"), "public, max-age=31536000, immutable");
    let stable = get("/pages/xero.js");
    assert!(text(stable.headers(), "cache-control").contains("max-age=300"));
    assert_eq!(text(stable.headers(), "etag"), text(hashed.headers(), "etag"));
    assert_eq!(bytes(stable), SCRIPT);
    assert_eq!(bytes(hashed), SCRIPT);
}

#[test]
fn every_file_has_its_content_type_and_may_be_loaded_by_other_origins() {
    for (path, content_type) in [
        ("/pages/xero.js", "text/javascript; charset=utf-8"),
        ("/pages/xero.0123.js", "text/javascript; charset=utf-8"),
        ("/pages/frame.4567.js", "text/javascript; charset=utf-8"),
        ("/pages/frame.89ab.css", "text/css; charset=utf-8"),
    ] {
        let response = get(path);
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(text(response.headers(), "content-type"), content_type, "{path}");
        assert_eq!(text(response.headers(), "cross-origin-resource-policy"), "cross-origin");
        assert_eq!(text(response.headers(), "x-content-type-options"), "nosniff");
        assert_eq!(text(response.headers(), "vary"), "accept-encoding");
    }
}

#[test]
fn contents_are_compressed_for_browsers_that_accept_it() {
    for (accepted, is_gzipped) in [
        ("gzip", true),
        ("br, gzip, deflate", true),
        ("GZIP;q=0.5", true),
        ("gzip;q=0", false),
        ("gzip; q=0.000", false),
        ("br", false),
        ("", false),
    ] {
        let response = ask(Method::GET, "/pages/xero.js", &[("accept-encoding", accepted)]);
        let coding = text(response.headers(), "content-encoding").to_owned();
        assert_eq!(coding == "gzip", is_gzipped, "{accepted}");
        let sent = bytes(response);
        if is_gzipped {
            let mut plain = Vec::new();
            GzDecoder::new(sent.as_slice()).read_to_end(&mut plain).unwrap();
            assert_eq!(plain, SCRIPT);
        } else {
            assert_eq!(sent, SCRIPT);
        }
    }
}

#[test]
fn what_the_browser_has_already_is_not_sent_again() {
    let tag = text(get("/pages/settings").headers(), "etag").to_owned();
    for known in [tag.clone(), format!("\"other\", {tag}"), "*".to_owned()] {
        let response = ask(Method::GET, "/pages/settings", &[("if-none-match", known.as_str())]);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(text(response.headers(), "etag"), tag);
        assert!(matches!(response.body(), Body::Empty));
    }
    let response = ask(Method::GET, "/pages/settings", &[("if-none-match", "W/\"other\"")]);
    assert_eq!(response.status(), StatusCode::OK);
}

#[test]
fn a_framed_page_may_be_framed_by_the_crm_only_and_runs_only_the_bundle() {
    for path in [
        "/pages/settings",
        "/pages/clients/cl_1",
        "/pages/invoices/inv_1",
        "/pages/credit-notes/cn_1",
    ] {
        let response = get(path);
        let policy = text(response.headers(), "content-security-policy").to_owned();
        let policy = policy.split("; ").collect::<Vec<_>>();
        for directive in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors https://app.example https://crm.example",
            "require-trusted-types-for 'script'",
            "trusted-types lit-html",
        ] {
            assert!(policy.contains(&directive), "{path}: {policy:?}");
        }
        assert_eq!(text(response.headers(), "cache-control"), "no-cache");
        assert_eq!(text(response.headers(), "content-type"), "text/html; charset=utf-8");
        let page = String::from_utf8(bytes(response)).unwrap();
        assert!(page.contains(r#"<script type="module" src="/pages/frame.4567.js"></script>"#));
        assert!(page.contains(r#"content="https://app.example https://crm.example""#));
        assert!(page.contains(r#"href="https://app.example/settings?tab=xero&amp;x=1""#));
        assert!(!page.contains("_1"), "{path} writes its id into the page");
        assert!(!page.contains("style=") && !page.contains("<style"), "{path} has inline styles");
    }
}

#[test]
fn no_other_address_and_no_other_method_is_answered() {
    for path in [
        "/pages",
        "/pages/",
        "/pages/xero.9999.js",
        "/pages/settings/x",
        "/pages/clients",
        "/pages/clients/",
        "/pages/../Cargo.toml",
        "/v1/connection",
        "",
    ] {
        let response = get(path);
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(text(response.headers(), "x-content-type-options"), "nosniff");
    }
    let response = ask(Method::POST, "/pages/settings", &[]);
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}
