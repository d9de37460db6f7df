//! Observes invoices, and commits each observation together with its events for the CRM. If more
//! has changed on an invoice than fits into one transaction, it is observed in steps; it stays
//! marked as unseen until the last step, so that the next poll continues an interrupted
//! observation.

use std::collections::{BTreeMap, BTreeSet};

use domain::chart::Chart;
use domain::document::invoice::{AppliedPayment, RemoteInvoice};
use domain::document::payment::{MoneyStatus, RemotePayment};
use domain::entity::EntityKind;
use domain::ids::{CrmId, XeroInvoiceId, XeroPaymentId};
use domain::mapping::{Mapping, MappingKey};
use domain::money::Money;
use domain::observe::{Observation, Seen, observe};
use domain::receipts::{Received, Standpoint};
use domain::sync_log::LogStatus;
use futures::FutureExt;
use store::{ReceiptRows, StoreError, Versioned};
use xero::api::{invoices, payments};

use super::isolation::{isolate_invoice, known_payments};
use super::unreadable;
use crate::desk::{Desk, Trouble};
use crate::push::Unrecorded;
use crate::{abreast, chart, journal};

/// Maximum number of conflicts. After each, the rows are read and the observation is decided again.
const CONFLICTS_MAX: u32 = 6;

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
    let more = invoices::find_by_ids(&desk.session, &unread).await?;
    unreadable::report(desk, &more.undecodable).await?;
    seen.extend(more.rows.into_iter().map(|one| (one.id, one)));
    let mut known = Vec::new();
    for (id, crm_id) in ours {
        if let Some(remote) = seen.remove(&id) {
            known.push((crm_id, remote));
        }
    }
    fetch_details(desk, &known, &mut details).await?;
    let accounts = accounts(desk, &known, &details).await?;
    let observed = known.iter().map(|(crm_id, remote)| {
        observe_present(desk, crm_id, remote, &details, accounts.as_ref()).boxed()
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

/// Reads the payments of invoices that have unknown ones, because an invoice lists its payments
/// without their bank accounts.
async fn fetch_details(
    desk: &Desk<'_>,
    known: &[(CrmId, RemoteInvoice)],
    details: &mut BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<(), Trouble> {
    let mut lacking = Vec::new();
    for (crm_id, remote) in known {
        let unread = remote.settlement.payments.iter().filter(|one| !details.contains_key(&one.id));
        let unread = unread.map(|one| one.id).collect::<Vec<_>>();
        if unread.is_empty() {
            continue;
        }
        // Observing the invoice reports that its rows cannot be read.
        let Some(received) = known_payments(desk, crm_id).await? else { continue };
        let known: BTreeSet<XeroPaymentId> = received.iter().map(|one| one.id).collect();
        if !unread.iter().all(|id| known.contains(id)) {
            lacking.push(remote.id);
        }
    }
    let found = payments::of_invoices(&desk.session, &lacking).await?;
    details.extend(found.rows.into_iter().map(|one| (one.id, one)));
    Ok(())
}

/// Returns the chart if a payment's account has to be named. It is read from Xero again if an
/// account is missing.
async fn accounts(
    desk: &Desk<'_>,
    known: &[(CrmId, RemoteInvoice)],
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<Option<Chart>, Trouble> {
    let paid = known.iter().flat_map(|(_, remote)| &remote.settlement.payments);
    let paid = paid.filter_map(|one| details.get(&one.id)).collect::<Vec<_>>();
    if paid.is_empty() {
        return Ok(None);
    }
    let chart = chart::known(desk).await?;
    let is_named = |one: &&RemotePayment| {
        chart.banked_to(one.account_id, one.account_code.as_deref()).is_some()
    };
    if paid.iter().all(is_named) {
        return Ok(Some(chart));
    }
    Ok(Some(chart::current(desk).await?))
}

/// Returns all payments of an invoice.
fn received(
    desk: &Desk<'_>,
    remote: &RemoteInvoice,
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
    chart: Option<&Chart>,
) -> Vec<Received> {
    let one = |applied: &AppliedPayment| {
        let detail = details.get(&applied.id);
        if detail.is_some_and(|one| one.status == MoneyStatus::Deleted) {
            return None;
        }
        let account = detail
            .and_then(|one| chart?.banked_to(one.account_id, one.account_code.as_deref()).cloned());
        let reference = detail.and_then(|one| one.reference.clone());
        let received = Received {
            id: applied.id,
            amount: Money::new(applied.amount, remote.total.currency),
            date: applied.date.or(detail.and_then(|one| one.date)),
            reference: reference.or_else(|| applied.reference.clone()),
            account,
            batch: detail.and_then(|one| one.batch),
            is: Standpoint::Imported,
            seen_at: desk.engine.clock.now(),
        };
        Some(received.clipped())
    };
    remote.settlement.payments.iter().filter_map(one).collect()
}

/// Observes one invoice, and starts again after a conflict with another process.
async fn observe_one(desk: &Desk<'_>, crm_id: &CrmId, seen: Seen<'_>) -> Result<bool, StoreError> {
    let (store, ledger) = (&desk.engine.store, &desk.ledger);
    let mut any = false;
    for _ in 0..=CONFLICTS_MAX {
        let key = MappingKey {
            ledger: ledger.clone(),
            kind: EntityKind::Invoice,
            crm_id: crm_id.clone(),
        };
        let Some(mapping) = store.mapping(&key).await? else { return Ok(any) };
        let rows = store.receipts(ledger, crm_id).await?;
        let rows = rows.unwrap_or_else(|| ReceiptRows::none(ledger.clone(), crm_id.clone()));
        match observe_steps(desk, mapping, rows, seen, &mut any).await {
            Err(StoreError::Conflict) => {}
            result => return result.map(|()| any),
        }
    }
    Err(StoreError::Conflict)
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
