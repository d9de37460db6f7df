//! Builds and writes the documents of payment parts. They are built with the account's codes and
//! the stored chart; if the stored chart does not allow it, the chart is read from Xero again.

use domain::account_codes::AccountCodes;
use domain::chart::Chart;
use domain::crm::payment::PaymentPart;
use domain::document::invoice::RemoteInvoice;
use domain::document::payment::{BankTransactionDocument, PaymentDocument};
use domain::failure::{Failure, FailureCause, FailureClass, FailureCode};
use domain::ids::XeroInvoiceId;
use domain::rejection;
use domain::sync_log::LoggedOperation;
use domain::translate::payment::{
    reference_warnings, translate_fee, translate_invoice_payment, translate_surcharge,
};
use futures::FutureExt;
use xero::XeroError;
use xero::api::{bank_transactions, invoices, payments};

use super::{PartWithPrerequisite, PaymentPrerequisite, RemotePart};
use crate::connection::chart;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::write::{DocumentDraft, DraftResult, WriteEndpoint, write_drafts};
use crate::sync::{Synced, fail_tasks};

/// The codes and the chart with which documents are built.
#[derive(Debug)]
pub(super) struct PaymentWriter<'a> {
    tenant_session: &'a TenantSession<'a>,
    /// Maximum number of documents per call.
    batch: usize,
    codes: AccountCodes,
    chart: Chart,
}

/// A document of either type.
enum PartDocument {
    Payment(PaymentDocument),
    Transaction(BankTransactionDocument),
}

/// Documents to write, by type.
#[derive(Default)]
struct PartDrafts<'a> {
    payments: Vec<DocumentDraft<PartWithPrerequisite<'a>, PaymentDocument>>,
    transactions: Vec<DocumentDraft<PartWithPrerequisite<'a>, BankTransactionDocument>>,
}

impl<'a> PaymentWriter<'a> {
    /// Reads the codes and the chart.
    pub(super) async fn with_codes_and_chart(
        tenant_session: &'a TenantSession<'a>,
        batch: usize,
    ) -> Result<Self, AttemptError> {
        let codes =
            tenant_session.engine.store.read_account_codes(&tenant_session.ledger.account).await?;
        let chart = chart::load_chart(tenant_session).await?;
        Ok(Self { tenant_session, batch, codes, chart })
    }

    /// Creates the documents of the parts.
    pub(super) async fn write_payments(&mut self, targets: Vec<PartWithPrerequisite<'_>>) {
        let drafts = self.build_drafts(targets).await;
        let (session, batch) = (&self.tenant_session.api, self.batch);
        let payment_endpoint = WriteEndpoint {
            call: |session, documents, key| {
                payments::create_payments(session, documents, key).boxed()
            },
            body: payments::payment_body,
            batch,
        };
        let paid = write_drafts(session, drafts.payments, &payment_endpoint).await;
        let transaction_endpoint = WriteEndpoint {
            call: |session, documents, key| {
                bank_transactions::create_bank_transactions(session, documents, key).boxed()
            },
            body: bank_transactions::bank_transaction_body,
            batch,
        };
        let moved = write_drafts(session, drafts.transactions, &transaction_endpoint).await;
        let paid =
            paid.into_iter().filter_map(|sent| record_payment_result(sent, RemotePart::Payment));
        let moved = moved
            .into_iter()
            .filter_map(|sent| record_payment_result(sent, RemotePart::Transaction));
        self.explain_unpayable(paid.chain(moved).collect()).await;
    }

