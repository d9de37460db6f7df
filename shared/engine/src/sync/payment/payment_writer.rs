//! Builds and writes the documents of payment parts. They are built with the account's codes and
//! the stored chart; if the stored chart does not allow it, the chart is read from Xero again.

use std::collections::BTreeMap;

use domain::account_codes::AccountCodes;
use domain::chart::Chart;
use domain::crm::payment::{PartRole, PaymentPart};
use domain::document::credit_note::CreditNoteDocument;
use domain::document::payment::{BankTransactionDocument, PaymentDocument};
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::{InvoiceId, XeroContactId};
use domain::line_values::LineValues;
use domain::list_age::may_reread;
use domain::sync_log::LoggedOperation;
use domain::translate::TranslatedDocument;
use domain::translate::credit_note::translate_credit_note;
use domain::translate::lines::TranslationContext;
use domain::translate::payment::{
    translate_fee, translate_invoice_payment, translate_refund, translate_surcharge,
};
use domain::translate::refund;
use futures::FutureExt;
use xero::api::{bank_transactions, credit_notes, payments};

use super::amount_due::explain_unpayable_parts;
use super::merged_contacts::follow_merges;
use super::part_results::{RefusedPart, add_booked_remark, record_payment_result};
use super::refunded_invoices::{RefundedInvoice, read_refunded_invoices};
use super::{PartWithPrerequisite, PaymentPrerequisite, RemotePart};
use crate::connection::chart;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::write::{DocumentDraft, WriteEndpoint, write_drafts};
use crate::sync::{Synced, fail_tasks};

/// The codes and the chart with which documents are built.
#[derive(Debug)]
pub(super) struct PaymentWriter<'a> {
    tenant_session: &'a TenantSession<'a>,
    /// Maximum number of documents per call.
    batch: usize,
    codes: AccountCodes,
    chart: Chart,
    /// The invoices whose money is returned.
    invoices: BTreeMap<InvoiceId, RefundedInvoice>,
}

/// A document of one of the types.
enum PartDocument {
    Payment(PaymentDocument),
    Note(CreditNoteDocument),
    Transaction(BankTransactionDocument),
}

/// Documents to write, by type.
#[derive(Default)]
struct PartDrafts<'a> {
    payments: Vec<DocumentDraft<PartWithPrerequisite<'a>, PaymentDocument>>,
    notes: Vec<DocumentDraft<PartWithPrerequisite<'a>, CreditNoteDocument>>,
    transactions: Vec<DocumentDraft<PartWithPrerequisite<'a>, BankTransactionDocument>>,
}

