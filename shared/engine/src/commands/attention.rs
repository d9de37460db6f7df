//! The records that need a person: listed by cause, retried, and marked as never to be sent, many
//! at once.

use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::{AccountId, CrmId, Ledger, UserId};
use domain::invoice_payments::ReceivedPayment;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::{AttentionReason, OperationEvent};
use domain::surplus::Surplus;
use futures::FutureExt;
use jiff::Timestamp;
use store::StoreError;
use store::table::PageCursor;

use crate::commands::choices::{self, NeverSendOutcome};
use crate::commands::surpluses::list_open_surpluses;
use crate::commands::views::RecordView;
use crate::connection::ledgers::find_records_ledger;
use crate::errors::{FirstError, PersistError};
use crate::{Engine, concurrency};

/// Maximum number of records of one request.
pub const RECORDS_MAX: usize = 100;
/// Takes the place of the sign that separates the parts of an index key, so that a cursor can be
/// part of an address.
const SEPARATOR: &str = "!";

/// A page of the records that need attention for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttentionList {
    /// The number of records that need attention for this reason, on all pages.
    pub count: u32,
    /// The records of this page by cause, the newest failure first.
    pub groups: Vec<AttentionGroup>,
    /// The cursor of the next page, if there may be one. A cause may continue there.
    pub next: Option<String>,
    /// Payments in Xero that a user must decide about. Only on the first page.
    pub unclear: Vec<UnclearPayment>,
    /// Overpayments and prepayments that a user must decide about. Only on the first page.
    pub overpaid: Vec<Surplus>,
}

/// A payment in Xero that may be one of the CRM's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnclearPayment {
    /// The invoice.
    pub invoice: CrmId,
    /// The payment, with its candidates.
    pub payment: ReceivedPayment,
}

/// Records that failed for the same cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttentionGroup {
    /// The newest failure.
    pub failure: Failure,
    /// The records.
    pub records: Vec<AttentionRecord>,
}

/// A record that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttentionRecord {
    /// The record.
    pub record: RecordView,
    /// The number that people know it by.
    pub number: String,
    /// When its last attempt failed, if the row records it.
    pub failed_at: Option<Timestamp>,
    /// The number of counted attempts that failed.
    pub failures: u8,
}

/// Returns a page of the records of an account that need attention for one reason.
pub async fn list_attention(
    engine: &Engine,
    account: &AccountId,
    reason: AttentionReason,
    cursor: Option<&str>,
    limit: NonZeroU16,
) -> Result<AttentionList, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let cursor = cursor.map(|cursor| PageCursor::at_sort_key(cursor.replace(SEPARATOR, "#")));
    let page = engine.store.list_attention(&ledger, reason, cursor.as_ref(), limit).await?;
    let count = engine.store.count_attention(&ledger, reason).await?.count;
    let keys = page.records.into_iter().map(|one| one.key).collect::<Vec<_>>();
    let mappings = engine.view_mappings(account, &keys, |mapping| mapping).await?;
    let mut groups = Vec::new();
    for mapping in mappings.into_iter().flatten() {
        add_to_group(&mut groups, mapping, reason);
    }
    let next = page.next.map(|cursor| cursor.sort_key().replace('#', SEPARATOR));
    let (unclear, overpaid) = match cursor {
        None => (
            list_unclear_payments(engine, &ledger, limit).await?,
            list_open_surpluses(engine, &ledger, limit).await?,
        ),
        Some(_) => (Vec::new(), Vec::new()),
    };
    Ok(AttentionList { count, groups, next, unclear, overpaid })
}

/// Returns the payments of a ledger that a user must decide about, those of the newest first. One
/// invoice may have thousands of them.
async fn list_unclear_payments(
    engine: &Engine,
    ledger: &Ledger,
    limit: NonZeroU16,
) -> Result<Vec<UnclearPayment>, StoreError> {
    let invoices = engine.store.list_invoices_with_unclear_payments(ledger, limit).await?;
    let rows = invoices.iter().map(|invoice| {
        let rows = engine.store.find_invoice_payments(ledger, invoice);
        engine.skip_failing(&ledger.account, rows).boxed()
    });
    let mut unclear = Vec::new();
    for rows in concurrency::map_concurrently(rows.collect()).await {
        let Some(rows) = rows?.flatten() else { continue };
        let invoice = &rows.record.invoice;
        unclear.extend(
            rows.record.unclear_payments().map(|payment| UnclearPayment {
                invoice: invoice.clone(),
                payment: payment.clone(),
            }),
        );
    }
    unclear.truncate(limit.get().into());
    Ok(unclear)
}