    /// Builds the documents. A failure is final only if the chart as Xero has it now confirms it.
    async fn build_drafts<'t>(&mut self, targets: Vec<PartWithPrerequisite<'t>>) -> PartDrafts<'t> {
        let (mut drafts, mut refused) = (PartDrafts::default(), Vec::new());
        for part in targets {
            match self.build_document(part) {
                Ok(document) => drafts.add_document(part, document),
                Err(failure) => refused.push((part, failure)),
            }
        }
        let is_retryable = refused
            .iter()
            .any(|(_, failure)| failure.cause != Some(FailureCause::AccountCodeNotChosen));
        if is_retryable && self.chart.read_at < self.tenant_session.engine.clock.now() {
            match chart::fetch_chart(self.tenant_session).await {
                Ok(chart) => self.chart = chart,
                Err(error) => {
                    fail_tasks(refused.into_iter().map(|(part, _)| part.task), &error);
                    return drafts;
                }
            }
            refused.retain_mut(|(part, failure)| match self.build_document(*part) {
                Ok(document) => {
                    drafts.add_document(*part, document);
                    false
                }
                Err(still) => {
                    *failure = still;
                    true
                }
            });
        }
        for (part, failure) in refused {
            part.task.set_outcome(Err(failure.into()));
        }
        drafts
    }

    /// Builds the document of a part. The prerequisite decides its type.
    fn build_document(&self, part: PartWithPrerequisite<'_>) -> Result<PartDocument, Failure> {
        let (codes, chart) = (&self.codes, &self.chart);
        let PartWithPrerequisite { task, prerequisite } = part;
        match prerequisite {
            PaymentPrerequisite::Invoice(invoice) => {
                translate_invoice_payment(&task.snapshot, invoice, codes, chart)
                    .map(PartDocument::Payment)
            }
            PaymentPrerequisite::Contact(contact) => {
                translate_surcharge(&task.snapshot, contact, codes, chart)
                    .map(PartDocument::Transaction)
            }
            PaymentPrerequisite::None => {
                translate_fee(&task.snapshot, codes, chart).map(PartDocument::Transaction)
            }
        }
    }

    /// Explains refused payments by the payments that the invoice already has. The same payment may
    /// have been entered by hand. It must not be recorded twice, and only a user can decide.
    async fn explain_unpayable(&self, unpayable: Vec<(PartWithPrerequisite<'_>, XeroInvoiceId)>) {
        let ids = unpayable.iter().map(|(_, id)| *id).collect::<Vec<_>>();
        // If the invoices cannot be read, Xero's own message stays.
        let Ok(found) = invoices::find_by_ids(&self.tenant_session.api, &ids).await else {
            return;
        };
        for (part, id) in unpayable {
            let invoice = found.rows.iter().find(|invoice| invoice.id == id);
            if let Some(invoice) = invoice {
                let failure = amount_due_failure(&part.task.snapshot, invoice);
                part.task.set_outcome(Err(AttemptError::Explained(failure)));
            }
        }
    }
}

/// Records the result of a write as the outcome of its part. Returns the part and its invoice if
/// Xero refused the payment because of the amount due.
fn record_payment_result<D, R>(
    sent: DraftResult<PartWithPrerequisite<'_>, D, R>,
    as_remote: impl FnOnce(R) -> RemotePart,
) -> Option<(PartWithPrerequisite<'_>, XeroInvoiceId)> {
    let DraftResult { item: part, document: _, operation, mut remarks, result } = sent;
    let PartWithPrerequisite { task, prerequisite } = part;
    remarks.extend(reference_warnings(&task.snapshot));
    let (outcome, is_unpayable) = match result {
        Ok(remote) => {
            let link = Some(as_remote(remote).build_link(task));
            (Ok(Synced { link, operation, remarks }), false)
        }
        Err(error) => {
            let is_unpayable = is_about_amount_due(&error);
            (Err(AttemptError::Xero(error)), is_unpayable)
        }
    };
    task.set_outcome(outcome);
    match prerequisite {
        PaymentPrerequisite::Invoice(invoice) => is_unpayable.then_some((part, invoice)),
        PaymentPrerequisite::Contact(_) | PaymentPrerequisite::None => None,
    }
}

/// Returns whether Xero refused a payment because of the amount due.
fn is_about_amount_due(error: &XeroError) -> bool {
    let about = |message: &String| {
        rejection::find_cause(message).is_some_and(FailureCause::is_about_the_amount_due)
    };
    matches!(error, XeroError::Rejected { messages } if messages.iter().any(about))
}

/// Maximum number of payments that a failure lists. An invoice may have hundreds.
const LISTED_MAX: usize = 10;

fn amount_due_failure(part: &PaymentPart, invoice: &RemoteInvoice) -> Failure {
    let has = list_payments(invoice);
    let code = if invoice.amount_due.amount.is_zero() {
        FailureCode::Name("already_paid")
    } else {
        FailureCode::Cause(FailureCause::AmountOverDue)
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

impl<'a> PartDrafts<'a> {
    fn add_document(&mut self, item: PartWithPrerequisite<'a>, document: PartDocument) {
        let (operation, remarks) = (LoggedOperation::Create, Vec::new());
        match document {
            PartDocument::Payment(document) => {
                self.payments.push(DocumentDraft { item, document, operation, remarks });
            }
            PartDocument::Transaction(document) => {
                self.transactions.push(DocumentDraft { item, document, operation, remarks });
            }
        }
    }
}
