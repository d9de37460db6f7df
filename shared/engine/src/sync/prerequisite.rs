//! Finds records that must be in Xero before others.

use domain::crm::credit_note::{CreditNote, negative_invoice_record_id};
use domain::crm::lines::RecordStatus;
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureCause, FailureClass, FailureCode};
use domain::ids::{CrmId, Ledger, XeroCreditNoteId, XeroInvoiceId};
use domain::mapping::{Mapping, MappingKey};
use domain::money::Currency;
use domain::operation::{OperationState, ParkingReason};
use store::StoreError;
use xero::api::{credit_notes, invoices};

use crate::Engine;
use crate::connection::tenant_session::{AttemptError, TenantSession};

/// Reads the mapping of another record of the same ledger.
pub(super) async fn read_prerequisite(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    crm_id: CrmId,
) -> Result<Option<Mapping>, StoreError> {
    let key = MappingKey::new(ledger.clone(), kind, crm_id);
    Ok(engine.store.find_mapping(&key).await?.map(|row| row.record))
}

/// Returns an invoice that must be in Xero before money or credit is applied to it. An invoice with
/// a negative total never is: it is a credit note there.
pub(super) async fn require_invoice(
    engine: &Engine,
    ledger: &Ledger,
    id: CrmId,
) -> Result<Mapping, AttemptError> {
    let kind = EntityKind::Invoice;
    let invoice = read_prerequisite(engine, ledger, kind, id.clone()).await?;
    match (find_negative_invoice(engine, ledger, &id, invoice.as_ref()).await?, invoice) {
        (Some(credit), _) => Err(negative_invoice_failure(&credit).into()),
        (None, Some(invoice)) => Ok(invoice),
        (None, None) => Err(missing_prerequisite_error(kind, id)),
    }
}

/// Returns the credit note that an invoice is in Xero because its total is negative. `invoice` is
/// the invoice's own mapping: with a document in Xero it is an invoice, and without one it may be
/// left over from before the total became negative.
pub(crate) async fn find_negative_invoice(
    engine: &Engine,
    ledger: &Ledger,
    id: &CrmId,
    invoice: Option<&Mapping>,
) -> Result<Option<Mapping>, StoreError> {
    if invoice.is_some_and(|invoice| invoice.link.is_some()) {
        return Ok(None);
    }
    let credit = negative_invoice_record_id(id);
    let credit = read_prerequisite(engine, ledger, EntityKind::CreditNote, credit).await?;
    Ok(credit.filter(|credit| invoice.is_none() || is_in_effect(credit)))
}

/// Returns whether the CRM has the credit of a negative invoice: it was neither voided nor replaced
/// by a positive invoice.
fn is_in_effect(credit: &Mapping) -> bool {
    credit.snapshot.parse_text::<CreditNote>().is_ok_and(|note| note.standing == RecordStatus::Sent)
}

fn negative_invoice_failure(credit: &Mapping) -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        FailureCause::InvoiceIsCredit,
        format!(
            "{} has a negative total and is a credit note in Xero, so no payment or credit can be applied to it.",
            credit.snapshot.natural_key
        ),
        "In ServiceCortex, record a refund of this credit or apply the credit to an invoice instead, then choose Never send.",
    )
}

/// Reads the currency of an invoice from Xero, for money or credit on an invoice whose row does not
/// have it: rows of early releases have no amounts. Xero takes the figure in the currency of the
/// document, whatever currency was meant. `None` if Xero has no such invoice.
pub(super) async fn fetch_invoice_currency(
    tenant_session: &TenantSession<'_>,
    id: XeroInvoiceId,
) -> Result<Option<Currency>, AttemptError> {
    let invoice = invoices::get(&tenant_session.api, id).await?;
    Ok(invoice.map(|invoice| invoice.total.currency))
}

/// Like [`fetch_invoice_currency`], for a refund of a credit note.
pub(super) async fn fetch_credit_note_currency(
    tenant_session: &TenantSession<'_>,
    id: XeroCreditNoteId,
) -> Result<Option<Currency>, AttemptError> {
    let note = credit_notes::get(&tenant_session.api, id).await?;
    Ok(note.map(|note| note.total.currency))
}

