//! An invoice that is created as a draft: its payment waits until the bookkeeper approves it in
//! Xero, and then continues by itself.

use jiff::civil::Date;
use xero_sim::{Books, InvoiceStatus};

use super::Story;
use super::credit::unsettled;
use super::material::Entry;
use super::payments::Payment;
use super::post::Post;
use super::settle::{self, Records, Subject};
use super::views::Record;
use crate::failure::Failure;
use crate::simulator::CLIENT_ID;

/// The draft, in the CRM.
const INVOICE_ID: &str = "inv_3001";

/// Its number.
const NUMBER: &str = "#INV-3001";

/// Its payment, in the CRM.
const PAYMENT_ID: &str = "pay_3001";

impl Story<'_> {
    /// The CRM sends the invoice and its payment.
    pub(super) async fn send_draft(&self, post: &mut Post<'_>, today: Date) -> Result<(), Failure> {
        let entry = self.draft()?;
        post.invoice(&entry, self.material.client(&entry.client_id)?).await?;
        post.payment(&Payment::of_invoice(PAYMENT_ID, &entry, today)).await
    }

    /// How the draft and its payment differ from the expectation before the approval.
    pub(super) fn check_draft(&self, records: &Records) -> Result<Vec<String>, Failure> {
        let status = self.books(invoice_status)?;
        let subject = Subject::PaymentOfDraft(PAYMENT_ID.to_owned());
        let record = records.get(&subject).and_then(Option::as_ref);
        let waits = record.is_some_and(Record::awaits_approval);
        let problems = not_waiting(status, waits);
        if problems.is_empty() {
            self.console.done(&format!("{NUMBER} is a draft, and its payment waits"));
        }
        Ok(problems)
    }

    /// The bookkeeper approves the draft in Xero.
    pub(super) fn approve_draft(&self) -> Result<(), Failure> {
        let xero = self.stack.xero();
        let (tenant, now) = (xero.tenant(), xero.now());
        let refused =
            |why: String| Failure::new(format!("{NUMBER} cannot be approved in Xero")).because(why);
        let mut simulator = xero.lock();
        let draft =
            simulator.books(tenant).and_then(|books| books.invoices_numbered(NUMBER).next());
        let id = draft.map(|invoice| invoice.id);
        let id = id.ok_or_else(|| refused("It is not there".to_owned()))?;
        simulator
            .bookkeeper(now, tenant)
            .ok_or_else(|| refused("The organisation has no books".to_owned()))?
            .approve(id)
            .map_err(|error| refused(error.to_string()))
    }

    /// Whether the product knows that the draft was approved.
    pub(super) async fn is_draft_approved(&self) -> Result<bool, Failure> {
        let record = self.api.invoice(INVOICE_ID).await?;
        Ok(record.is_some_and(|record| record.is_approved()))
    }

    /// Waits until the payment that waited for the approval has been processed. Returns how the
    /// books differ from the expectation; they contain all money of Stripe now.
    pub(super) async fn finish_draft(&self) -> Result<Vec<String>, Failure> {
        self.console.step("The payment of the draft continues automatically after its approval");
        let paid = [Subject::Payment(PAYMENT_ID.to_owned())];
        let records = settle::settled(&self.watch, self.console, &paid).await?;
        let mut problems = unsettled(&records);
        problems.extend(unpaid(self.books(invoice_status)?));
        if problems.is_empty() {
            self.console.done(&format!("{NUMBER} is paid in Xero"));
        }
        problems.extend(self.check_stripe(self.draft()?.invoice.total)?);
        Ok(problems)
    }

    fn draft(&self) -> Result<Entry, Failure> {
        let first = self.material.invoices.first();
        let first = first.ok_or_else(|| Failure::new("The story has no invoices"))?;
        Ok(first.renumbered(INVOICE_ID, NUMBER))
    }
}

/// The records of the draft, before its approval.
pub(super) fn draft_subjects() -> [Subject; 2] {
    [Subject::Invoice(INVOICE_ID.to_owned()), Subject::PaymentOfDraft(PAYMENT_ID.to_owned())]
}

/// The status of the invoice that this product created, if it is in Xero.
fn invoice_status(books: &Books) -> Option<InvoiceStatus> {
    let mut found = books.invoices_numbered(NUMBER);
    found.find(|one| one.created_by.as_deref() == Some(CLIENT_ID)).map(|invoice| invoice.status)
}

/// The differences before the approval.
fn not_waiting(status: Option<InvoiceStatus>, payment_waits: bool) -> Vec<String> {
    let mut problems = Vec::new();
    if status != Some(InvoiceStatus::Draft) {
        problems.push(format!("{NUMBER} should be a draft in Xero, but is {}", described(status)));
    }
    if !payment_waits {
        problems.push(format!("the payment of {NUMBER} should wait for its approval"));
    }
    problems
}

/// The difference after the payment.
fn unpaid(status: Option<InvoiceStatus>) -> Option<String> {
    (status != Some(InvoiceStatus::Paid)).then(|| {
        format!("{NUMBER} should be paid in Xero after its approval, but is {}", described(status))
    })
}

fn described(status: Option<InvoiceStatus>) -> &'static str {
    status.map_or("missing", InvoiceStatus::as_str)
}

#[cfg(test)]
mod tests {
    use xero_sim::InvoiceStatus;

    use super::{not_waiting, unpaid};

    #[test]
    fn a_draft_and_its_payment_wait_for_the_approval() {
        assert!(not_waiting(Some(InvoiceStatus::Draft), true).is_empty());
        assert_eq!(
            not_waiting(Some(InvoiceStatus::Authorised), false),
            [
                "#INV-3001 should be a draft in Xero, but is AUTHORISED",
                "the payment of #INV-3001 should wait for its approval",
            ]
        );
        assert_eq!(
            not_waiting(None, true),
            ["#INV-3001 should be a draft in Xero, but is missing"]
        );
    }

    #[test]
    fn an_approved_draft_is_paid() {
        assert_eq!(unpaid(Some(InvoiceStatus::Paid)), None);
        assert_eq!(
            unpaid(Some(InvoiceStatus::Authorised)).unwrap(),
            "#INV-3001 should be paid in Xero after its approval, but is AUTHORISED"
        );
    }
}
