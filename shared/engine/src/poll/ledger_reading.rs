//! Reads a ledger: the lists of changed invoices and payments, then what is due beside them. One list
//! that Xero fails to show delays nothing that does not depend on it.

use domain::poll::PollProgress;
use futures::FutureExt;
use store::VersionedRecord;

use super::changes::PollReading;
use super::list_failures::ListFailures;
use super::progress::save_progress;
use super::surpluses::{self, PaidInvoice};
use super::{books, observe, unreadable, verify};
use crate::connection::tenant_session::{AttemptError, TenantSession};

/// What the pages of both lists changed.
#[derive(Debug, Default)]
struct ObservedPages {
    /// The number of invoices with changes.
    changed: usize,
    /// The invoices with payments or credits among those that the list showed.
    paid: Vec<PaidInvoice>,
}

/// Reads changes page by page, then checks invoices one by one if that is due: always for a ledger
/// that had no open invoice. If Xero fails to show one of the two lists, the rest is read all the
/// same, and the failure is returned at the end; if it shows neither, it probably shows nothing else.
/// Returns the number of documents with changes.
pub(super) async fn read_changes(
    tenant_session: &TenantSession<'_>,
    row: VersionedRecord<PollProgress>,
    is_idle: bool,
) -> Result<usize, AttemptError> {
    let now = tenant_session.engine.clock.now();
    let mut reading = PollReading::resume_from(&row.record.clone().without_future(now));
    let mut failures = ListFailures::new(&tenant_session.ledger);
    let mut pages = ObservedPages::default();
    let row =
        observe_pages(tenant_session, row, &mut reading, &mut failures, &mut pages).boxed().await?;
    let row = row.filter(|_| !reading.has_failed());
    let Some(row) = row else { return failures.into_result(pages.changed) };
    let unseen = verify::verify_unseen_invoices(tenant_session).await;
    // The first reading of overpayments begins at the last verification, not at the one below.
    let now = tenant_session.engine.clock.now();
    let mut progress = row.record.clone().without_future(now).with_surplus_positions();
    // Failures of all three are returned after the rest of the poll is recorded.
    let (verified, changed_surpluses) = if reading.is_behind() {
        (Ok(0), Ok(0))
    } else {
        let paid = reading.has_all_invoices().then_some(pages.paid.as_slice());
        check_after_changes(tenant_session, &mut progress, paid, is_idle).await
    };
    // All changes are observed by now, and the settings page shows this instant.
    if reading.is_complete() && unseen.is_ok() && verified.is_ok() {
        progress.checked_at = Some(tenant_session.engine.clock.now());
    }
    // A poll that fails here every time must not count as completed.
    let is_checked = unseen.is_ok() && verified.is_ok() && changed_surpluses.is_ok();
    let is_completed = failures.is_empty() && is_checked;
    let progress = if is_completed { progress.with_completed_poll() } else { progress };
    let saved = save_progress(tenant_session, row, progress).await?;
    // The books are compared with what was observed, so both lists come first.
    if let Some(row) = saved.filter(|_| failures.is_empty()) {
        let (engine, invocation) = (tenant_session.engine, tenant_session.invocation);
        books::compare_after_verification(engine, row, invocation).boxed().await?;
    }
    // Among these may be an error that concerns the whole connection, on which it is recorded.
    let changed = pages.changed + unseen? + verified? + changed_surpluses?;
    failures.into_result(changed)
}

/// Reads both lists page by page, and observes each page of both together. The progress is written
/// after each page whose changes are observed, so after a later failure only the following pages are
/// read again. Returns the row of the progress, or `None` if a concurrent poll has written another
/// one; that poll reads the remaining changes.
async fn observe_pages(
    tenant_session: &TenantSession<'_>,
    mut row: VersionedRecord<PollProgress>,
    reading: &mut PollReading,
    failures: &mut ListFailures<'_>,
    pages: &mut ObservedPages,
) -> Result<Option<VersionedRecord<PollProgress>>, AttemptError> {
    while let Some(changes) = reading.read_pages(tenant_session, failures).await? {
        let touched = unreadable::affected_invoices(&changes.undecodable);
        let paid_here = surpluses::list_paid_invoices(&changes.invoices);
        let has_money = !paid_here.is_empty() || !changes.payments.is_empty();
        let observed =
            observe::observe_changes(tenant_session, changes.invoices, changes.payments, &touched)
                .await?;
        pages.changed += observed;
        unreadable::report_unreadable_rows(tenant_session, &changes.undecodable).await?;
        let mut progress = reading.apply_to_progress(row.record.clone());
        progress.is_surplus_due |= observed > 0 && has_money;
        pages.paid.extend(paid_here);
        match save_progress(tenant_session, row, progress).await? {
            Some(saved) => row = saved,
            None => return Ok(None),
        }
    }
    Ok(Some(row))
}

/// Performs what is due after the lists are read: the daily verification, and reading overpayments
/// and prepayments. A failure of one does not prevent the other. `paid` is `None` if not all changed
/// invoices were read. Then overpayments wait: the client of one may be found by the invoices that
/// were paid with it, and a row that was read is not read again. Returns how many documents and how
/// many overpayments and prepayments changed.
async fn check_after_changes(
    tenant_session: &TenantSession<'_>,
    progress: &mut PollProgress,
    paid: Option<&[PaidInvoice]>,
    is_idle: bool,
) -> (Result<usize, AttemptError>, Result<usize, AttemptError>) {
    let (mut verified, mut changed_surpluses) = (Ok(0), Ok(0));
    let now = tenant_session.engine.clock.now();
    if is_idle || progress.is_verification_due(now) || progress.is_verification_unfinished() {
        let work = verify::verify_ledger(tenant_session, progress, is_idle).boxed();
        verified = work.await;
    }
    if let Some(paid) = paid.filter(|_| progress.is_surplus_due) {
        let read = surpluses::read_surpluses(tenant_session, progress, paid).boxed();
        changed_surpluses = read.await;
    }
    (verified, changed_surpluses)
}
