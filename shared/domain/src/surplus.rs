//! Overpayments and prepayments: money of a client in Xero that no invoice has used up, until a
//! person decides what it is for.
//!
//! When a bookkeeper matches a bank line with an invoice and saves the excess as an overpayment,
//! Xero has a payment and a separate document, and nothing connects them. So a surplus is assigned
//! to a client by its contact, and to invoices by the date of their payments.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::{CrmId, Ledger, XeroContactId, XeroId};
use crate::invoice_payments::clip_text;
use crate::money::Money;
use crate::observe::{is_older, plausible_instant, raise_sequence};
use crate::outbound::EventContent;

/// The maximum number of invoices that a surplus is said to belong to.
const CANDIDATES_MAX: usize = 20;

/// The kind of a surplus. Xero has a list for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurplusKind {
    /// More was paid than was due.
    Overpayment,
    /// It was paid before there was an invoice.
    Prepayment,
}

impl SurplusKind {
    /// Every kind.
    pub const ALL: [Self; 2] = crate::every_variant![Overpayment, Prepayment];
}

/// An overpayment or a prepayment as Xero returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSurplus {
    /// Xero's id of it.
    pub id: XeroId,
    /// Whether a customer paid it. The same lists contain what the organisation paid to suppliers.
    pub is_from_customer: bool,
    /// Whether it counts in the books: it was not voided.
    pub counts: bool,
    /// The contact that paid it. For money that a bookkeeper reconciled it may be the payee of the
    /// bank line.
    pub contact: Option<XeroContactId>,
    /// The whole amount.
    pub total: Money,
    /// The amount that is neither applied to an invoice nor refunded.
    pub remaining: Money,
    /// The date on which it was paid.
    pub date: Option<Date>,
    /// The reference, which is free text.
    pub reference: Option<String>,
    /// When Xero last changed it.
    pub updated_at: Option<Timestamp>,
}

/// A surplus of a client, as it is stored. A surplus that never had a remaining amount is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surplus {
    /// The account and the organisation.
    pub ledger: Ledger,
    /// Xero's id of it.
    pub id: XeroId,
    /// Its kind.
    pub kind: SurplusKind,
    /// The client whose contact paid it.
    pub client: CrmId,
    /// The contact that paid it, as Xero last showed it. Rows of earlier releases do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<XeroContactId>,
    /// Whether the client is no longer linked to the contact, and no other one is: it belongs to no
    /// client of the CRM.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unlinked: bool,
    /// The whole amount.
    pub total: Money,
    /// The amount that is neither applied to an invoice nor refunded; zero if it was voided.
    pub remaining: Money,
    /// The date on which it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// The reference, which is free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Invoices of the client that were paid on the same date.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<CrmId>,
    /// What a person decided, if anyone has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<SurplusAnswer>,
    /// The sequence number of the newest event about it.
    pub sequence: u64,
    /// When it was first seen.
    pub seen_at: Timestamp,
    /// When Xero had last changed it as it is stored. Rows of earlier releases do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// What a person decided about a surplus. Nothing is written to Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurplusAnswer {
    /// It is known and needs nothing more from the CRM.
    Acknowledged,
    /// It belongs to this invoice.
    Invoice(CrmId),
}

/// Whether a person must still decide about a surplus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurplusState {
    /// A person must decide.
    Open,
    /// A person has decided, nothing of it is left, or it belongs to no client.
    Closed,
}

/// The content of an event about a surplus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SurplusEventContent {
    /// Xero's id of the overpayment or prepayment. Every event about one has the same id.
    pub xero_id: XeroId,
    /// Its kind.
    pub kind: SurplusKind,
    /// The client in the CRM.
    pub client_id: CrmId,
    /// The sequence number of the event. A lower number among the events about the same `xero_id`
    /// is older.
    pub sequence: u64,
    /// The whole amount, in its own currency.
    pub amount: Money,
    /// The amount that is neither applied to an invoice nor refunded.
    pub remaining: Money,
    /// The date on which it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// Its reference in Xero, which is free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Whether a person must still decide.
    pub state: SurplusState,
    /// The invoices that it may belong to, at most 20.
    pub candidates: Vec<CrmId>,
    /// The invoice that it belongs to, according to a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<CrmId>,
}

/// A surplus of a client, as a poll saw it.
#[derive(Debug, Clone, Copy)]
pub struct SeenSurplus<'a> {
    /// The account and the organisation.
    pub ledger: &'a Ledger,
    /// The kind, which the list determines.
    pub kind: SurplusKind,
    /// The client whose contact paid it.
    pub client: &'a CrmId,
    /// Whether the client is no longer linked to that contact, and no other one is.
    pub is_unlinked: bool,
    /// Xero's row.
    pub remote: &'a RemoteSurplus,
    /// Invoices of the client that were paid on the same date, as far as this poll saw them.
    pub paid_invoices: &'a [CrmId],
}

impl Surplus {
    /// Whether a person must decide about it: it belongs to a client, an amount is left, and no
    /// decision is recorded.
    pub fn is_open(&self) -> bool {
        self.is_undecided() && !self.is_unlinked
    }

