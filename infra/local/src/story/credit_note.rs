//! The story's credit note and its allocation, as the CRM sends them.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use super::material::Entry;

/// The credit note, in the CRM.
pub(super) const NOTE_ID: &str = "cn_0001";

/// Its allocation, in the CRM.
pub(super) const ALLOCATION_ID: &str = "al_0001";

/// The credit note's number.
pub(super) const NUMBER: &str = "CN-0001";

/// The total of the credit note, tax included: 24.00.
pub(super) const CREDITED: Decimal = Decimal::from_parts(2_400, 0, 0, false, 2);

/// A credit note in the contract's format.
#[derive(Debug, Clone, Serialize)]
pub(super) struct CreditNote {
    id: &'static str,
    revision: u32,
    number: &'static str,
    client_id: String,
    issue_date: Date,
    currency: String,
    reference: String,
    lines: [Line; 1],
    total: String,
}

#[derive(Debug, Clone, Serialize)]
struct Line {
    name: &'static str,
    quantity: &'static str,
    unit_price: &'static str,
    tax_rate: &'static str,
}

impl CreditNote {
    /// A credit note for a bad visit of this invoice.
    pub(super) fn for_a_visit(entry: &Entry, issue_date: Date) -> Self {
        Self {
            id: NOTE_ID,
            revision: 1,
            number: NUMBER,
            client_id: entry.client_id.clone(),
            issue_date,
            currency: entry.invoice.currency.clone(),
            reference: format!("For {}", entry.invoice.number),
            lines: [Line {
                name: "Visit credited: the engineer came without the part",
                quantity: "1",
                unit_price: "20.00",
                tax_rate: "20",
            }],
            total: CREDITED.to_string(),
        }
    }
}

/// An allocation in the contract's format.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Allocation {
    id: &'static str,
    revision: u32,
    credit_note_id: &'static str,
    credit_note_number: &'static str,
    invoice_id: String,
    invoice_number: String,
    amount: String,
    currency: String,
    date: Date,
}

impl Allocation {
    /// Allocates the complete credit note to this invoice.
    pub(super) fn to(entry: &Entry, date: Date) -> Self {
        Self {
            id: ALLOCATION_ID,
            revision: 1,
            credit_note_id: NOTE_ID,
            credit_note_number: NUMBER,
            invoice_id: entry.invoice.id.clone(),
            invoice_number: entry.invoice.number.clone(),
            amount: CREDITED.to_string(),
            currency: entry.invoice.currency.clone(),
            date,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{Allocation, CreditNote};
    use crate::project::Project;
    use crate::story::material::Material;

    #[test]
    fn both_are_serialised_in_the_contract_format() {
        let material = Material::read(&Project::here().unwrap()).unwrap();
        let (entry, today) = (&material.invoices[0], date(2026, 11, 6));
        let note = serde_json::to_string_pretty(&CreditNote::for_a_visit(entry, today)).unwrap();
        assert_eq!(
            note,
            r#"{
  "id": "cn_0001",
  "revision": 1,
  "number": "CN-0001",
  "client_id": "cli_0001",
  "issue_date": "2026-11-06",
  "currency": "GBP",
  "reference": "For #INV-2001",
  "lines": [
    {
      "name": "Visit credited: the engineer came without the part",
      "quantity": "1",
      "unit_price": "20.00",
      "tax_rate": "20"
    }
  ],
  "total": "24.00"
}"#
        );
        let allocation = serde_json::to_string_pretty(&Allocation::to(entry, today)).unwrap();
        assert_eq!(
            allocation,
            r##"{
  "id": "al_0001",
  "revision": 1,
  "credit_note_id": "cn_0001",
  "credit_note_number": "CN-0001",
  "invoice_id": "inv_2001",
  "invoice_number": "#INV-2001",
  "amount": "24.00",
  "currency": "GBP",
  "date": "2026-11-06"
}"##
        );
    }
}
