//! Observes invoices, and commits each observation together with its events for the CRM. If more
//! has changed on an invoice than fits into one transaction, it is observed in steps; it stays
//! marked as unseen until the last step, so that the next poll continues an interrupted
//! observation. The events of the invoices that are observed together are delivered together.

mod steps;
mod unread;

use std::collections::{BTreeMap, BTreeSet};

use domain::chart::Chart;
use domain::document::invoice::RemoteInvoice;
use domain::document::payment::RemotePayment;
use domain::entity::EntityKind;
use domain::ids::{CrmId, XeroInvoiceId, XeroPaymentId};
use domain::mapping::{DocumentAmounts, MappingKey};
use domain::observe::{SeenInvoice, depends_on_known_payments};
use futures::FutureExt;
use store::{ConflictLimit, InvoicePaymentRows, ReadAheadKeys, Store, StoreError};
use xero::api::invoices::IDS_LIMIT;
use xero::api::payments::{self, INVOICES_LIMIT};

use self::steps::observe_steps;
use self::unread::{find_unread, read_unread};
use super::ended_waits::EndedWaits;
use super::isolation::isolate_invoice;
use super::own_invoices::find_own_invoices;
use super::payment_details::{
    collect_payments, has_details, list_deposits, load_chart_for_deposits,
};
use super::stopped_payments::release_removals_of;
use crate::concurrency;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::errors::PersistError;
use crate::sync::release::KnownDocument;

/// Invoices whose mappings are read together: as many as one request reads. The mappings of a page
/// of Xero's list would take much memory.
const READ_TOGETHER: usize = 100;

/// What observing an invoice changed.
#[derive(Debug, Default)]
struct ObservedChange {
    /// Whether a change was committed.
    is_any: bool,
    /// What was known about the invoice before, if it has a document in Xero.
    known: Option<KnownDocument>,
    ended: EndedWaits,
    /// Whether events may have been committed that are still to be delivered.
    has_events: bool,
}

impl ObservedChange {
    /// An observation that failed because of the invoice, perhaps after a step.
    fn failed() -> Self {
        Self { has_events: true, ..Self::default() }
    }
}

/// Observes the changes that were read, the invoices of changed payments, and the payments of
/// changed invoices. `touched` are invoices with a change that could not be read. An invoice that Xero
/// does not show is unseen until a later poll reads it. Returns the number of invoices with changes.
pub(super) async fn observe_changes(
    tenant_session: &TenantSession<'_>,
    mut seen: BTreeMap<XeroInvoiceId, RemoteInvoice>,
    mut details: BTreeMap<XeroPaymentId, RemotePayment>,
    touched: &BTreeSet<XeroInvoiceId>,
) -> Result<usize, AttemptError> {
    let ids = seen.keys().copied().chain(details.values().filter_map(|one| one.invoice));
    let ours =
        find_own_invoices(tenant_session, ids.chain(touched.iter().copied()).collect()).await?;
    let unlisted = ours.iter().filter(|(id, _)| !seen.contains_key(id)).collect::<Vec<_>>();
    let unread = find_unread(tenant_session, &unlisted, touched, &details).await?;
    let known = ours.iter().filter_map(|(id, crm_id)| Some((crm_id.clone(), seen.remove(id)?)));
    let known = known.collect::<Vec<_>>();
    let mut changed = observe_known(tenant_session, known, &mut details).await?;
    for ids in unread.chunks(IDS_LIMIT) {
        let known = read_unread(tenant_session, ids, &ours).boxed().await?;
        changed += observe_known(tenant_session, known, &mut details).await?;
    }
    release_removals_of(tenant_session, details.values()).boxed().await?;
    Ok(changed)
}

