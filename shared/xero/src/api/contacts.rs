//! Contacts: found by their numbers, created, updated.
//!
//! They are created with PUT and updated with POST by id. A POST without an id would edit whichever
//! contact has the number or, failing that, the name, so this client never sends one.

mod outgoing;
mod wire;

use bytes::Bytes;
use domain::document::contact::{ContactDocument, RemoteContact};
use domain::idempotency::IdempotencyKey;
use domain::ids::XeroContactId;
use domain::matching::normalised_name;
use domain::recognise::has_same_name;

use self::outgoing::OutgoingContact;
use self::wire::WireContact;
use super::filter::{
    any_of, clause_if_quotable, equals_clause, group_keys, is_quotable, is_sendable_filter,
};
use super::page::read_first_rows;
use super::queries::{KeySelection, confine_failure, read_record, read_single_row};
use super::resource::{
    Resource, create_records, list_call, read_every_record, read_record_page, record_call,
    select_groups, too_large_by_id, too_large_by_number, update_records,
};
use super::write_outcome::ElementFit;
use super::{PagePosition, RowPage, WriteOutcome};
use crate::error::XeroError;
use crate::json::encode_collection;
use crate::resource_kind::ResourceKind;
use crate::rows::{DecodedRows, RowIdentity, UndecodableRow};
use crate::session::{ApiCall, ApiSession};

/// Contacts, as a kind of record.
struct Contacts;

impl Resource for Contacts {
    type Id = XeroContactId;
    type Document = ContactDocument;
    type Row = WireContact;
    type Remote = RemoteContact;

    const LIST: &'static str = "/Contacts";
    const ONE: &'static str = "/Contacts/{ContactID}";
    const COLLECTION: &'static str = "Contacts";
    const ID_MEMBER: &'static str = "ContactID";
    const NUMBER_MEMBER: Option<&'static str> = Some("ContactNumber");
    const KIND: ResourceKind = ResourceKind::Contacts;
    const HAS_UNIT_AMOUNTS: bool = false;
    const CREATED_WITH_ID: &'static str = "a contact to create must have no id";
    const UPDATED_WITHOUT_ID: &'static str = "a contact to update must have an id";

    fn encode_documents(documents: &[ContactDocument]) -> Bytes {
        let documents = documents.iter().map(OutgoingContact::from).collect::<Vec<_>>();
        encode_collection(Self::COLLECTION, &documents)
    }

    fn document_id(document: &ContactDocument) -> Option<XeroContactId> {
        document.contact_id
    }

    /// Xero does not always return the number; then the name decides, in Xero's normalised form.
    fn compare_names(document: &ContactDocument, marks: &RowIdentity) -> ElementFit {
        let number = document.contact_number.as_ref().zip(marks.number.as_ref());
        let number = number.map(|(sent, kept)| sent.eq_ignore_ascii_case(kept));
        let name = document.name.as_ref().zip(marks.name.as_ref());
        let name = name.map(|(sent, kept)| normalised_name(sent) == normalised_name(kept));
        ElementFit::from_comparisons(number.or(name), &[])
    }
}

/// Finds the contact with this number, archived or not.
///
/// Xero accepts the number in place of the id in the path. Filtering by `ContactNumber` is slower.
pub async fn find_by_number(
    session: &ApiSession,
    number: &str,
) -> Result<Option<RemoteContact>, XeroError> {
    request_contact(session, number.to_owned()).await
}

/// Finds every contact with one of these numbers, archived or not, with one call for about forty of
/// them. A single number is requested by its own route, which Xero answers faster; as is a number
/// that no filter can contain. If Xero refuses that call, only this number's contact counts as
/// unreadable.
pub async fn find_by_numbers(
    session: &ApiSession,
    numbers: &[&str],
) -> Result<DecodedRows<RemoteContact>, XeroError> {
    let mut found = DecodedRows::default();
    let (together, alone): (Vec<&str>, Vec<&str>) =
        numbers.iter().copied().partition(|number| numbers.len() > 1 && is_quotable(number));
    for number in alone {
        let call = record_call::<Contacts>(number.to_owned());
        let too_large = too_large_by_number::<Contacts>(&number);
        let looked_up =
            read_single_row::<WireContact, _>(session, call, Contacts::COLLECTION, too_large).await;
        let looked_up = if is_quotable(number) {
            looked_up
        } else {
            confine_failure(session, looked_up, too_large_by_number::<Contacts>(&number))
        };
        found.append_rows(looked_up?);
    }
    found.append_rows(list_by_numbers(session, &together).await?);
    Ok(found)
}

/// Finds every contact with one of these numbers, archived or not, in the list of contacts. The
/// list shows archived contacts on request; whether the route of one contact does is not
/// documented. A number that no filter can contain is skipped.
pub async fn list_by_numbers(
    session: &ApiSession,
    numbers: &[&str],
) -> Result<DecodedRows<RemoteContact>, XeroError> {
    let quotable = numbers.iter().copied().filter(|number| is_quotable(number));
    let quotable = quotable.collect::<Vec<_>>();
    let numbered =
        KeySelection { call: call_by_numbers, too_large: too_large_by_number::<Contacts> };
    let groups = group_keys(&quotable, |number| clause_of_number(number))?;
    select_groups::<Contacts, _>(session, &groups, &numbered).await
}

/// The maximum number of ids in one call. Ids are long, and Xero advises 40.
const IDS_LIMIT: usize = 40;

