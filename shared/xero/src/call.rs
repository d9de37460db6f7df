//! One call of the Accounting API, before it is made.

use bytes::Bytes;
use domain::idempotency::IdempotencyKey;
use domain::paging::Position;
use http::Method;
use jiff::Timestamp;

use crate::error::{Access, Addressed};
use crate::json::envelope;

/// One call, before it is made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// The path below the root with its variable parts replaced by names, for logs and errors:
    /// `/Invoices/{id}`.
    pub(crate) endpoint: &'static str,
    pub(crate) method: Method,
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    pub(crate) modified_since: Option<Timestamp>,
    pub(crate) addressed: Addressed,
}

impl Call {
    /// A call that reads a collection.
    pub(crate) fn list(endpoint: &'static str, collection: &str) -> Self {
        Self::new(endpoint, Method::GET, vec![collection.to_owned()], Addressed::Collection)
    }

    /// A call that reads one record by its id or number, which may contain any character.
    pub(crate) fn one(endpoint: &'static str, collection: &str, id: String) -> Self {
        Self::new(endpoint, Method::GET, vec![collection.to_owned(), id], Addressed::One)
    }

    /// A call that creates (`PUT`) or updates (`POST`) documents.
    pub(crate) fn write(
        endpoint: &'static str,
        method: Method,
        collection: &str,
        body: Bytes,
        key: &IdempotencyKey,
    ) -> Self {
        let path = vec![collection.to_owned()];
        let mut call = Self::new(endpoint, method, path, Addressed::Collection);
        call.body = Some(body);
        call.idempotency_key = Some(key.clone());
        // Xero's documents disagree about the default, so the parameter is always sent. With
        // `false`, Xero processes every document of a batch separately.
        call.query("summarizeErrors", "false")
    }

    /// A call that changes one document by its id. Xero documents no `summarizeErrors` here, so a
    /// rejection may have either form.
    pub(crate) fn write_one(
        endpoint: &'static str,
        collection: &str,
        id: String,
        body: Bytes,
        key: &IdempotencyKey,
    ) -> Self {
        let path = vec![collection.to_owned(), id];
        let mut call = Self::new(endpoint, Method::POST, path, Addressed::One);
        call.body = Some(body);
        call.idempotency_key = Some(key.clone());
        call
    }

    /// A call that adds documents below another one (`PUT`).
    pub(crate) fn add_below(
        endpoint: &'static str,
        path: &[String; 3],
        body: Bytes,
        key: &IdempotencyKey,
    ) -> Self {
        let mut call = Self::new(endpoint, Method::PUT, path.to_vec(), Addressed::One);
        call.body = Some(body);
        call.idempotency_key = Some(key.clone());
        call.query("summarizeErrors", "false")
    }

    /// A call that removes something below a document (`DELETE`).
    pub(crate) fn remove_below(endpoint: &'static str, path: &[String; 4]) -> Self {
        Self::new(endpoint, Method::DELETE, path.to_vec(), Addressed::One)
    }

    /// The same call, restricted to records that changed at this instant or later.
    pub(crate) fn modified_since(self, since: Timestamp) -> Self {
        Self { modified_since: Some(since), ..self }
    }

    /// The same call with one more query parameter.
    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The same call for the page at this position. The parameters of an earlier page are replaced.
    pub(crate) fn at_page(mut self, at: Position) -> Self {
        self.set_parameter("page", at.number().to_string());
        self.set_parameter("pageSize", at.size().to_string());
        self
    }

    fn set_parameter(&mut self, name: &'static str, value: String) {
        match self.query.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.query.push((name, value)),
        }
    }

    fn new(
        endpoint: &'static str,
        method: Method,
        path: Vec<String>,
        addressed: Addressed,
    ) -> Self {
        Self {
            endpoint,
            method,
            path,
            query: Vec::new(),
            body: None,
            idempotency_key: None,
            modified_since: None,
            addressed,
        }
    }

    /// The answer that Xero usually sends when nothing has changed. It may also send a 304 without
    /// a body.
    pub(crate) fn nothing(&self) -> Bytes {
        envelope::<()>(self.path.first().map_or("", String::as_str), &[])
    }

    pub(crate) fn access(&self) -> Access {
        if self.method == Method::GET { Access::Read } else { Access::Write }
    }
}
