//! The pages: the bundle with the elements for the CRM's pages, and the framed pages that hold one
//! of these elements each. All of it is public and the same for everybody.

mod document;
#[cfg(test)]
mod tests;

use lambda_http::http::{HeaderMap, Method, StatusCode, header};
use lambda_http::{Body, Error, Request, RequestExt, Response};

use self::document::{Document, build_frame_page, text_document};
use crate::boot::boot_pages;
use crate::config::PagesConfig;
use crate::lambda::serve_requests;

/// The name of the script that the CRM's pages load. It does not change with its contents.
const STABLE_NAME: &str = "xero.js";
/// Files whose names contain the hash of their contents.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// The stable name: a release reaches open pages within minutes.
const FOR_MINUTES: &str = "public, max-age=300, stale-while-revalidate=86400";
/// Pages name the current files, so a browser asks each time whether they have changed.
const ASK_FIRST: &str = "no-cache";

/// A file of the bundle.
#[derive(Debug, Clone, Copy)]
pub struct BundleFile {
    /// What it is for.
    pub role: FileRole,
    /// Its name, which contains the hash of its contents.
    pub name: &'static str,
    /// Its contents.
    pub bytes: &'static [u8],
}

/// What a file of the bundle is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRole {
    /// Defines the elements.
    Script,
    /// Receives tokens from the page that frames it.
    FrameScript,
    /// The style of a framed page.
    FrameStyle,
}

impl FileRole {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Script | Self::FrameScript => "text/javascript; charset=utf-8",
            Self::FrameStyle => "text/css; charset=utf-8",
        }
    }
}

/// Serves the pages until Lambda stops the process.
pub async fn serve_pages(files: &[BundleFile]) -> Result<(), Error> {
    let site = PageSite::new(files, &boot_pages()?);
    let site = &site;
    serve_requests(move |request| async move { site.answer_request(&request) }).await
}

/// The files and pages, ready to be sent.
#[derive(Debug)]
pub struct PageSite {
    /// The files of the bundle by name, and the script under its stable name.
    files: Vec<(&'static str, Document)>,
    /// The page that frames one element, which its script chooses by the address.
    frame: Document,
}

impl PageSite {
    /// A site with these files.
    pub fn new(files: &[BundleFile], config: &PagesConfig) -> Self {
        let served = |name: &'static str, file: &BundleFile, cache_control: &'static str| {
            let content_type = file.role.content_type();
            (name, Document::of_file(content_type, cache_control, file.bytes))
        };
        let stable = files.iter().filter(|file| file.role == FileRole::Script);
        let stable = stable.map(|file| served(STABLE_NAME, file, FOR_MINUTES));
        let hashed = files.iter().map(|file| served(file.name, file, FOREVER));
        let name_of = |role| {
            let file = files.iter().find(|file| file.role == role);
            file.map_or("", |file| file.name)
        };
        let text = build_frame_page(
            name_of(FileRole::Script),
            name_of(FileRole::FrameScript),
            name_of(FileRole::FrameStyle),
            config,
        );
        let frame = Document::of_page(ASK_FIRST, &text, &config.crm_origins);
        Self { files: stable.chain(hashed).collect(), frame }
    }

    /// Answers a request for a page or a file: 404 for an unknown path, 405 for a method other than
    /// GET and HEAD.
    pub fn answer_request(&self, request: &Request) -> Response<Body> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let text = "This address does not support this method.";
            return text_document(StatusCode::METHOD_NOT_ALLOWED, text);
        }
        match self.find_document(request.raw_http_path()) {
            Some(document) => answer_conditionally(document, request.headers()),
            None => text_document(StatusCode::NOT_FOUND, "This page does not exist."),
        }
    }

    fn find_document(&self, path: &str) -> Option<&Document> {
        let segments = path.trim_matches('/').split('/').collect::<Vec<_>>();
        match segments.as_slice() {
            ["pages", "settings"] | ["pages", "clients" | "invoices" | "credit-notes", _] => {
                Some(&self.frame)
            }
            ["pages", name] => {
                let mut files = self.files.iter();
                files.find(|(known, _)| known == name).map(|(_, document)| document)
            }
            _ => None,
        }
    }
}

/// Answers with a document, or with 304 if the browser has it already.
fn answer_conditionally(document: &Document, headers: &HeaderMap) -> Response<Body> {
    let known = headers.get_all(header::IF_NONE_MATCH).into_iter();
    let mut known = known.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    if known.any(|tag| document.has_tag(tag.trim())) {
        return document.not_modified();
    }
    document.to_response(accepts_gzip(headers))
}

/// Returns whether the browser takes compressed contents, which every browser says it does.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    let mut codings =
        accepted.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    codings.any(|coding| {
        let (name, parameter) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = parameter.trim().strip_prefix("q=").is_some_and(|weight| {
            weight.trim_end_matches('0').trim_end_matches('.').trim_start_matches('0').is_empty()
        });
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}
