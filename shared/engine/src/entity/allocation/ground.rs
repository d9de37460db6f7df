//! The documents that an allocation needs in Xero: its credit note and its invoice.

use domain::crm::allocation::Allocation;
use domain::crm::credit_note::negative_invoice;
use domain::entity::EntityKind;
use domain::ids::{CrmId, XeroCreditNoteId, XeroInvoiceId};
use domain::mapping::Mapping;
use store::StoreError;

use crate::desk::{Desk, Trouble};
use crate::entity::prerequisite::{blocked, gone, read};

/// The ids of the two documents in Xero.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    pub(super) note: XeroCreditNoteId,
    pub(super) invoice: XeroInvoiceId,
}

/// Returns the two documents. The allocation is blocked while one of them is not in Xero yet.
pub(super) async fn of(desk: &Desk<'_>, allocation: &Allocation) -> Result<Ground, Trouble> {
    let (note, invoice) = both(desk, allocation).await?;
    let (note, invoice) = (
        note.ok_or_else(|| blocked(EntityKind::CreditNote, allocation.credit_note_id.clone()))?,
        invoice.ok_or_else(|| blocked(EntityKind::Invoice, allocation.invoice_id.clone()))?,
    );
    for document in [&note, &invoice] {
        if document.is_gone_in_xero() {
            return Err(gone(document, "no credit can be applied").into());
        }
        if document.link.is_none() {
            let key = &document.key;
            return Err(blocked(key.kind, key.crm_id.clone()));
        }
    }
    ground(Some(&note), Some(&invoice))
        .ok_or_else(|| blocked(EntityKind::CreditNote, allocation.credit_note_id.clone()))
}

/// Returns the two documents if both have been sent. Without them the allocation cannot have been
/// sent.
pub(super) async fn known(
    desk: &Desk<'_>,
    allocation: &Allocation,
) -> Result<Option<Ground>, Trouble> {
    let (note, invoice) = both(desk, allocation).await?;
    Ok(ground(note.as_ref(), invoice.as_ref()))
}

async fn both(
    desk: &Desk<'_>,
    allocation: &Allocation,
) -> Result<(Option<Mapping>, Option<Mapping>), StoreError> {
    let id = CrmId::from(allocation.credit_note_id.clone());
    let note = match read(desk, EntityKind::CreditNote, id.clone()).await? {
        Some(note) => Some(note),
        // The credit note may be that of a negative invoice.
        None => read(desk, EntityKind::CreditNote, negative_invoice(&id)).await?,
    };
    let invoice = read(desk, EntityKind::Invoice, allocation.invoice_id.clone().into()).await?;
    Ok((note, invoice))
}

fn ground(note: Option<&Mapping>, invoice: Option<&Mapping>) -> Option<Ground> {
    let id = |mapping: Option<&Mapping>| Some(mapping?.link.as_ref()?.xero_id.0);
    Some(Ground { note: XeroCreditNoteId(id(note)?), invoice: XeroInvoiceId(id(invoice)?) })
}
