//! The credit note of a refund on an invoice. Xero pays back credit, not invoices: a new credit note
//! over the returned amount, which is not applied to the invoice, is refunded
//! (developer.xero.com, Payments: refunds of credit notes).

mod booked_values;

use rust_decimal::Decimal;

use crate::crm::credit_note::CreditNote;
use crate::crm::invoice::Invoice;
use crate::crm::lines::{DocumentLine, LineAmounts, RecordStatus};
use crate::crm::payment::{PaymentPart, REFUND_NOTE_PART, build_part_id};
use crate::failure::{Failure, FailureClass};
use crate::ids::{CreditNoteId, CrmId, PaymentId};
use crate::money::round_to_cents;
use crate::totals;
use crate::translate::credit_note::TAG_START;

pub use self::booked_values::with_booked_values;

/// The beginning of the numbers of all refunds' credit notes in Xero.
pub const REFUND_NOTE_BEGINNING: &str = "REFUND-";

/// The number of a refund's credit note in Xero.
pub fn refund_note_number(part: &PaymentPart) -> String {
    format!("{REFUND_NOTE_BEGINNING}{}", part.payment)
}

/// The tag with which the reference of a refund's credit note ends in Xero.
pub fn refund_note_tag(part: &PaymentPart) -> String {
    format!("{TAG_START}{})", part.payment)
}

/// The id of the part of a refund that becomes the credit note with this number. `None` if the
/// number is not that of a refund's credit note.
pub fn find_note_part_id(number: &str) -> Option<CrmId> {
    let refund = PaymentId::new(number.strip_prefix(REFUND_NOTE_BEGINNING)?).ok()?;
    Some(build_part_id(&refund, REFUND_NOTE_PART))
}

/// The credit note of a refund. Its amount has the tax rates and the accounts of the invoice, in
/// proportion.
pub fn build_refund_note(part: &PaymentPart, invoice: &Invoice) -> Result<CreditNote, Failure> {
    let billed = invoice.billed_total();
    if part.amount.currency != billed.currency || part.amount.amount > billed.amount {
        return Err(Failure::new(
            FailureClass::Untranslatable,
            "refund_exceeds_invoice",
            format!(
                "The total of {} is {billed}, so {} cannot be refunded on it.",
                invoice.number, part.amount
            ),
            "Record the refund in the invoice's currency, with at most its total.",
        ));
    }
    let reference = part.reference.as_ref().map(|one| format!(" {one}")).unwrap_or_default();
    Ok(CreditNote {
        id: CreditNoteId::new(part.payment.as_str()).expect("the ids of the CRM have one form"),
        revision: part.revision,
        number: refund_note_number(part),
        client_id: invoice.client_id.clone(),
        issue_date: part.date,
        currency: part.amount.currency,
        line_amounts: LineAmounts::Inclusive,
        reference: Some(format!("{} refund{reference}", part.method)),
        lines: divide_among_lines(part.amount.amount, invoice),
        total: part.amount.amount,
        standing: RecordStatus::Sent,
        is_negative_invoice: false,
    })
}

/// Lines of the tax rates and accounts of an invoice, which together have this amount, tax included.
/// If the whole invoice is returned, each of its lines is one: Xero rounds the tax of each line, so
/// the tax of their sum would be another one than was charged. A deduction with a tax rate or an
/// account of its own is returned in proportion, too: without it, the others would return less tax
/// than was charged.
/// They name no items and no tracking options, not even the default ones: each stands for several
/// lines, and nothing is returned to stock.
fn divide_among_lines(amount: Decimal, invoice: &Invoice) -> Vec<DocumentLine> {
    let groups: Vec<Vec<DocumentLine>> = if amount == invoice.total {
        invoice.lines.iter().map(|line| vec![line.clone()]).collect()
    } else {
        group_lines(&invoice.lines)
    };
    let weight = |group: &[DocumentLine]| totals::sum_lines(group, invoice.line_amounts).total;
    let total: Decimal = groups.iter().map(|group| weight(group)).sum();
    let (mut before, mut taken) = (Decimal::ZERO, Decimal::ZERO);
    let mut lines = Vec::with_capacity(groups.len());
    for group in &groups {
        before += weight(group);
        let until = round_to_cents((amount * before).checked_div(total).unwrap_or(amount));
        let share = until - taken;
        taken = until;
        let Some(first) = group.first().filter(|_| !share.is_zero()) else { continue };
        lines.push(DocumentLine {
            name: format!("Refund of {}", invoice.number),
            description: None,
            quantity: Decimal::ONE,
            unit_price: share,
            discount: None,
            item_code: None,
            tracking: Some(Vec::new()),
            ..first.clone()
        });
    }
    lines
}

