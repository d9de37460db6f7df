//! A payment as the CRM recorded it.
//!
//! A payment is recorded once and never changed. A correction is a deletion and a new payment.

mod part;

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de};

pub use self::part::{
    PartRole, PaymentPart, RefundSource, is_part_id, is_refund_note_id, normalise_reference,
};
pub(crate) use self::part::{
    PartTemplate, REFUND_NOTE_PART, REFUND_PART, build_part_id, is_reference_tag,
    payment_reference_tag,
};
use super::settlement::Settlement;
use super::{Revision, text};
use crate::body::{BodyField, BodyShape};
use crate::exchange::SettledShare;
use crate::ids::{InvoiceId, PaymentId};
use crate::money::{Currency, Money, rust_decimal_text};

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
    /// The currency of the allocations; without a settlement, of every amount.
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
    /// Its amounts in Stripe's balance. Absent: Stripe's balance has the payment's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Settlement>,
    /// The fee that Stripe kept, in the settlement's currency.
    #[serde(
        default,
        serialize_with = "rust_decimal_text::option::serialize",
        deserialize_with = "deserialize_optional_amount",
        skip_serializing_if = "Option::is_none"
    )]
    pub fee: Option<Decimal>,
    /// The surcharge that the customer paid on top of the invoices, in the settlement's currency.
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
    /// In cash. Unless an account is chosen for it, it reaches Xero when the cash is banked.
    Cash,
    /// By cheque. Unless an account is chosen for it, it reaches Xero when the cheque is banked.
    Cheque,
    /// By bank transfer. Unless an account is chosen for it, it reaches Xero with the bank
    /// statement.
    BankTransfer,
    /// By card on a separate terminal. Unless an account is chosen for it, it reaches Xero with the
    /// bank statement.
    Card,
}

impl PaymentMethod {
    /// Whether the integration writes every payment by this method to Xero. It writes payments by
    /// another method only if the customer has chosen an account for the method
    /// ([`AccountCodes::is_pushed`](crate::account_codes::AccountCodes::is_pushed)); the others
    /// reach Xero through the bank and are recognised there.
    pub const fn is_always_pushed(self) -> bool {
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
    BodyField::new("settlement", Settlement::SHAPE),
    BodyField::single_value("fee"),
    BodyField::single_value("surcharge"),
];

const SHARE: BodyShape = BodyShape::Object(SHARE_FIELDS);

const SHARE_FIELDS: &[BodyField] =
    &[BodyField::single_value("invoice_id"), BodyField::single_value("amount")];

impl Payment {
    /// The shape of a payment in a message.
    pub(crate) const SHAPE: BodyShape = BodyShape::Object(PAYMENT);

    /// The parts that are written to Xero if payments by this method are.
    pub fn split_into_parts(&self) -> Vec<PaymentPart> {
        let shares = self.settled_shares();
        let template = PartTemplate {
            payment: &self.id,
            revision: self.revision,
            method: self.method,
            date: self.date,
            reference: self.reference.as_deref(),
            standing: self.standing,
        };
        let invoices = self.allocations.iter().zip(0_usize..).map(|(allocation, index)| {
            let role = PartRole::Invoice(allocation.invoice_id.clone());
            let amount = Money::new(allocation.amount, self.currency);
            let settled = shares.get(index).copied().into_iter().collect();
            template.build_part(&(index + 1).to_string(), amount, settled, role)
        });
        let mut parts = invoices.collect::<Vec<_>>();
        let balance = self.settlement.as_ref().map_or(self.currency, |one| one.currency);
        let currencies = [self.currency, balance];
        parts.extend(template.build_fee(self.fee, currencies, shares, PartRole::Fee));
        let surcharge = self.surcharge.filter(|amount| !amount.is_zero());
        if let (Some(surcharge), Some(first)) = (surcharge, self.allocations.first()) {
            let role = PartRole::Surcharge(first.invoice_id.clone());
            let surcharge = Money::new(surcharge, balance);
            parts.push(template.build_part("surcharge", surcharge, Vec::new(), role));
        }
        parts
    }

    /// The shares in the currency of Stripe's balance, in the order of the allocations. Empty without
    /// a settlement.
    fn settled_shares(&self) -> Vec<SettledShare> {
        let Some(settlement) = &self.settlement else { return Vec::new() };
        settlement.split_among(&self.share_amounts(), self.currency)
    }

    /// The amounts of the allocations.
    pub(crate) fn share_amounts(&self) -> Vec<Decimal> {
        self.allocations.iter().map(|share| share.amount).collect()
    }
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

pub(super) fn deserialize_optional_amount<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let amount = |text: &str| text::parse_unsigned(text).and_then(text::check_cents);
    text.as_deref().map(amount).transpose()
}

#[cfg(test)]
#[path = "payment_tests.rs"]
pub(crate) mod tests;
