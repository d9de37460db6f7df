//! Pushes invoices to Xero's sales invoices.

mod amend;

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::crm::Revision;
use domain::crm::invoice::Invoice as Snapshot;
use domain::crm::lines::RecordStatus;
use domain::document::invoice::{InvoiceDocument, RemoteInvoice};
use domain::document::sales::{LineItem, NewStatus};
use domain::entity::EntityKind;
use domain::envelope::MessageContent;
use domain::failure::Failure;
use domain::ids::{CrmId, XeroId, XeroInvoiceId};
use domain::mapping::{DocumentAmounts, XeroLink};
use domain::money::Money;
use domain::observe::has_unreported_changes;
use domain::observe_read::has_other_balance;
use domain::sync_log::LoggedOperation;
use domain::sync_preferences::SyncPreferences;
use domain::totals;
use domain::translate::TranslatedDocument;
use domain::translate::invoice::{crm_url, translate_invoice};
use domain::translate::lines::TranslationContext;
use futures::FutureExt;
use xero::api::{TargetStatus, invoices};
use xero::{ApiSession, DecodedRows, XeroError};

use super::sales::{self, SalesEntity, SalesOutline, sync_documents};
use super::write::WriteEndpoint;
use super::{KnownClients, MergedClient, SyncEntity, SyncTask};
use crate::connection::tenant_session::TenantSession;

/// The entity of invoices.
#[derive(Debug)]
pub struct InvoiceEntity;

#[async_trait]
impl SyncEntity for InvoiceEntity {
    const KIND: EntityKind = EntityKind::Invoice;
    type Snapshot = Snapshot;

    fn find_snapshot<'a>(content: &'a MessageContent, _: &CrmId) -> Option<&'a Snapshot> {
        match content {
            MessageContent::Invoice { client: _, invoice } => Some(invoice),
            MessageContent::Client { .. }
            | MessageContent::CreditNote { .. }
            | MessageContent::Allocation(_)
            | MessageContent::Payment { .. }
            | MessageContent::Refund { .. } => None,
        }
    }

    fn is_wanted(invoice: &Snapshot) -> bool {
        invoice.standing == RecordStatus::Sent
    }

    fn record_id(invoice: &Snapshot) -> CrmId {
        invoice.id.clone().into()
    }

    fn record_revision(invoice: &Snapshot) -> Revision {
        invoice.revision
    }

    fn record_number(invoice: &Snapshot) -> String {
        invoice.number.clone()
    }

    fn list_clients(tasks: &[SyncTask<'_, Snapshot>]) -> BTreeSet<CrmId> {
        sales::list_clients::<Self>(tasks)
    }

    async fn sync_batch<'t>(
        tenant_session: &TenantSession<'_>,
        tasks: &'t [SyncTask<'t, Snapshot>],
        clients: &KnownClients,
    ) -> Vec<MergedClient<'t, Snapshot>> {
        let merged = sync_documents::<Self>(tenant_session, tasks, clients).await;
        amend::amend_refused_invoices(tenant_session, tasks, clients).await;
        merged
    }
}

#[async_trait]
impl SalesEntity for InvoiceEntity {
    type Document = InvoiceDocument;
    type Remote = RemoteInvoice;
    type Id = XeroInvoiceId;

    fn typed_id(id: XeroId) -> XeroInvoiceId {
        XeroInvoiceId(id.0)
    }

