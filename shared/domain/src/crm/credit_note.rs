//! A credit note as the CRM knows it.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::invoice::Invoice;
use super::lines::{DocumentLine, LineAmounts, LineDiscount, RecordStatus};
use super::{Revision, lines, text};
use crate::body::{BodyField, BodyShape};
use crate::ids::{ClientId, CreditNoteId, CrmId, DERIVED};
use crate::money::{Currency, Money, rust_decimal_text};
use crate::totals;

/// A credit note's record at one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditNote {
    /// The CRM's id.
    pub id: CreditNoteId,
    /// The revision of this state.
    #[serde(deserialize_with = "text::deserialize_revision")]
    pub revision: Revision,
    /// The number on the document, such as `CN-0001`. It is sent to Xero unchanged.
    #[serde(deserialize_with = "lines::deserialize_number")]
    pub number: String,
    /// The client who is credited.
    pub client_id: ClientId,
    /// The date on the document.
    #[serde(deserialize_with = "text::deserialize_date")]
    pub issue_date: Date,
    /// The currency of every amount.
    pub currency: Currency,
    /// Whether line prices contain tax.
    #[serde(default)]
    pub line_amounts: LineAmounts,
    /// Free text for the customer.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub reference: Option<String>,
    /// 1 to 500 lines with the amounts that are credited.
    #[serde(deserialize_with = "lines::deserialize_lines")]
    pub lines: Vec<DocumentLine>,
    /// The total credited to the customer, tax included, with at most 2 decimals.
    #[serde(
        serialize_with = "rust_decimal_text::serialize",
        deserialize_with = "text::deserialize_cents"
    )]
    pub total: Decimal,
    /// Whether the note is in effect or was voided. The type of the message decides this, not a
    /// field of the contract.
    #[serde(default)]
    pub standing: RecordStatus,
    /// Whether the record is a negative invoice in the CRM. The reader of the message decides this,
    /// not a field of the contract.
    #[serde(default)]
    pub is_negative_invoice: bool,
}

/// The fields of the contract. `standing` and `is_negative_invoice` are not among them, because the
/// message's type decides them.
const CREDIT_NOTE: &[BodyField] = &[
    BodyField::single_value("id"),
    BodyField::single_value("revision"),
    BodyField::single_value("number"),
    BodyField::single_value("client_id"),
    BodyField::single_value("issue_date"),
    BodyField::single_value("currency"),
    BodyField::single_value("line_amounts"),
    BodyField::single_value("reference"),
    BodyField::new("lines", DocumentLine::LIST),
    BodyField::single_value("total"),
];

impl CreditNote {
    /// The shape of a credit note in a message.
    pub(crate) const SHAPE: BodyShape = BodyShape::Object(CREDIT_NOTE);

    /// The total credited to the customer.
    pub const fn credited_total(&self) -> Money {
        Money::new(self.total, self.currency)
    }

    /// The id under which its mapping is stored. For a negative invoice this is an id that no
    /// credit note can have.
    pub fn crm_id(&self) -> CrmId {
        let id = CrmId::from(self.id.clone());
        if self.is_negative_invoice { negative_invoice_record_id(&id) } else { id }
    }

    /// The credit note that represents an invoice with a negative total in Xero, or `None` for any
    /// other invoice.
    pub fn from_negative_invoice(invoice: &Invoice) -> Option<Self> {
        (totals::sum_lines(&invoice.lines, invoice.line_amounts).total < Decimal::ZERO)
            .then(|| Self::from_negated_invoice(invoice))
    }

    /// Turns an invoice into a credit note, whatever its total is.
    pub fn from_negated_invoice(invoice: &Invoice) -> Self {
        Self {
            id: CreditNoteId::from(invoice.id.clone()),
            revision: invoice.revision,
            number: invoice.number.clone(),
            client_id: invoice.client_id.clone(),
            issue_date: invoice.issue_date,
            currency: invoice.currency,
            line_amounts: invoice.line_amounts,
            reference: invoice.reference.clone(),
            lines: invoice.lines.iter().map(negate_line).collect(),
            total: -invoice.total,
            standing: invoice.standing,
            is_negative_invoice: true,
        }
    }
}

/// The suffix of the id that a negative invoice's credit note is stored under.
const CREDIT: &str = "credit";

/// The id under which the mapping of a negative invoice is stored.
pub fn negative_invoice_record_id(invoice: &CrmId) -> CrmId {
    invoice.derived_id(CREDIT)
}

/// The invoice whose negative total this record represents. `None` for a credit note of the CRM.
pub fn find_negative_invoice_id(record: &CrmId) -> Option<CrmId> {
    let (invoice, derived) = record.as_str().split_once(DERIVED)?;
    if derived == CREDIT { CrmId::new(invoice).ok() } else { None }
}

/// The id under which earlier versions stored the mapping of a negative invoice: the invoice's id,
/// a point and `credit`, which can also be the id of a credit note. Rows written by those versions
/// are still found by it.
pub fn earlier_record_id(record: &CrmId) -> Option<CrmId> {
    let invoice = find_negative_invoice_id(record)?;
    CrmId::new(format!("{invoice}.{CREDIT}")).ok()
}

/// Whether an id that names a credit note may mean this record: the credit note with that id, or
/// the one that represents the invoice with that id.
pub fn may_identify(id: &CrmId, record: &CrmId) -> bool {
    let of_invoice = negative_invoice_record_id(id);
    record == id
        || *record == of_invoice
        || earlier_record_id(&of_invoice).is_some_and(|earlier| earlier == *record)
}