/// Returns the error of a record that waits for another one that is not in Xero yet.
pub(super) fn missing_prerequisite_error(kind: EntityKind, id: impl Into<CrmId>) -> AttemptError {
    let crm_id = id.into();
    let failure = Failure::new(
        FailureClass::Blocked,
        FailureCause::PrerequisiteNotInXero,
        format!(
            "The {} {crm_id} is not in Xero yet. This record will be sent once it is.",
            kind.display_noun()
        ),
        "",
    );
    AttemptError::Blocked { failure, on: Box::new(ParkingReason::Prerequisite { kind, crm_id }) }
}

/// Returns the error of a record that needs another one that is known and not in Xero. If a user
/// marked that one as Never send, only a user can end the wait. If the CRM voided it, it may never
/// be in Xero.
pub(super) fn unlinked_prerequisite_error(
    kind: EntityKind,
    id: impl Into<CrmId>,
    awaited: &Mapping,
) -> AttemptError {
    let crm_id = id.into();
    if awaited.is_voided_in_crm() {
        return voided_document_failure(awaited).into();
    }
    if awaited.operation.state != OperationState::Withheld {
        return missing_prerequisite_error(kind, crm_id);
    }
    let noun = kind.display_noun();
    let failure = Failure::new(
        FailureClass::Blocked,
        FailureCause::PrerequisiteNotInXero,
        format!(
            "The {noun} {crm_id} is marked Never send, so it is not in Xero. This record will be sent once it is."
        ),
        format!("Send the {noun} with Sync now, or choose Never send for this record, too."),
    );
    AttemptError::Blocked { failure, on: Box::new(ParkingReason::Prerequisite { kind, crm_id }) }
}

/// The failure of a record whose document the CRM voided before Xero had it. It continues when the
/// document is in Xero, because the CRM has restored it.
fn voided_document_failure(document: &Mapping) -> Failure {
    let (kind, number) = (document.key.kind, &document.snapshot.natural_key);
    let noun = kind.display_noun();
    Failure::new(
        FailureClass::Untranslatable,
        gone_document_code(kind),
        format!(
            "{number} was voided in ServiceCortex and is not in Xero, so this record cannot be sent."
        ),
        format!(
            "Remove this record from the {noun} in ServiceCortex, or choose Never send. If the {noun} is restored there, this record is then sent automatically."
        ),
    )
}

/// Returns the error of a record that waits for the approval of an invoice in Xero. The poll or the
/// push that sees the approval releases it.
pub(super) fn unapproved_invoice_error(invoice: &Mapping) -> AttemptError {
    let MappingKey { ledger: _, kind, crm_id } = invoice.key.clone();
    let failure = Failure::new(
        FailureClass::Blocked,
        "prerequisite_not_approved",
        format!(
            "{} is not approved in Xero yet. This record will be sent once it is.",
            invoice.snapshot.natural_key
        ),
        "Approve the invoice in Xero.",
    );
    AttemptError::Blocked { failure, on: Box::new(ParkingReason::Prerequisite { kind, crm_id }) }
}

/// The failure of a record whose document was voided or deleted in Xero. It is not retried before
/// the document changes or has a new copy.
pub(super) fn gone_document_failure(document: &Mapping, cannot: &str) -> Failure {
    let (kind, number) = (document.key.kind, &document.snapshot.natural_key);
    Failure::new(
        FailureClass::Untranslatable,
        gone_document_code(kind),
        format!("{number} was voided or deleted in Xero, so {cannot}."),
        format!(
            "Sync the {} again to create a new copy in Xero. This record is then sent automatically.",
            kind.display_noun()
        ),
    )
}

/// The code of a failure because of a document that does not count in Xero's books.
const fn gone_document_code(kind: EntityKind) -> FailureCode {
    match kind {
        EntityKind::Invoice => FailureCode::Cause(FailureCause::InvoiceGone),
        EntityKind::CreditNote => FailureCode::Cause(FailureCause::CreditNoteGone),
        EntityKind::Contact | EntityKind::Allocation | EntityKind::Payment => {
            FailureCode::Name("document_gone")
        }
    }
}
