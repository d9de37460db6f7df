//! A payment as the CRM recorded it.
//!
//! It is recorded once and then stays as it is; a correction is a deletion and a new payment.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::{Revision, text};
use crate::body::{Field, Shape};
use crate::ids::{CrmId, InvoiceId, PaymentId};
use crate::money::{Currency, Money, rust_decimal_text};
use crate::translate::text::is_sendable;

/// The most invoices that one payment pays.
const ALLOCATIONS_MAX: usize = 50;

/// A payment's record at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The CRM's id.
    pub id: PaymentId,
    /// Which state of the record this is.
    #[serde(deserialize_with = "text::revision")]
    pub revision: Revision,
    /// How it was paid.
    pub method: Method,
    /// The day it was taken.
    #[serde(deserialize_with = "text::date")]
    pub date: Date,
    /// The currency of every amount.
    pub currency: Currency,
    /// What identifies it elsewhere: a charge's id, a cheque's number.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The invoices it pays, each with its share: 1 to 50.
    #[serde(deserialize_with = "allocations")]
    pub allocations: Vec<Share>,
    /// What Stripe kept.
    #[serde(
        default,
        serialize_with = "rust_decimal_text::option::serialize",
        deserialize_with = "optional_amount",
        skip_serializing_if = "Option::is_none"
    )]
    pub fee: Option<Decimal>,
    /// What the customer paid on top of the invoices.
    #[serde(
        default,
        serialize_with = "rust_decimal_text::option::serialize",
        deserialize_with = "optional_amount",
        skip_serializing_if = "Option::is_none"
    )]
    pub surcharge: Option<Decimal>,
    /// Whether it stands. Decided by the message it came in, not by a field of the contract.
    #[serde(default)]
    pub standing: Standing,
}

/// One invoice's share of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Which invoice.
    pub invoice_id: InvoiceId,
    /// How much of it is paid: more than zero, in cents.
    #[serde(serialize_with = "rust_decimal_text::serialize", deserialize_with = "text::amount")]
    pub amount: Decimal,
}

/// How a payment was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Through Stripe: pushed to the Stripe bank account.
    Stripe,
    /// By redeeming a gift card: pushed to the gift card account.
    GiftCard,
    /// Cash. Comes to Xero when somebody banks it there.
    Cash,
    /// A cheque. Likewise.
    Cheque,
    /// A bank transfer. Comes to Xero with the bank's statement.
    BankTransfer,
    /// A card, on a terminal of its own. Likewise.
    Card,
}

impl Method {
    /// Whether we bring it to Xero. The others arrive there by the bank, and are recognised.
    pub const fn is_pushed(self) -> bool {
        match self {
            Self::Stripe | Self::GiftCard => true,
            Self::Cash | Self::Cheque | Self::BankTransfer | Self::Card => false,
        }
    }

    /// In words for people.
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

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was taken.
    #[default]
    Recorded,
    /// It was deleted in the CRM.
    Deleted,
}

/// One part of a payment, which becomes one document in Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentPart {
    /// The part's own id: the payment's, and behind it which part.
    pub id: CrmId,
    /// The payment.
    pub payment: PaymentId,
    /// Its revision.
    pub revision: Revision,
    /// How it was paid.
    pub method: Method,
    /// The day it was taken.
    #[serde(deserialize_with = "text::date")]
    pub date: Date,
    /// How much of it this part is.
    pub amount: Money,
    /// What identifies the payment elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What this part is.
    pub role: Role,
    /// Whether the payment stands.
    pub standing: Standing,
}

/// What a part of a payment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Money on an invoice.
    Invoice(InvoiceId),
    /// What Stripe kept.
    Fee,
    /// What the customer paid on top, with the first invoice.
    Surcharge(InvoiceId),
}

/// `standing` is not among them: the message's type decides it.
const PAYMENT: &[Field] = &[
    Field::value("id"),
    Field::value("revision"),
    Field::value("method"),
    Field::value("date"),
    Field::value("currency"),
    Field::value("reference"),
    Field::new("allocations", Shape::List(&SHARE)),
    Field::value("fee"),
    Field::value("surcharge"),
];

const SHARE: Shape = Shape::Object(SHARE_FIELDS);

const SHARE_FIELDS: &[Field] = &[Field::value("invoice_id"), Field::value("amount")];

impl Payment {
    /// The fields that the contract has.
    pub(crate) const SHAPE: Shape = Shape::Object(PAYMENT);

    /// The parts that are brought to Xero: none of a payment that comes there by the bank.
    pub fn parts(&self) -> Vec<PaymentPart> {
        if !self.method.is_pushed() {
            return Vec::new();
        }
        let part = |name: &str, amount: Decimal, role: Role| PaymentPart {
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
            let role = Role::Invoice(allocation.invoice_id.clone());
            part(&number.to_string(), allocation.amount, role)
        });
        let mut parts = invoices.collect::<Vec<_>>();
        let some = |amount: Option<Decimal>| amount.filter(|amount| !amount.is_zero());
        parts.extend(some(self.fee).map(|fee| part("fee", fee, Role::Fee)));
        if let (Some(surcharge), Some(first)) = (some(self.surcharge), self.allocations.first()) {
            let role = Role::Surcharge(first.invoice_id.clone());
            parts.push(part("surcharge", surcharge, role));
        }
        parts
    }

    /// The id of a part. What follows the last point is never an id's own, so no two parts share one.
    fn part_id(&self, name: &str) -> CrmId {
        CrmId::new(format!("{}.{name}", self.id))
            .expect("a payment's id leaves room for a part's name")
    }
}

impl PaymentPart {
    /// What its document in Xero is found by: people read it there, and it names the payment.
    pub fn tag(&self) -> String {
        let what = match self.role {
            Role::Invoice(_) => "",
            Role::Fee => " fee",
            Role::Surcharge(_) => " surcharge",
        };
        named(&format!("{}{what}", self.method), self.reference.as_deref(), &self.payment)
    }
}

/// The reference of a pushed payment on an invoice in Xero.
pub fn tag(method: Method, reference: Option<&str>, payment: &PaymentId) -> String {
    named(method.as_str(), reference, payment)
}

fn named(what: &str, reference: Option<&str>, payment: &PaymentId) -> String {
    let reference = reference.map(|text| format!(" {}", plain(text))).unwrap_or_default();
    format!("{what}{reference} (SC-{payment})")
}

/// Without what has a meaning in the queries that look for it, and not too long.
fn plain(text: &str) -> String {
    let plain =
        |sign: &char| !matches!(sign, '"' | '\\') && !sign.is_control() && is_sendable(*sign);
    let kept = text.chars().filter(plain);
    kept.take(150).collect()
}

fn allocations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Share>, D::Error> {
    let allocations = Vec::<Share>::deserialize(deserializer)?;
    if !(1..=ALLOCATIONS_MAX).contains(&allocations.len()) {
        return Err(de::Error::custom("must name 1 to 50 invoices"));
    }
    let invoices = allocations.iter().map(|one| &one.invoice_id).collect::<BTreeSet<_>>();
    if invoices.len() < allocations.len() {
        return Err(de::Error::custom("must name each invoice once"));
    }
    Ok(allocations)
}

fn optional_amount<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let amount = |text: &str| text::parse_unsigned(text).and_then(text::in_cents);
    text.as_deref().map(amount).transpose()
}

#[cfg(test)]
#[path = "payment_tests.rs"]
pub(crate) mod tests;
