//! Changes that people made in Xero and that an attempt reads before a poll does.

use jiff::Timestamp;

use crate::entity::EntityKind;
use crate::ids::XeroId;
use crate::mapping::{DocumentAmounts, Mapping, XeroLink};
use crate::observe::{is_older, status_event};
use crate::observe_note::{NoteObservation, describe_note_changes};
use crate::outbound::EventContent;

/// Whether an answer that was only read shows another amount due than the stored facts. People
/// changed the invoice, and the CRM does not know its balance yet.
pub fn has_other_balance(known: Option<&XeroLink>, id: XeroId, now: &DocumentAmounts) -> bool {
    let known = known.filter(|link| link.xero_id == id).and_then(|link| link.amounts.as_ref());
    known.is_some_and(|before| before.amount_due != now.amount_due)
}

/// The event about what people changed of a document in Xero, if an attempt that wrote nothing has
/// read such a change. Otherwise no event would report it: the next poll compares the document with
/// what the attempt has stored. `before` is the mapping before the attempt, `next` the one to
/// store, which takes the event's sequence number.
///
/// A payment on an invoice, and its void or deletion, are reported by the poll that reads the
/// invoice by its id ([`has_unreported_changes`](crate::observe::has_unreported_changes)).
pub fn report_read_changes(
    before: &Mapping,
    next: &mut Mapping,
    now: Timestamp,
) -> Option<EventContent> {
    let (known, read) = (before.link.as_ref()?, next.link.clone()?);
    let is_another = known.xero_id != read.xero_id;
    if is_another || is_older(read.xero_updated_at, known.xero_updated_at, now) {
        return None;
    }
    let (known, read) = (known.amounts.as_ref()?, read.amounts?);
    match next.key.kind {
        EntityKind::Invoice if read.status.is_gone() => None,
        EntityKind::Invoice => status_event(next, known, &read, false, now),
        EntityKind::CreditNote => {
            let remarks = describe_note_changes(known, &read);
            NoteObservation { mapping: next.clone(), remarks }.to_event()
        }
        EntityKind::Contact | EntityKind::Allocation | EntityKind::Payment => None,
    }
}
