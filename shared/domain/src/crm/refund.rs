//! Money that was returned to a client, as the CRM recorded it.
//!
//! A refund is recorded once and never changed.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};

use super::payment::{
    self, PartRole, PartTemplate, PaymentMethod, PaymentPart, PaymentRecordStatus,
    REFUND_NOTE_PART, REFUND_PART, RefundSource, build_part_id,
};
use super::settlement::Settlement;
use super::{Revision, text};
use crate::body::{BodyField, BodyShape};
use crate::exchange::SettledShare;
use crate::ids::{CreditNoteId, InvoiceId, PaymentId};
use crate::money::{Currency, Money, rust_decimal_text};

/// A refund's record at one revision. It names an invoice or a credit note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The CRM's id, which no payment has.
    pub id: PaymentId,
    /// The revision of this state.
    #[serde(deserialize_with = "text::deserialize_revision")]
    pub revision: Revision,
    /// How the money was returned.
    pub method: PaymentMethod,
    /// The day on which it was returned.
    #[serde(deserialize_with = "text::deserialize_date")]
    pub date: Date,
    /// The currency of the amount, which is that of the document.
    pub currency: Currency,
    /// Its identifier elsewhere, such as that of Stripe's refund.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub reference: Option<String>,
    /// The paid invoice whose money is returned, in full or in part.
    #[serde(
        default,
        deserialize_with = "deserialize_present",
        skip_serializing_if = "Option::is_none"
    )]
    pub invoice_id: Option<InvoiceId>,
    /// The credit note whose credit is paid out, in full or in part.
    #[serde(
        default,
        deserialize_with = "deserialize_present",
        skip_serializing_if = "Option::is_none"
    )]
    pub credit_note_id: Option<CreditNoteId>,
    /// The amount that is returned: positive, with at most 2 decimals.
    #[serde(
        serialize_with = "rust_decimal_text::serialize",
        deserialize_with = "text::deserialize_amount"
    )]
    pub amount: Decimal,
    /// Its amount in Stripe's balance. Absent: Stripe's balance has the refund's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Settlement>,
    /// The fee that Stripe charged for the refund, in the settlement's currency.
    #[serde(
        default,
        serialize_with = "rust_decimal_text::option::serialize",
        deserialize_with = "payment::deserialize_optional_amount",
        skip_serializing_if = "Option::is_none"
    )]
    pub fee: Option<Decimal>,
}

const REFUND: &[BodyField] = &[
    BodyField::single_value("id"),
    BodyField::single_value("revision"),
    BodyField::single_value("method"),
    BodyField::single_value("date"),
    BodyField::single_value("currency"),
    BodyField::single_value("reference"),
    BodyField::single_value("invoice_id"),
    BodyField::single_value("credit_note_id"),
    BodyField::single_value("amount"),
    BodyField::new("settlement", Settlement::SHAPE),
    BodyField::single_value("fee"),
];

impl Refund {
    /// The shape of a refund in a message.
    pub(crate) const SHAPE: BodyShape = BodyShape::Object(REFUND);

    /// The parts that are written to Xero if payments by this method are: a credit note if the
    /// money of an invoice is returned, the payment of the credit, and the fee.
    pub fn split_into_parts(&self) -> Vec<PaymentPart> {
        let balance = self.settlement.as_ref().map_or(self.currency, |one| one.currency);
        let settled = self.settled_shares();
        let template = PartTemplate {
            payment: &self.id,
            revision: self.revision,
            method: self.method,
            date: self.date,
            reference: self.reference.as_deref(),
            standing: PaymentRecordStatus::Recorded,
        };
        let amount = Money::new(self.amount, self.currency);
        let mut parts = Vec::new();
        if let Some(invoice) = &self.invoice_id {
            let role = PartRole::RefundNote(invoice.clone());
            parts.push(template.build_part(REFUND_NOTE_PART, amount, Vec::new(), role));
        }
        let source = match &self.credit_note_id {
            Some(note) => RefundSource::CreditNote(note.clone()),
            None => RefundSource::Part(build_part_id(&self.id, REFUND_NOTE_PART)),
        };
        parts.push(template.build_part(
            REFUND_PART,
            amount,
            settled.clone(),
            PartRole::Refund(source),
        ));
        let currencies = [self.currency, balance];
        parts.extend(template.build_fee(self.fee, currencies, settled, PartRole::RefundFee));
        parts
    }

    /// The amount in the currency of Stripe's balance. Empty without a settlement.
    fn settled_shares(&self) -> Vec<SettledShare> {
        let Some(settlement) = &self.settlement else { return Vec::new() };
        settlement.split_among(&[self.amount], self.currency)
    }
}

/// Reads a value that may be absent, but not `null`.
fn deserialize_present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_refund(fields: &str) -> Refund {
        let json = format!(
            r#"{{"id":"ref_1","revision":1,"method":"stripe","date":"2026-11-02",
            "currency":"EUR","reference":"re_1","amount":"40.00",{fields}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn named(refund: &Refund) -> Vec<String> {
        let parts = refund.split_into_parts().into_iter();
        parts.map(|part| format!("{} {} {}", part.id, part.amount, part.reference_tag())).collect()
    }

    #[test]
    fn a_refund_on_an_invoice_has_a_credit_note_and_one_on_a_credit_note_has_none() {
        assert_eq!(
            named(&a_refund(r#""invoice_id":"inv_1","fee":"0.10""#)),
            [
                "ref_1.note EUR 40.00 Stripe refund re_1 (SC-ref_1)",
                "ref_1.1 EUR 40.00 Stripe refund re_1 (SC-ref_1)",
                "ref_1.fee EUR 0.10 Stripe refund fee re_1 (SC-ref_1)",
            ]
        );
        assert_eq!(
            named(&a_refund(r#""credit_note_id":"cn_1""#)),
            ["ref_1.1 EUR 40.00 Stripe refund re_1 (SC-ref_1)"]
        );
    }

    #[test]
    fn an_id_that_is_null_is_not_absent() {
        let json = serde_json::to_string(&a_refund(r#""invoice_id":"inv_1""#)).unwrap();
        assert!(serde_json::from_str::<Refund>(&json).is_ok());
        let json = json.replace(r#""inv_1""#, "null");
        assert!(serde_json::from_str::<Refund>(&json).is_err());
    }
}
