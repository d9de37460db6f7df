//! Finds parts of payments and refunds that may continue although no change of an invoice says so.
//!
//! Xero does not change an invoice when the reconciliation of one of its payments is undone, and its
//! documentation leaves open whether the payment's own instant changes. So the poll looks at the
//! changed payments that it reads anyway, and once a day Xero is asked for each payment and bank
//! transaction that it did not remove. The credit notes of refunds are in no list of the poll: once a
//! day those of invoices with a refused refund are read.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use domain::call_budget::CallPriority;
use domain::crm::payment::{PartRole, PaymentPart};
use domain::document::payment::RemotePayment;
use domain::entity::EntityKind;
use domain::ids::{XeroBankTransactionId, XeroPaymentId};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::AttentionReason;
use futures::FutureExt;
use jiff::Timestamp;
use store::{ReadAheadKeys, StoreError};
use xero::ApiSession;
use xero::api::{bank_transactions, payments};

use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::errors::PersistError;
use crate::sync::refresh_refunds;
use crate::sync::release::{ReleaseTiming, release_if_document_changed, release_refused_removals};

/// Given-up records per page, and maximum pages per day: the newest 2,000 are looked at.
const PER_PAGE: NonZeroU16 = NonZeroU16::new(100).expect("not zero");
const PAGES_MAX: usize = 20;

/// Maximum payments per day of which Xero is asked whether they can be removed: ten calls.
const PAYMENTS_MAX: usize = 200;

/// Maximum bank transactions per day, and maximum refused refunds: one call for each.
const SINGLE_CALLS_MAX: usize = 10;

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// Releases the removals that Xero refused because these payments were reconciled or part of a batch
/// payment, if they no longer are. Costs nothing for payments that the integration did not write.
pub(super) async fn release_removals_of<'p>(
    tenant_session: &TenantSession<'_>,
    changed: impl IntoIterator<Item = &'p RemotePayment>,
) -> Result<(), PersistError> {
    let removable = changed.into_iter().filter(|one| one.is_removable() && one.has_reference_tag());
    let removable = removable.map(|one| one.id).collect::<Vec<XeroPaymentId>>();
    if removable.is_empty() {
        return Ok(());
    }
    let (engine, ledger, kind) =
        (tenant_session.engine, &tenant_session.ledger, EntityKind::Payment);
    let mut links = ReadAheadKeys::default();
    for id in &removable {
        links.add_linked_record(ledger, kind, (*id).into());
    }
    let ahead = engine.with_rows_read_ahead(links).await;
    let (mut keys, mut rows) = (Vec::new(), ReadAheadKeys::default());
    for id in removable {
        let linked = ahead.store.find_linked_record(ledger, kind, id.into());
        let owner = engine.skip_failing(&ledger.account, linked).await?.flatten();
        let Some(crm_id) = owner else { continue };
        let key = MappingKey::new(ledger.clone(), kind, crm_id);
        rows.add_mapping(&key);
        keys.push(key);
    }
    let ahead = engine.with_rows_read_ahead(rows).await;
    release_refused_removals(&ahead, ledger, keys).boxed().await
}

/// Asks Xero about the parts of payments and refunds that were given up, and releases those that may
/// continue. Makes no call if there are none. Of those that are looked at, the ones beyond the limits
/// of a day follow on the next days. Repeating it does no harm.
pub(super) async fn check_stopped_payments(
    tenant_session: &TenantSession<'_>,
) -> Result<(), AttemptError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let stopped = list_stopped_payments(tenant_session).await?;
    if stopped.is_empty() {
        return Ok(());
    }
    let patient = tenant_session.session_with_priority(CallPriority::Verification);
    let now = engine.clock.now();
    let removable = find_removable_parts(&patient, &stopped, now).boxed().await?;
    release_refused_removals(engine, ledger, removable).boxed().await?;
    let refunds = stopped.iter().filter(|mapping| mapping.is_refused_refund());
    for refused in select_for_day(refunds.collect(), now, SINGLE_CALLS_MAX) {
        match refresh_refunds(tenant_session, &patient, refused).boxed().await {
            // Code that needs the unreadable row itself reports it.
            Err(AttemptError::Persist(error)) if error.is_about_the_record() => continue,
            refreshed => refreshed?,
        }
        release_if_document_changed(engine, refused, ReleaseTiming::AtOnce).boxed().await?;
    }
    Ok(())
}

