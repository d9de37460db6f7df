//! Builds and writes the documents of payment parts. They are built with the account's codes and
//! the stored chart; if the stored chart does not allow it, the chart is read from Xero again.

use domain::account_codes::AccountCodes;
use domain::chart::Chart;
use domain::crm::payment::PaymentPart;
use domain::document::invoice::RemoteInvoice;
use domain::document::payment::{BankTransactionDocument, PaymentDocument};
use domain::failure::{Cause, Failure, FailureClass, FailureCode};
use domain::ids::XeroInvoiceId;
use domain::rejection;
use domain::sync_log::LoggedOperation;
use domain::translate::payment::{fee, on_invoice, surcharge, warnings};
use futures::FutureExt;
use xero::XeroError;
use xero::api::{bank_transactions, invoices, payments};

use super::{Ground, Part, Remote};
use crate::chart;
use crate::desk::{Desk, Trouble};
use crate::entity::write::{Draft, Sent, Way, write};
use crate::entity::{Brought, fail};

/// The codes and the chart with which documents are built.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    desk: &'a Desk<'a>,
    /// Maximum number of documents per call.
    batch: usize,
    codes: AccountCodes,
    chart: Chart,
}

/// A document of either type.
enum Document {
    Payment(PaymentDocument),
    Transaction(BankTransactionDocument),
}

/// Documents to write, by type.
#[derive(Default)]
struct Drafts<'a> {
    payments: Vec<Draft<Part<'a>, PaymentDocument>>,
    transactions: Vec<Draft<Part<'a>, BankTransactionDocument>>,
}

impl<'a> Bench<'a> {
    /// Reads the codes and the chart.
    pub(super) async fn open(desk: &'a Desk<'a>, batch: usize) -> Result<Self, Trouble> {
        let codes = desk.engine.store.account_codes(&desk.ledger.account).await?;
        let chart = chart::known(desk).await?;
        Ok(Self { desk, batch, codes, chart })
    }

    /// Creates the documents of the parts.
    pub(super) async fn write(&mut self, targets: Vec<Part<'_>>) {
        let drafts = self.drafts(targets).await;
        let (session, batch) = (&self.desk.session, self.batch);
        let pay = Way {
            call: |session, documents, key| payments::create(session, documents, key).boxed(),
            body: payments::body,
            batch,
        };
        let paid = write(session, drafts.payments, &pay).await;
        let transact = Way {
            call: |session, documents, key| {
                bank_transactions::create(session, documents, key).boxed()
            },
            body: bank_transactions::body,
            batch,
        };
        let moved = write(session, drafts.transactions, &transact).await;
        let paid = paid.into_iter().filter_map(|sent| finish(sent, Remote::Payment));
        let moved = moved.into_iter().filter_map(|sent| finish(sent, Remote::Transaction));
        self.explain(paid.chain(moved).collect()).await;
    }

    /// Builds the documents. A failure is final only if the chart as Xero has it now confirms it.
    async fn drafts<'t>(&mut self, targets: Vec<Part<'t>>) -> Drafts<'t> {
        let (mut drafts, mut refused) = (Drafts::default(), Vec::new());
        for part in targets {
            match self.document(part) {
                Ok(document) => drafts.push(part, document),
                Err(failure) => refused.push((part, failure)),
            }
        }
        let curable =
            refused.iter().any(|(_, failure)| failure.cause != Some(Cause::AccountCodeNotChosen));
        if curable && self.chart.read_at < self.desk.engine.clock.now() {
            match chart::current(self.desk).await {
                Ok(chart) => self.chart = chart,
                Err(trouble) => {
                    fail(refused.into_iter().map(|(part, _)| part.task), &trouble);
                    return drafts;
                }
            }
            refused.retain_mut(|(part, failure)| match self.document(*part) {
                Ok(document) => {
                    drafts.push(*part, document);
                    false
                }
                Err(still) => {
                    *failure = still;
                    true
                }
            });
        }
        for (part, failure) in refused {
            part.task.finish(Err(failure.into()));
        }
        drafts
    }

    /// Builds the document of a part. The prerequisite decides its type.
    fn document(&self, part: Part<'_>) -> Result<Document, Failure> {
        let (codes, chart) = (&self.codes, &self.chart);
        let Part { task, ground } = part;
        match ground {
            Ground::Invoice(invoice) => {
                on_invoice(&task.snapshot, invoice, codes, chart).map(Document::Payment)
            }
            Ground::Contact(contact) => {
                surcharge(&task.snapshot, contact, codes, chart).map(Document::Transaction)
            }
            Ground::None => fee(&task.snapshot, codes, chart).map(Document::Transaction),
        }
    }

    /// Explains refused payments by the payments that the invoice already has. The same payment may
    /// have been entered by hand; it must not be recorded twice, and only a person can tell.
    async fn explain(&self, unpayable: Vec<(Part<'_>, XeroInvoiceId)>) {
        let ids = unpayable.iter().map(|(_, id)| *id).collect::<Vec<_>>();
        // If the invoices cannot be read, Xero's own message stays.
        let Ok(found) = invoices::find_by_ids(&self.desk.session, &ids).await else { return };
        for (part, id) in unpayable {
            let invoice = found.rows.iter().find(|invoice| invoice.id == id);
            if let Some(invoice) = invoice {
                let failure = unpaid(&part.task.snapshot, invoice);
                part.task.finish(Err(Trouble::Explained(failure)));
            }
        }
    }
}

