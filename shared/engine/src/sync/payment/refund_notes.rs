//! Reads from Xero which refunds of an invoice have a credit note in effect. The rows of the
//! invoice's payments lack the refunds that an earlier release sent, and a bookkeeper may have voided
//! the credit note of a refund that was never paid.

use domain::crm::payment::{PartRole, PaymentPart};
use domain::document::credit_note::RemoteCreditNote;
use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger, PaymentId, XeroContactId};
use domain::invoice_payments::{InvoicePayments, InvoiceRefund};
use domain::mapping::{Mapping, MappingKey};
use domain::translate::refund::{
    REFUND_NOTE_BEGINNING, find_note_part_id, refund_note_number, refund_note_tag,
};
use futures::FutureExt;
use store::{ReadAheadKeys, StoreError};
use xero::ApiSession;
use xero::api::credit_notes;

use crate::Engine;
use crate::connection::tenant_session::AttemptError;

/// Credit notes whose parts are read together: as many as one request reads. All parts of a contact
/// with many refunds would take much memory.
const READ_TOGETHER: usize = 100;

/// What the credit notes of a contact in Xero say about the refunds of an invoice.
#[derive(Debug)]
pub(super) struct NotedRefunds {
    notes: Vec<RemoteCreditNote>,
    /// The refunds whose credit notes are in effect.
    in_effect: Vec<InvoiceRefund>,
    /// The refunds whose credit notes were voided or deleted, or never reached Xero.
    ended: Vec<PaymentId>,
}

impl NotedRefunds {
    /// Adds the refunds that count, and forgets those that do not.
    pub(super) fn apply_to(&self, payments: &mut InvoicePayments) {
        for refund in &self.ended {
            payments.forget_refund(refund);
        }
        for refund in &self.in_effect {
            payments.add_sent_refund(refund);
        }
    }

    /// The same, with further refunds that do not count.
    pub(super) fn with_ended(mut self, refunds: Vec<PaymentId>) -> Self {
        self.ended.extend(refunds);
        self
    }

    /// Whether the credit note of a part is in effect in Xero, although the part's row may not know
    /// it: an attempt without an answer may have created it.
    pub(super) fn has_note_of(&self, part: &PaymentPart) -> bool {
        let (number, tag) = (refund_note_number(part), refund_note_tag(part));
        self.notes.iter().any(|note| {
            let has_number =
                note.number.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(&number));
            let has_tag = note.reference.as_ref().is_some_and(|text| text.ends_with(&tag));
            has_number && has_tag && !note.status.is_gone()
        })
    }
}

/// Reads the credit notes of refunds that a contact has in Xero, and which of them belong to refunds
/// of this invoice. Makes one call, or more if the contact has more than a thousand.
pub(super) async fn read_noted_refunds(
    engine: &Engine,
    session: &ApiSession,
    invoice: &MappingKey,
    contact: XeroContactId,
) -> Result<NotedRefunds, AttemptError> {
    let found = credit_notes::find_by_contact(session, contact, REFUND_NOTE_BEGINNING).await?;
    let mut notes = found.rows;
    notes.retain(|note| note.is_sales);
    let (mut in_effect, mut ended) = (Vec::new(), Vec::new());
    for some in list_owned_notes(engine, &invoice.ledger, &notes).await?.chunks(READ_TOGETHER) {
        let mut rows = ReadAheadKeys::default();
        for (_, key) in some {
            rows.add_mapping(key);
        }
        let ahead = engine.with_rows_read_ahead(rows).await;
        for (note, key) in some {
            let read = read_note_part(&ahead, key, &invoice.crm_id).boxed();
            let part = engine.skip_failing(&invoice.ledger.account, read).await?.flatten();
            let Some(part) = part else { continue };
            let refund = InvoiceRefund { refund: part.payment, amount: part.amount };
            if note.status.is_gone() {
                ended.push(refund.refund);
            } else if !was_money_part_deleted(engine, &invoice.ledger, note, &refund).await? {
                in_effect.push(refund);
            }
        }
    }
    Ok(NotedRefunds { notes, in_effect, ended })
}

/// Returns the credit notes of the CRM's refunds, with the keys of the parts that created them. An
/// attempt whose answer was lost left no reverse link, so its part is found by the note's number.
async fn list_owned_notes<'n>(
    engine: &Engine,
    ledger: &Ledger,
    notes: &'n [RemoteCreditNote],
) -> Result<Vec<(&'n RemoteCreditNote, MappingKey)>, StoreError> {
    let kind = EntityKind::Payment;
    let mut links = ReadAheadKeys::default();
    for note in notes {
        links.add_linked_record(ledger, kind, note.id.into());
    }
    let ahead = engine.with_rows_read_ahead(links).await;
    let mut parts = Vec::new();
    for note in notes {
        let linked = ahead.store.find_linked_record(ledger, kind, note.id.into());
        let part = engine.skip_failing(&ledger.account, linked).await?.flatten();
        let part = part.or_else(|| note.number.as_deref().and_then(find_note_part_id));
        parts.extend(part.map(|crm_id| (note, MappingKey::new(ledger.clone(), kind, crm_id))));
    }
    Ok(parts)
}

/// Returns the part of a refund that is a credit note, if it belongs to a refund of this invoice.
async fn read_note_part(
    engine: &Engine,
    key: &MappingKey,
    invoice: &CrmId,
) -> Result<Option<PaymentPart>, StoreError> {
    let row = engine.store.find_mapping(key).await?;
    let part = row.and_then(|row| parse_part(&row.record));
    Ok(part.filter(|part| {
        matches!(&part.role, PartRole::RefundNote(id) if CrmId::from(id.clone()) == *invoice)
    }))
}

/// Returns an engine with the parts read ahead that are the credit notes of an invoice's refunds.
pub(super) async fn read_notes_ahead(engine: &Engine, payments: &InvoicePayments) -> Box<Engine> {
    let mut rows = ReadAheadKeys::default();
    for known in &payments.refunds {
        rows.add_mapping(&find_note_key(payments, known));
    }
    engine.with_rows_read_ahead(rows).await
}

/// Returns the key of the part that is the credit note of a refund on an invoice.
pub(super) fn find_note_key(payments: &InvoicePayments, refund: &InvoiceRefund) -> MappingKey {
    MappingKey::new(payments.ledger.clone(), EntityKind::Payment, refund.note_part_id())
}

pub(super) fn parse_part(mapping: &Mapping) -> Option<PaymentPart> {
    mapping.snapshot.parse_text().ok()
}

/// Returns whether the money of a refund was returned and the payment then deleted in Xero. Its
/// credit note stays in effect, with its whole credit, but the deletion was reported, and the money
/// may be returned by another refund.
async fn was_money_part_deleted(
    engine: &Engine,
    ledger: &Ledger,
    note: &RemoteCreditNote,
    refund: &InvoiceRefund,
) -> Result<bool, StoreError> {
    if note.remaining != note.total {
        return Ok(false);
    }
    let key = MappingKey::new(ledger.clone(), EntityKind::Payment, refund.money_part_id());
    let money = match engine.store.find_mapping(&key).await {
        // Code that needs the unreadable row itself reports it.
        Err(error) if error.is_about_the_record() => return Ok(false),
        row => row?,
    };
    Ok(money.is_some_and(|money| money.record.link.is_some()))
}
