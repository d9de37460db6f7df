//! Stripe's money in Xero's books: a payment in euros that was settled in pounds, its fee, and a
//! refund of a part of it.

use rust_decimal::Decimal;
use xero_sim::{Books, InvoiceStatus};

use super::Story;
use super::payments::{FEE, REFUND_ID, RETURNED, RETURNED_SETTLED, SETTLED};
use super::settings::STRIPE_BANK;
use crate::failure::Failure;
use crate::simulator::CLIENT_ID;

/// The number of the invoice in euros.
const INVOICE_NUMBER: &str = "#INV-2033";

/// Stripe's money in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
struct StripeMoney {
    /// The balance of the Stripe bank account, if there is one.
    balance: Option<Decimal>,
    /// The status of the invoice in euros, if it is there.
    invoice: Option<InvoiceStatus>,
    /// Status and total of every credit note of the refund.
    notes: Vec<(InvoiceStatus, Decimal)>,
}

impl Story<'_> {
    /// How Stripe's money in Xero differs from Stripe's own balance. `other` is the amount of a
    /// further payment, in pounds and without a fee.
    pub(super) fn check_stripe(&self, other: Decimal) -> Result<Vec<String>, Failure> {
        let problems = wrong_money(&self.books(read_money)?, other);
        if problems.is_empty() {
            let balance = expected_balance(other);
            self.console
                .done(&format!("Stripe's account in Xero holds GBP {balance:.2}, as Stripe does"));
        }
        Ok(problems)
    }
}

/// The balance of Stripe itself, if this payment without a fee was taken, too.
fn expected_balance(other: Decimal) -> Decimal {
    other + SETTLED - FEE - RETURNED_SETTLED
}

/// Reads Stripe's money.
fn read_money(books: &Books) -> StripeMoney {
    let is_ours = |created_by: &Option<String>| created_by.as_deref() == Some(CLIENT_ID);
    let mut invoices = books.invoices_numbered(INVOICE_NUMBER);
    let invoice = invoices.find(|invoice| is_ours(&invoice.created_by));
    let number = format!("REFUND-{REFUND_ID}");
    let notes = books.credit_notes_numbered(&number).filter(|note| is_ours(&note.created_by));
    StripeMoney {
        balance: books.balance_of(STRIPE_BANK),
        invoice: invoice.map(|invoice| invoice.status),
        notes: notes.map(|note| (note.status, note.total)).collect(),
    }
}

/// The differences from the expectation. `other` is the amount of the payment without a fee.
fn wrong_money(money: &StripeMoney, other: Decimal) -> Vec<String> {
    let StripeMoney { balance, invoice, notes } = money;
    let mut problems = Vec::new();
    let expected = expected_balance(other);
    if *balance != Some(expected) {
        let held =
            balance.map_or_else(|| "does not exist".to_owned(), |held| format!("holds {held:.2}"));
        problems
            .push(format!("Stripe's account in Xero should hold GBP {expected:.2}, but {held}"));
    }
    if *invoice != Some(InvoiceStatus::Paid) {
        let status = invoice.map_or("missing", InvoiceStatus::as_str);
        problems.push(format!("{INVOICE_NUMBER} should be paid in Xero, but is {status}"));
    }
    match notes.as_slice() {
        [(InvoiceStatus::Paid, total)] if *total == RETURNED => {}
        [(status, total)] => problems.push(format!(
            "the refund's credit note should be refunded with EUR {RETURNED:.2} in Xero, but is {} \
             over {total:.2}",
            status.as_str()
        )),
        others => {
            problems.push(format!("the refund's credit note is {} times in Xero", others.len()));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;
    use xero_sim::InvoiceStatus;

    use super::{INVOICE_NUMBER, StripeMoney, wrong_money};
    use crate::project::Project;
    use crate::story::material::Material;
    use crate::story::payments::{IN_EUROS_INVOICE, RETURNED};

    const OTHER: Decimal = Decimal::ONE_HUNDRED;

    fn money() -> StripeMoney {
        StripeMoney {
            balance: Some(Decimal::new(35_118, 2)),
            invoice: Some(InvoiceStatus::Paid),
            notes: vec![(InvoiceStatus::Paid, RETURNED)],
        }
    }

    #[test]
    fn the_account_holds_what_stripe_holds_to_the_cent() {
        // 100.00 + 291.28 - 5.31 - 34.79
        assert_eq!(wrong_money(&money(), OTHER), Vec::<String>::new());
        let short = StripeMoney { balance: Some(Decimal::new(35_117, 2)), ..money() };
        assert_eq!(
            wrong_money(&short, OTHER),
            ["Stripe's account in Xero should hold GBP 351.18, but holds 351.17"]
        );
        assert_eq!(wrong_money(&StripeMoney { balance: None, ..money() }, OTHER).len(), 1);
    }

    #[test]
    fn the_invoice_stays_paid_and_the_refund_is_paid_back_once() {
        let open = StripeMoney { invoice: Some(InvoiceStatus::Authorised), ..money() };
        assert_eq!(
            wrong_money(&open, OTHER),
            ["#INV-2033 should be paid in Xero, but is AUTHORISED"]
        );
        let unpaid = vec![(InvoiceStatus::Authorised, RETURNED)];
        assert_eq!(
            wrong_money(&StripeMoney { notes: unpaid, ..money() }, OTHER),
            ["the refund's credit note should be refunded with EUR 40.80 in Xero, but is \
                 AUTHORISED over 40.80"]
        );
        let twice = vec![(InvoiceStatus::Paid, RETURNED); 2];
        assert_eq!(wrong_money(&StripeMoney { notes: twice, ..money() }, OTHER).len(), 1);
        assert_eq!(wrong_money(&StripeMoney { notes: Vec::new(), ..money() }, OTHER).len(), 1);
    }

    #[test]
    fn the_number_is_that_of_the_invoice_in_euros() {
        let material = Material::read(&Project::here().unwrap()).unwrap();
        let invoice = &material.final_entries()[IN_EUROS_INVOICE].invoice;
        assert_eq!(invoice.number, INVOICE_NUMBER);
    }
}
