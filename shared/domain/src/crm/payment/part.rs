//! The parts of a payment that are written to Xero.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{PaymentMethod, PaymentRecordStatus};
use crate::crm::{Revision, text};
use crate::exchange::{SettledShare, may_lose_cents};
use crate::ids::{CreditNoteId, CrmId, InvoiceId, PaymentId};
use crate::money::{Currency, Money};
use crate::translate::credit_note::TAG_START;
use crate::translate::text::is_sendable;

/// The name of the part of a refund that becomes a credit note.
pub(crate) const REFUND_NOTE_PART: &str = "note";

/// The name of the part of a refund that returns the money.
pub(crate) const REFUND_PART: &str = "1";

/// One part of a payment. Each part becomes one document in Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentPart {
    /// The part's id: the payment's id, followed by a point and the name of the part.
    pub id: CrmId,
    /// The payment.
    pub payment: PaymentId,
    /// The payment's revision.
    pub revision: Revision,
    /// How the payment was made.
    pub method: PaymentMethod,
    /// The day on which it was taken.
    #[serde(deserialize_with = "text::deserialize_date")]
    pub date: Date,
    /// The amount of this part.
    pub amount: Money,
    /// The payment's identifier elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The amounts in the currency of the account, if it has another currency than the invoice: for
    /// a share, its own; for a fee, those of all shares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<SettledShare>,
    /// The role of this part.
    pub role: PartRole,
    /// Whether the payment is in effect or was deleted.
    pub standing: PaymentRecordStatus,
}

/// The role of a part of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartRole {
    /// Money on an invoice.
    Invoice(InvoiceId),
    /// The fee that Stripe kept.
    Fee,
    /// The surcharge that the customer paid, linked to the first invoice.
    Surcharge(InvoiceId),
    /// The credit note of a refund on an invoice: Xero refunds credit, not invoices.
    RefundNote(InvoiceId),
    /// Money that is returned.
    Refund(RefundSource),
    /// The fee of a refund.
    RefundFee,
}

impl PartRole {
    /// Whether the part belongs to a refund, and not to a payment.
    pub const fn is_of_refund(&self) -> bool {
        match self {
            Self::Invoice(_) | Self::Fee | Self::Surcharge(_) => false,
            Self::RefundNote(_) | Self::Refund(_) | Self::RefundFee => true,
        }
    }
}

/// The credit that is refunded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundSource {
    /// A credit note of the CRM.
    CreditNote(CreditNoteId),
    /// The part of the refund that is a credit note.
    Part(CrmId),
}

/// What all parts of a payment or a refund have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartTemplate<'a> {
    pub(crate) payment: &'a PaymentId,
    pub(crate) revision: Revision,
    pub(crate) method: PaymentMethod,
    pub(crate) date: Date,
    pub(crate) reference: Option<&'a str>,
    pub(crate) standing: PaymentRecordStatus,
}

impl PartTemplate<'_> {
    /// Builds the part of this name.
    pub(crate) fn build_part(
        self,
        name: &str,
        amount: Money,
        settled: Vec<SettledShare>,
        role: PartRole,
    ) -> PaymentPart {
        PaymentPart {
            id: build_part_id(self.payment, name),
            payment: self.payment.clone(),
            revision: self.revision,
            method: self.method,
            date: self.date,
            amount,
            reference: self.reference.map(str::to_owned),
            settled,
            role,
            standing: self.standing,
        }
    }

    /// Builds the part for Stripe's fee, in the currency of Stripe's balance: the second one.
    /// Without a fee there is no such part, unless the conversion of the shares from the first
    /// currency may lose cents, which are then booked with it.
    pub(crate) fn build_fee(
        self,
        fee: Option<Decimal>,
        currencies: [Currency; 2],
        settled: Vec<SettledShare>,
        role: PartRole,
    ) -> Option<PaymentPart> {
        let (fee, [_, balance]) = (fee.unwrap_or_default(), currencies);
        let is_needed = !fee.is_zero() || may_lose_cents(&settled, currencies);
        is_needed.then(|| self.build_part("fee", Money::new(fee, balance), settled, role))
    }
}

/// Builds the id of a part. The name after the last point is never part of a payment's own id, so
/// all parts have different ids.
pub(crate) fn build_part_id(payment: &PaymentId, name: &str) -> CrmId {
    CrmId::new(format!("{payment}.{name}"))
        .expect("the id of a payment or refund leaves room for a part's name")
}

