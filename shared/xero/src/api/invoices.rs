//! Sales invoices: found by their numbers, created, updated, voided, deleted.
//!
//! They are created with PUT, because a POST with a number that is already used overwrites that
//! invoice and succeeds. They are updated with POST by id. Unit amounts keep four decimals in both
//! directions (`unitdp=4`).

mod amendment;
mod wire;

use bytes::Bytes;
use domain::document::amendment::InvoiceAmendment;
use domain::document::invoice::{InvoiceDocument, RemoteInvoice};
use domain::idempotency::IdempotencyKey;
use domain::ids::XeroInvoiceId;
use http::Method;
use jiff::Timestamp;

use self::amendment::OutgoingAmendment;
use self::wire::{OutgoingInvoice, WireInvoice};
use super::queries::KeySelection;
use super::resource::{
    RemovableResource, Resource, compare_id, create_records, encode_statuses, full_page_call,
    list_call, read_by_id, read_record_page, record_call, select_groups, set_statuses,
    too_large_by_id, too_large_by_number, update_records, write_batch,
};
use super::write_outcome::ElementFit;
use super::{PagePosition, RowPage, TargetStatus, WriteOutcome};
use crate::error::XeroError;
use crate::json::encode_collection;
use crate::resource_kind::ResourceKind;
use crate::rows::{DecodedRows, RowIdentity};
use crate::session::{ApiCall, ApiSession, percent_encode};

/// Invoices, as a kind of record.
struct Invoices;

impl Resource for Invoices {
    type Id = XeroInvoiceId;
    type Document = InvoiceDocument;
    type Row = WireInvoice;
    type Remote = RemoteInvoice;

    const LIST: &'static str = "/Invoices";
    const ONE: &'static str = "/Invoices/{InvoiceID}";
    const COLLECTION: &'static str = "Invoices";
    const ID_MEMBER: &'static str = "InvoiceID";
    const NUMBER_MEMBER: Option<&'static str> = Some("InvoiceNumber");
    const KIND: ResourceKind = ResourceKind::Invoices;
    const HAS_UNIT_AMOUNTS: bool = true;
    const CREATED_WITH_ID: &'static str = "an invoice to create must have no id";
    const UPDATED_WITHOUT_ID: &'static str = "an invoice to update must have an id";

    fn encode_documents(documents: &[InvoiceDocument]) -> Bytes {
        let documents = documents.iter().map(OutgoingInvoice::from).collect::<Vec<_>>();
        encode_collection(Self::COLLECTION, &documents)
    }

    fn document_id(document: &InvoiceDocument) -> Option<XeroInvoiceId> {
        document.invoice_id
    }

    fn compare_names(document: &InvoiceDocument, marks: &RowIdentity) -> ElementFit {
        let number = marks.number.as_ref();
        let number = number.map(|kept| kept.eq_ignore_ascii_case(&document.invoice_number));
        ElementFit::from_comparisons(number, &[])
    }
}

impl RemovableResource for Invoices {
    fn is_gone(invoice: &RemoteInvoice) -> bool {
        invoice.status.is_gone()
    }
}

/// The maximum number of invoice numbers in one call: as many as a batch has documents. Xero limits
/// only the length of a query, to about 2,048 characters.
const NUMBERS_LIMIT: usize = super::BATCH_LIMIT;
const NUMBERS_LENGTH_LIMIT: usize = 1_800;
/// The maximum number of ids in one call. Ids are long, and Xero advises 40.
pub const IDS_LIMIT: usize = 40;

/// Finds every invoice with one of these numbers, including voided and deleted ones. Bills from
/// suppliers may have the same numbers and are returned, too; see [`RemoteInvoice::is_sales`].
///
/// The numbers must contain no commas. One call serves up to 50 numbers, fewer if they are long or
/// if one answer cannot hold their invoices.
pub async fn find_by_numbers(
    session: &ApiSession,
    numbers: &[&str],
) -> Result<DecodedRows<RemoteInvoice>, XeroError> {
    let numbered =
        KeySelection { call: call_by_numbers, too_large: too_large_by_number::<Invoices> };
    select_groups::<Invoices, _>(session, &groups_of_numbers(numbers), &numbered).await
}

fn call_by_numbers(numbers: &[&str]) -> ApiCall {
    let call = list_call::<Invoices>().with_query("InvoiceNumbers", numbers.join(","));
    full_page_call::<Invoices>(call, PagePosition::FIRST)
}

/// Finds the deleted invoices with one of these numbers, in as many calls as [`find_by_numbers`].
/// Whether Xero lists deleted invoices with the others is not documented, and it can be asked for
/// their status.
pub async fn find_deleted_by_numbers(
    session: &ApiSession,
    numbers: &[&str],
) -> Result<DecodedRows<RemoteInvoice>, XeroError> {
    let numbered =
        KeySelection { call: call_by_deleted_numbers, too_large: too_large_by_number::<Invoices> };
    select_groups::<Invoices, _>(session, &groups_of_numbers(numbers), &numbered).await
}

fn call_by_deleted_numbers(numbers: &[&str]) -> ApiCall {
    call_by_numbers(numbers).with_query("Statuses", "DELETED")
}

/// Divides numbers into groups, as many as fit into each query, joined by commas.
fn groups_of_numbers<'a, 'b>(numbers: &'b [&'a str]) -> Vec<&'b [&'a str]> {
    let mut groups: Vec<&[&str]> = Vec::new();
    let (mut begin, mut length) = (0, 0);
    for (at, number) in numbers.iter().enumerate() {
        let own = percent_encode(number).len();
        let comma = percent_encode(",").len();
        if at == begin {
            length = own;
        } else if at - begin < NUMBERS_LIMIT && length + own < NUMBERS_LENGTH_LIMIT {
            length += comma + own;
        } else {
            groups.extend(numbers.get(begin..at));
            (begin, length) = (at, own);
        }
    }
    groups.extend(numbers.get(begin..).filter(|last| !last.is_empty()));
    groups
}