/// Observes invoices. Those with payments whose details are unknown come in groups, with one call
/// for each, and every group is committed before the next call: a rate limit may be reached before
/// all groups are read, and then the next poll has fewer of them to read. Returns the number of
/// invoices with changes.
async fn observe_known(
    tenant_session: &TenantSession<'_>,
    known: Vec<(CrmId, RemoteInvoice)>,
    details: &mut BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<usize, AttemptError> {
    let (mut complete, mut lacking) = (Vec::new(), Vec::new());
    let given = &*details;
    let compared = known
        .iter()
        .map(|(crm_id, remote)| has_details(tenant_session, crm_id, remote, given).boxed());
    let compared = concurrency::map_concurrently(compared.collect()).await;
    for (one, has_details) in known.into_iter().zip(compared) {
        let group = if has_details? { &mut complete } else { &mut lacking };
        group.push(one);
    }
    let mut changed = observe_group(tenant_session, &complete, details).await?;
    for group in lacking.chunks(INVOICES_LIMIT) {
        let ids = group.iter().map(|(_, remote)| remote.id).collect::<Vec<_>>();
        let found = payments::find_by_invoices(&tenant_session.api, &ids).await?;
        details.extend(found.rows.into_iter().map(|one| (one.id, one)));
        changed += observe_group(tenant_session, group, details).await?;
    }
    Ok(changed)
}

/// Observes invoices whose payments are known as far as Xero reports them. Returns the number of
/// invoices with changes.
async fn observe_group(
    tenant_session: &TenantSession<'_>,
    group: &[(CrmId, RemoteInvoice)],
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<usize, AttemptError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let (mut changed, mut ended, mut failed) = (0, EndedWaits::default(), None);
    let (mut deposits, mut chart) = (list_deposits(group, details), None);
    for some in group.chunks(READ_TOGETHER) {
        let store = &read_mappings_ahead(tenant_session, some, !deposits.is_empty()).await;
        // The chart is read with the first mappings.
        let named = std::mem::take(&mut deposits);
        if !named.is_empty() {
            chart = Some(load_chart_for_deposits(tenant_session, store, &named).boxed().await?);
        }
        let chart = chart.as_ref();
        let observed = some.iter().map(|(crm_id, remote)| {
            observe_present(tenant_session, store, crm_id, remote, details, chart).boxed()
        });
        let mut has_events = false;
        // Each invoice is observed regardless of errors of the others.
        for one in concurrency::map_concurrently(observed.collect()).await {
            let change = one.unwrap_or_else(|error| {
                failed.get_or_insert(error);
                ObservedChange::failed()
            });
            changed += usize::from(change.is_any);
            has_events |= change.has_events;
            ended.merge(change.ended);
        }
        if has_events {
            engine.deliver_outbox(&ledger.account).await;
        }
    }
    let released = ended.release_records(engine, ledger).await;
    match failed.or(released.err()) {
        Some(error) => Err(error.into()),
        None => Ok(changed),
    }
}

/// Returns a store with the mappings of these invoices read ahead, and the chart if it is needed.
async fn read_mappings_ahead(
    tenant_session: &TenantSession<'_>,
    invoices: &[(CrmId, RemoteInvoice)],
    needs_chart: bool,
) -> Store {
    let mut rows = ReadAheadKeys::default();
    if needs_chart {
        rows.add_chart(&tenant_session.ledger);
    }
    for (crm_id, _) in invoices {
        rows.add_mapping(&mapping_key(tenant_session, crm_id));
    }
    let engine = tenant_session.engine.with_rows_read_ahead(rows).await;
    engine.store.clone()
}

fn mapping_key(tenant_session: &TenantSession<'_>, invoice: &CrmId) -> MappingKey {
    MappingKey::new(tenant_session.ledger.clone(), EntityKind::Invoice, invoice.clone())
}

/// Observes an invoice that Xero has. Returns what had changed. `store` has read its mapping ahead.
async fn observe_present(
    tenant_session: &TenantSession<'_>,
    store: &Store,
    crm_id: &CrmId,
    remote: &RemoteInvoice,
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
    chart: Option<&Chart>,
) -> Result<ObservedChange, PersistError> {
    let observed = async {
        let payments = collect_payments(tenant_session, remote, details, chart);
        let seen = SeenInvoice::There { invoice: remote, payments: &payments };
        let mut change = observe_one(tenant_session, store, crm_id, seen).await?;
        if let Some(known) = change.known.take() {
            let after = DocumentAmounts::of_invoice(known.crm_total(), remote);
            let now = tenant_session.engine.clock.now();
            let document = known.find_change(remote, &after, remote.updated_at, now);
            change.ended.add_document(document);
        }
        Ok::<_, PersistError>(change)
    };
    let observed = observed.boxed();
    let observed = isolate_invoice(tenant_session, crm_id, observed).await?;
    Ok(observed.unwrap_or_else(ObservedChange::failed))
}

/// Observes that Xero did not show an invoice, which counts as deleted once a later read confirms it.
/// Returns whether that was a change.
pub(super) async fn observe_missing(
    tenant_session: &TenantSession<'_>,
    (id, crm_id): (XeroInvoiceId, &CrmId),
) -> Result<bool, PersistError> {
    let observed = async {
        let store = &tenant_session.engine.store;
        let seen = SeenInvoice::Missing(id);
        observe_one(tenant_session, store, crm_id, seen).await.map_err(PersistError::from)
    };
    let observed = observed.boxed();
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let observed = isolate_invoice(tenant_session, crm_id, observed).await;
    let is_delivered = observed
        .as_ref()
        .is_ok_and(|observed| observed.as_ref().is_some_and(|observed| !observed.has_events));
    if !is_delivered {
        engine.deliver_outbox(&ledger.account).await;
    }
    let ObservedChange { is_any, known: _, ended, has_events: _ } =
        observed?.unwrap_or_else(ObservedChange::failed);
    ended.release_records(engine, ledger).await?;
    Ok(is_any)
}

/// Observes one invoice, and starts again after a conflict with another process. Its payments are
/// read only if the observation depends on them.
async fn observe_one(
    tenant_session: &TenantSession<'_>,
    store: &Store,
    crm_id: &CrmId,
    seen: SeenInvoice<'_>,
) -> Result<ObservedChange, StoreError> {
    let (key, ledger) = (mapping_key(tenant_session, crm_id), &tenant_session.ledger);
    let mut change = ObservedChange::default();
    let mut conflicts = ConflictLimit::default();
    loop {
        let Some(mapping) = store.find_mapping(&key).await? else { return Ok(change) };
        if change.known.is_none() {
            change.known = KnownDocument::from_mapping(&mapping.record);
        }
        let now = tenant_session.engine.clock.now();
        let rows = if depends_on_known_payments(&mapping.record, seen, now) {
            store.find_invoice_payments(ledger, crm_id).await?
        } else {
            None
        };
        let rows = rows.unwrap_or_else(|| {
            InvoicePaymentRows::without_payments(ledger.clone(), crm_id.clone())
        });
        match observe_steps(tenant_session, mapping, rows, seen, &mut change).await {
            Ok(()) => return Ok(change),
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}
