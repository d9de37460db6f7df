//! Contacts: found by their numbers, created, updated.
//!
//! They are created with PUT and updated with POST by id. A POST without an id would edit whichever
//! contact has the number or, failing that, the name, so this client never sends one.

use bytes::Bytes;
use domain::document::contact::{ContactDocument, ContactStatus, RemoteContact};
use domain::idempotency::IdempotencyKey;
use domain::ids::XeroContactId;
use domain::matching::normalised_name;
use domain::recognise::is_namesake;
use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::filter::{clause, filters, is_quotable};
use super::rows::{list, one, sole};
use super::written::{Fit, send};
use super::{PAGE_LIMIT, Page, Written};
use crate::date::optional_instant;
use crate::error::XeroError;
use crate::json::{envelope, optional_id, real_id, told};
use crate::rows::{Marks, Rows};
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
    #[serde(default, deserialize_with = "told")]
    name: Option<String>,
    #[serde(default, deserialize_with = "told")]
    contact_status: Option<String>,
    #[serde(default, deserialize_with = "told")]
    email_address: Option<String>,
    #[serde(default, deserialize_with = "told")]
    tax_number: Option<String>,
    #[serde(default, deserialize_with = "told")]
    company_number: Option<String>,
    #[serde(default, rename = "MergedToContactID", deserialize_with = "optional_id")]
    merged_to: Option<Uuid>,
    #[serde(default, rename = "UpdatedDateUTC", deserialize_with = "optional_instant")]
    updated_at: Option<Timestamp>,
}

/// Finds the contact with this number, archived or not.
///
/// Xero accepts the number in place of the id in the path. Filtering by `ContactNumber` is slower.
pub async fn find_by_number(
    session: &Session,
    number: &str,
) -> Result<Option<RemoteContact>, XeroError> {
    of(session, number.to_owned()).await
}

/// Finds every contact with one of these numbers, archived or not, with one call for about forty of
/// them. A single number is requested by its own route, which Xero answers faster; so is a number
/// that no filter can contain.
pub async fn find_by_numbers(
    session: &Session,
    numbers: &[&str],
) -> Result<Rows<RemoteContact>, XeroError> {
    let mut found = Rows::default();
    let (together, alone): (Vec<&str>, Vec<&str>) =
        numbers.iter().copied().partition(|number| numbers.len() > 1 && is_quotable(number));
    for number in alone {
        let call = Call::one(ONE, COLLECTION, number.to_owned());
        found.append(sole::<WireContact, _>(session, call, COLLECTION).await?);
    }
    found.append(list_by_numbers(session, &together).await?);
    Ok(found)
}

/// Finds every contact with one of these numbers, archived or not, in the list of contacts. The
/// list shows archived contacts on request; whether the route of one contact does is not
/// documented. A number that no filter can contain is skipped.
pub async fn list_by_numbers(
    session: &Session,
    numbers: &[&str],
) -> Result<Rows<RemoteContact>, XeroError> {
    let clauses = numbers.iter().filter_map(|number| clause("ContactNumber", number));
    list_archived_too(session, &clauses.collect::<Vec<_>>()).await
}

/// Finds every contact for which one of the clauses holds, archived or not.
async fn list_archived_too(
    session: &Session,
    clauses: &[String],
) -> Result<Rows<RemoteContact>, XeroError> {
    let mut found = Rows::default();
    for filter in filters(clauses)? {
        let call = Call::list(LIST, COLLECTION)
            .query("where", filter)
            .query("includeArchived", "true")
            .query("page", "1")
            .query("pageSize", PAGE_LIMIT.to_string());
        found.append(list::<WireContact, _>(session, call, COLLECTION).await?);
    }
    Ok(found)
}

/// Reads a page of all contacts, including archived ones, in the order of their ids: an edit
/// between two calls moves no contact to another page. Pages are numbered from 1.
pub async fn page(session: &Session, page: u32) -> Result<Page<RemoteContact>, XeroError> {
    let call = Call::list(LIST, COLLECTION)
        .query("includeArchived", "true")
        .query("order", "ContactID ASC")
        .query("page", page.to_string())
        .query("pageSize", PAGE_LIMIT.to_string());
    super::page::page::<WireContact, _>(session, call, COLLECTION).await
}

/// Finds active contacts whose name, number, e-mail address or company number contains the text:
/// the first `most`.
pub async fn search(
    session: &Session,
    text: &str,
    most: usize,
) -> Result<Rows<RemoteContact>, XeroError> {
    let call = Call::list(LIST, COLLECTION)
        .query("searchTerm", text)
        .query("page", "1")
        .query("pageSize", most.to_string());
    list::<WireContact, _>(session, call, COLLECTION).await
}

