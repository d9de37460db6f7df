//! The CRM and the bookkeeper change the same books: payments, a refund and credit arrive from the
//! CRM, transfers and corrections are entered in Xero, and a draft is approved there.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use xero_sim::{Books, Invoice, InvoiceStatus};

use super::Story;
use super::correction::corrected_subject;
use super::credit::{Applied, credit_subjects, unsettled};
use super::draft::draft_subjects;
use super::material::Entry;
use super::money::{self, ReceivedEvent, Transfer};
use super::payments::{IN_EUROS_ID, Payment, REFUND_ID, Refund};
use super::post::Post;
use super::settle::{self, Records, Subject};
use crate::clock;
use crate::failure::Failure;
use crate::simulator::CLIENT_ID;

/// The results.
#[derive(Debug)]
pub(super) struct Bookkeeping {
    /// The events about money that the CRM received.
    pub(super) events: Vec<ReceivedEvent>,
    /// The credit in Xero's books.
    pub(super) applied: Option<Applied>,
    /// The differences from the expectation.
    pub(super) problems: Vec<String>,
}

/// What the CRM sent, as far as it is checked later.
#[derive(Debug, Clone, Copy)]
struct Sent<'a> {
    /// The invoice whose due date was moved, and the day.
    moved: Option<(&'a Entry, Date)>,
    /// The invoice to which credit was applied.
    credited: Option<&'a Entry>,
}

/// A part-paid invoice in Xero's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PartPaid {
    due: Option<Date>,
    status: InvoiceStatus,
    paid: Decimal,
    total: Decimal,
}

impl Story<'_> {
    /// The bookkeeper works in Xero, the CRM sends changes, and the payment poll reads what the
    /// bookkeeper did.
    pub(super) async fn keep_books(&self, post: &mut Post<'_>) -> Result<Bookkeeping, Failure> {
        let console = self.console;
        console.step(
            "The bookkeeper reconciles two bank transfers in Xero and corrects a VAT number there",
        );
        let transfers = money::reconcile(self.stack.xero(), self.material)?;
        let contact = self.correct_contact()?;
        console.done("done; the CRM does not know about it yet");

        console.step(
            "The CRM sends a payment in euros, a refund, a draft, a later due date and a credit note",
        );
        // So that Xero's limits, as the product counts them, leave room for what follows.
        self.forget_past_calls().await?;
        self.choose_careful_preferences().await?;
        let sent = self.send_changes(post, &transfers).await?;
        console.done("sent; waiting until everything is processed");
        let records = settle::settled(&self.watch, console, &sent.subjects()).await?;
        let mut problems = unsettled(&without_waiting(&records));
        problems.extend(self.check_due_date(&sent)?);
        problems.extend(self.check_correction(contact).await?);
        problems.extend(self.check_draft(&records)?);
        let (applied, wrong_credit) = self.check_credit(sent.credited)?;
        problems.extend(wrong_credit);

        console.step(
            "The bookkeeper approves the draft; the payment poll runs, as it does every 15 minutes",
        );
        self.approve_draft()?;
        self.choose_default_preferences().await?;
        self.forget_past_calls().await?;
        let (events, wrong_events) = self.receive_money(&transfers).await?;
        problems.extend(wrong_events);
        Ok(Bookkeeping { events, applied, problems })
    }

    async fn send_changes(
        &self,
        post: &mut Post<'_>,
        transfers: &[Transfer],
    ) -> Result<Sent<'_>, Failure> {
        let today = clock::now().to_zoned(TimeZone::UTC).date();
        self.send_draft(post, today).await?;
        post.payment(&Payment::in_euros(today)).await?;
        post.refund(&Refund::in_euros(today)).await?;
        let moved = self.send_later_due_date(post, transfers).await?;
        self.send_corrected_client(post).await?;
        let credited = self.send_credit(post, today).await?;
        Ok(Sent { moved, credited })
    }

    /// Moves the due date of the invoice that the second transfer paid in part.
    async fn send_later_due_date(
        &self,
        post: &mut Post<'_>,
        transfers: &[Transfer],
    ) -> Result<Option<(&Entry, Date)>, Failure> {
        let entry = transfers.get(1).and_then(|transfer| self.material.newest(&transfer.number));
        let later = entry.and_then(|entry| Some((entry, entry.due_later()?)));
        let Some((entry, (message, due))) = later else { return Ok(None) };
        post.invoice(&message, self.material.client(&entry.client_id)?).await?;
        Ok(Some((entry, due)))
    }

    fn check_due_date(&self, sent: &Sent<'_>) -> Result<Vec<String>, Failure> {
        let Some((entry, due)) = sent.moved else {
            return Ok(vec![
                "there was no part-paid invoice whose due date could be changed".to_owned(),
            ]);
        };
        let number = &entry.invoice.number;
        let found = self.books(|books| find_part_paid(books, number))?;
        let problems = not_moved(entry, due, found.as_ref());
        if problems.is_empty() {
            self.console.done(&format!("{number} is part-paid, and is now due on {due}"));
        }
        Ok(problems)
    }
}

