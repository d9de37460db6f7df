//! The documents that an allocation needs in Xero: its credit note and its invoice.

use domain::crm::allocation::Allocation;
use domain::crm::credit_note::negative_invoice;
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::{CrmId, Ledger, XeroCreditNoteId, XeroInvoiceId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::Parking;
use store::StoreError;

use crate::Engine;
use crate::desk::{Desk, Trouble};
use crate::entity::Task;
use crate::entity::prerequisite::{blocked, gone, read};

/// The ids of the two documents in Xero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    pub(super) note: XeroCreditNoteId,
    pub(super) invoice: XeroInvoiceId,
}

/// Returns the two documents. The allocation is blocked while one of them is not in Xero yet.
pub(super) async fn of(desk: &Desk<'_>, task: &Task<'_, Allocation>) -> Result<Ground, Trouble> {
    let allocation = &task.snapshot;
    let notes = read_notes(desk.engine, &desk.ledger, allocation).await?;
    let note = note_of(&notes, task)?.ok_or_else(|| note_awaited(allocation))?;
    let invoice = read_invoice(desk, allocation).await?;
    let invoice =
        invoice.ok_or_else(|| blocked(EntityKind::Invoice, allocation.invoice_id.clone()))?;
    for document in [note, &invoice] {
        if document.is_gone_in_xero() {
            return Err(gone(document, "no credit can be applied").into());
        }
        if document.link.is_none() {
            let key = &document.key;
            return Err(blocked(key.kind, key.crm_id.clone()));
        }
    }
    ground(note, &invoice).ok_or_else(|| note_awaited(allocation))
}

/// Returns the two documents if both have been sent. Without them the allocation cannot have been
/// sent.
pub(super) async fn known(
    desk: &Desk<'_>,
    task: &Task<'_, Allocation>,
) -> Result<Option<Ground>, Trouble> {
    let allocation = &task.snapshot;
    let notes = read_notes(desk.engine, &desk.ledger, allocation).await?;
    let Some(note) = note_of(&notes, task)? else {
        // An earlier release looked at the id alone, so credit of such a note may be applied.
        if task.must_resolve() && notes.iter().any(|note| note.link.is_some()) {
            return Err(note_awaited(allocation));
        }
        return Ok(None);
    };
    let invoice = read_invoice(desk, allocation).await?;
    Ok(invoice.and_then(|invoice| ground(note, &invoice)))
}

/// Returns whether the credit note of a stored allocation is in Xero. `None` if the allocation's
/// snapshot cannot be read.
pub(crate) async fn is_note_in_xero(
    engine: &Engine,
    mapping: &Mapping,
) -> Result<Option<bool>, StoreError> {
    let Ok(allocation) = serde_json::from_str::<Allocation>(&mapping.snapshot.json) else {
        return Ok(None);
    };
    let notes = read_notes(engine, &mapping.key.ledger, &allocation).await?;
    Ok(Some(match find_named(&notes, &allocation) {
        Ok(note) => note.is_some_and(|note| note.link.is_some()),
        // The next attempt says so.
        Err(_) => true,
    }))
}

/// Reads the records that the credit note's id can mean: the credit note with that id, and the one
/// that represents the invoice with that id.
async fn read_notes(
    engine: &Engine,
    ledger: &Ledger,
    allocation: &Allocation,
) -> Result<Vec<Mapping>, StoreError> {
    let id = CrmId::from(allocation.credit_note_id.clone());
    let of_invoice = negative_invoice(&id);
    let mut notes = Vec::new();
    for crm_id in [id, of_invoice] {
        let key = MappingKey::new(ledger.clone(), EntityKind::CreditNote, crm_id);
        notes.extend(engine.store.mapping(&key).await?.map(|row| row.record));
    }
    Ok(notes)
}

/// Returns the credit note of an allocation. One that is applied already has its note, whatever its
/// number is: nothing is applied to it again.
fn note_of<'a>(
    notes: &'a [Mapping],
    task: &Task<'_, Allocation>,
) -> Result<Option<&'a Mapping>, Failure> {
    let named = find_named(notes, &task.snapshot)?;
    let is_applied = task.mapping.link.is_some();
    Ok(named.or_else(|| notes.first().filter(|_| is_applied)))
}

/// Returns the record whose number the allocation gives. The id alone does not decide: a credit
/// note and an invoice may have the same one.
fn find_named<'a>(
    notes: &'a [Mapping],
    allocation: &Allocation,
) -> Result<Option<&'a Mapping>, Failure> {
    let number = &allocation.credit_note_number;
    let mut named = notes.iter().filter(|note| note.is_numbered(number)).collect::<Vec<_>>();
    if named.is_empty() {
        named = notes.iter().filter(|note| note.was_numbered(number)).collect();
    }
    let standing = named.iter().filter(|note| !note.is_gone_in_xero()).collect::<Vec<_>>();
    match standing.as_slice() {
        [note] => Ok(Some(**note)),
        [] => Ok(named.first().copied()),
        [_, _, ..] => Err(ambiguous_number(allocation)),
    }
}

/// Returns the error of an allocation whose credit note is not known yet.
fn note_awaited(allocation: &Allocation) -> Trouble {
    let number = &allocation.credit_note_number;
    let crm_id = CrmId::from(allocation.credit_note_id.clone());
    let failure = Failure::new(
        FailureClass::Blocked,
        "prerequisite_not_in_xero",
        format!(
            "The credit note {crm_id} with the number {number} is not in Xero yet. This record is sent after it."
        ),
        "",
    );
    let on = Box::new(Parking::Prerequisite { kind: EntityKind::CreditNote, crm_id });
    Trouble::Blocked { failure, on }
}

fn ambiguous_number(allocation: &Allocation) -> Failure {
    let number = &allocation.credit_note_number;
    Failure::new(
        FailureClass::Rejected,
        "credit_note_ambiguous",
        format!(
            "A credit note and an invoice have the id {} and the number {number}, so it is not clear whose credit is meant.",
            allocation.credit_note_id
        ),
        "Change the number of one of the two in ServiceCortex, then retry.",
    )
}

async fn read_invoice(
    desk: &Desk<'_>,
    allocation: &Allocation,
) -> Result<Option<Mapping>, StoreError> {
    read(desk, EntityKind::Invoice, allocation.invoice_id.clone().into()).await
}

fn ground(note: &Mapping, invoice: &Mapping) -> Option<Ground> {
    let id = |mapping: &Mapping| Some(mapping.link.as_ref()?.xero_id.0);
    Some(Ground { note: XeroCreditNoteId(id(note)?), invoice: XeroInvoiceId(id(invoice)?) })
}