/// Finds every contact with one of these ids, archived or not, with one call for up to 40 of them,
/// or with more if one answer cannot hold them. The rows are complete: they have persons.
pub async fn find_by_ids(
    session: &ApiSession,
    ids: &[XeroContactId],
) -> Result<DecodedRows<RemoteContact>, XeroError> {
    let identified = KeySelection { call: call_by_ids, too_large: too_large_by_id::<Contacts> };
    let groups = ids.chunks(IDS_LIMIT).collect::<Vec<_>>();
    select_groups::<Contacts, _>(session, &groups, &identified).await
}

fn call_by_ids(ids: &[XeroContactId]) -> ApiCall {
    let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    list_call::<Contacts>().with_query("IDs", ids).with_query("includeArchived", "true")
}

fn clause_of_number(number: &str) -> String {
    equals_clause("ContactNumber", number)
}

fn call_by_numbers(numbers: &[&str]) -> ApiCall {
    call_with_filter(any_of(numbers.iter().map(|number| clause_of_number(number))))
}

/// A call for the contacts that the filter selects, archived or not.
fn call_with_filter(filter: String) -> ApiCall {
    list_call::<Contacts>().with_query("where", filter).with_query("includeArchived", "true")
}

/// Reads a page of all contacts, including archived ones, in the order of their ids: an edit
/// between two calls moves no contact to another page. The page is smaller than `at` says if the
/// answer would be too large, and a contact that is too large by itself is an unreadable row.
pub async fn read_contact_page(
    session: &ApiSession,
    at: PagePosition,
) -> Result<RowPage<RemoteContact>, XeroError> {
    let call = list_call::<Contacts>()
        .with_query("includeArchived", "true")
        .with_query("order", "ContactID ASC");
    read_record_page::<Contacts>(session, &call, at).await
}

/// Finds active contacts whose name, number, e-mail address or company number contains the text:
/// the first `most`.
pub async fn search_contacts(
    session: &ApiSession,
    text: &str,
    most: u32,
) -> Result<DecodedRows<RemoteContact>, XeroError> {
    let call = list_call::<Contacts>().with_query("searchTerm", text);
    let too_large = UndecodableRow::too_large(Contacts::LIST);
    read_first_rows::<WireContact, _>(session, &call, Contacts::COLLECTION, most, too_large).await
}

/// Reads the contact with this id, archived or not. If its own route does not show it, the list is
/// searched: whether the route shows archived contacts is not documented. A contact that cannot be
/// read is an error, because it exists.
pub async fn get(
    session: &ApiSession,
    id: XeroContactId,
) -> Result<Option<RemoteContact>, XeroError> {
    if let Some(contact) = request_contact(session, id.to_string()).await? {
        return Ok(Some(contact));
    }
    let call = call_with_filter(format!(r#"ContactID==guid("{id}")"#));
    let unread = UndecodableRow { id: Some(id.0), ..UndecodableRow::too_large(Contacts::LIST) };
    let DecodedRows { rows, undecodable } =
        read_every_record::<Contacts>(session, &call, unread).await?;
    let contact = rows.into_iter().find(|contact| contact.id == id);
    match (contact, undecodable.iter().find(|odd| odd.may_be(id.0))) {
        (Some(contact), _) => Ok(Some(contact)),
        (None, Some(odd)) => Err(odd.into()),
        (None, None) => Ok(None),
    }
}

async fn request_contact(
    session: &ApiSession,
    id: String,
) -> Result<Option<RemoteContact>, XeroError> {
    read_record::<WireContact, _>(session, record_call::<Contacts>(id), Contacts::COLLECTION).await
}

/// Finds the contacts with this name, including archived ones. Names are compared without regard to
/// case, accents and superfluous spaces.
///
/// A filter finds the contacts whose name is the same to Xero. But a filter does not accept every
/// text, so without a result the contacts are searched for a part of the name, and the names are
/// compared here. All contacts with that part are read, because a short name is a part of many
/// others. Whether the search ignores accents is not documented.
pub async fn find_by_name(
    session: &ApiSession,
    name: &str,
) -> Result<DecodedRows<RemoteContact>, XeroError> {
    let unread = UndecodableRow::too_large(Contacts::LIST);
    if let Some(filter) = filter_by_name(name) {
        let call = call_with_filter(filter);
        let found = read_every_record::<Contacts>(session, &call, unread.clone()).await?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let call = list_call::<Contacts>()
        .with_query("searchTerm", search_term(name))
        .with_query("includeArchived", "true");
    let mut found = read_every_record::<Contacts>(session, &call, unread).await?;
    found.rows.retain(|contact| has_same_name(contact, name));
    Ok(found)
}

/// The filter for a name, if a filter can contain it.
fn filter_by_name(name: &str) -> Option<String> {
    clause_if_quotable("Name", &single_spaced(name)).filter(|filter| is_sendable_filter(filter))
}

/// The name with single spaces, as Xero stores it.
fn single_spaced(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The longest part of a name without quotation marks, backslashes and accented letters, or the
/// name itself if it has no such part.
fn search_term(name: &str) -> String {
    const TERM_LIMIT: usize = 100;
    let name = single_spaced(name);
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
pub async fn create_contacts(
    session: &ApiSession,
    documents: &[ContactDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteContact>>, XeroError> {
    create_records::<Contacts>(session, documents, key).await
}

/// Updates the contacts whose ids are in the documents. Absent fields keep their values. Returns
/// one outcome for each document, in their order.
pub async fn update_contacts(
    session: &ApiSession,
    documents: &[ContactDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteContact>>, XeroError> {
    update_records::<Contacts>(session, documents, key).await
}

/// The body that [`create_contacts`] and [`update_contacts`] send. The same documents always give
/// the same bytes.
pub fn contact_body(documents: &[ContactDocument]) -> Bytes {
    Contacts::encode_documents(documents)
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
