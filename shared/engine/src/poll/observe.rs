//! Observations of invoices, each committed with what the CRM is told of it.

use std::collections::{BTreeMap, BTreeSet};

use domain::chart::Chart;
use domain::document::invoice::{AppliedPayment, RemoteInvoice};
use domain::document::payment::{MoneyStatus, RemotePayment};
use domain::entity::EntityKind;
use domain::ids::{CrmId, XeroInvoiceId, XeroPaymentId};
use domain::mapping::{Mapping, MappingKey};
use domain::money::Money;
use domain::observe::{Observation, Seen, observe};
use domain::receipts::{Receipts, Received, Standpoint};
use domain::sync_log::LogStatus;
use futures::FutureExt;
use store::table::Expect;
use store::{StoreError, Versioned};
use xero::api::{invoices, payments};

use crate::desk::{Desk, Trouble};
use crate::{abreast, chart, journal};

/// A row that somebody else writes at the same moment is read and decided again, this many times.
const CONFLICTS_MAX: u32 = 6;
/// New payments of one invoice that are told in one transaction: DynamoDB takes a hundred rows in one.
const NEW_MAX: usize = 80;

/// Observes what was read, and whatever else belongs to it: an invoice on which a payment changed, and the
/// payments of an invoice that changed. How many invoices had news.
pub(super) async fn all(
    desk: &Desk<'_>,
    mut seen: BTreeMap<XeroInvoiceId, RemoteInvoice>,
    mut details: BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<usize, Trouble> {
    let ids = seen.keys().copied().chain(details.values().filter_map(|one| one.invoice));
    let ours = ours(desk, ids.collect()).await?;
    let mut unread = Vec::new();
    for (id, crm_id) in ours.iter().filter(|(id, _)| !seen.contains_key(id)) {
        if has_news(desk, *id, crm_id, &details).await? {
            unread.push(*id);
        }
    }
    let more = invoices::find_by_ids(&desk.session, &unread).await?;
    seen.extend(more.into_iter().map(|one| (one.id, one)));
    let mut known = Vec::new();
    for (id, crm_id) in ours {
        if let Some(remote) = seen.remove(&id) {
            known.push((crm_id, remote));
        }
    }
    fetch_details(desk, &known, &mut details).await?;
    let accounts = accounts(desk, &known, &details).await?;
    let observed = known.iter().map(|(crm_id, remote)| {
        let payments = received(desk, remote, &details, accounts.as_ref());
        async move { one(desk, crm_id, Some((remote, payments))).await }.boxed()
    });
    let observed = abreast::all(observed.collect()).await;
    let observed = observed.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    Ok(observed.into_iter().filter(|news| *news).count())
}

/// Whether a payment on an invoice is not known as it is now. Those that were read again for the overlap
/// are.
async fn has_news(
    desk: &Desk<'_>,
    id: XeroInvoiceId,
    crm_id: &CrmId,
    details: &BTreeMap<XeroPaymentId, RemotePayment>,
) -> Result<bool, StoreError> {
    let row = desk.engine.store.receipts(&desk.ledger, crm_id).await?;
    let received = row.map(|row| row.record.received).unwrap_or_default();
    let is_news = |payment: &RemotePayment| {
        let known = received.iter().find(|one| one.id == payment.id);
        let counts = known.is_some_and(|one| one.is != Standpoint::Removed);
        counts != (payment.status == MoneyStatus::Authorised)
    };
    Ok(details.values().filter(|one| one.invoice == Some(id)).any(is_news))
}

/// Which of these invoices are ours, by the reverse links.
async fn ours(
    desk: &Desk<'_>,
    ids: BTreeSet<XeroInvoiceId>,
) -> Result<BTreeMap<XeroInvoiceId, CrmId>, StoreError> {
    let linked = ids.into_iter().map(|id| {
        let store = &desk.engine.store;
        async move {
            let owner = store.linked(&desk.ledger, EntityKind::Invoice, id.into()).await?;
            Ok(owner.map(|crm_id| (id, crm_id)))
        }
        .boxed()
    });
    let linked = abreast::all(linked.collect()).await;
    let linked = linked.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    Ok(linked.into_iter().flatten().collect())
}

/// An invoice lists its payments, and not where the money went.
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
        let row = desk.engine.store.receipts(&desk.ledger, crm_id).await?;
        let is_known = |id: &XeroPaymentId| {
            row.as_ref().is_some_and(|row| row.record.received.iter().any(|one| one.id == *id))
        };
        if !unread.iter().all(is_known) {
            lacking.push(remote.id);
        }
    }
    let found = payments::of_invoices(&desk.session, &lacking).await?;
    details.extend(found.into_iter().map(|one| (one.id, one)));
    Ok(())
}

