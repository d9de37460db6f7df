//! The documents that an allocation needs in Xero: its credit note and its invoice.

use domain::crm::allocation::Allocation;
use domain::crm::credit_note::negative_invoice_record_id;
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::{CrmId, Ledger, XeroCreditNoteId, XeroInvoiceId};
use domain::mapping::{Mapping, MappingKey};
use domain::money::Currency;
use domain::operation::ParkingReason;
use store::{ReadAheadKeys, StoreError};

use crate::Engine;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::SyncTask;
use crate::sync::prerequisite::{
    gone_document_failure, read_prerequisite, require_invoice, unapproved_invoice_error,
    unlinked_prerequisite_error,
};

/// The two documents in Xero.
#[derive(Debug, Clone, Copy)]
pub(super) struct AllocationPrerequisites {
    pub(super) note: XeroCreditNoteId,
    pub(super) invoice: XeroInvoiceId,
    /// The invoice's currency, if the row of the invoice has it.
    pub(super) invoice_currency: Option<Currency>,
}

/// Returns an engine with the credit notes and the invoices of the tasks read ahead.
pub(super) async fn read_documents_ahead(
    tenant_session: &TenantSession<'_>,
    tasks: &[SyncTask<'_, Allocation>],
) -> Box<Engine> {
    let mut rows = ReadAheadKeys::default();
    for task in tasks {
        for key in list_documents(&tenant_session.ledger, &task.snapshot) {
            rows.add_mapping(&key);
        }
    }
    tenant_session.engine.with_rows_read_ahead(rows).await
}

/// Returns the two documents. The allocation is blocked while one of them is not in Xero yet.
pub(super) async fn require_prerequisites(
    engine: &Engine,
    task: &SyncTask<'_, Allocation>,
) -> Result<AllocationPrerequisites, AttemptError> {
    let (ledger, allocation) = (&task.mapping.key.ledger, &task.snapshot);
    let notes = read_credit_notes(engine, ledger, allocation).await?;
    let note =
        find_credit_note(&notes, task)?.ok_or_else(|| missing_credit_note_error(allocation))?;
    let invoice = require_invoice(engine, ledger, allocation.invoice_id.clone().into()).await?;
    for document in [note, &invoice] {
        if document.is_gone_in_xero() {
            return Err(gone_document_failure(document, "no credit can be applied").into());
        }
        if document.link.is_none() {
            let key = &document.key;
            return Err(unlinked_prerequisite_error(key.kind, key.crm_id.clone(), document));
        }
    }
    if invoice.is_unapproved_in_xero() {
        return Err(unapproved_invoice_error(&invoice));
    }
    prerequisites_from_links(note, &invoice).ok_or_else(|| missing_credit_note_error(allocation))
}

/// Returns the two documents if both have been sent. Without them the allocation cannot have been
/// sent. They are read after the claim, not ahead: another process may have sent them since, and the
/// allocation as well.
pub(super) async fn find_prerequisites(
    engine: &Engine,
    task: &SyncTask<'_, Allocation>,
) -> Result<Option<AllocationPrerequisites>, AttemptError> {
    let (ledger, allocation) = (&task.mapping.key.ledger, &task.snapshot);
    let engine: &Engine = &engine.without_read_ahead();
    let notes = read_credit_notes(engine, ledger, allocation).await?;
    let Some(note) = find_credit_note(&notes, task)? else {
        // An earlier release compared only the id, so credit of such a note may be applied.
        if task.must_resolve() && notes.iter().any(|note| note.link.is_some()) {
            return Err(missing_credit_note_error(allocation));
        }
        return Ok(None);
    };
    let invoice = read_invoice(engine, ledger, allocation).await?;
    Ok(invoice.and_then(|invoice| prerequisites_from_links(note, &invoice)))
}

/// Returns whether the credit note of a stored allocation is in Xero. `None` if the allocation's
/// snapshot cannot be read.
pub(crate) async fn is_credit_note_in_xero(
    engine: &Engine,
    mapping: &Mapping,
) -> Result<Option<bool>, StoreError> {
    let Ok(allocation) = mapping.snapshot.parse_text::<Allocation>() else {
        return Ok(None);
    };
    let notes = read_credit_notes(engine, &mapping.key.ledger, &allocation).await?;
    Ok(Some(match find_by_number(&notes, &allocation) {
        Ok(note) => note.is_some_and(|note| note.link.is_some()),
        // The next attempt reports this.
        Err(_) => true,
    }))
}

/// Returns the records on which an allocation depends: those to which the credit note's id can
/// refer, and the invoice.
pub(crate) fn list_documents(ledger: &Ledger, allocation: &Allocation) -> Vec<MappingKey> {
    let invoice = CrmId::from(allocation.invoice_id.clone());
    let invoice = MappingKey::new(ledger.clone(), EntityKind::Invoice, invoice);
    list_credit_notes(ledger, allocation).into_iter().chain([invoice]).collect()
}

/// Returns the records to which the credit note's id can refer: the credit note with that id, and
/// the one that represents the invoice with that id.
fn list_credit_notes(ledger: &Ledger, allocation: &Allocation) -> [MappingKey; 2] {
    let id = CrmId::from(allocation.credit_note_id.clone());
    let of_invoice = negative_invoice_record_id(&id);
    [id, of_invoice].map(|id| MappingKey::new(ledger.clone(), EntityKind::CreditNote, id))
}

/// Reads the records to which the credit note's id can refer.
async fn read_credit_notes(
    engine: &Engine,
    ledger: &Ledger,
    allocation: &Allocation,
) -> Result<Vec<Mapping>, StoreError> {
    let mut notes = Vec::new();
    for key in list_credit_notes(ledger, allocation) {
        notes.extend(engine.store.find_mapping(&key).await?.map(|row| row.record));
    }
    Ok(notes)
}

/// Returns the credit note of an allocation. An applied allocation keeps its note, whatever number
/// the note has: its credit is not applied again.
fn find_credit_note<'a>(
    notes: &'a [Mapping],
    task: &SyncTask<'_, Allocation>,
) -> Result<Option<&'a Mapping>, Failure> {
    let named = find_by_number(notes, &task.snapshot)?;
    let is_applied = task.mapping.link.is_some();
    Ok(named.or_else(|| notes.first().filter(|_| is_applied)))
}

