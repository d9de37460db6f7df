//! The story's payments and its refund, as the CRM sends them.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use super::material::Entry;

/// The payment in euros, in the CRM.
pub(super) const IN_EUROS_ID: &str = "pay_3002";

/// The invoice in euros that it pays in full.
pub(super) const IN_EUROS_INVOICE: &str = "inv_2033";

/// The refund of a part of it.
pub(super) const REFUND_ID: &str = "ref_3001";

/// The payment in euros: 340.80.
pub(super) const PAID: Decimal = cents(34_080);

/// What Stripe's balance in pounds received for it, before the fee: 291.28.
pub(super) const SETTLED: Decimal = cents(29_128);

/// The fee that Stripe kept, in pounds: 5.31.
pub(super) const FEE: Decimal = cents(531);

/// The refund in euros: 40.80.
pub(super) const RETURNED: Decimal = cents(4_080);

/// What Stripe's balance in pounds lost for it: 34.79.
pub(super) const RETURNED_SETTLED: Decimal = cents(3_479);

const fn cents(amount: u32) -> Decimal {
    Decimal::from_parts(amount, 0, 0, false, 2)
}

/// A payment through Stripe in the contract's format.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Payment {
    id: &'static str,
    revision: u32,
    method: &'static str,
    date: Date,
    currency: String,
    reference: &'static str,
    allocations: [Share; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement: Option<Settlement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Share {
    invoice_id: String,
    amount: String,
}

#[derive(Debug, Clone, Serialize)]
struct Settlement {
    currency: &'static str,
    amount: String,
    rate: &'static str,
}

/// A refund through Stripe in the contract's format.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Refund {
    id: &'static str,
    revision: u32,
    method: &'static str,
    date: Date,
    currency: &'static str,
    reference: &'static str,
    invoice_id: &'static str,
    amount: String,
    settlement: Settlement,
}

impl Payment {
    /// A payment of the complete invoice, without a fee.
    pub(super) fn of_invoice(id: &'static str, entry: &Entry, date: Date) -> Self {
        Self {
            id,
            revision: 1,
            method: "stripe",
            date,
            currency: entry.invoice.currency.clone(),
            reference: "ch_3QStoryDraft",
            allocations: [Share {
                invoice_id: entry.invoice.id.clone(),
                amount: entry.invoice.total.to_string(),
            }],
            settlement: None,
            fee: None,
        }
    }

    /// The payment in euros, with its settlement in pounds and its fee.
    pub(super) fn in_euros(date: Date) -> Self {
        Self {
            id: IN_EUROS_ID,
            revision: 1,
            method: "stripe",
            date,
            currency: "EUR".to_owned(),
            reference: "ch_3QStoryEuros",
            allocations: [Share {
                invoice_id: IN_EUROS_INVOICE.to_owned(),
                amount: PAID.to_string(),
            }],
            settlement: Some(Settlement {
                currency: "GBP",
                amount: SETTLED.to_string(),
                rate: "0.8547",
            }),
            fee: Some(FEE.to_string()),
        }
    }
}

impl Refund {
    /// The refund of a part of the payment in euros.
    pub(super) fn in_euros(date: Date) -> Self {
        Self {
            id: REFUND_ID,
            revision: 1,
            method: "stripe",
            date,
            currency: "EUR",
            reference: "re_3QStoryEuros",
            invoice_id: IN_EUROS_INVOICE,
            amount: RETURNED.to_string(),
            settlement: Settlement {
                currency: "GBP",
                amount: RETURNED_SETTLED.to_string(),
                rate: "0.8527",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{IN_EUROS_INVOICE, PAID, Payment, Refund};
    use crate::project::Project;
    use crate::story::material::{Material, Outcome};

    #[test]
    fn payments_and_refunds_are_serialised_in_the_contract_format() {
        let material = Material::read(&Project::here().unwrap()).unwrap();
        let today = date(2026, 11, 6);
        let of_invoice = Payment::of_invoice("pay_3001", &material.invoices[0], today);
        assert_eq!(
            serde_json::to_string(&of_invoice).unwrap(),
            r#"{"id":"pay_3001","revision":1,"method":"stripe","date":"2026-11-06","currency":"GBP","reference":"ch_3QStoryDraft","allocations":[{"invoice_id":"inv_2001","amount":"114.00"}]}"#
        );
        assert_eq!(
            serde_json::to_string(&Payment::in_euros(today)).unwrap(),
            r#"{"id":"pay_3002","revision":1,"method":"stripe","date":"2026-11-06","currency":"EUR","reference":"ch_3QStoryEuros","allocations":[{"invoice_id":"inv_2033","amount":"340.80"}],"settlement":{"currency":"GBP","amount":"291.28","rate":"0.8547"},"fee":"5.31"}"#
        );
        assert_eq!(
            serde_json::to_string(&Refund::in_euros(today)).unwrap(),
            r#"{"id":"ref_3001","revision":1,"method":"stripe","date":"2026-11-06","currency":"EUR","reference":"re_3QStoryEuros","invoice_id":"inv_2033","amount":"40.80","settlement":{"currency":"GBP","amount":"34.79","rate":"0.8527"}}"#
        );
    }

    #[test]
    fn the_invoice_in_euros_is_paid_in_full_and_never_edited() {
        let material = Material::read(&Project::here().unwrap()).unwrap();
        let paid = material.final_entries()[IN_EUROS_INVOICE];
        assert_eq!((paid.invoice.currency.as_str(), paid.expect.total), ("EUR", PAID));
        assert_eq!(paid.expect.outcome, Outcome::Synced);
        assert!(material.edits.iter().all(|edit| edit.invoice.id != IN_EUROS_INVOICE));
    }
}
