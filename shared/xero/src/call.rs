//! One call of the Accounting API, before it is made.

use bytes::Bytes;
use domain::idempotency::IdempotencyKey;
use domain::paging::PagePosition;
use http::Method;
use jiff::Timestamp;

use crate::error::{AccessMode, CallTarget};
use crate::json::encode_collection;

/// One call, before it is made.
#[derive(Debug, Clone)]
pub(crate) struct ApiCall {
    /// The path below the root with its variable parts replaced by names, for logs and errors:
    /// `/Invoices/{id}`.
    pub(crate) endpoint: &'static str,
    pub(crate) method: Method,
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    pub(crate) modified_since: Option<Timestamp>,
    pub(crate) target: CallTarget,
    /// The member with the id of a row, by which a list that has pages can be ordered.
    pub(crate) row_id: Option<&'static str>,
}

impl ApiCall {
    /// A call that reads a collection.
    pub(crate) fn for_list(endpoint: &'static str, collection: &str) -> Self {
        Self::new(endpoint, Method::GET, vec![collection.to_owned()], CallTarget::Collection)
    }

    /// A call that reads one record by its id or number, which may contain any character.
    pub(crate) fn for_record(endpoint: &'static str, collection: &str, id: String) -> Self {
        Self::new(endpoint, Method::GET, vec![collection.to_owned(), id], CallTarget::One)
    }

    /// A call that creates (`PUT`) or updates (`POST`) documents.
    pub(crate) fn for_batch_write(
        endpoint: &'static str,
        method: Method,
        collection: &str,
        body: Bytes,
        key: &IdempotencyKey,
    ) -> Self {
        let path = vec![collection.to_owned()];
        let mut call = Self::new(endpoint, method, path, CallTarget::Collection);
        call.body = Some(body);
        call.idempotency_key = Some(key.clone());
        // Xero's documents disagree about the default, so the parameter is always sent. With
        // `false`, Xero processes every document of a batch separately.
        call.with_query("summarizeErrors", "false")
    }

    /// A call that changes one document by its id. Xero documents no `summarizeErrors` here, so a
    /// rejection may have either form.
    pub(crate) fn for_record_write(
        endpoint: &'static str,
        collection: &str,
        id: String,
        body: Bytes,
        key: &IdempotencyKey,
    ) -> Self {
        let path = vec![collection.to_owned(), id];
        let mut call = Self::new(endpoint, Method::POST, path, CallTarget::One);
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
        let mut call = Self::new(endpoint, Method::PUT, path.to_vec(), CallTarget::One);
        call.body = Some(body);
        call.idempotency_key = Some(key.clone());
        call.with_query("summarizeErrors", "false")
    }

    /// A call that removes something below a document (`DELETE`).
    pub(crate) fn remove_below(endpoint: &'static str, path: &[String; 4]) -> Self {
        Self::new(endpoint, Method::DELETE, path.to_vec(), CallTarget::One)
    }

    /// The same call, restricted to records that changed at this instant or later.
    pub(crate) fn modified_since(self, since: Timestamp) -> Self {
        Self { modified_since: Some(since), ..self }
    }

    /// The same call, whose rows have their ids in this member and can be ordered by it.
    pub(crate) fn with_row_id(self, member: &'static str) -> Self {
        Self { row_id: Some(member), ..self }
    }

    /// The same call with one more query parameter.
    pub(crate) fn with_query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The same call for the page at this position. The parameters of an earlier page are replaced.
    pub(crate) fn at_page(mut self, at: PagePosition) -> Self {
        self.set_parameter("page", at.page_number().to_string());
        self.set_parameter("pageSize", at.page_size().to_string());
        self
    }

    fn set_parameter(&mut self, name: &'static str, value: String) {
        match self.query.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.query.push((name, value)),
        }
    }

    fn new(endpoint: &'static str, method: Method, path: Vec<String>, target: CallTarget) -> Self {
        Self {
            endpoint,
            method,
            path,
            query: Vec::new(),
            body: None,
            idempotency_key: None,
            modified_since: None,
            target,
            row_id: None,
        }
    }

    /// The answer that Xero usually sends when nothing has changed. It may also send a 304 without
    /// a body.
    pub(crate) fn empty_answer(&self) -> Bytes {
        encode_collection::<()>(self.path.first().map_or("", String::as_str), &[])
    }

    pub(crate) fn access_mode(&self) -> AccessMode {
        if self.method == Method::GET { AccessMode::Read } else { AccessMode::Write }
    }
}
