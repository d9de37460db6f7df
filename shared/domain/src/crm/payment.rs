//! A payment as the CRM recorded it.
//!
//! A payment is recorded once and never changed. A correction is a deletion and a new payment.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Revision, text};
use crate::body::{BodyField, BodyShape};
use crate::ids::{CrmId, InvoiceId, PaymentId};
use crate::money::{Currency, Money, rust_decimal_text};
use crate::translate::text::is_sendable;

/// The maximum number of invoices that one payment can pay.
const ALLOCATIONS_MAX: usize = 50;

/// A payment's record at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The CRM's id.
    pub id: PaymentId,
    /// The revision of this state.
    #[serde(deserialize_with = "text::deserialize_revision")]
    pub revision: Revision,
    /// How the payment was made.
    pub method: PaymentMethod,
    /// The day on which it was taken.
    #[serde(deserialize_with = "text::deserialize_date")]
    pub date: Date,
    /// The currency of every amount.
    pub currency: Currency,
    /// Its identifier elsewhere, such as a charge's id or a cheque's number.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub reference: Option<String>,
    /// The invoices that it pays, each with its share: 1 to 50.
    #[serde(deserialize_with = "deserialize_allocations")]
    pub allocations: Vec<PaymentShare>,
    /// The fee that Stripe kept.
    #[serde(
        default,
        serialize_with = "rust_decimal_text::option::serialize",
        deserialize_with = "deserialize_optional_amount",
        skip_serializing_if = "Option::is_none"
    )]
    pub fee: Option<Decimal>,
    /// The surcharge that the customer paid on top of the invoices.
    #[serde(
        default,
        serialize_with = "rust_decimal_text::option::serialize",
        deserialize_with = "deserialize_optional_amount",
        skip_serializing_if = "Option::is_none"
    )]
    pub surcharge: Option<Decimal>,
    /// Whether the payment is in effect or was deleted. The type of the message decides this, not a
    /// field of the contract.
    #[serde(default)]
    pub standing: PaymentRecordStatus,
}

/// One invoice's share of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentShare {
    /// The invoice.
    pub invoice_id: InvoiceId,
    /// The amount paid on it: positive, with at most 2 decimals.
    #[serde(
        serialize_with = "rust_decimal_text::serialize",
        deserialize_with = "text::deserialize_amount"
    )]
    pub amount: Decimal,
}

/// How a payment was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentMethod {
    /// Through Stripe. Pushed to the Stripe bank account.
    Stripe,
    /// By redeeming a gift card. Pushed to the gift card account.
    GiftCard,
    /// In cash. It reaches Xero when the cash is banked.
    Cash,
    /// By cheque. It reaches Xero when the cheque is banked.
    Cheque,
    /// By bank transfer. It reaches Xero with the bank statement.
    BankTransfer,
    /// By card on a separate terminal. It reaches Xero with the bank statement.
    Card,
}

impl PaymentMethod {
    /// Whether the integration writes the payment to Xero. All other payments reach Xero through
    /// the bank and are recognised there.
    pub const fn is_pushed(self) -> bool {
        match self {
            Self::Stripe | Self::GiftCard => true,
            Self::Cash | Self::Cheque | Self::BankTransfer | Self::Card => false,
        }
    }

    /// The name that users see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stripe => "Stripe",
            Self::GiftCard => "Gift card",
            Self::Cash => "Cash",
            Self::Cheque => "Cheque",
            Self::BankTransfer => "Bank transfer",
            Self::Card => "Card",
        }
    }
}

impl fmt::Display for PaymentMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a payment is in effect in the CRM or was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentRecordStatus {
    /// It was taken.
    #[default]
    Recorded,
    /// It was deleted in the CRM.
    Deleted,
}

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
}

/// The fields of the contract. `standing` is not one of them, because the message's type decides
/// it.
const PAYMENT: &[BodyField] = &[
    BodyField::single_value("id"),
    BodyField::single_value("revision"),
    BodyField::single_value("method"),
    BodyField::single_value("date"),
    BodyField::single_value("currency"),
    BodyField::single_value("reference"),
    BodyField::new("allocations", BodyShape::List(&SHARE)),
    BodyField::single_value("fee"),
    BodyField::single_value("surcharge"),
];

