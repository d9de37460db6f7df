//! Changes invoices that have payments or credits. Xero refuses such a change as a whole; what it
//! still accepts is sent alone.

use domain::account_codes::AccountCodes;
use domain::chart::Chart;
use domain::crm::invoice::Invoice;
use domain::document::amendment::InvoiceAmendment;
use domain::document::invoice::RemoteInvoice;
use domain::document::sales::SalesDocument;
use domain::ids::{CrmId, XeroContactId, XeroInvoiceId};
use domain::mapping::XeroLink;
use domain::sync_log::LoggedOperation;
use domain::translate::amendment::{
    AmendmentContext, AmendmentPlan, describe_kept_tracking, has_payments_failure, plan_amendment,
};
use domain::translate::describe_lost_tracking;
use domain::translate::invoice::crm_url;
use domain::translate::zero_total::zero_total_failure;
use futures::FutureExt;
use xero::api::invoices;

use super::InvoiceEntity;
use crate::connection::chart::load_chart;
use crate::connection::line_values::mark_tracking_stale;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::closed_document::{
    has_zero_total, is_about_closed_document, list_refused_changes, retry_outdated_refusal,
};
use crate::sync::sales::{complete_gone_document, synced_document};
use crate::sync::write::{DocumentDraft, DraftResult, WriteEndpoint, write_drafts};
use crate::sync::{KnownClients, SyncTask, batch_size, fail_tasks};

type InvoiceTask<'a> = SyncTask<'a, Invoice>;

/// Changes the invoices whose update Xero refused because of their payments, their credits or their
/// status. Replaces the outcomes of their tasks.
pub(super) async fn amend_refused_invoices(
    tenant_session: &TenantSession<'_>,
    tasks: &[InvoiceTask<'_>],
    clients: &KnownClients,
) {
    let refused = list_refused_changes::<InvoiceEntity>(tasks);
    if refused.is_empty() {
        return;
    }
    let planner = match AmendmentPlanner::read_inputs(tenant_session, clients, &refused).await {
        Ok(planner) => planner,
        Err(error) => return fail_tasks(refused.into_iter().map(|(task, _)| task), &error),
    };
    let drafts = refused.into_iter().filter_map(|(task, link)| planner.draft_amendment(task, link));
    let drafts = drafts.collect::<Vec<_>>();
    write_amendments(tenant_session, drafts, batch_size(tasks)).await;
}

/// What the plan of an amendment depends on besides the task.
struct AmendmentPlanner<'a> {
    tenant_session: &'a TenantSession<'a>,
    clients: &'a KnownClients,
    /// The invoices as Xero has them.
    remotes: Vec<RemoteInvoice>,
    codes: AccountCodes,
    chart: Chart,
}

impl<'a> AmendmentPlanner<'a> {
    /// Reads the invoices from Xero, the account's codes and the chart.
    async fn read_inputs(
        tenant_session: &'a TenantSession<'a>,
        clients: &'a KnownClients,
        refused: &[(&InvoiceTask<'_>, &XeroLink)],
    ) -> Result<Self, AttemptError> {
        let ids = refused.iter().map(|(_, link)| XeroInvoiceId(link.xero_id.0)).collect::<Vec<_>>();
        let remotes = invoices::find_by_ids(&tenant_session.api, &ids).await?.rows;
        let account = &tenant_session.ledger.account;
        let codes = tenant_session.engine.store.read_account_codes(account).await?;
        let chart = load_chart(tenant_session).await?;
        Ok(Self { tenant_session, clients, remotes, codes, chart })
    }

    /// Returns the amendment to write. If there is none, the outcome of the task is set.
    fn draft_amendment<'t>(
        &self,
        task: &'t InvoiceTask<'t>,
        link: &XeroLink,
    ) -> Option<DocumentDraft<&'t InvoiceTask<'t>, InvoiceAmendment>> {
        let Some(remote) = self.remotes.iter().find(|remote| remote.id.0 == link.xero_id.0) else {
            retry_outdated_refusal(task);
            return None;
        };
        if complete_gone_document::<InvoiceEntity>(self.tenant_session, task, remote) {
            return None;
        }
        match self.plan_task(task, link, remote) {
            AmendmentPlan::Amend { amendment, remarks } => {
                let operation = LoggedOperation::Update;
                return Some(DocumentDraft {
                    item: task,
                    document: *amendment,
                    operation,
                    remarks,
                });
            }
            AmendmentPlan::Nothing { remarks } => {
                let operation = LoggedOperation::Push;
                let synced = synced_document::<InvoiceEntity>(task, remote, operation, remarks);
                task.set_outcome(Ok(synced));
            }
            AmendmentPlan::Impossible(failure) => {
                task.set_outcome(Err(AttemptError::Explained(failure)));
            }
            AmendmentPlan::NotNeeded => retry_outdated_refusal(task),
        }
        None
    }

    fn plan_task(
        &self,
        task: &InvoiceTask<'_>,
        link: &XeroLink,
        remote: &RemoteInvoice,
    ) -> AmendmentPlan {
        let invoice = &task.snapshot;
        let client = self.clients.rows.get(&CrmId::from(invoice.client_id.clone()));
        let contact = client.and_then(|client| client.link.as_ref());
        // A copy keeps the number that it was assigned.
        let copy = link.number.as_deref().filter(|number| task.mapping.is_copy_number(number));
        let url = crm_url(self.tenant_session.engine.endpoints.crm.as_str(), &invoice.id);
        let context = AmendmentContext {
            contact: contact.map(|contact| XeroContactId(contact.xero_id.0)),
            number: copy.unwrap_or(&invoice.number),
            url: &url,
            codes: &self.codes,
            chart: &self.chart,
        };
        plan_amendment(invoice, remote, context)
    }
}

async fn write_amendments<'a>(
    tenant_session: &TenantSession<'_>,
    drafts: Vec<DocumentDraft<&'a InvoiceTask<'a>, InvoiceAmendment>>,
    batch: usize,
) {
    let endpoint = WriteEndpoint {
        call: |session, amendments, key| invoices::amend_invoices(session, amendments, key).boxed(),
        body: invoices::amendment_body,
        batch,
    };
    let sent = write_drafts(&tenant_session.api, drafts, &endpoint).await;
    let mut has_lost_tracking = false;
    for DraftResult { item: task, document: amendment, operation, mut remarks, result } in sent {
        if let Ok(remote) = &result {
            let lost = find_lost_tracking(&amendment, remote);
            has_lost_tracking |= lost.is_some();
            remarks.extend(lost);
            remarks.extend(describe_kept_tracking(&amendment, remote));
        }
        task.set_outcome(match result {
            Ok(remote) => Ok(synced_document::<InvoiceEntity>(task, &remote, operation, remarks)),
            Err(error) if is_about_closed_document(&error) => {
                let is_free = has_zero_total(task);
                let failure = if is_free { zero_total_failure } else { has_payments_failure };
                Err(AttemptError::Explained(failure(&task.snapshot.number)))
            }
            Err(error) => Err(AttemptError::Xero(error)),
        });
    }
    if has_lost_tracking {
        mark_tracking_stale(tenant_session).await;
    }
}

/// Describes the changed tracking options that Xero's answer does not have.
fn find_lost_tracking(amendment: &InvoiceAmendment, remote: &RemoteInvoice) -> Option<String> {
    let sent = amendment.lines.iter().map(|line| line.tracking.as_deref().unwrap_or_default());
    describe_lost_tracking(&sent.collect::<Vec<_>>(), &remote.line_tracking())
}