/// The chart, if a payment went to an account that is to be named. It is read again where it lacks one.
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

/// The payments of an invoice, all of them.
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
        Some(Received {
            id: applied.id,
            amount: Money::new(applied.amount, remote.total.currency),
            date: applied.date.or(detail.and_then(|one| one.date)),
            reference: reference.or_else(|| applied.reference.clone()),
            account,
            batch: detail.and_then(|one| one.batch),
            is: Standpoint::Imported,
            seen_at: desk.engine.clock.now(),
        })
    };
    remote.settlement.payments.iter().filter_map(one).collect()
}

/// Observes one invoice: with these payments, or that Xero has it no longer. Whether there was news.
pub(super) async fn one(
    desk: &Desk<'_>,
    crm_id: &CrmId,
    seen: Option<(&RemoteInvoice, Vec<Received>)>,
) -> Result<bool, StoreError> {
    let (engine, ledger) = (desk.engine, &desk.ledger);
    let mut conflicts = 0;
    let mut any = false;
    loop {
        let key = MappingKey {
            ledger: ledger.clone(),
            kind: EntityKind::Invoice,
            crm_id: crm_id.clone(),
        };
        let Some(mapping) = engine.store.mapping(&key).await? else { return Ok(any) };
        let row = engine.store.receipts(ledger, crm_id).await?;
        let expect = row.as_ref().map_or(Expect::Absent, |row| Expect::Version(row.version));
        let empty = || Receipts::new(ledger.clone(), crm_id.clone());
        let receipts = row.map_or_else(empty, |row| row.record);
        let (seen, is_all) = match &seen {
            Some((invoice, payments)) => {
                let (payments, is_all) = some_new(&receipts, payments);
                (Seen::There { invoice, payments }, is_all)
            }
            None => (Seen::Missing, true),
        };
        let now = engine.clock.now();
        let Some(observation) = observe(&mapping.record, &receipts, seen, now) else {
            return Ok(any);
        };
        match commit(desk, &mapping, expect, observation).await {
            Ok(()) => any = true,
            Err(StoreError::Conflict) if conflicts < CONFLICTS_MAX => {
                conflicts += 1;
                continue;
            }
            Err(error) => return Err(error),
        }
        if is_all {
            return Ok(any);
        }
    }
}

/// The payments that are known, and as many new ones as fit into a transaction; whether those are all.
fn some_new(receipts: &Receipts, payments: &[Received]) -> (Vec<Received>, bool) {
    let is_new = |one: &&Received| !receipts.received.iter().any(|known| known.id == one.id);
    let new = payments.iter().filter(is_new).count();
    let mut left = NEW_MAX;
    let some = payments.iter().filter(|one| {
        if !is_new(one) {
            return true;
        }
        let fits = left > 0;
        left = left.saturating_sub(1);
        fits
    });
    (some.cloned().collect(), new <= NEW_MAX)
}

async fn commit(
    desk: &Desk<'_>,
    before: &Versioned<Mapping>,
    expect: Expect,
    observation: Observation,
) -> Result<(), StoreError> {
    let Observation { mapping, receipts, news } = observation;
    let engine = desk.engine;
    let remarks = news.iter().flat_map(journal::told).collect::<Vec<_>>();
    let events = engine.events(&desk.ledger.account, news);
    let row = Some((&mapping, before.version));
    engine.store.put_receipts(&receipts, expect, row, &events).await?;
    engine.deliver(&desk.ledger.account, &events).await;
    let number = mapping.snapshot.natural_key.clone();
    let subject = (EntityKind::Invoice, mapping.key.crm_id.clone(), number);
    if !remarks.is_empty() {
        let account = &desk.ledger.account;
        let told = remarks.join(" ");
        journal::idle(engine, account, subject, LogStatus::Synced, told, None).await;
    }
    Ok(())
}