/// Finds every invoice with one of these ids, whatever its status, with one call for up to 40 of
/// them, or with more if one answer cannot hold them.
pub async fn find_by_ids(
    session: &ApiSession,
    ids: &[XeroInvoiceId],
) -> Result<DecodedRows<RemoteInvoice>, XeroError> {
    let identified = KeySelection { call: call_by_ids, too_large: too_large_by_id::<Invoices> };
    let groups = ids.chunks(IDS_LIMIT).collect::<Vec<_>>();
    select_groups::<Invoices, _>(session, &groups, &identified).await
}

/// A single invoice is requested by its own route.
fn call_by_ids(ids: &[XeroInvoiceId]) -> ApiCall {
    if let [id] = ids {
        return record_call::<Invoices>(id.to_string());
    }
    let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    full_page_call::<Invoices>(list_call::<Invoices>().with_query("IDs", ids), PagePosition::FIRST)
}

/// Reads the invoice with this id, whatever its status.
pub async fn get(
    session: &ApiSession,
    id: XeroInvoiceId,
) -> Result<Option<RemoteInvoice>, XeroError> {
    read_by_id::<Invoices>(session, id).await
}

/// Reads a page of the sales invoices that changed at an instant or later, whatever their status,
/// oldest change first. The rows are complete: they have lines, payments and credits. The page is
/// smaller than `at` says if the answer would be too large, and an invoice that is too large by
/// itself is an unreadable row.
pub async fn read_changed_page(
    session: &ApiSession,
    since: Timestamp,
    at: PagePosition,
) -> Result<RowPage<RemoteInvoice>, XeroError> {
    let call = list_call::<Invoices>()
        .modified_since(since)
        .with_query("where", r#"Type=="ACCREC""#)
        // Deleted invoices are requested explicitly: no documentation says that they are returned
        // by default.
        .with_query("Statuses", "DRAFT,SUBMITTED,AUTHORISED,PAID,VOIDED,DELETED")
        .with_query("order", "UpdatedDateUTC ASC");
    read_record_page::<Invoices>(session, &full_page_call::<Invoices>(call, at), at).await
}

/// Creates invoices. Returns one outcome for each document, in their order.
///
/// # Errors
///
/// Only when the call as a whole fails.
pub async fn create_invoices(
    session: &ApiSession,
    documents: &[InvoiceDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteInvoice>>, XeroError> {
    create_records::<Invoices>(session, documents, key).await
}

/// Updates the invoices whose ids are in the documents. The lines replace all existing lines.
/// Returns one outcome for each document, in their order.
pub async fn update_invoices(
    session: &ApiSession,
    documents: &[InvoiceDocument],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteInvoice>>, XeroError> {
    update_records::<Invoices>(session, documents, key).await
}

/// Changes invoices that have payments or credits: only the fields of the documents. Returns one
/// outcome for each, in their order.
///
/// # Errors
///
/// Only when the call as a whole fails.
pub async fn amend_invoices(
    session: &ApiSession,
    amendments: &[InvoiceAmendment],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteInvoice>>, XeroError> {
    let body = amendment_body(amendments);
    let fit = compare_amendment;
    write_batch::<Invoices, _>(session, Method::POST, body, amendments, key, fit).await
}

fn compare_amendment(amendment: &InvoiceAmendment, marks: &RowIdentity) -> ElementFit {
    compare_id::<Invoices>(amendment.invoice_id, marks)
}

/// The body that [`amend_invoices`] sends.
pub fn amendment_body(amendments: &[InvoiceAmendment]) -> Bytes {
    let amendments = amendments.iter().map(OutgoingAmendment::from).collect::<Vec<_>>();
    encode_collection(Invoices::COLLECTION, &amendments)
}

/// Voids or deletes invoices, and changes nothing else about them. Returns one outcome for each, in
/// their order.
pub async fn set_status(
    session: &ApiSession,
    changes: &[(XeroInvoiceId, TargetStatus)],
    key: &IdempotencyKey,
) -> Result<Vec<WriteOutcome<RemoteInvoice>>, XeroError> {
    set_statuses::<Invoices>(session, changes, key).await
}

/// The body that [`create_invoices`] and [`update_invoices`] send. The same documents always give
/// the same bytes.
pub fn invoice_body(documents: &[InvoiceDocument]) -> Bytes {
    Invoices::encode_documents(documents)
}

/// The body that [`set_status`] sends.
pub fn status_body(changes: &[(XeroInvoiceId, TargetStatus)]) -> Bytes {
    encode_statuses::<Invoices>(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_asked_for_50_at_a_time() {
        let numbers: Vec<String> = (0..115).map(|at| format!("#INV-{at:04}")).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let groups = groups_of_numbers(&numbers);
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [50, 50, 15]);
        assert_eq!(groups.concat(), numbers);
    }

    #[test]
    fn long_numbers_never_outgrow_the_query_xero_takes() {
        let long = "#".repeat(255);
        let numbers = vec![long.as_str(); 7];
        let groups = groups_of_numbers(&numbers);
        assert_eq!(groups.concat(), numbers);
        for group in groups {
            assert!(
                percent_encode(&group.join(",")).replace("%2C", ",").len() <= NUMBERS_LENGTH_LIMIT
            );
        }
    }
}
