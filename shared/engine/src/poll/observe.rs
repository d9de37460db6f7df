//! Observes invoices, and commits each observation together with its events for the CRM. If more
//! has changed on an invoice than fits into one transaction, it is observed in steps; it stays
//! marked as unseen until the last step, so that the next poll continues an interrupted
//! observation.

use std::collections::{BTreeMap, BTreeSet};

use domain::chart::Chart;
use domain::document::invoice::RemoteInvoice;
use domain::document::payment::{MoneyStatus, RemotePayment};
use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger, XeroInvoiceId, XeroPaymentId};
use domain::invoice_payments::Match;
use domain::mapping::{Mapping, MappingKey};
use domain::observe::{InvoiceObservation, SeenInvoice, observe_invoice};
use domain::sync_log::LogStatus;
use futures::FutureExt;
use store::{ConflictLimit, InvoicePaymentRows, ReadAheadKeys, StoreError, VersionedRecord};
use xero::api::invoices::{self, IDS_LIMIT};
use xero::api::payments::{self, INVOICES_LIMIT};

use super::isolation::{isolate_invoice, known_payments};
use super::payment_details::{collect_payments, has_details, load_chart_for_deposits};
use super::unreadable;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::errors::PersistError;
use crate::sync::sync_log;
use crate::{Engine, concurrency};

/// Observes what was read and what belongs to it: invoices on which a payment changed, and the
/// payments of changed invoices. `touched` are invoices with a change that could not be read.
/// Returns how many invoices had news.
pub(super) async fn observe_changes(
    desk: &TenantSession<'_>,
    mut seen: BTreeMap<XeroInvoiceId, RemoteInvoice>,
    mut details: BTreeMap<XeroPaymentId, RemotePayment>,
    touched: &BTreeSet<XeroInvoiceId>,
) -> Result<usize, AttemptError> {
    let ids = seen.keys().copied().chain(details.values().filter_map(|one| one.invoice));
    let ours = find_own_invoices(desk, ids.chain(touched.iter().copied()).collect()).await?;
    let mut unread = Vec::new();
    for (id, crm_id) in ours.iter().filter(|(id, _)| !seen.contains_key(id)) {
        if touched.contains(id) || has_news(desk, *id, crm_id, &details).await? {
            unread.push(*id);
        }
    }
    let known = ours.iter().filter_map(|(id, crm_id)| Some((crm_id.clone(), seen.remove(id)?)));
    let known = known.collect::<Vec<_>>();
    let mut news = observe_known(desk, known, &mut details).await?;
    for ids in unread.chunks(IDS_LIMIT) {
        let more = invoices::find_by_ids(&desk.session, ids).await?;
        unreadable::report_unreadable_rows(desk, &more.undecodable).await?;
        let known = more.rows.into_iter();
        let known = known.filter_map(|one| Some((ours.get(&one.id)?.clone(), one)));
        news += observe_known(desk, known.collect(), &mut details).await?;
    }
    Ok(news)
}