/// Returns the record whose number the allocation gives. The id alone does not decide: a credit
/// note and an invoice may have the same one.
fn find_by_number<'a>(
    notes: &'a [Mapping],
    allocation: &Allocation,
) -> Result<Option<&'a Mapping>, Failure> {
    let number = &allocation.credit_note_number;
    let mut named = notes.iter().filter(|note| note.is_numbered(number)).collect::<Vec<_>>();
    if named.is_empty() {
        named = notes.iter().filter(|note| note.was_numbered(number)).collect();
    }
    let in_use = named.iter().filter(|note| !note.is_gone_in_xero()).collect::<Vec<_>>();
    match in_use.as_slice() {
        [note] => Ok(Some(**note)),
        [] => Ok(named.first().copied()),
        [_, _, ..] => Err(ambiguous_number_failure(allocation)),
    }
}

/// Returns the error of an allocation whose credit note is not known yet.
fn missing_credit_note_error(allocation: &Allocation) -> AttemptError {
    let number = &allocation.credit_note_number;
    let crm_id = CrmId::from(allocation.credit_note_id.clone());
    let failure = Failure::new(
        FailureClass::Blocked,
        FailureCause::PrerequisiteNotInXero,
        format!(
            "The credit note {crm_id} with the number {number} is not in Xero yet. This record will be sent once it is."
        ),
        "",
    );
    let on = Box::new(ParkingReason::Prerequisite { kind: EntityKind::CreditNote, crm_id });
    AttemptError::Blocked { failure, on }
}

fn ambiguous_number_failure(allocation: &Allocation) -> Failure {
    let number = &allocation.credit_note_number;
    Failure::new(
        FailureClass::Rejected,
        "credit_note_ambiguous",
        format!(
            "A credit note and an invoice have the id {} and the number {number}, so the integration cannot tell which one to use.",
            allocation.credit_note_id
        ),
        "Change the number of one of the two in ServiceCortex, then retry.",
    )
}

async fn read_invoice(
    engine: &Engine,
    ledger: &Ledger,
    allocation: &Allocation,
) -> Result<Option<Mapping>, StoreError> {
    let crm_id = allocation.invoice_id.clone().into();
    read_prerequisite(engine, ledger, EntityKind::Invoice, crm_id).await
}

fn prerequisites_from_links(note: &Mapping, invoice: &Mapping) -> Option<AllocationPrerequisites> {
    let (note, invoice) = (note.link.as_ref()?, invoice.link.as_ref()?);
    Some(AllocationPrerequisites {
        note: XeroCreditNoteId(note.xero_id.0),
        invoice: XeroInvoiceId(invoice.xero_id.0),
        invoice_currency: invoice.amounts.as_ref().map(|amounts| amounts.xero_total.currency),
    })
}