/// The lines with the same tax rate and the same account together.
fn group_lines(lines: &[DocumentLine]) -> Vec<Vec<DocumentLine>> {
    let mut groups: Vec<Vec<DocumentLine>> = Vec::new();
    for line in lines {
        let is_same = |group: &&mut Vec<DocumentLine>| {
            group.first().is_some_and(|one| {
                one.tax_rate == line.tax_rate
                    && one.tax_name == line.tax_name
                    && one.account_code == line.account_code
            })
        };
        match groups.iter_mut().find(is_same) {
            Some(group) => group.push(line.clone()),
            None => groups.push(vec![line.clone()]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crm::payment::{PartRole, tests::a_payment};
    use crate::money::Money;
    use crate::translate::credit_note::credit_note_tag;
    use crate::translate::tests::{a_line, an_invoice};

    fn a_part(cents: i64, invoice: &Invoice) -> PaymentPart {
        let [part, ..] = &a_payment().split_into_parts()[..] else { panic!("no part") };
        PaymentPart {
            amount: Money::new(Decimal::new(cents, 2), invoice.currency),
            role: PartRole::RefundNote(invoice.id.clone()),
            ..part.clone()
        }
    }

    #[test]
    fn the_number_of_a_refunds_credit_note_leads_to_its_part() {
        let part = a_part(100, &an_invoice());
        let found = find_note_part_id(&refund_note_number(&part));
        assert_eq!(found, Some(build_part_id(&part.payment, REFUND_NOTE_PART)));
        assert_eq!(find_note_part_id("CN_1"), None);
    }

    #[test]
    fn a_refunds_credit_note_has_the_tag_by_which_it_is_looked_up() {
        let invoice = an_invoice();
        let part = a_part(100, &invoice);
        let note = build_refund_note(&part, &invoice).unwrap();
        assert_eq!(credit_note_tag(&note), refund_note_tag(&part));
    }

    fn of_lines(lines: Vec<DocumentLine>) -> Invoice {
        let total = totals::sum_lines(&lines, LineAmounts::Exclusive).total;
        Invoice { lines, total, line_amounts: LineAmounts::Exclusive, ..an_invoice() }
    }

    #[test]
    fn a_part_of_an_invoice_is_returned_with_its_tax_rates_in_proportion() {
        let lines = vec![
            a_line("1", "50", Some("20")),
            a_line("1", "60", None),
            a_line("1", "50", Some("20")),
        ];
        let invoice = of_lines(lines);
        let note = build_refund_note(&a_part(6_000, &invoice), &invoice).unwrap();
        let shares = note.lines.iter().map(|line| (line.unit_price.to_string(), line.tax_rate));
        assert_eq!(
            shares.collect::<Vec<_>>(),
            [("40.00".to_owned(), Some(Decimal::from(20))), ("20.00".to_owned(), None)]
        );
        assert_eq!((note.number.as_str(), note.total), ("REFUND-pay_1", Decimal::from(60)));
        let more = build_refund_note(&a_part(18_001, &invoice), &invoice).unwrap_err();
        assert_eq!(more.code, "refund_exceeds_invoice");
    }

    #[test]
    fn a_deduction_without_tax_is_returned_with_the_tax_that_was_charged() {
        // A deposit without tax is deducted from a job with tax: 20.00 are due, all of them tax.
        let invoice = of_lines(vec![a_line("1", "100", Some("20")), a_line("1", "-100", None)]);
        for (cents, job, deposit, tax) in
            [(2_000, "120.00", "-100.00", "20.00"), (1_000, "60.00", "-50.00", "10.00")]
        {
            let note = build_refund_note(&a_part(cents, &invoice), &invoice).unwrap();
            let shares = note.lines.iter().map(|line| line.unit_price.to_string());
            assert_eq!(shares.collect::<Vec<_>>(), [job, deposit]);
            let sums = totals::sum_lines(&note.lines, note.line_amounts);
            assert_eq!(sums.total, note.total);
            assert_eq!(sums.total_tax.to_string(), tax);
        }
    }

    #[test]
    fn a_part_of_an_invoice_is_returned_from_the_accounts_of_its_lines() {
        let on = |account: Option<&str>| DocumentLine {
            account_code: account.map(str::to_owned),
            ..a_line("1", "50", Some("20"))
        };
        let invoice = of_lines(vec![on(None), on(Some("260")), on(None)]);
        let note = build_refund_note(&a_part(9_000, &invoice), &invoice).unwrap();
        let shares = note.lines.iter();
        let shares = shares.map(|line| (line.account_code.as_deref(), line.unit_price.to_string()));
        assert_eq!(
            shares.collect::<Vec<_>>(),
            [(None, "60.00".to_owned()), (Some("260"), "30.00".to_owned())]
        );
    }

    #[test]
    fn a_whole_invoice_is_returned_with_exactly_the_tax_that_was_charged() {
        for line_amounts in [LineAmounts::Exclusive, LineAmounts::Inclusive] {
            // Taxed together, 10 lines of 9.99 have several cents more or less of tax.
            let lines = vec![a_line("1", "9.99", Some("20")); 10];
            let charged = totals::sum_lines(&lines, line_amounts);
            let invoice = Invoice { lines, line_amounts, total: charged.total, ..an_invoice() };
            let cents = i64::try_from(charged.total * Decimal::ONE_HUNDRED).unwrap();
            let note = build_refund_note(&a_part(cents, &invoice), &invoice).unwrap();
            assert_eq!(totals::sum_lines(&note.lines, note.line_amounts), charged);
        }
    }

    proptest! {
        #[test]
        fn the_tax_of_a_whole_invoice_is_returned_whatever_its_lines_are(
            prices in prop::collection::vec((1_i64..1_000_000, 0_i64..30), 1..20),
            is_inclusive in any::<bool>(),
        ) {
            let line = |(price, rate): &(i64, i64)| DocumentLine {
                unit_price: Decimal::new(*price, 3),
                tax_rate: Some(Decimal::from(*rate)),
                ..a_line("3", "1", None)
            };
            let lines = prices.iter().map(line).collect::<Vec<_>>();
            let line_amounts =
                if is_inclusive { LineAmounts::Inclusive } else { LineAmounts::Exclusive };
            let charged = totals::sum_lines(&lines, line_amounts);
            prop_assume!(!charged.total.is_zero());
            let invoice = Invoice { lines, line_amounts, total: charged.total, ..an_invoice() };
            let part = PaymentPart {
                amount: Money::new(charged.total, invoice.currency),
                ..a_part(1, &invoice)
            };
            let note = build_refund_note(&part, &invoice).unwrap();
            prop_assert_eq!(totals::sum_lines(&note.lines, note.line_amounts), charged);
        }

        #[test]
        fn the_lines_of_a_refund_are_its_amount(
            prices in prop::collection::vec((1_i64..1_000_000, 0_i64..3), 1..9), part in 1_i64..=100,
        ) {
            let line = |(cents, rate): &(i64, i64)| DocumentLine {
                unit_price: Decimal::new(*cents, 2),
                tax_rate: Some(Decimal::from(*rate * 10)),
                ..a_line("1", "1", None)
            };
            let invoice = of_lines(prices.iter().map(line).collect());
            let amount = round_to_cents(invoice.total * Decimal::from(part) / Decimal::ONE_HUNDRED);
            prop_assume!(!amount.is_zero());
            let part = PaymentPart {
                amount: Money::new(amount, invoice.currency),
                ..a_part(1, &invoice)
            };
            let note = build_refund_note(&part, &invoice).unwrap();
            prop_assert_eq!(totals::sum_lines(&note.lines, note.line_amounts).total, amount);
            prop_assert!(note.lines.iter().all(|line| line.unit_price > Decimal::ZERO));
        }
    }
}