/// Observes invoices. Those with payments whose details are unknown come in groups, with one call
/// for each, and every group is committed before the next call: the calls of a minute or of a day
/// may end before all groups are read, and then the next poll has fewer left. Returns how many
/// invoices had news.
async fn observe_known(
    desk: &TenantSession<'_>,
    known: Vec<(CrmId, RemoteInvoice)>,
    details: &mut BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<usize, AttemptError> {
    let (mut complete, mut lacking) = (Vec::new(), Vec::new());
    for (crm_id, remote) in known {
        let has_details = has_details(desk, &crm_id, &remote, details).await?;
        let group = if has_details { &mut complete } else { &mut lacking };
        group.push((crm_id, remote));
    }
    let mut news = observe_group(desk, &complete, details).await?;
    for group in lacking.chunks(INVOICES_LIMIT) {
        let ids = group.iter().map(|(_, remote)| remote.id).collect::<Vec<_>>();
        let found = payments::find_by_invoices(&desk.session, &ids).await?;
        details.extend(found.rows.into_iter().map(|one| (one.id, one)));
        news += observe_group(desk, group, details).await?;
    }
    Ok(news)
}

/// Observes invoices whose payments are known as far as Xero tells. Returns how many had news.
async fn observe_group(
    desk: &TenantSession<'_>,
    group: &[(CrmId, RemoteInvoice)],
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<usize, AttemptError> {
    let accounts = load_chart_for_deposits(desk, group, details).await?;
    let observed = group.iter().map(|(crm_id, remote)| {
        observe_present(desk, crm_id, remote, details, accounts.as_ref()).boxed()
    });
    let observed = concurrency::map_concurrently(observed.collect()).await;
    // Each invoice was observed regardless of errors of the others.
    let observed = observed.into_iter().collect::<Result<Vec<_>, PersistError>>()?;
    Ok(observed.into_iter().filter(|news| *news).count())
}

/// Observes an invoice that Xero has. Returns whether there was news.
async fn observe_present(
    desk: &TenantSession<'_>,
    crm_id: &CrmId,
    remote: &RemoteInvoice,
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
    chart: Option<&Chart>,
) -> Result<bool, PersistError> {
    let observed = async {
        let payments = collect_payments(desk, remote, details, chart);
        let seen = SeenInvoice::There { invoice: remote, payments: &payments };
        observe_one(desk, crm_id, seen).await.map_err(PersistError::from)
    };
    let observed = observed.boxed();
    Ok(isolate_invoice(desk, crm_id, observed).await?.unwrap_or(false))
}

/// Observes that Xero no longer has an invoice. Returns whether there was news.
pub(super) async fn observe_missing(
    desk: &TenantSession<'_>,
    crm_id: &CrmId,
) -> Result<bool, PersistError> {
    let observed =
        async { observe_one(desk, crm_id, SeenInvoice::Missing).await.map_err(PersistError::from) };
    let observed = observed.boxed();
    Ok(isolate_invoice(desk, crm_id, observed).await?.unwrap_or(false))
}

/// Returns whether a payment on an invoice differs from what is known. Payments that were read
/// again because polls overlap do not.
async fn has_news(
    desk: &TenantSession<'_>,
    id: XeroInvoiceId,
    crm_id: &CrmId,
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<bool, PersistError> {
    // Observing the invoice reports that its rows cannot be read.
    let Some(received) = known_payments(desk, crm_id).await? else { return Ok(true) };
    let is_news = |payment: &RemotePayment| {
        let known = received.iter().find(|one| one.id == payment.id);
        let counts = known.is_some_and(|one| one.is != Match::Removed);
        counts != (payment.status == MoneyStatus::Authorised)
    };
    Ok(details.values().filter(|one| one.invoice == Some(id)).any(is_news))
}

/// Returns which of these invoices are ours, by their reverse links. One whose link cannot be read
/// is reported and left out.
async fn find_own_invoices(
    desk: &TenantSession<'_>,
    ids: BTreeSet<XeroInvoiceId>,
) -> Result<BTreeMap<XeroInvoiceId, CrmId>, StoreError> {
    let mut rows = ReadAheadKeys::default();
    for id in &ids {
        rows.add_linked_record(&desk.ledger, EntityKind::Invoice, (*id).into());
    }
    let engine: &Engine = &*desk.engine.with_rows_read_ahead(rows).await;
    let linked = ids.into_iter().map(|id| find_owner(engine, &desk.ledger, id).boxed());
    let linked = concurrency::map_concurrently(linked.collect()).await;
    let linked = linked.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    Ok(linked.into_iter().flatten().collect())
}

async fn find_owner(
    engine: &Engine,
    ledger: &Ledger,
    id: XeroInvoiceId,
) -> Result<Option<(XeroInvoiceId, CrmId)>, StoreError> {
    let linked = engine.store.find_linked_record(ledger, EntityKind::Invoice, id.into());
    let owner = engine.skip_failing(&ledger.account, linked).await?.flatten();
    Ok(owner.map(|crm_id| (id, crm_id)))
}

/// Observes one invoice, and starts again after a conflict with another process.
async fn observe_one(
    desk: &TenantSession<'_>,
    crm_id: &CrmId,
    seen: SeenInvoice<'_>,
) -> Result<bool, StoreError> {
    let (store, ledger) = (&desk.engine.store, &desk.ledger);
    let key = MappingKey::new(ledger.clone(), EntityKind::Invoice, crm_id.clone());
    let mut any = false;
    let mut conflicts = ConflictLimit::default();
    loop {
        let Some(mapping) = store.find_mapping(&key).await? else { return Ok(any) };
        let rows = store.find_invoice_payments(ledger, crm_id).await?;
        let rows = rows.unwrap_or_else(|| {
            InvoicePaymentRows::without_payments(ledger.clone(), crm_id.clone())
        });
        match observe_steps(desk, mapping, rows, seen, &mut any).await {
            Ok(()) => return Ok(any),
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

/// Observes in steps that each fit into a transaction, while there is time.
async fn observe_steps(
    desk: &TenantSession<'_>,
    mapping: VersionedRecord<Mapping>,
    rows: InvoicePaymentRows,
    seen: SeenInvoice<'_>,
    any: &mut bool,
) -> Result<(), StoreError> {
    let (mut mapping, mut rows) = (mapping, rows);
    loop {
        let now = desk.engine.clock.now();
        let observation = observe_invoice(&mapping.record, &rows.record, seen, now);
        let Some(observation) = observation else { return Ok(()) };
        let is_all = observation.is_all;
        let committed = commit_observation(desk, &mapping, &rows, observation).await?;
        *any = true;
        if is_all || desk.engine.clock.now() > desk.invocation.last_call {
            return Ok(());
        }
        (mapping, rows) = committed;
    }
}

/// Commits a step. Returns the rows after it.
async fn commit_observation(
    desk: &TenantSession<'_>,
    before: &VersionedRecord<Mapping>,
    rows: &InvoicePaymentRows,
    observation: InvoiceObservation,
) -> Result<(VersionedRecord<Mapping>, InvoicePaymentRows), StoreError> {
    let InvoiceObservation { mapping, receipts, news, is_all: _ } = observation;
    let engine = desk.engine;
    let remarks = news.iter().flat_map(sync_log::describe_event).collect::<Vec<_>>();
    let events = engine.new_events(&desk.ledger.account, news);
    let row = Some((&mapping, before.version));
    let rows = engine.store.put_invoice_payments(rows, receipts, row, &events).await?;
    engine.deliver_committed(&desk.ledger.account, &events).await;
    let number = mapping.snapshot.natural_key.clone();
    let subject = (EntityKind::Invoice, mapping.key.crm_id.clone(), number);
    if !remarks.is_empty() {
        let account = &desk.ledger.account;
        let told = remarks.join(" ");
        sync_log::log_idle(engine, account, subject, LogStatus::Synced, told, None).await;
    }
    Ok((VersionedRecord { record: mapping, version: before.version.next() }, rows))
}