/// Records the result of a write as the outcome of its part. Returns the part and its invoice if
/// Xero refused the payment because of the amount due.
fn finish<'a, D, R>(
    sent: Sent<Part<'a>, D, R>,
    as_remote: impl FnOnce(R) -> Remote,
) -> Option<(Part<'a>, XeroInvoiceId)> {
    let Sent { item: part, document: _, operation, mut remarks, result } = sent;
    let Part { task, ground } = part;
    remarks.extend(warnings(&task.snapshot));
    let (outcome, is_unpayable) = match result {
        Ok(remote) => {
            let link = Some(as_remote(remote).link(task));
            (Ok(Brought { link, operation, remarks }), false)
        }
        Err(error) => {
            let is_unpayable = is_about_what_is_due(&error);
            (Err(Trouble::Xero(error)), is_unpayable)
        }
    };
    task.finish(outcome);
    match ground {
        Ground::Invoice(invoice) => is_unpayable.then_some((part, invoice)),
        Ground::Contact(_) | Ground::None => None,
    }
}

/// Returns whether Xero refused a payment because of the amount due.
fn is_about_what_is_due(error: &XeroError) -> bool {
    let about = |message: &String| {
        rejection::find_cause(message).is_some_and(Cause::is_about_the_amount_due)
    };
    matches!(error, XeroError::Rejected { messages } if messages.iter().any(about))
}

/// Maximum number of payments that a failure lists. An invoice may have hundreds.
const LISTED_MAX: usize = 10;

fn unpaid(part: &PaymentPart, invoice: &RemoteInvoice) -> Failure {
    let has = list_payments(invoice);
    let code = if invoice.amount_due.amount.is_zero() {
        FailureCode::Name("already_paid")
    } else {
        FailureCode::Cause(Cause::AmountOverDue)
    };
    let number = invoice.number.clone().unwrap_or_else(|| "The invoice".to_owned());
    Failure::new(
        FailureClass::Rejected,
        code,
        format!(
            "{number} is {} in Xero with {} still due, so it cannot take this payment of {}.{has}",
            invoice.status.as_str(),
            invoice.amount_due,
            part.amount,
        ),
        "If Xero already has this payment, choose Never send. Otherwise correct the invoice in Xero, then retry.",
    )
}

/// Returns a sentence that lists the first payments of an invoice, and how many more there are.
fn list_payments(invoice: &RemoteInvoice) -> String {
    let all = &invoice.settlement.payments;
    let listed = all.iter().take(LISTED_MAX).map(|payment| {
        let date = payment.date.map(|date| format!(" of {date}")).unwrap_or_default();
        format!("{} {}{date}", invoice.total.currency, payment.amount)
    });
    let listed = listed.collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(LISTED_MAX) {
        _ if all.is_empty() => String::new(),
        0 => format!(" It has these payments: {listed}."),
        more => format!(" It has these payments: {listed} and {more} more."),
    }
}

impl<'a> Drafts<'a> {
    fn push(&mut self, item: Part<'a>, document: Document) {
        let (operation, remarks) = (LoggedOperation::Create, Vec::new());
        match document {
            Document::Payment(document) => {
                self.payments.push(Draft { item, document, operation, remarks });
            }
            Document::Transaction(document) => {
                self.transactions.push(Draft { item, document, operation, remarks });
            }
        }
    }
}
