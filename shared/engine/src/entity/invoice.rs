//! Pushes invoices to Xero's sales invoices.

use async_trait::async_trait;
use domain::crm::Revision;
use domain::crm::invoice::Invoice as Snapshot;
use domain::crm::lines::Standing;
use domain::document::invoice::{InvoiceDocument, RemoteInvoice};
use domain::document::sales::NewStatus;
use domain::entity::EntityKind;
use domain::envelope::Content;
use domain::failure::Failure;
use domain::ids::{CrmId, XeroId, XeroInvoiceId};
use domain::mapping::{Amounts, Link};
use domain::money::Money;
use domain::observe::is_news;
use domain::sync_log::LoggedOperation;
use domain::totals;
use domain::translate::Translated;
use domain::translate::invoice::{crm_url, translate};
use domain::translate::lines::Context;
use futures::FutureExt;
use xero::api::{TargetStatus, invoices};
use xero::{Rows, Session, XeroError};

use super::sales::{Outline, Sales, bring};
use super::write::Way;
use super::{Entity, Task};
use crate::desk::Desk;

/// The entity of invoices.
#[derive(Debug)]
pub struct Invoice;

#[async_trait]
impl Entity for Invoice {
    const KIND: EntityKind = EntityKind::Invoice;
    type Snapshot = Snapshot;

    fn snapshot<'a>(content: &'a Content, _: &CrmId) -> Option<&'a Snapshot> {
        match content {
            Content::Invoice { client: _, invoice } => Some(invoice),
            Content::Client { .. }
            | Content::CreditNote { .. }
            | Content::Allocation(_)
            | Content::Payment { .. } => None,
        }
    }

    fn is_wanted(invoice: &Snapshot) -> bool {
        invoice.standing == Standing::Sent
    }

    fn id(invoice: &Snapshot) -> CrmId {
        invoice.id.clone().into()
    }

    fn revision(invoice: &Snapshot) -> Revision {
        invoice.revision
    }

    fn number(invoice: &Snapshot) -> String {
        invoice.number.clone()
    }

    async fn bring(desk: &Desk<'_>, tasks: &[Task<'_, Snapshot>]) {
        bring::<Self>(desk, tasks).await;
    }
}

#[async_trait]
impl Sales for Invoice {
    type Document = InvoiceDocument;
    type Remote = RemoteInvoice;
    type Id = XeroInvoiceId;

    fn typed(id: XeroId) -> XeroInvoiceId {
        XeroInvoiceId(id.0)
    }

    fn outline(invoice: &Snapshot) -> Outline<'_> {
        let total = totals::of(&invoice.lines, invoice.line_amounts).total;
        Outline {
            number: &invoice.number,
            client: &invoice.client_id,
            standing: invoice.standing,
            total: Money::new(total, invoice.currency),
        }
    }

    fn url(crm: &str, invoice: &Snapshot) -> Option<String> {
        Some(crm_url(crm, &invoice.id))
    }

    fn tag(_: &Snapshot) -> Option<String> {
        None
    }

    fn translate(
        invoice: &Snapshot,
        existing: Option<XeroInvoiceId>,
        context: Context<'_>,
    ) -> Result<Translated<InvoiceDocument>, Failure> {
        translate(invoice, existing, context)
    }

    fn numbered(document: InvoiceDocument, number: String) -> InvoiceDocument {
        InvoiceDocument { invoice_number: number, ..document }
    }

    fn giving(document: InvoiceDocument, status: Option<NewStatus>) -> InvoiceDocument {
        InvoiceDocument { status, ..document }
    }

    fn creating(batch: usize) -> Way<InvoiceDocument, RemoteInvoice> {
        Way {
            call: |session, documents, key| invoices::create(session, documents, key).boxed(),
            body: invoices::body,
            batch,
        }
    }

    fn updating(batch: usize) -> Way<InvoiceDocument, RemoteInvoice> {
        Way {
            call: |session, documents, key| invoices::update(session, documents, key).boxed(),
            body: invoices::body,
            batch,
        }
    }

    fn ending(batch: usize) -> Way<(XeroInvoiceId, TargetStatus), RemoteInvoice> {
        Way {
            call: |session, changes, key| invoices::set_status(session, changes, key).boxed(),
            body: invoices::status_body,
            batch,
        }
    }

    async fn find_by_numbers(
        session: &Session,
        numbers: &[&str],
    ) -> Result<Rows<RemoteInvoice>, XeroError> {
        invoices::find_by_numbers(session, numbers).await
    }

    async fn find_by_ids(
        session: &Session,
        ids: &[XeroInvoiceId],
    ) -> Result<Rows<RemoteInvoice>, XeroError> {
        invoices::find_by_ids(session, ids).await
    }

    fn link(task: &Task<'_, Snapshot>, remote: &RemoteInvoice, operation: LoggedOperation) -> Link {
        let amounts = Amounts::observed(task.snapshot.billed(), remote);
        let is_news = operation != LoggedOperation::Void
            && is_news(task.mapping.link.as_ref(), remote.id.into(), &amounts);
        Link {
            xero_id: remote.id.into(),
            number: remote.number.clone(),
            // The poll reports the change to the CRM; its lists may already have passed it.
            xero_updated_at: remote.updated_at.filter(|_| !is_news),
            amounts: Some(amounts),
        }
    }
}