impl<'a> PaymentWriter<'a> {
    /// Reads the codes, the chart, and the invoices whose money the parts return. Parts whose invoice
    /// Xero does not show get an outcome.
    pub(super) async fn with_codes_and_chart(
        tenant_session: &'a TenantSession<'a>,
        batch: usize,
        parts: &[PartWithPrerequisite<'_>],
    ) -> Result<Self, AttemptError> {
        let codes =
            tenant_session.engine.store.read_account_codes(&tenant_session.ledger.account).await?;
        let chart = chart::load_chart(tenant_session).await?;
        let invoices = read_refunded_invoices(tenant_session, parts).boxed().await?;
        Ok(Self { tenant_session, batch, codes, chart, invoices })
    }

    /// Creates the documents of the parts. One whose contact was merged into another one is sent
    /// once more, for that contact. Parts that have an outcome are left out.
    pub(super) async fn write_payments(&mut self, mut targets: Vec<PartWithPrerequisite<'_>>) {
        targets.retain(|part| part.task.outcome.is_empty());
        let refused = self.write_parts(targets).await;
        let readdressed = follow_merges(self.tenant_session, refused).await;
        if !readdressed.is_empty() {
            drop(self.write_parts(readdressed).await);
        }
    }

    /// Creates the documents of the parts. Returns those that Xero refused because their contact is
    /// no longer in use; the refusal is their outcome for now.
    async fn write_parts<'t>(
        &mut self,
        targets: Vec<PartWithPrerequisite<'t>>,
    ) -> Vec<PartWithPrerequisite<'t>> {
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
        let paid = paid.into_iter().map(add_booked_remark);
        let paid = paid.filter_map(|sent| record_payment_result(sent, RemotePart::Payment));
        let moved = moved
            .into_iter()
            .filter_map(|sent| record_payment_result(sent, RemotePart::Transaction));
        let note_endpoint = WriteEndpoint {
            call: |session, documents, key| {
                credit_notes::create_credit_notes(session, documents, key).boxed()
            },
            body: credit_notes::credit_note_body,
            batch,
        };
        let noted = write_drafts(session, drafts.notes, &note_endpoint).await;
        let noted =
            noted.into_iter().filter_map(|sent| record_payment_result(sent, RemotePart::Note));
        let (mut unpayable, mut unaddressed) = (Vec::new(), Vec::new());
        for refused in paid.chain(moved).chain(noted) {
            match refused {
                RefusedPart::AmountDue(part) => unpayable.push(part),
                RefusedPart::UnusedContact(part) => unaddressed.push(part),
            }
        }
        explain_unpayable_parts(self.tenant_session, unpayable).await;
        unaddressed
    }

    /// Builds the documents. A failure is final only if the chart as Xero had it a short time ago
    /// confirms it.
    async fn build_drafts<'t>(&mut self, targets: Vec<PartWithPrerequisite<'t>>) -> PartDrafts<'t> {
        let (mut drafts, mut refused) = (PartDrafts::default(), Vec::new());
        for part in targets {
            match self.build_document(part) {
                Ok(Some(document)) => drafts.add_document(part, document),
                Ok(None) => part.task.set_outcome(Ok(nothing_to_send())),
                Err(failure) => refused.push((part, failure)),
            }
        }
        let is_retryable = refused
            .iter()
            .any(|(_, failure)| failure.cause != Some(FailureCause::AccountCodeNotChosen));
        let (now, trigger) = (self.tenant_session.engine.clock.now(), self.tenant_session.trigger);
        if is_retryable && may_reread(self.chart.read_at, now, trigger) {
            match chart::fetch_chart(self.tenant_session).await {
                Ok(chart) => self.chart = chart,
                Err(error) => {
                    fail_tasks(refused.into_iter().map(|(part, _)| part.task), &error);
                    return drafts;
                }
            }
            refused.retain_mut(|(part, failure)| match self.build_document(*part) {
                Ok(Some(document)) => {
                    drafts.add_document(*part, document);
                    false
                }
                Ok(None) => {
                    part.task.set_outcome(Ok(nothing_to_send()));
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

    /// Builds the document of a part. The prerequisite decides its type. `None` if nothing has to be
    /// sent.
    fn build_document(
        &self,
        part: PartWithPrerequisite<'_>,
    ) -> Result<Option<PartDocument>, Failure> {
        let (codes, chart) = (&self.codes, &self.chart);
        let PartWithPrerequisite { task, prerequisite } = part;
        match prerequisite {
            PaymentPrerequisite::Invoice(invoice) => {
                let document = translate_invoice_payment(&task.snapshot, invoice, codes, chart)?;
                Ok(Some(PartDocument::Payment(document)))
            }
            PaymentPrerequisite::Contact(contact) => {
                let document = translate_surcharge(&task.snapshot, contact, codes, chart)?;
                Ok(Some(PartDocument::Transaction(document)))
            }
            PaymentPrerequisite::CreditNote(note) => {
                let document = translate_refund(&task.snapshot, note, codes, chart)?;
                Ok(Some(PartDocument::Payment(document)))
            }
            PaymentPrerequisite::RefundedContact(contact) => {
                self.build_refund_note(&task.snapshot, contact).map(Some)
            }
            PaymentPrerequisite::None => {
                let document = translate_fee(&task.snapshot, codes, chart)?;
                Ok(document.map(PartDocument::Transaction))
            }
        }
    }

    /// Builds the credit note of a refund on an invoice.
    fn build_refund_note(
        &self,
        part: &PaymentPart,
        contact: XeroContactId,
    ) -> Result<PartDocument, Failure> {
        let invoice = match &part.role {
            PartRole::RefundNote(id) => self.invoices.get(id),
            PartRole::Invoice(_)
            | PartRole::Fee
            | PartRole::Surcharge(_)
            | PartRole::Refund(_)
            | PartRole::RefundFee => None,
        };
        let invoice = invoice.ok_or_else(unreadable_invoice_failure)?;
        let RefundedInvoice { snapshot, lines_in_xero } = invoice;
        let invoice = refund::with_booked_values(snapshot, lines_in_xero, &self.chart)?;
        let note = refund::build_refund_note(part, &invoice)?;
        // The lines of a refund name no items and no tracking options.
        let line_values = LineValues::default();
        let context = TranslationContext {
            contact,
            codes: &self.codes,
            chart: &self.chart,
            line_values: &line_values,
            crm_url: self.tenant_session.engine.endpoints.crm.as_str(),
        };
        let TranslatedDocument { document, warnings: _ } =
            translate_credit_note(&note, None, context)?;
        Ok(PartDocument::Note(document))
    }
}

/// The result of a fee that is zero, whose payment Xero converts without losing a cent.
fn nothing_to_send() -> Synced {
    let remark = "There is no fee to send.".to_owned();
    Synced { link: None, operation: LoggedOperation::Push, remarks: vec![remark] }
}

fn unreadable_invoice_failure() -> Failure {
    Failure::new(
        FailureClass::Defect,
        "snapshot_unreadable",
        "The stored invoice of the refund cannot be read.",
        "Send the invoice from ServiceCortex again, then retry.",
    )
}

impl<'a> PartDrafts<'a> {
    fn add_document(&mut self, item: PartWithPrerequisite<'a>, document: PartDocument) {
        let (operation, remarks) = (LoggedOperation::Create, Vec::new());
        match document {
            PartDocument::Payment(document) => {
                self.payments.push(DocumentDraft { item, document, operation, remarks });
            }
            PartDocument::Note(document) => {
                self.notes.push(DocumentDraft { item, document, operation, remarks });
            }
            PartDocument::Transaction(document) => {
                self.transactions.push(DocumentDraft { item, document, operation, remarks });
            }
        }
    }
}