/// Whether a record is the part of a refund that becomes a credit note, by its id.
pub fn is_refund_note_id(id: &CrmId) -> bool {
    id.as_str().rsplit_once('.').is_some_and(|(_, name)| name == REFUND_NOTE_PART)
}

/// Whether a record is a part of the payment or refund with this id.
pub fn is_part_id(record: &CrmId, payment: &CrmId) -> bool {
    record.as_str().rsplit_once('.').is_some_and(|(whole, _)| whole == payment.as_str())
}

impl PaymentPart {
    /// Whether this is a later revision of a part, in effect, with another amount, settlement,
    /// method, date or reference, or of another document. The document in Xero of the earlier
    /// revision is never changed.
    pub fn is_change_of(&self, earlier: &Self) -> bool {
        self.standing == PaymentRecordStatus::Recorded
            && self.revision > earlier.revision
            && (self.amount != earlier.amount
                || self.settled != earlier.settled
                || self.method != earlier.method
                || self.date != earlier.date
                || self.reference != earlier.reference
                || self.role != earlier.role)
    }

    /// Whether this part of a deletion names the document of `known`, the stored part with the same
    /// id. A deletion that names another invoice, or the same invoices in another order, or amounts
    /// in another currency, does not. A deletion that is older than `known` changes nothing, so
    /// nothing else needs to be removed for it.
    pub fn names_document_of(&self, known: &Self) -> bool {
        known.revision > self.revision
            || (self.role == known.role && self.amount.currency == known.amount.currency)
    }

    /// Whether this part is in effect, and a later revision of its payment or refund lacks it. `later`
    /// are all parts of that revision.
    pub fn is_dropped_by(&self, later: &[Self]) -> bool {
        later.first().is_some_and(|one| self.is_followed_by(one))
            && later.iter().all(|one| one.id != self.id)
    }

    /// Whether this part is in effect, and a later revision of its payment or refund assigns it to
    /// another invoice or credit note.
    pub fn is_moved_by(&self, later: &[Self]) -> bool {
        later
            .iter()
            .any(|one| one.id == self.id && self.is_followed_by(one) && one.role != self.role)
    }

    /// Whether `later` belongs to a later revision of the same payment or refund. Both are in effect.
    fn is_followed_by(&self, later: &Self) -> bool {
        let are_in_effect =
            [self, later].iter().all(|one| one.standing == PaymentRecordStatus::Recorded);
        are_in_effect
            && later.revision > self.revision
            && later.role.is_of_refund() == self.role.is_of_refund()
    }

    /// The reference of the part's document in Xero, by which the document is found again. People
    /// see it in Xero, and it contains the payment's id.
    pub fn reference_tag(&self) -> String {
        let what = match self.role {
            PartRole::Invoice(_) => "",
            PartRole::Fee => " fee",
            PartRole::Surcharge(_) => " surcharge",
            PartRole::RefundNote(_) | PartRole::Refund(_) => " refund",
            PartRole::RefundFee => " refund fee",
        };
        build_tag(&format!("{}{what}", self.method), self.reference.as_deref(), &self.payment)
    }
}

/// The reference, in Xero, of a pushed payment on an invoice.
pub(crate) fn payment_reference_tag(
    method: PaymentMethod,
    reference: Option<&str>,
    payment: &PaymentId,
) -> String {
    build_tag(method.as_str(), reference, payment)
}

fn build_tag(what: &str, reference: Option<&str>, payment: &PaymentId) -> String {
    let reference = reference.map(strip_filter_characters).filter(|text| !text.is_empty());
    let reference = reference.map(|text| format!(" {text}")).unwrap_or_default();
    format!("{what}{reference} {TAG_START}{payment})")
}

/// A reference with single spaces. Xero's documentation does not say whether superfluous ones are
/// kept, so references are compared in this form.
pub fn normalise_reference(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a reference in Xero has the form of those that the integration writes.
pub(crate) fn is_reference_tag(reference: &str) -> bool {
    reference.ends_with(')') && reference.contains(TAG_START)
}

/// Removes the characters that have a meaning in Xero's filters, and superfluous spaces, and limits
/// the length.
fn strip_filter_characters(text: &str) -> String {
    let plain =
        |sign: &char| !matches!(sign, '"' | '\\') && !sign.is_control() && is_sendable(*sign);
    let kept = normalise_reference(&text.chars().filter(plain).collect::<String>());
    let short = kept.chars().take(150).collect::<String>();
    short.trim_end().to_owned()
}