    /// Whether an amount is left and no decision is recorded, whether or not it belongs to a
    /// client.
    pub fn is_undecided(&self) -> bool {
        self.answer.is_none() && self.remaining.amount > Decimal::ZERO
    }

    /// The surplus with the client that is linked to its contact now, and the event that reports
    /// it. `is_unlinked` says that the earlier client is no longer linked to it, and no other one
    /// is. `None` if the row already says so, or if no decision is needed.
    #[must_use]
    pub fn assign_to(
        self,
        client: CrmId,
        is_unlinked: bool,
        now: Timestamp,
    ) -> Option<(Self, EventContent)> {
        let is_same = self.client == client;
        if !self.is_undecided() || (is_same && self.is_unlinked == is_unlinked) {
            return None;
        }
        // They are invoices of the earlier client.
        let candidates = if is_same { self.candidates.clone() } else { Vec::new() };
        let sequence = raise_sequence(self.sequence, now);
        let assigned = Self { client, is_unlinked, candidates, sequence, ..self };
        let event = assigned.to_event();
        Some((assigned, event))
    }

    /// The surplus with a person's answer, and the event that closes it; `None` if it is not open.
    #[must_use]
    pub fn resolve(self, answer: SurplusAnswer, now: Timestamp) -> Option<(Self, EventContent)> {
        if !self.is_open() {
            return None;
        }
        let sequence = raise_sequence(self.sequence, now);
        let resolved = Self { answer: Some(answer), sequence, ..self };
        let event = resolved.to_event();
        Some((resolved, event))
    }

    fn to_event(&self) -> EventContent {
        let state = if self.is_open() { SurplusState::Open } else { SurplusState::Closed };
        let invoice_id = match &self.answer {
            Some(SurplusAnswer::Invoice(invoice)) => Some(invoice.clone()),
            Some(SurplusAnswer::Acknowledged) | None => None,
        };
        EventContent::PaymentOverpaid(SurplusEventContent {
            xero_id: self.id,
            kind: self.kind,
            client_id: self.client.clone(),
            sequence: self.sequence,
            amount: self.total,
            remaining: self.remaining,
            date: self.date,
            reference: self.reference.clone(),
            state,
            candidates: self.candidates.clone(),
            invoice_id,
        })
    }
}

/// Compares a surplus in Xero with the stored one. Returns the row to write, with an event if the
/// surplus is or was open; `None` if nothing has to be written, because nothing has changed or the
/// stored row is newer. An answered surplus causes no further event.
pub fn observe_surplus(
    known: Option<&Surplus>,
    seen: SeenSurplus<'_>,
    now: Timestamp,
) -> Option<(Surplus, Option<EventContent>)> {
    let remote = seen.remote;
    let known_at = known.and_then(|known| known.updated_at);
    if is_older(remote.updated_at, known_at, now) {
        return None;
    }
    let none = Money::new(Decimal::ZERO, remote.remaining.currency);
    let of_client = known.filter(|known| known.client == *seen.client);
    let stored = of_client.map(|known| known.candidates.as_slice()).unwrap_or_default();
    let known_contact = known.and_then(|known| known.contact);
    let observed = Surplus {
        ledger: seen.ledger.clone(),
        id: remote.id,
        kind: seen.kind,
        client: seen.client.clone(),
        contact: remote.contact.or(known_contact),
        is_unlinked: seen.is_unlinked,
        total: remote.total,
        remaining: if remote.counts { remote.remaining } else { none },
        date: remote.date,
        reference: remote.reference.clone().map(clip_text),
        candidates: merge_candidates(stored, seen.paid_invoices),
        answer: known.and_then(|known| known.answer.clone()),
        sequence: known.map_or(0, |known| known.sequence),
        seen_at: known.map_or(now, |known| known.seen_at),
        updated_at: plausible_instant(remote.updated_at, now).or(known_at),
    };
    let was_open = known.is_some_and(Surplus::is_open);
    let is_reportable = was_open || observed.is_open();
    // A change of nothing but its instant or its contact is not reported.
    let is_as_reported = known.is_some_and(|known| {
        let (updated_at, contact) = (known_at, known_contact);
        Surplus { contact, updated_at, ..observed.clone() } == *known
    });
    let is_unchanged = is_as_reported && observed.contact == known_contact;
    if is_unchanged || (known.is_none() && !is_reportable) {
        return None;
    }
    if is_as_reported || !is_reportable {
        return Some((observed, None));
    }
    let sequence = raise_sequence(observed.sequence, now);
    let reported = Surplus { sequence, ..observed };
    let event = reported.to_event();
    Some((reported, Some(event)))
}

fn merge_candidates(stored: &[CrmId], seen: &[CrmId]) -> Vec<CrmId> {
    let mut merged: Vec<CrmId> = Vec::new();
    for invoice in stored.iter().chain(seen) {
        if merged.len() < CANDIDATES_MAX && !merged.contains(invoice) {
            merged.push(invoice.clone());
        }
    }
    merged
}

#[cfg(test)]
mod tests;
