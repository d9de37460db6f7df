//! Contacts: found by their number, created, updated.
//!
//! Created with PUT and updated with POST by id. A POST without an id would edit whichever contact
//! has the number or, failing that, the name, so none is ever made.

use bytes::Bytes;
use domain::document::contact::{ContactDocument, ContactStatus, RemoteContact};
use domain::idempotency::IdempotencyKey;
use domain::ids::XeroContactId;
use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::filter::{clause, filters};
use super::rows::{one, rows};
use super::written::send;
use super::{PAGE_LIMIT, Page, Written};
use crate::date::optional_instant;
use crate::error::XeroError;
use crate::json::{envelope, real_id, told};
use crate::session::{Call, Session};

const LIST: &str = "/Contacts";
const ONE: &str = "/Contacts/{ContactID}";
const COLLECTION: &str = "Contacts";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireContact {
    #[serde(rename = "ContactID", deserialize_with = "real_id")]
    id: Uuid,
    #[serde(default, deserialize_with = "told")]
    contact_number: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "told")]
    contact_status: Option<String>,
    #[serde(default, deserialize_with = "told")]
    email_address: Option<String>,
    #[serde(default, deserialize_with = "told")]
    tax_number: Option<String>,
    #[serde(default, deserialize_with = "told")]
    company_number: Option<String>,
    #[serde(default, rename = "MergedToContactID")]
    merged_to: Option<Uuid>,
    #[serde(default, rename = "UpdatedDateUTC", deserialize_with = "optional_instant")]
    updated_at: Option<Timestamp>,
}

/// The contact with this number, archived or not.
///
/// Xero takes the number in the place of the id; `ContactNumber` is not a filter it answers quickly.
pub async fn find_by_number(
    session: &Session,
    number: &str,
) -> Result<Option<RemoteContact>, XeroError> {
    of(session, number.to_owned()).await
}

/// Every contact with one of these numbers, archived or not, in one call for about forty of them.
/// One number alone is asked for by its own route, which Xero answers more quickly.
pub async fn find_by_numbers(
    session: &Session,
    numbers: &[&str],
) -> Result<Vec<RemoteContact>, XeroError> {
    if let [number] = numbers {
        return Ok(find_by_number(session, number).await?.into_iter().collect());
    }
    let clauses = numbers.iter().map(|number| clause("ContactNumber", number)).collect::<Vec<_>>();
    find(session, &clauses).await
}

/// Every contact with one of these names, as [`find_by_name`] finds them.
pub async fn find_by_names(
    session: &Session,
    names: &[&str],
) -> Result<Vec<RemoteContact>, XeroError> {
    let clauses = names.iter().map(|name| clause("Name", name)).collect::<Vec<_>>();
    find(session, &clauses).await
}

/// The contacts that meet any of the clauses, in as few calls as the length of a query allows.
async fn find(session: &Session, clauses: &[String]) -> Result<Vec<RemoteContact>, XeroError> {
    let mut found: Vec<RemoteContact> = Vec::new();
    for filter in filters(clauses)? {
        let call = Call::list(LIST, COLLECTION)
            .query("where", filter)
            .query("includeArchived", "true")
            .query("page", "1")
            .query("pageSize", "1000");
        found.extend(rows::<WireContact, _>(LIST, COLLECTION, &session.call(call).await?)?);
    }
    Ok(found)
}

/// A page of all contacts, archived ones included, in the order of their ids: an edit meanwhile moves none to
/// another page. Pages begin at 1.
pub async fn page(session: &Session, page: u32) -> Result<Page<RemoteContact>, XeroError> {
    let call = Call::list(LIST, COLLECTION)
        .query("includeArchived", "true")
        .query("order", "ContactID ASC")
        .query("page", page.to_string())
        .query("pageSize", PAGE_LIMIT.to_string());
    super::page::page::<WireContact, _>(LIST, COLLECTION, &session.call(call).await?)
}

/// Contacts in use whose name, number, e-mail address or company number holds the text: the first `most`.
pub async fn search(
    session: &Session,
    text: &str,
    most: usize,
) -> Result<Vec<RemoteContact>, XeroError> {
    let call = Call::list(LIST, COLLECTION)
        .query("searchTerm", text)
        .query("page", "1")
        .query("pageSize", most.to_string());
    rows::<WireContact, _>(LIST, COLLECTION, &session.call(call).await?)
}

/// The contact with this id, archived or not.
pub async fn get(session: &Session, id: XeroContactId) -> Result<Option<RemoteContact>, XeroError> {
    of(session, id.to_string()).await
}

async fn of(session: &Session, id: String) -> Result<Option<RemoteContact>, XeroError> {
    one::<WireContact, _>(session, Call::one(ONE, COLLECTION, id), ONE, COLLECTION).await
}

/// The contacts with this name, archived ones included. Xero compares without regard to case and
/// accents, so the caller compares again where that matters.
pub async fn find_by_name(session: &Session, name: &str) -> Result<Vec<RemoteContact>, XeroError> {
    find_by_names(session, &[name]).await
}

/// Creates contacts. One outcome for each document, in their order. Fails as a whole only when the
/// call does.
pub async fn create(
    session: &Session,
    documents: &[ContactDocument],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteContact>>, XeroError> {
    if documents.iter().any(|document| document.contact_id.is_some()) {
        return Err(XeroError::Unsendable { reason: "a contact to create has no id yet" });
    }
    write(session, Method::PUT, documents, key).await
}

/// Updates the contacts with the ids in the documents. Fields that are left out keep their value.
/// One outcome for each document, in their order.
pub async fn update(
    session: &Session,
    documents: &[ContactDocument],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteContact>>, XeroError> {
    if documents.iter().any(|document| document.contact_id.is_none()) {
        return Err(XeroError::Unsendable { reason: "a contact is updated by its id" });
    }
    write(session, Method::POST, documents, key).await
}

/// The bytes that [`create`] and [`update`] send: the same documents always give the same.
pub fn body(documents: &[ContactDocument]) -> Bytes {
    envelope(COLLECTION, documents)
}

async fn write(
    session: &Session,
    method: Method,
    documents: &[ContactDocument],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteContact>>, XeroError> {
    let call = Call::write(LIST, method, COLLECTION, body(documents), key);
    send::<_, WireContact, _>(session, call, COLLECTION, documents, is_answer_to).await
}

fn is_answer_to(document: &ContactDocument, remote: &RemoteContact) -> bool {
    match (document.contact_id, &document.contact_number, &remote.number) {
        (Some(id), _, _) => id == remote.id,
        (None, Some(sent), Some(kept)) => kept.eq_ignore_ascii_case(sent),
        (None, _, _) => true,
    }
}

impl From<WireContact> for RemoteContact {
    fn from(wire: WireContact) -> Self {
        Self {
            id: XeroContactId(wire.id),
            number: wire.contact_number,
            name: wire.name,
            // Besides ARCHIVED there is GDPRREQUEST; neither may stand on a document.
            status: match wire.contact_status.as_deref() {
                None | Some("ACTIVE") => ContactStatus::Active,
                Some(_) => ContactStatus::Archived,
            },
            email: wire.email_address,
            tax_number: wire.tax_number,
            company_number: wire.company_number,
            merged_to: wire.merged_to.filter(|id| !id.is_nil()).map(XeroContactId),
            updated_at: wire.updated_at,
        }
    }
}