/// Returns the given-up parts of payments and refunds about which Xero is to be asked.
async fn list_stopped_payments(
    tenant_session: &TenantSession<'_>,
) -> Result<Vec<Mapping>, StoreError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let (mut stopped, mut after) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let given_up = AttentionReason::GivenUp;
        let page = engine.store.list_attention(ledger, given_up, after.as_ref(), PER_PAGE).await?;
        let keys = page.records.into_iter().map(|one| one.key);
        let keys = keys.filter(|key| key.kind == EntityKind::Payment).collect::<Vec<_>>();
        let mut rows = ReadAheadKeys::default();
        for key in &keys {
            rows.add_mapping(key);
        }
        let ahead = engine.with_rows_read_ahead(rows).await;
        for key in &keys {
            let read = ahead.store.find_mapping(key);
            let row = engine.skip_failing(&ledger.account, read).await?.flatten();
            let asked = |one: &Mapping| one.is_refused_removal() || one.is_refused_refund();
            stopped.extend(row.map(|row| row.record).filter(asked));
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(stopped)
}

/// Returns those parts that Xero did not remove and may remove now, as Xero has their documents.
async fn find_removable_parts(
    session: &ApiSession,
    stopped: &[Mapping],
    now: Timestamp,
) -> Result<Vec<MappingKey>, AttemptError> {
    let (mut of_payments, mut of_transactions) = (BTreeMap::new(), Vec::new());
    for mapping in stopped.iter().filter(|mapping| mapping.is_refused_removal()) {
        let part = serde_json::from_str::<PaymentPart>(&mapping.snapshot.json);
        let Some((part, link)) = part.ok().zip(mapping.link.as_ref()) else { continue };
        match part.role {
            PartRole::Invoice(_) | PartRole::Refund(_) => {
                of_payments.insert(XeroPaymentId(link.xero_id.0), &mapping.key);
            }
            PartRole::Fee | PartRole::Surcharge(_) | PartRole::RefundFee => {
                of_transactions.push((XeroBankTransactionId(link.xero_id.0), &mapping.key));
            }
            PartRole::RefundNote(_) => {}
        }
    }
    let mut removable = Vec::new();
    let ids = select_for_day(of_payments.keys().copied().collect(), now, PAYMENTS_MAX);
    let found = payments::find_by_ids(session, &ids).await?;
    let found = found.rows.iter().filter(|payment| payment.is_removable());
    removable.extend(found.filter_map(|payment| of_payments.get(&payment.id).copied().cloned()));
    for (id, key) in select_for_day(of_transactions, now, SINGLE_CALLS_MAX) {
        let found = bank_transactions::get(session, id).await?;
        if found.is_some_and(|transaction| transaction.is_removable()) {
            removable.push(key.clone());
        }
    }
    Ok(removable)
}

/// Selects at most `max` of these. If there are more, each day selects the next ones.
fn select_for_day<T>(mut all: Vec<T>, now: Timestamp, max: usize) -> Vec<T> {
    if all.len() > max {
        let day = now.as_second().div_euclid(SECONDS_PER_DAY);
        let first = usize::try_from(day).unwrap_or(0).wrapping_mul(max) % all.len();
        all.rotate_left(first);
        all.truncate(max);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_record_is_selected_within_as_many_days_as_its_list_has_groups() {
        for count in [0_usize, 1, 10, 11, 25, 103] {
            let mut selected = BTreeSet::new();
            for day in 0..i64::try_from(count.div_ceil(10)).unwrap() {
                let now = Timestamp::from_second(1_793_610_010 + day * SECONDS_PER_DAY).unwrap();
                let today = select_for_day((0..count).collect(), now, 10);
                assert_eq!(today.len(), count.min(10), "{count}");
                selected.extend(today);
            }
            assert_eq!(selected.len(), count, "{count}");
        }
    }
}
