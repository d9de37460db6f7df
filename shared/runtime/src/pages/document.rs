//! A document as browsers receive it: headers, tag, and contents in two codings.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use lambda_http::http::{HeaderValue, StatusCode};
use lambda_http::{Body, Response};
use ring::digest::{SHA256, digest};

use crate::config::PagesConfig;
use crate::http::SECURITY_HEADERS;

/// The number of bytes of a hash that a tag contains.
const TAG_BYTES: usize = 12;

/// A document in memory.
#[derive(Debug)]
pub(super) struct Document {
    cache_control: &'static str,
    tag: String,
    headers: Vec<(&'static str, String)>,
    plain: Vec<u8>,
    gzipped: Vec<u8>,
}

impl Document {
    /// A file that pages of all allowed origins load. API Gateway adds the CORS headers without
    /// which no browser runs a module of another origin.
    pub(super) fn of_file(
        content_type: &'static str,
        cache_control: &'static str,
        bytes: &[u8],
    ) -> Self {
        let headers = vec![
            ("content-type", content_type.to_owned()),
            ("content-security-policy", "default-src 'none'".to_owned()),
            ("cross-origin-resource-policy", "cross-origin".to_owned()),
        ];
        Self::with_headers(cache_control, headers, bytes)
    }

    /// A page that only pages of these origins may frame. It runs the files of this site and calls
    /// the API behind it, and nothing else.
    pub(super) fn of_page(cache_control: &'static str, text: &str, framed_by: &[String]) -> Self {
        let policy = format!(
            "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; \
             img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {}; \
             require-trusted-types-for 'script'; trusted-types lit-html",
            framed_by.join(" ")
        );
        let headers = vec![
            ("content-type", "text/html; charset=utf-8".to_owned()),
            ("content-security-policy", policy),
            ("cross-origin-resource-policy", "same-origin".to_owned()),
        ];
        Self::with_headers(cache_control, headers, text.as_bytes())
    }

    fn with_headers(
        cache_control: &'static str,
        headers: Vec<(&'static str, String)>,
        bytes: &[u8],
    ) -> Self {
        Self {
            cache_control,
            tag: compute_tag(bytes),
            headers,
            plain: bytes.to_vec(),
            gzipped: gzip_bytes(bytes),
        }
    }

    /// Whether a value of `If-None-Match` names this document.
    pub(super) fn has_tag(&self, tag: &str) -> bool {
        tag == "*" || tag == self.tag
    }

    /// The answer to a browser that has the document already.
    pub(super) fn not_modified(&self) -> Response<Body> {
        self.build_head(StatusCode::NOT_MODIFIED, Body::Empty)
    }

    /// The answer with the contents.
    pub(super) fn to_response(&self, is_gzipped: bool) -> Response<Body> {
        let contents = if is_gzipped { &self.gzipped } else { &self.plain };
        let mut response = self.build_head(StatusCode::OK, Body::Binary(contents.clone()));
        for (name, value) in &self.headers {
            insert_header(&mut response, name, value);
        }
        if is_gzipped {
            insert_header(&mut response, "content-encoding", "gzip");
        }
        response
    }

    fn build_head(&self, status: StatusCode, body: Body) -> Response<Body> {
        let mut response = build_response(status, body);
        insert_header(&mut response, "cache-control", self.cache_control);
        insert_header(&mut response, "etag", &self.tag);
        insert_header(&mut response, "vary", "accept-encoding");
        response
    }
}

/// An answer in one sentence.
pub(super) fn text_document(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = build_response(status, Body::Text(text.to_owned()));
    insert_header(&mut response, "content-type", "text/plain; charset=utf-8");
    insert_header(&mut response, "cache-control", "no-store");
    response
}

fn build_response(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in SECURITY_HEADERS {
        insert_header(&mut response, name, value);
    }
    response
}

fn insert_header(response: &mut Response<Body>, name: &'static str, value: &str) {
    let value = HeaderValue::from_str(value).expect("origins and constants make headers");
    response.headers_mut().insert(name, value);
}

/// The tag of these bytes. It is weak, because both codings have the same one.
fn compute_tag(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    let mut tag = "W/\"".to_owned();
    for byte in hash.as_ref().iter().take(TAG_BYTES) {
        write!(tag, "{byte:02x}").expect("a text takes every write");
    }
    tag.push('"');
    tag
}

fn gzip_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory takes every write");
    encoder.finish().expect("memory takes every write")
}

/// The page that holds one element. Outside a frame it says where to find it.
pub(super) fn build_frame_page(
    script: &str,
    frame_script: &str,
    style: &str,
    config: &PagesConfig,
) -> String {
    let origins = escape_attribute(&config.crm_origins.join(" "));
    let crm = escape_attribute(config.crm_return_url.as_str());
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="crm-origins" content="{origins}">
<title>Xero</title>
<link rel="stylesheet" href="/pages/{style}">
<link rel="modulepreload" href="/pages/{script}">
<script type="module" src="/pages/{frame_script}"></script>
</head>
<body>
<main class="framed"></main>
<div class="alone">
<h1>Xero</h1>
<p>This page is part of ServiceCortex: Settings, Integrations, Xero.</p>
<p><a href="{crm}">Open ServiceCortex</a></p>
</div>
</body>
</html>
"#
    )
}

fn escape_attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}
