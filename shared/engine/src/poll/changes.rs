//! Reads the changes in Xero since a ledger was last read, one page of each list at a time.

use std::collections::BTreeMap;

use domain::document::invoice::RemoteInvoice;
use domain::document::payment::RemotePayment;
use domain::ids::{XeroInvoiceId, XeroPaymentId};
use domain::paging::PageLimit;
use domain::poll::{ChangeWalk, PollProgress, ReadPage, WalkStep};
use jiff::Timestamp;
use xero::UndecodableRow;
use xero::api::{RowPage, invoices, payments};

use super::list_failures::ListFailures;
use crate::connection::tenant_session::{AttemptError, TenantSession};

/// Maximum pages of each list per poll. The next poll resumes where this one stopped.
const PAGES_MAX: u32 = 20;

/// The changes on a page of each list.
#[derive(Debug, Default)]
pub(super) struct PageChanges {
    pub(super) invoices: BTreeMap<XeroInvoiceId, RemoteInvoice>,
    pub(super) payments: BTreeMap<XeroPaymentId, RemotePayment>,
    /// Rows of either list that could not be read.
    pub(super) undecodable: Vec<UndecodableRow>,
}

/// A poll's reading of both lists.
#[derive(Debug)]
pub(super) struct PollReading {
    invoices: ListReading,
    payments: ListReading,
}

impl PollReading {
    /// Begins at the position where the last poll stopped.
    pub(super) fn resume_from(progress: &PollProgress) -> Self {
        Self {
            invoices: ListReading::resume_at(progress.invoices_from, progress.invoices_read),
            payments: ListReading::resume_at(progress.payments_from, progress.payments_read),
        }
    }

    /// Reads the next page of each list that has one. `None` if neither has, or if the limit of one
    /// poll is reached. A list that Xero fails to show keeps its position and is not read again by
    /// this poll.
    ///
    /// Each list is observed without the other: a changed payment names its invoice, which is read by
    /// its id if its payments differ from the known ones, and a changed invoice names its payments,
    /// whose details are read by the id of the invoice.
    pub(super) async fn read_pages(
        &mut self,
        tenant_session: &TenantSession<'_>,
        failures: &mut ListFailures<'_>,
    ) -> Result<Option<PageChanges>, AttemptError> {
        let (of_invoices, of_payments) = (self.invoices.next_page(), self.payments.next_page());
        if of_invoices.is_none() && of_payments.is_none() {
            return Ok(None);
        }
        let (api, clock) = (&tenant_session.api, &tenant_session.engine.clock);
        let mut changes = PageChanges::default();
        if let Some(walk) = of_invoices {
            let read = invoices::read_changed_page(api, walk.since, walk.at).await;
            let read = read.map(Some).map_err(AttemptError::from);
            let page = failures.keep_failure("/Invoices", read)?;
            self.invoices.record_page(walk, page.as_ref(), clock.now(), |one| one.updated_at);
            if let Some(page) = page {
                changes.invoices.extend(page.rows.into_iter().map(|one| (one.id, one)));
                changes.undecodable.extend(page.undecodable);
            }
        }
        if let Some(walk) = of_payments {
            let read = payments::read_changed_page(api, walk.since, walk.at).await;
            let read = read.map(Some).map_err(AttemptError::from);
            let page = failures.keep_failure("/Payments", read)?;
            self.payments.record_page(walk, page.as_ref(), clock.now(), |one| one.updated_at);
            if let Some(page) = page {
                changes.payments.extend(page.rows.into_iter().map(|one| (one.id, one)));
                changes.undecodable.extend(page.undecodable);
            }
        }
        Ok(Some(changes))
    }

    /// Returns `progress` with the positions after the pages that were read. Call it once their
    /// changes are observed.
    pub(super) fn apply_to_progress(&self, progress: PollProgress) -> PollProgress {
        PollProgress {
            invoices_from: self.invoices.from,
            invoices_read: self.invoices.rows_read,
            payments_from: self.payments.from,
            payments_read: self.payments.rows_read,
            ..progress
        }
    }

    /// Returns whether both lists were read to the end.
    pub(super) const fn is_complete(&self) -> bool {
        self.has_all_invoices() && self.payments.walk.is_none()
    }

    /// Returns whether the list of invoices was read to the end.
    pub(super) const fn has_all_invoices(&self) -> bool {
        self.invoices.walk.is_none()
    }

    /// Returns whether Xero failed to show both lists, so that it probably shows nothing else
    /// either.
    pub(super) const fn has_failed(&self) -> bool {
        self.invoices.has_failed && self.payments.has_failed
    }

    /// Returns whether a list continues beyond the limit of one poll.
    pub(super) const fn is_behind(&self) -> bool {
        self.invoices.is_behind() || self.payments.is_behind()
    }
}

/// The reading of one list.
#[derive(Debug)]
struct ListReading {
    /// The next page; `None` at the end of the list.
    walk: Option<ChangeWalk>,
    pages: PageLimit,
    /// The instant from which the next poll reads if this one stops here.
    from: Timestamp,
    /// The number of rows from that instant on that were read.
    rows_read: u32,
    /// Whether Xero failed to show a page.
    has_failed: bool,
}

impl ListReading {
    fn resume_at(from: Timestamp, rows_read: u32) -> Self {
        let walk = Some(ChangeWalk::resume_after_rows(from, rows_read));
        let pages = PageLimit::of_pages(PAGES_MAX);
        Self { walk, pages, from, rows_read, has_failed: false }
    }

    /// The page to read next, if the limit of one poll allows one more.
    fn next_page(&self) -> Option<ChangeWalk> {
        self.walk.filter(|_| !self.has_failed && !self.pages.is_reached())
    }

    /// Whether this poll leaves out pages of the list although Xero has not failed to show it.
    const fn is_behind(&self) -> bool {
        self.walk.is_some() && !self.has_failed
    }

    /// Moves on behind a page, or stops reading the list at one that Xero failed to show.
    fn record_page<T>(
        &mut self,
        walk: ChangeWalk,
        page: Option<&RowPage<T>>,
        now: Timestamp,
        changed_at: fn(&T) -> Option<Timestamp>,
    ) {
        match page {
            Some(page) => self.advance_to_next(walk, page, now, changed_at),
            None => self.has_failed = true,
        }
    }

    fn advance_to_next<T>(
        &mut self,
        walk: ChangeWalk,
        page: &RowPage<T>,
        now: Timestamp,
        changed_at: fn(&T) -> Option<Timestamp>,
    ) {
        self.pages.count_page(page.at);
        match step_after_page(walk, page, now, changed_at) {
            WalkStep::Done(until) => (self.walk, self.from, self.rows_read) = (None, until, 0),
            // There may be more rows of the newest second.
            WalkStep::Page(walk) => {
                (self.from, self.rows_read) = (walk.since, walk.at.rows_before());
                self.walk = Some(walk);
            }
        }
    }
}

/// Returns the step that follows a page of changes. Its unreadable rows count, too, if the instants
/// of their changes are known.
pub(super) fn step_after_page<T>(
    walk: ChangeWalk,
    page: &RowPage<T>,
    now: Timestamp,
    changed_at: fn(&T) -> Option<Timestamp>,
) -> WalkStep {
    let odd = page.undecodable.iter().filter_map(|odd| odd.changed_at);
    let changes = page.rows.iter().filter_map(changed_at).chain(odd).collect::<Vec<_>>();
    let next = page.next_position();
    walk.after_page(ReadPage { next, changes: &changes, answered_at: page.answered_at, now })
}
