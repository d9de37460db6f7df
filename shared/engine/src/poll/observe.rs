//! Observes invoices, and commits each observation together with its events for the CRM. If more
//! has changed on an invoice than fits into one transaction, it is observed in steps; it stays
//! marked as unseen until the last step, so that the next poll continues an interrupted
//! observation.

use std::collections::{BTreeMap, BTreeSet};

use domain::chart::Chart;
use domain::document::invoice::RemoteInvoice;
use domain::document::payment::{MoneyStatus, RemotePayment};
use domain::entity::EntityKind;
use domain::ids::{CrmId, XeroInvoiceId, XeroPaymentId};
use domain::mapping::{Mapping, MappingKey};
use domain::observe::{Observation, Seen, observe};
use domain::receipts::Standpoint;
use domain::sync_log::LogStatus;
use futures::FutureExt;
use store::{ConflictLimit, ReceiptRows, StoreError, Versioned};
use xero::api::invoices::{self, IDS_LIMIT};
use xero::api::payments::{self, INVOICES_LIMIT};

use super::details::{accounts, has_details, received};
use super::isolation::{isolate_invoice, known_payments};
use super::unreadable;
use crate::desk::{Desk, Trouble};
use crate::errors::Unrecorded;
use crate::{abreast, journal};

/// Observes what was read and what belongs to it: invoices on which a payment changed, and the
/// payments of changed invoices. `touched` are invoices with a change that could not be read.
/// Returns how many invoices had news.
pub(super) async fn all(
    desk: &Desk<'_>,
    mut seen: BTreeMap<XeroInvoiceId, RemoteInvoice>,
    mut details: BTreeMap<XeroPaymentId, RemotePayment>,
    touched: &BTreeSet<XeroInvoiceId>,
) -> Result<usize, Trouble> {
    let ids = seen.keys().copied().chain(details.values().filter_map(|one| one.invoice));
    let ours = ours(desk, ids.chain(touched.iter().copied()).collect()).await?;
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
        unreadable::report(desk, &more.undecodable).await?;
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
    desk: &Desk<'_>,
    known: Vec<(CrmId, RemoteInvoice)>,
    details: &mut BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<usize, Trouble> {
    let (mut complete, mut lacking) = (Vec::new(), Vec::new());
    for (crm_id, remote) in known {
        let has_details = has_details(desk, &crm_id, &remote, details).await?;
        let group = if has_details { &mut complete } else { &mut lacking };
        group.push((crm_id, remote));
    }
    let mut news = observe_group(desk, &complete, details).await?;
    for group in lacking.chunks(INVOICES_LIMIT) {
        let ids = group.iter().map(|(_, remote)| remote.id).collect::<Vec<_>>();
        let found = payments::of_invoices(&desk.session, &ids).await?;
        details.extend(found.rows.into_iter().map(|one| (one.id, one)));
        news += observe_group(desk, group, details).await?;
    }
    Ok(news)
}

/// Observes invoices whose payments are known as far as Xero tells. Returns how many had news.
async fn observe_group(
    desk: &Desk<'_>,
    group: &[(CrmId, RemoteInvoice)],
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<usize, Trouble> {
    let accounts = accounts(desk, group, details).await?;
    let observed = group.iter().map(|(crm_id, remote)| {
        observe_present(desk, crm_id, remote, details, accounts.as_ref()).boxed()
    });
    let observed = abreast::all(observed.collect()).await;
    // Each invoice was observed regardless of errors of the others.
    let observed = observed.into_iter().collect::<Result<Vec<_>, Unrecorded>>()?;
    Ok(observed.into_iter().filter(|news| *news).count())
}

/// Observes an invoice that Xero has. Returns whether there was news.
async fn observe_present(
    desk: &Desk<'_>,
    crm_id: &CrmId,
    remote: &RemoteInvoice,
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
    chart: Option<&Chart>,
) -> Result<bool, Unrecorded> {
    let observed = async {
        let payments = received(desk, remote, details, chart);
        let seen = Seen::There { invoice: remote, payments: &payments };
        observe_one(desk, crm_id, seen).await.map_err(Unrecorded::from)
    };
    let observed = observed.boxed();
    Ok(isolate_invoice(desk, crm_id, observed).await?.unwrap_or(false))
}

/// Observes that Xero no longer has an invoice. Returns whether there was news.
pub(super) async fn missing(desk: &Desk<'_>, crm_id: &CrmId) -> Result<bool, Unrecorded> {
    let observed =
        async { observe_one(desk, crm_id, Seen::Missing).await.map_err(Unrecorded::from) };
    let observed = observed.boxed();
    Ok(isolate_invoice(desk, crm_id, observed).await?.unwrap_or(false))
}

/// Returns whether a payment on an invoice differs from what is known. Payments that were read
/// again because polls overlap do not.
async fn has_news(
    desk: &Desk<'_>,
    id: XeroInvoiceId,
    crm_id: &CrmId,
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<bool, Unrecorded> {
    // Observing the invoice reports that its rows cannot be read.
    let Some(received) = known_payments(desk, crm_id).await? else { return Ok(true) };
    let is_news = |payment: &RemotePayment| {
        let known = received.iter().find(|one| one.id == payment.id);
        let counts = known.is_some_and(|one| one.is != Standpoint::Removed);
        counts != (payment.status == MoneyStatus::Authorised)
    };
    Ok(details.values().filter(|one| one.invoice == Some(id)).any(is_news))
}

/// Returns which of these invoices are ours, by their reverse links. One whose link cannot be read
/// is reported and left out.
async fn ours(
    desk: &Desk<'_>,
    ids: BTreeSet<XeroInvoiceId>,
) -> Result<BTreeMap<XeroInvoiceId, CrmId>, StoreError> {
    let linked = ids.into_iter().map(|id| find_owner(desk, id).boxed());
    let linked = abreast::all(linked.collect()).await;
    let linked = linked.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    Ok(linked.into_iter().flatten().collect())
}

async fn find_owner(
    desk: &Desk<'_>,
    id: XeroInvoiceId,
) -> Result<Option<(XeroInvoiceId, CrmId)>, StoreError> {
    let (engine, ledger) = (desk.engine, &desk.ledger);
    let linked = engine.store.linked(ledger, EntityKind::Invoice, id.into());
    let owner = engine.skip_failing(&ledger.account, linked).await?.flatten();
    Ok(owner.map(|crm_id| (id, crm_id)))
}

/// Observes one invoice, and starts again after a conflict with another process.
async fn observe_one(desk: &Desk<'_>, crm_id: &CrmId, seen: Seen<'_>) -> Result<bool, StoreError> {
    let (store, ledger) = (&desk.engine.store, &desk.ledger);
    let key = MappingKey::new(ledger.clone(), EntityKind::Invoice, crm_id.clone());
    let mut any = false;
    let mut conflicts = ConflictLimit::default();
    loop {
        let Some(mapping) = store.mapping(&key).await? else { return Ok(any) };
        let rows = store.receipts(ledger, crm_id).await?;
        let rows = rows.unwrap_or_else(|| ReceiptRows::none(ledger.clone(), crm_id.clone()));
        match observe_steps(desk, mapping, rows, seen, &mut any).await {
            Ok(()) => return Ok(any),
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

/// Observes in steps that each fit into a transaction, while there is time.
async fn observe_steps(
    desk: &Desk<'_>,
    mapping: Versioned<Mapping>,
    rows: ReceiptRows,
    seen: Seen<'_>,
    any: &mut bool,
) -> Result<(), StoreError> {
    let (mut mapping, mut rows) = (mapping, rows);
    loop {
        let now = desk.engine.clock.now();
        let observation = observe(&mapping.record, &rows.record, seen, now);
        let Some(observation) = observation else { return Ok(()) };
        let is_all = observation.is_all;
        let committed = commit(desk, &mapping, &rows, observation).await?;
        *any = true;
        if is_all || desk.engine.clock.now() > desk.invocation.last_call {
            return Ok(());
        }
        (mapping, rows) = committed;
    }
}

/// Commits a step. Returns the rows after it.
async fn commit(
    desk: &Desk<'_>,
    before: &Versioned<Mapping>,
    rows: &ReceiptRows,
    observation: Observation,
) -> Result<(Versioned<Mapping>, ReceiptRows), StoreError> {
    let Observation { mapping, receipts, news, is_all: _ } = observation;
    let engine = desk.engine;
    let remarks = news.iter().flat_map(journal::told).collect::<Vec<_>>();
    let events = engine.events(&desk.ledger.account, news);
    let row = Some((&mapping, before.version));
    let rows = engine.store.put_receipts(rows, receipts, row, &events).await?;
    engine.deliver(&desk.ledger.account, &events).await;
    let number = mapping.snapshot.natural_key.clone();
    let subject = (EntityKind::Invoice, mapping.key.crm_id.clone(), number);
    if !remarks.is_empty() {
        let account = &desk.ledger.account;
        let told = remarks.join(" ");
        journal::idle(engine, account, subject, LogStatus::Synced, told, None).await;
    }
    Ok((Versioned { record: mapping, version: before.version.next() }, rows))
}