const SHARE: BodyShape = BodyShape::Object(SHARE_FIELDS);

const SHARE_FIELDS: &[BodyField] =
    &[BodyField::single_value("invoice_id"), BodyField::single_value("amount")];

impl Payment {
    /// The shape of a payment in a message.
    pub(crate) const SHAPE: BodyShape = BodyShape::Object(PAYMENT);

    /// The parts that are written to Xero. Empty for a payment that reaches Xero through the bank.
    pub fn split_into_parts(&self) -> Vec<PaymentPart> {
        if !self.method.is_pushed() {
            return Vec::new();
        }
        let part = |name: &str, amount: Decimal, role: PartRole| PaymentPart {
            id: self.part_id(name),
            payment: self.id.clone(),
            revision: self.revision,
            method: self.method,
            date: self.date,
            amount: Money::new(amount, self.currency),
            reference: self.reference.clone(),
            role,
            standing: self.standing,
        };
        let invoices = self.allocations.iter().zip(1_u32..).map(|(allocation, number)| {
            let role = PartRole::Invoice(allocation.invoice_id.clone());
            part(&number.to_string(), allocation.amount, role)
        });
        let mut parts = invoices.collect::<Vec<_>>();
        let some = |amount: Option<Decimal>| amount.filter(|amount| !amount.is_zero());
        parts.extend(some(self.fee).map(|fee| part("fee", fee, PartRole::Fee)));
        if let (Some(surcharge), Some(first)) = (some(self.surcharge), self.allocations.first()) {
            let role = PartRole::Surcharge(first.invoice_id.clone());
            parts.push(part("surcharge", surcharge, role));
        }
        parts
    }

    /// The id of a part. The name after the last point is never part of a payment's own id, so all
    /// parts have different ids.
    fn part_id(&self, name: &str) -> CrmId {
        CrmId::new(format!("{}.{name}", self.id))
            .expect("a payment's id leaves room for a part's name")
    }
}

impl PaymentPart {
    /// The reference of the part's document in Xero, by which the document is found again. People
    /// see it in Xero, and it contains the payment's id.
    pub fn reference_tag(&self) -> String {
        let what = match self.role {
            PartRole::Invoice(_) => "",
            PartRole::Fee => " fee",
            PartRole::Surcharge(_) => " surcharge",
        };
        build_tag(&format!("{}{what}", self.method), self.reference.as_deref(), &self.payment)
    }
}

/// The reference, in Xero, of a pushed payment on an invoice.
pub fn payment_reference_tag(
    method: PaymentMethod,
    reference: Option<&str>,
    payment: &PaymentId,
) -> String {
    build_tag(method.as_str(), reference, payment)
}

fn build_tag(what: &str, reference: Option<&str>, payment: &PaymentId) -> String {
    let reference =
        reference.map(|text| format!(" {}", strip_filter_characters(text))).unwrap_or_default();
    format!("{what}{reference} (SC-{payment})")
}

/// Removes the characters that have a meaning in Xero's filters, and limits the length.
fn strip_filter_characters(text: &str) -> String {
    let plain =
        |sign: &char| !matches!(sign, '"' | '\\') && !sign.is_control() && is_sendable(*sign);
    let kept = text.chars().filter(plain);
    kept.take(150).collect()
}

fn deserialize_allocations<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<PaymentShare>, D::Error> {
    let allocations = Vec::<PaymentShare>::deserialize(deserializer)?;
    if !(1..=ALLOCATIONS_MAX).contains(&allocations.len()) {
        return Err(de::Error::custom("must name 1 to 50 invoices"));
    }
    let invoices = allocations.iter().map(|one| &one.invoice_id).collect::<BTreeSet<_>>();
    if invoices.len() < allocations.len() {
        return Err(de::Error::custom("must name each invoice once"));
    }
    Ok(allocations)
}

fn deserialize_optional_amount<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let amount = |text: &str| text::parse_unsigned(text).and_then(text::check_cents);
    text.as_deref().map(amount).transpose()
}

#[cfg(test)]
#[path = "payment_tests.rs"]
pub(crate) mod tests;