/// Adds a record to the group of its cause. The index may still list a record that has just been
/// synced.
fn add_to_group(groups: &mut Vec<AttentionGroup>, mapping: Mapping, reason: AttentionReason) {
    if mapping.operation.attention_reason() != Some(reason) {
        return;
    }
    let Some(failure) = mapping.operation.failure.clone() else { return };
    let record = AttentionRecord {
        number: mapping.snapshot.natural_key.clone(),
        failed_at: mapping.operation.failed_at,
        failures: mapping.operation.failures,
        record: RecordView::from_mapping(mapping),
    };
    match groups.iter_mut().find(|group| group.failure.has_same_cause(&failure)) {
        Some(group) => group.records.push(record),
        None => groups.push(AttentionGroup { failure, records: vec![record] }),
    }
}

/// A record that a person names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRecord {
    /// Its kind.
    pub kind: EntityKind,
    /// Its id.
    pub crm_id: CrmId,
}

/// The result of a request about several records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkOutcome {
    /// Records to which it was applied.
    pub done: Vec<NamedRecord>,
    /// Records that are being sent at this moment.
    pub being_sent: Vec<NamedRecord>,
    /// Records that did not need it, or that are unknown.
    pub not_needed: Vec<NamedRecord>,
}

/// Why a record is not retried.
enum NotRetried {
    BeingSent,
    NotNeeded,
}

/// Gives records that are failing or were given up a full ladder again, and enqueues wake-ups that
/// try them at once. If one cannot be written, the others are retried nevertheless, and the error is
/// returned.
pub async fn retry_records(
    engine: &Engine,
    account: &AccountId,
    records: Vec<NamedRecord>,
) -> Result<BulkOutcome, PersistError> {
    let ledger = find_records_ledger(engine, account).await?;
    let keys: Vec<MappingKey> = records
        .iter()
        .map(|one| MappingKey::new(ledger.clone(), one.kind, one.crm_id.clone()))
        .collect();
    let retried = keys.iter().map(|key| retry_record(engine, key).boxed()).collect();
    let (mut outcome, mut failed) = (BulkOutcome::default(), FirstError::new());
    for (record, retried) in records.into_iter().zip(concurrency::map_concurrently(retried).await) {
        match failed.keep_error(retried) {
            Some(Ok(())) => outcome.done.push(record),
            Some(Err(NotRetried::BeingSent)) => outcome.being_sent.push(record),
            Some(Err(NotRetried::NotNeeded)) => outcome.not_needed.push(record),
            None => {}
        }
    }
    for kind in EntityKind::ALL {
        let of_kind = outcome.done.iter().filter(|one| one.kind == kind);
        let ids = of_kind.map(|one| one.crm_id.clone()).collect::<Vec<CrmId>>();
        let enqueued = engine.enqueue_wake_ups(&ledger, kind, &ids).await;
        failed.keep_error(enqueued);
    }
    failed.into_result(outcome)
}

async fn retry_record(
    engine: &Engine,
    key: &MappingKey,
) -> Result<Result<(), NotRetried>, StoreError> {
    let now = engine.clock.now();
    let retried = engine.store.update_mapping(key, |known| {
        let Some(known) = known else { return Err(NotRetried::NotNeeded) };
        if known.is_held(now) {
            return Err(NotRetried::BeingSent);
        }
        if known.operation.attention_reason().is_none() {
            return Err(NotRetried::NotNeeded);
        }
        let fresh = known.apply_event(OperationEvent::Submitted, now);
        let fresh = fresh.map_err(|_| NotRetried::NotNeeded)?;
        // The sweep tries the record even if the wake-up is lost.
        Ok(fresh.apply_event(OperationEvent::Queued, now).unwrap_or(fresh))
    });
    Ok(retried.await?.map(drop))
}

/// Marks records as never to be sent, each as the list of records that need attention names it.
/// Their documents in Xero stay. If one cannot be written, the others are marked nevertheless, and
/// the error is returned.
pub async fn never_send_records(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    records: Vec<NamedRecord>,
) -> Result<BulkOutcome, StoreError> {
    let withheld = records.iter().map(|one| {
        let (kind, crm_id) = (one.kind, one.crm_id.clone());
        choices::never_send_listed_record(engine, account, by, kind, crm_id).boxed()
    });
    let withheld = concurrency::map_concurrently(withheld.collect()).await;
    let (mut outcome, mut failed) = (BulkOutcome::default(), FirstError::new());
    for (record, withheld) in records.into_iter().zip(withheld) {
        match failed.keep_error(withheld) {
            Some(NeverSendOutcome::Done(_)) => outcome.done.push(record),
            Some(NeverSendOutcome::BeingSent { until: _ }) => outcome.being_sent.push(record),
            Some(NeverSendOutcome::Unknown) => outcome.not_needed.push(record),
            None => {}
        }
    }
    failed.into_result(outcome)
}