/// Returns the part that a record's id shares with every id that may identify the record, so that
/// records which wait for it are found by one key.
pub fn shared_id(id: &CrmId) -> &str {
    let mut shared = id.as_str();
    while let Some(shorter) = shared
        .strip_suffix(CREDIT)
        .and_then(|rest| rest.strip_suffix('.').or_else(|| rest.strip_suffix(DERIVED)))
    {
        shared = shorter;
    }
    shared
}

/// Whether a stored snapshot is the credit note of a negative invoice.
pub fn is_of_negative_invoice(snapshot: &str) -> bool {
    serde_json::from_str::<CreditNote>(snapshot).is_ok_and(|note| note.is_negative_invoice)
}

/// Negates a line: the same amount, credited instead of billed.
fn negate_line(line: &DocumentLine) -> DocumentLine {
    match line.discount {
        None | Some(LineDiscount::Percent(_)) => {
            DocumentLine { unit_price: -line.unit_price, ..line.clone() }
        }
        // Negation turns an amount off a deduction into an amount on top of the credit.
        Some(LineDiscount::Amount(_)) => DocumentLine {
            quantity: Decimal::ONE,
            unit_price: -totals::line_amount(line),
            discount: None,
            ..line.clone()
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::translate::tests::{a_line, an_invoice};

    #[test]
    fn every_id_that_may_identify_a_record_shares_a_part_with_it() {
        let id = |text: &str| CrmId::new(text).unwrap();
        let plain = ["crn_1", "crn_1.credit", "crn_1.credit.credit", "credit", "a.creditx"];
        for one in plain {
            let names = [id(one), negative_invoice_record_id(&id(one))];
            let earlier = names.iter().filter_map(earlier_record_id).collect::<Vec<_>>();
            for record in names.iter().chain(&earlier) {
                assert!(may_identify(&id(one), record), "{one} {record}");
                assert_eq!(shared_id(&id(one)), shared_id(record));
            }
        }
        assert_ne!(shared_id(&id("crn_1")), shared_id(&id("crn_2")));
        assert_eq!(shared_id(&id("credit")), "credit");
    }

    fn of_lines(lines: Vec<DocumentLine>) -> Invoice {
        let total = totals::sum_lines(&lines, LineAmounts::Exclusive).total;
        Invoice { lines, total, ..an_invoice() }
    }

    #[test]
    fn only_a_negative_invoice_is_a_credit_note() {
        assert_eq!(CreditNote::from_negative_invoice(&an_invoice()), None);
        assert_eq!(
            CreditNote::from_negative_invoice(&of_lines(vec![a_line("1", "0", None)])),
            None
        );
        let back = vec![a_line("1", "-95.00", Some("20")), a_line("2", "5", Some("20"))];
        let note = CreditNote::from_negative_invoice(&of_lines(back)).unwrap();
        assert_eq!(note.total.to_string(), "102.00");
        assert_eq!(note.crm_id().as_str(), "inv_1~credit");
        assert_eq!(find_negative_invoice_id(&note.crm_id()).unwrap().as_str(), "inv_1");
        assert_eq!(earlier_record_id(&note.crm_id()).unwrap().as_str(), "inv_1.credit");
        assert!(is_of_negative_invoice(&serde_json::to_string(&note).unwrap()));
        let ordinary = CreditNote { is_negative_invoice: false, ..note.clone() };
        assert_eq!(ordinary.crm_id().as_str(), "inv_1");
        assert_eq!(earlier_record_id(&ordinary.crm_id()), None);
        assert_eq!(find_negative_invoice_id(&ordinary.crm_id()), None);
        assert!(!is_of_negative_invoice(&serde_json::to_string(&ordinary).unwrap()));
        let namesake = CreditNoteId::new("inv_1.credit").unwrap();
        let namesake = CreditNote { id: namesake, ..ordinary };
        assert_ne!(namesake.crm_id(), note.crm_id(), "a note of the CRM with a similar id");
    }

    #[test]
    fn an_id_may_mean_a_credit_note_or_a_negative_invoice_and_no_other_record() {
        let id = |text: &str| CrmId::new(text).unwrap();
        for record in ["7", "7~credit", "7.credit"] {
            assert!(may_identify(&id("7"), &id(record)), "{record}");
        }
        for record in ["8", "8~credit", "7.credits", "77"] {
            assert!(!may_identify(&id("7"), &id(record)), "{record}");
        }
        assert!(may_identify(&id("7~credit"), &id("7~credit")));
        assert!(!may_identify(&id("7~credit"), &id("7")));
    }

    proptest! {
        #[test]
        fn what_is_credited_is_what_was_billed_with_the_sign_turned(
            lines in prop::collection::vec(
                (1_i64..100_000, -1_000_000_i64..1_000_000, 0_i64..30, 0_i64..3, 0_i64..9_000), 1..20),
        ) {
            let line = |(quantity, price, rate, sort, discount): &(i64, i64, i64, i64, i64)| DocumentLine {
                quantity: Decimal::new(*quantity, 3),
                unit_price: Decimal::new(*price, 4),
                tax_rate: Some(Decimal::from(*rate)),
                discount: match sort {
                    0 => None,
                    1 => Some(LineDiscount::Percent(Decimal::new(*discount, 2))),
                    _ => Some(LineDiscount::Amount(Decimal::new(*discount, 2))),
                },
                ..a_line("1", "1", None)
            };
            let invoice = of_lines(lines.iter().map(line).collect());
            let note = CreditNote::from_negated_invoice(&invoice);
            let credited = totals::sum_lines(&note.lines, note.line_amounts);
            prop_assert_eq!(credited.total, -totals::sum_lines(&invoice.lines, invoice.line_amounts).total);
            prop_assert_eq!(note.total, -invoice.total);
        }
    }
}