impl Sent<'_> {
    /// The records to wait for.
    fn subjects(&self) -> Vec<Subject> {
        let mut subjects = vec![
            Subject::Payment(IN_EUROS_ID.to_owned()),
            Subject::Payment(REFUND_ID.to_owned()),
            corrected_subject(),
        ];
        subjects.extend(draft_subjects());
        subjects.extend(self.moved.map(|(entry, _)| Subject::of(entry)));
        if self.credited.is_some() {
            subjects.extend(credit_subjects());
        }
        subjects
    }
}

/// The records that should be in Xero by now: all but the payment that waits for an approval.
fn without_waiting(records: &Records) -> Records {
    let mut all = records.clone();
    all.retain(|subject, _| !matches!(subject, Subject::PaymentOfDraft(_)));
    all
}

/// Finds this product's invoice of that number, if it is neither voided nor deleted.
fn find_part_paid(books: &Books, number: &str) -> Option<PartPaid> {
    let stands = |invoice: &&Invoice| {
        invoice.created_by.as_deref() == Some(CLIENT_ID) && !invoice.status.is_gone()
    };
    books.invoices_numbered(number).find(stands).map(|invoice| PartPaid {
        due: invoice.due_date,
        status: invoice.status,
        paid: invoice.amount_paid,
        total: invoice.total,
    })
}

/// The differences of a part-paid invoice whose due date was moved.
fn not_moved(entry: &Entry, due: Date, found: Option<&PartPaid>) -> Vec<String> {
    let number = &entry.invoice.number;
    let Some(found) = found else { return vec![format!("{number} is missing in Xero")] };
    let mut problems = Vec::new();
    if found.due != Some(due) {
        let found = found.due.map_or_else(|| "nothing".to_owned(), |day| day.to_string());
        problems.push(format!("the due date of {number} should be {due} in Xero, but is {found}"));
    }
    if found.status != InvoiceStatus::Authorised || found.paid.is_zero() {
        let (status, paid) = (found.status.as_str(), found.paid);
        problems.push(format!(
            "{number} should be part-paid in Xero, but is {status} with {paid:.2} paid"
        ));
    }
    if found.total != entry.expect.total {
        let (expected, total) = (entry.expect.total, found.total);
        problems.push(format!("{number} should be over {expected:.2} in Xero, but is {total:.2}"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};
    use rust_decimal::Decimal;
    use xero_sim::InvoiceStatus;

    use super::{PartPaid, Sent, Subject, not_moved, without_waiting};
    use crate::story::material::tests::material;
    use crate::story::settle::Records;

    const DUE: Date = date(2026, 7, 15);

    #[test]
    fn a_moved_due_date_leaves_the_payment_and_the_total() {
        let material = material();
        let entry = &material.invoices[0];
        let good = PartPaid {
            due: Some(DUE),
            status: InvoiceStatus::Authorised,
            paid: Decimal::ONE,
            total: entry.expect.total,
        };
        assert_eq!(not_moved(entry, DUE, Some(&good)), Vec::<String>::new());
        let unmoved = PartPaid { due: Some(date(2026, 6, 15)), ..good };
        assert_eq!(
            not_moved(entry, DUE, Some(&unmoved)),
            ["the due date of #INV-2001 should be 2026-07-15 in Xero, but is 2026-06-15"]
        );
        let unpaid = PartPaid { paid: Decimal::ZERO, ..good };
        assert_eq!(
            not_moved(entry, DUE, Some(&unpaid)),
            ["#INV-2001 should be part-paid in Xero, but is AUTHORISED with 0.00 paid"]
        );
        let dearer = PartPaid { total: Decimal::ONE_THOUSAND, ..good };
        assert_eq!(
            not_moved(entry, DUE, Some(&dearer)),
            ["#INV-2001 should be over 114.00 in Xero, but is 1000.00"]
        );
        assert_eq!(not_moved(entry, DUE, None), ["#INV-2001 is missing in Xero"]);
    }

    #[test]
    fn everything_that_is_sent_is_waited_for() {
        let material = material();
        let entry = &material.invoices[0];
        let sent = Sent { moved: Some((entry, DUE)), credited: Some(entry) };
        let subjects = sent.subjects();
        let ids: Vec<&str> = subjects.iter().map(Subject::id).collect();
        assert_eq!(
            ids,
            [
                "pay_3002", "ref_3001", "cli_0002", "inv_3001", "pay_3001", "inv_2001", "cn_0001",
                "al_0001",
            ]
        );
        let records: Records = subjects.into_iter().map(|subject| (subject, None)).collect();
        assert_eq!(without_waiting(&records).len(), 7);
    }
}
