//! Compares the books once a day, after the verification of all open invoices: the open balances in
//! the CRM with those that were observed in Xero. It reads only the table, a limited number of
//! records per poll, and makes no call to Xero.

use std::num::NonZeroU16;

use domain::books::{
    BooksComparison, ComparedRecord, RunningComparison, compare_allocation, compare_invoice,
};
use domain::entity::EntityKind;
use domain::health::is_check_due;
use domain::ids::Ledger;
use domain::mapping::Mapping;
use domain::outbound::{EventContent, OutboundEvent};
use domain::poll::PollProgress;
use futures::FutureExt;
use jiff::Timestamp;
use store::table::{PageCursor, WriteExpectation};
use store::{StoreError, VersionedRecord};

use super::is_connected;
use crate::error_chain::ErrorChain;
use crate::ports::Metric;
use crate::sync::outbox::derive_event_id;
use crate::{Engine, Invocation, concurrency};

/// Records per page. With the longest snapshots, a page takes 13 MB of memory.
const PAGE: NonZeroU16 = NonZeroU16::new(50).expect("not zero");
/// Maximum pages per poll: 4,000 records. The next poll continues.
const PAGES_MAX: u32 = 80;

/// Compares the books if a verification was completed since the last comparison.
pub(super) async fn compare_after_verification(
    engine: &Engine,
    row: VersionedRecord<PollProgress>,
    invocation: Invocation,
) -> Result<(), StoreError> {
    let VersionedRecord { record: progress, version } = row;
    if !progress.is_comparing {
        return Ok(());
    }
    let ledger = &progress.ledger;
    let compared = continue_comparison(engine, ledger, progress.verified_at, invocation).await;
    let is_complete = match compared {
        Ok(is_complete) => is_complete,
        // Another poll compares the same books.
        Err(StoreError::Conflict) => return Ok(()),
        // The comparison will fail again. It must not stop the polls.
        Err(error) if error.is_about_the_record() => {
            engine.metrics.record_metric(Metric::Defect);
            tracing::error!(
                error = %ErrorChain(&error),
                account.id = %ledger.account,
                "the books could not be compared"
            );
            true
        }
        Err(error) => return Err(error),
    };
    if !is_complete {
        return Ok(());
    }
    let progress = PollProgress { is_comparing: false, ..progress };
    match engine.store.put_poll_progress(&progress, WriteExpectation::Version(version)).await {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Compares the books of a ledger without open invoices, in the hour of the day in which its
/// account is checked: records that Xero does not have may be open in the CRM. At any other time,
/// this reads nothing.
pub(super) async fn compare_idle_ledger(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    if !is_check_due(&ledger.account, now) {
        return Ok(());
    }
    let Some(row) = engine.store.find_poll_progress(ledger).await? else { return Ok(()) };
    if !row.record.is_idle_comparison_due(now) {
        return Ok(());
    }
    let connection = engine.store.find_connection(&ledger.account).await?;
    if !connection.is_some_and(|row| is_connected(&row.record, ledger)) {
        return Ok(());
    }
    if row.record.is_comparing {
        return compare_after_verification(engine, row, invocation).await;
    }
    // Without open invoices, the verification is complete.
    let record = row.record.with_completed_verification(now);
    let expect = WriteExpectation::Version(row.version);
    match engine.store.put_poll_progress(&record, expect).await {
        Ok(version) => {
            let row = VersionedRecord { record, version };
            compare_after_verification(engine, row, invocation).await
        }
        Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Compares records until the comparison is complete or the poll has no time left. Returns whether
/// it is complete.
async fn continue_comparison(
    engine: &Engine,
    ledger: &Ledger,
    verified_at: Timestamp,
    invocation: Invocation,
) -> Result<bool, StoreError> {
    let (books, expect) = match engine.store.find_books_comparison(ledger).await? {
        Some(VersionedRecord { record, version }) => (record, WriteExpectation::Version(version)),
        None => (BooksComparison::new(ledger.clone()), WriteExpectation::Absent),
    };
    let Some(mut running) = books.resume_after(verified_at) else { return Ok(true) };
    for _ in 0..PAGES_MAX {
        if compare_page(engine, ledger, &mut running).await? {
            complete_comparison(engine, books, expect, running).await?;
            return Ok(true);
        }
        if engine.clock.now() > invocation.last_call {
            break;
        }
    }
    engine.store.put_books_comparison(&books.with_running(running), expect, None).await?;
    Ok(false)
}

/// Compares a page of records. Returns whether the comparison is complete.
async fn compare_page(
    engine: &Engine,
    ledger: &Ledger,
    running: &mut RunningComparison,
) -> Result<bool, StoreError> {
    let (kind, after) = (running.kind, running.after.clone().map(PageCursor::at_sort_key));
    let page = engine.store.list_mappings(ledger, kind, after, PAGE).await?;
    engine.report_unreadable(&ledger.account, &page.unreadable);
    running.tally.count_uncompared(page.unreadable.len());
    let compared = page.rows.into_iter().map(|row| {
        let compared = compare_record(engine, row.record);
        engine.skip_failing(&ledger.account, compared).boxed()
    });
    for compared in concurrency::map_concurrently(compared.collect()).await {
        running.tally.add_record(kind, compared?.flatten());
    }
    Ok(running.advance_after(page.next.map(|cursor| cursor.sort_key().to_owned())))
}

/// Compares one record. Returns `None` if it cannot be compared.
async fn compare_record(
    engine: &Engine,
    mapping: Mapping,
) -> Result<Option<ComparedRecord>, StoreError> {
    if mapping.key.kind == EntityKind::Allocation {
        return Ok(compare_allocation(&mapping));
    }
    let key = &mapping.key;
    let payments = engine.store.find_invoice_payments(&key.ledger, &key.crm_id).await?;
    Ok(compare_invoice(&mapping, payments.as_ref().map(|rows| &rows.record)))
}

/// Commits the result together with its event. Without any record there is no event.
async fn complete_comparison(
    engine: &Engine,
    books: BooksComparison,
    expect: WriteExpectation,
    running: RunningComparison,
) -> Result<(), StoreError> {
    let (account, verified_at) = (books.ledger.account.clone(), running.verified_at);
    let now = engine.clock.now();
    let books = books.with_completed(running, now);
    let completed = books.newest.clone().filter(|newest| !newest.tally.is_empty());
    let event = completed.map(|completed| {
        let id = derive_event_id(&account, &format!("books {} {verified_at}", books.ledger.tenant));
        OutboundEvent::new(id, account.clone(), EventContent::from(completed), now)
    });
    engine.store.put_books_comparison(&books, expect, event.as_ref()).await?;
    engine.deliver_committed(&account, &event).await;
    Ok(())
}