/// Reads the contact with this id, archived or not. If its own route does not show it, the list is
/// searched: whether the route shows archived contacts is not documented. A contact that cannot be
/// read is an error, because it exists.
pub async fn get(session: &Session, id: XeroContactId) -> Result<Option<RemoteContact>, XeroError> {
    if let Some(contact) = of(session, id.to_string()).await? {
        return Ok(Some(contact));
    }
    let clause = format!(r#"ContactID==guid("{id}")"#);
    let Rows { rows, undecodable } = list_archived_too(session, &[clause]).await?;
    let contact = rows.into_iter().find(|contact| contact.id == id);
    match (contact, undecodable.iter().find(|odd| odd.may_be(id.0))) {
        (Some(contact), _) => Ok(Some(contact)),
        (None, Some(odd)) => Err(odd.into()),
        (None, None) => Ok(None),
    }
}

async fn of(session: &Session, id: String) -> Result<Option<RemoteContact>, XeroError> {
    one::<WireContact, _>(session, Call::one(ONE, COLLECTION, id), COLLECTION).await
}

/// Finds the contacts with this name, including archived ones. Names are compared without regard to
/// case, accents and superfluous spaces.
///
/// A name may contain any text, and a filter does not accept every text. So Xero is asked for the
/// contacts that contain a part of the name that is in every spelling of it, at most a page of
/// them, and the names are compared here.
pub async fn find_by_name(session: &Session, name: &str) -> Result<Rows<RemoteContact>, XeroError> {
    let call = Call::list(LIST, COLLECTION)
        .query("searchTerm", search_term(name))
        .query("includeArchived", "true")
        .query("page", "1")
        .query("pageSize", PAGE_LIMIT.to_string());
    let mut found: Rows<RemoteContact> = list::<WireContact, _>(session, call, COLLECTION).await?;
    found.rows.retain(|contact| is_namesake(contact, name));
    Ok(found)
}

/// The longest part of a name without quotation marks, backslashes and accented letters, or the
/// name itself if it has no such part. Xero stores names with single spaces.
fn search_term(name: &str) -> String {
    const TERM_LIMIT: usize = 100;
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_plain =
        |sign: char| sign.is_ascii() && !matches!(sign, '"' | '\\') && !sign.is_control();
    let parts = name.split(|sign: char| !is_plain(sign)).map(str::trim);
    let longest = parts.max_by_key(|part| part.len()).filter(|part| !part.is_empty());
    longest.unwrap_or(&name).chars().take(TERM_LIMIT).collect()
}

/// Creates contacts. Returns one outcome for each document, in their order.
///
/// # Errors
///
/// Only when the call as a whole fails.
pub async fn create(
    session: &Session,
    documents: &[ContactDocument],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteContact>>, XeroError> {
    if documents.iter().any(|document| document.contact_id.is_some()) {
        return Err(XeroError::Unsendable { reason: "a contact to create must have no id" });
    }
    write(session, Method::PUT, documents, key).await
}

/// Updates the contacts whose ids are in the documents. Absent fields keep their values. Returns
/// one outcome for each document, in their order.
pub async fn update(
    session: &Session,
    documents: &[ContactDocument],
    key: &IdempotencyKey,
) -> Result<Vec<Written<RemoteContact>>, XeroError> {
    if documents.iter().any(|document| document.contact_id.is_none()) {
        return Err(XeroError::Unsendable { reason: "a contact to update must have an id" });
    }
    write(session, Method::POST, documents, key).await
}

/// The body that [`create`] and [`update`] send. The same documents always give the same bytes.
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
    send::<_, WireContact, _>(session, call, COLLECTION, documents, fit).await
}

/// Whether an element is about the document: an update is identified by its id, a creation by its
/// number. Xero does not always return the number; then the name decides, in Xero's normalised
/// form.
fn fit(document: &ContactDocument, marks: &Marks) -> Fit {
    if let (Some(sent), Some(kept)) = (document.contact_id, marks.id) {
        return Fit::of(Some(sent.0 == kept), &[]);
    }
    let number = document.contact_number.as_ref().zip(marks.number.as_ref());
    let number = number.map(|(sent, kept)| sent.eq_ignore_ascii_case(kept));
    let name = document.name.as_ref().zip(marks.name.as_ref());
    let name = name.map(|(sent, kept)| normalised_name(sent) == normalised_name(kept));
    Fit::of(number.or(name), &[])
}

impl From<WireContact> for RemoteContact {
    fn from(wire: WireContact) -> Self {
        Self {
            id: XeroContactId(wire.id),
            number: wire.contact_number,
            name: wire.name.unwrap_or_default(),
            // Besides `ARCHIVED` there is `GDPRREQUEST`. Documents can use neither.
            status: match wire.contact_status.as_deref() {
                None | Some("ACTIVE") => ContactStatus::Active,
                Some(_) => ContactStatus::Archived,
            },
            email: wire.email_address,
            tax_number: wire.tax_number,
            company_number: wire.company_number,
            merged_to: wire.merged_to.map(XeroContactId),
            updated_at: wire.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_searched_for_by_the_part_that_every_spelling_of_it_has() {
        for (name, term) in [
            ("Ridge  Plumbing ", "Ridge Plumbing"),
            (r#"The "Ridge" \ Co"#, "Ridge"),
            ("Ángela Núñez & Sons", "ez & Sons"),
            ("李明", "李明"),
            (r#"""#, r#"""#),
        ] {
            assert_eq!(search_term(name), term, "{name}");
        }
        assert_eq!(search_term(&"x".repeat(500)).len(), 100);
    }
}
