//! Builds and writes the documents of payment parts. They are built with the account's codes and
//! the stored chart; if the stored chart does not allow it, the chart is read from Xero again.

use std::collections::BTreeMap;

use domain::account_codes::AccountCodes;
use domain::chart::Chart;
use domain::crm::payment::{PaymentPart, Role};
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

use super::{Ground, Remote, Tasks};
use crate::chart;
use crate::desk::{Desk, Trouble};
use crate::entity::write::{Draft, Sent, Way, write};
use crate::entity::{Brought, Outcomes, batch_size};

/// The tasks, codes and chart from which documents are built.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    desk: &'a Desk<'a>,
    tasks: &'a Tasks<'a>,
    grounds: BTreeMap<usize, Ground>,
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
struct Drafts {
    payments: Vec<Draft<PaymentDocument>>,
    transactions: Vec<Draft<BankTransactionDocument>>,
}

impl<'a> Bench<'a> {
    /// Reads the codes and the chart.
    pub(super) async fn open(
        desk: &'a Desk<'a>,
        tasks: &'a Tasks<'a>,
        grounds: BTreeMap<usize, Ground>,
    ) -> Result<Self, Trouble> {
        let codes = desk.engine.store.account_codes(&desk.ledger.account).await?;
        let chart = chart::known(desk).await?;
        Ok(Self { desk, tasks, grounds, codes, chart })
    }

    /// Creates the documents of the tasks.
    pub(super) async fn write(&mut self, targets: Vec<usize>, outcomes: &mut Outcomes) {
        let drafts = self.drafts(targets, outcomes).await;
        let (session, batch) = (&self.desk.session, batch_size(self.tasks));
        let pay = Way {
            call: |session, documents, key| payments::create(session, documents, key).boxed(),
            body: payments::body,
            batch,
        };
        let paid = write(session, self.tasks, drafts.payments, &pay).await;
        let paid = paid.into_iter().map(|sent| sent.mapped(Remote::Payment)).collect::<Vec<_>>();
        let transact = Way {
            call: |session, documents, key| {
                bank_transactions::create(session, documents, key).boxed()
            },
            body: bank_transactions::body,
            batch,
        };
        let moved = write(session, self.tasks, drafts.transactions, &transact).await;
        let moved = moved.into_iter().map(|sent| sent.mapped(Remote::Transaction));
        let mut unpayable = Vec::new();
        for Sent { task: index, operation, mut remarks, result } in paid.into_iter().chain(moved) {
            let Some(task) = self.tasks.get(index) else { continue };
            remarks.extend(warnings(&task.snapshot));
            let outcome = match result {
                Ok(remote) => Ok(Brought { link: Some(remote.link(task)), operation, remarks }),
                Err(error) => {
                    if is_about_what_is_due(&error) {
                        unpayable.push(index);
                    }
                    Err(Trouble::Xero(error))
                }
            };
            outcomes.set(index, outcome);
        }
        self.explain(unpayable, outcomes).await;
    }

    /// Builds the documents. A failure is final only if the chart as Xero has it now confirms it.
    async fn drafts(&mut self, targets: Vec<usize>, outcomes: &mut Outcomes) -> Drafts {
        let (mut drafts, mut refused) = (Drafts::default(), Vec::new());
        for index in targets {
            match self.document(index) {
                Some(Ok(document)) => drafts.push(index, document),
                Some(Err(failure)) => refused.push((index, failure)),
                None => {}
            }
        }
        let curable =
            refused.iter().any(|(_, failure)| failure.cause != Some(Cause::AccountCodeNotChosen));
        if curable && self.chart.read_at < self.desk.engine.clock.now() {
            match chart::current(self.desk).await {
                Ok(chart) => self.chart = chart,
                Err(trouble) => {
                    outcomes.fail(refused.into_iter().map(|(index, _)| index), &trouble);
                    return drafts;
                }
            }
            refused.retain_mut(|(index, failure)| match self.document(*index) {
                Some(Ok(document)) => {
                    drafts.push(*index, document);
                    false
                }
                Some(Err(still)) => {
                    *failure = still;
                    true
                }
                None => false,
            });
        }
        for (index, failure) in refused {
            outcomes.set(index, Err(failure.into()));
        }
        drafts
    }

    fn document(&self, index: usize) -> Option<Result<Document, Failure>> {
        let part = &self.tasks.get(index)?.snapshot;
        let (codes, chart) = (&self.codes, &self.chart);
        Some(match (&part.role, self.grounds.get(&index)?) {
            (Role::Invoice(_), Ground::Invoice(invoice)) => {
                on_invoice(part, *invoice, codes, chart).map(Document::Payment)
            }
            (Role::Fee, _) => fee(part, codes, chart).map(Document::Transaction),
            (Role::Surcharge(_), Ground::Contact(contact)) => {
                surcharge(part, *contact, codes, chart).map(Document::Transaction)
            }
            (Role::Invoice(_) | Role::Surcharge(_), _) => return None,
        })
    }

    /// Explains refused payments by the payments that the invoice already has. The same payment may
    /// have been entered by hand; it must not be recorded twice, and only a person can tell.
    async fn explain(&self, unpayable: Vec<usize>, outcomes: &mut Outcomes) {
        let grounds = unpayable.iter().filter_map(|index| match self.grounds.get(index) {
            Some(Ground::Invoice(invoice)) => Some((*index, *invoice)),
            Some(Ground::Contact(_) | Ground::None) | None => None,
        });
        let grounds = grounds.collect::<Vec<(usize, XeroInvoiceId)>>();
        let ids = grounds.iter().map(|(_, id)| *id).collect::<Vec<_>>();
        // If the invoices cannot be read, Xero's own message stays.
        let Ok(found) = invoices::find_by_ids(&self.desk.session, &ids).await else { return };
        for (index, id) in grounds {
            let invoice = found.rows.iter().find(|invoice| invoice.id == id);
            let part = self.tasks.get(index).map(|task| &task.snapshot);
            if let (Some(invoice), Some(part)) = (invoice, part) {
                outcomes.set(index, Err(Trouble::Explained(unpaid(part, invoice))));
            }
        }
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

impl Drafts {
    fn push(&mut self, task: usize, document: Document) {
        let (operation, remarks) = (LoggedOperation::Create, Vec::new());
        match document {
            Document::Payment(document) => {
                self.payments.push(Draft { task, document, operation, remarks });
            }
            Document::Transaction(document) => {
                self.transactions.push(Draft { task, document, operation, remarks });
            }
        }
    }
}
