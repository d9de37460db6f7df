//! The responses of the rules, before they are serialised.

use crate::json::{Json, Object};
use crate::xml;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use std::borrow::Cow;
use uuid::Uuid;

/// The response of a rule.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(&'static str, String)>,
    content: Content,
}

/// The body, by kind.
#[derive(Clone, Debug)]
enum Content {
    Empty,
    Plain(String),
    /// Xero sends its not-found sentence, which is plain text, as `text/html`.
    Html(String),
    Json(Json),
}

/// The format of structured content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    /// Xero's default if the call does not ask for JSON.
    Xml,
}

impl Answer {
    fn new(status: u16, content: Content) -> Self {
        Self { status, headers: Vec::new(), content }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, Content::Empty)
    }

    pub(crate) fn json(status: u16, body: impl Into<Json>) -> Self {
        Self::new(status, Content::Json(body.into()))
    }

    pub(crate) fn plain(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, Content::Plain(text.into()))
    }

    pub(crate) fn html(status: u16, page: impl Into<String>) -> Self {
        Self::new(status, Content::Html(page.into()))
    }

    /// Unknown path, id or number; also a query string that is too long.
    pub(crate) fn not_found() -> Self {
        Self::html(404, "The resource you're looking for cannot be found")
    }

    pub(crate) fn not_implemented() -> Self {
        Self::plain(501, "The Api Method called is not implemented")
    }

    /// The format of the gateway's 401 and 403.
    pub(crate) fn problem(status: u16, detail: &str, instance: Uuid) -> Self {
        let title = match status {
            401 => "Unauthorized",
            403 => "Forbidden",
            _ => "Error",
        };
        let body = Object::new()
            .with("Type", Json::Null)
            .with("Title", title)
            .with("Status", Json::whole(status))
            .with("Detail", detail)
            .with("Instance", instance)
            .with("Extensions", Object::new());
        Self::json(status, body)
    }

    /// A refusal of the Accounting API itself.
    pub(crate) fn exception(number: u16, kind: &str, message: impl Into<String>) -> Self {
        let body = Object::new()
            .with("ErrorNumber", Json::whole(number))
            .with("Type", kind)
            .with("Message", message.into());
        Self::json(400, body)
    }

    /// The refusal that lists the errors of each element.
    pub(crate) fn validation(elements: Vec<Json>) -> Self {
        let body = Object::new()
            .with("ErrorNumber", Json::whole(10))
            .with("Type", "ValidationException")
            .with("Message", "A validation exception occurred")
            .with("Elements", elements);
        Self::json(400, body)
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The response with its structured content changed; any other content is kept.
    pub(crate) fn map_json(mut self, change: impl FnOnce(Json) -> Json) -> Self {
        self.content = match self.content {
            Content::Json(json) => Content::Json(change(json)),
            other @ (Content::Empty | Content::Plain(_) | Content::Html(_)) => other,
        };
        self
    }

    /// The response with the members of its body in lower case, if it is one of the gateway's 401
    /// and 403.
    pub(crate) fn in_lower_case(self) -> Self {
        if ![401, 403].contains(&self.status) {
            return self;
        }
        self.map_json(|json| match json {
            Json::Object(object) => {
                let members = object.into_members();
                let lower = members
                    .map(|(key, value)| (Cow::<'static, str>::Owned(key.to_lowercase()), value));
                Json::Object(lower.collect())
            }
            other @ (Json::Null
            | Json::Bool(_)
            | Json::Number(_)
            | Json::Text(_)
            | Json::Moment { .. }
            | Json::List(_)) => other,
        })
    }

    /// The serialised response.
    pub(crate) fn render(self, format: Format) -> Response<Bytes> {
        let (kind, body) = match self.content {
            Content::Empty => (None, String::new()),
            Content::Plain(text) => (Some("text/plain; charset=utf-8"), text),
            Content::Html(page) => (Some("text/html; charset=utf-8"), page),
            Content::Json(json) => match format {
                Format::Json => (Some("application/json; charset=utf-8"), json.render()),
                Format::Xml => (Some("text/xml; charset=utf-8"), xml::document(&json)),
            },
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = kind.map(|kind| ("content-type", kind.to_owned()));
        for (name, value) in kind.into_iter().chain(self.headers) {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