    fn sales_outline(invoice: &Snapshot) -> SalesOutline<'_> {
        let total = totals::sum_lines(&invoice.lines, invoice.line_amounts).total;
        SalesOutline {
            number: &invoice.number,
            client: &invoice.client_id,
            status: invoice.standing,
            total: Money::new(total, invoice.currency),
            lines: &invoice.lines,
            line_amounts: invoice.line_amounts,
        }
    }

    fn document_url(crm: &str, invoice: &Snapshot) -> Option<String> {
        Some(crm_url(crm, &invoice.id))
    }

    fn reference_tag(_: &Snapshot) -> Option<String> {
        None
    }

    fn translate_snapshot(
        invoice: &Snapshot,
        existing: Option<XeroInvoiceId>,
        context: TranslationContext<'_>,
    ) -> Result<TranslatedDocument<InvoiceDocument>, Failure> {
        translate_invoice(invoice, existing, context)
    }

    fn document_lines(document: &InvoiceDocument) -> &[LineItem] {
        &document.line_items
    }

    fn with_number(document: InvoiceDocument, number: String) -> InvoiceDocument {
        InvoiceDocument { invoice_number: number, ..document }
    }

    fn new_status(preferences: SyncPreferences) -> NewStatus {
        preferences.new_invoices
    }

    fn with_preferences(
        document: InvoiceDocument,
        preferences: SyncPreferences,
    ) -> InvoiceDocument {
        InvoiceDocument {
            status: Some(preferences.new_invoices),
            sent_to_contact: preferences.marks_new_invoices(),
            ..document
        }
    }

    fn with_status(document: InvoiceDocument, status: Option<NewStatus>) -> InvoiceDocument {
        InvoiceDocument { status, ..document }
    }

    fn create_endpoint(batch: usize) -> WriteEndpoint<InvoiceDocument, RemoteInvoice> {
        WriteEndpoint {
            call: |session, documents, key| {
                invoices::create_invoices(session, documents, key).boxed()
            },
            body: invoices::invoice_body,
            batch,
        }
    }

    fn update_endpoint(batch: usize) -> WriteEndpoint<InvoiceDocument, RemoteInvoice> {
        WriteEndpoint {
            call: |session, documents, key| {
                invoices::update_invoices(session, documents, key).boxed()
            },
            body: invoices::invoice_body,
            batch,
        }
    }

    fn status_endpoint(
        batch: usize,
    ) -> WriteEndpoint<(XeroInvoiceId, TargetStatus), RemoteInvoice> {
        WriteEndpoint {
            call: |session, changes, key| invoices::set_status(session, changes, key).boxed(),
            body: invoices::status_body,
            batch,
        }
    }

    async fn find_by_numbers(
        session: &ApiSession,
        numbers: &[&str],
    ) -> Result<DecodedRows<RemoteInvoice>, XeroError> {
        invoices::find_by_numbers(session, numbers).await
    }

    async fn find_deleted_by_numbers(
        session: &ApiSession,
        numbers: &[&str],
    ) -> Result<DecodedRows<RemoteInvoice>, XeroError> {
        invoices::find_deleted_by_numbers(session, numbers).await
    }

    async fn find_by_ids(
        session: &ApiSession,
        ids: &[XeroInvoiceId],
    ) -> Result<DecodedRows<RemoteInvoice>, XeroError> {
        invoices::find_by_ids(session, ids).await
    }

    async fn get(
        session: &ApiSession,
        id: XeroInvoiceId,
    ) -> Result<Option<RemoteInvoice>, XeroError> {
        invoices::get(session, id).await
    }

    fn build_link(
        task: &SyncTask<'_, Snapshot>,
        remote: &RemoteInvoice,
        operation: LoggedOperation,
    ) -> XeroLink {
        let amounts = DocumentAmounts::of_invoice(task.snapshot.billed_total(), remote);
        let (known, id) = (task.mapping.link.as_ref(), XeroId::from(remote.id));
        let is_read = operation == LoggedOperation::Push;
        // The CRM may know amounts that were paid or credited on the document that a copy replaces.
        let is_new_copy = known.is_none() && task.mapping.generation > 1;
        let is_unreported = operation != LoggedOperation::Void
            && (is_new_copy
                || has_unreported_changes(known, id, &amounts)
                || (is_read && has_other_balance(known, id, &amounts)));
        XeroLink {
            xero_id: remote.id.into(),
            number: remote.number.clone(),
            // The poll reports the change to the CRM; its lists may already have passed it.
            xero_updated_at: remote.updated_at.filter(|_| !is_unreported),
            amounts: Some(amounts),
            contact: None,
        }
    }
}
