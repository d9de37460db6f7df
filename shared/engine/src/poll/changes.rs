//! What has changed in Xero since a ledger was last read.

use std::collections::BTreeMap;

use domain::document::invoice::RemoteInvoice;
use domain::document::payment::RemotePayment;
use domain::ids::{XeroInvoiceId, XeroPaymentId};
use domain::poll::{Next, Progress, Walk};
use jiff::Timestamp;
use xero::api::{PAGE_LIMIT, invoices, payments};

use crate::desk::{Desk, Trouble};

/// Pages of each list in one poll; the next poll goes on behind them.
const PAGES_MAX: u32 = 20;

/// What was read.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) invoices: BTreeMap<XeroInvoiceId, RemoteInvoice>,
    pub(super) payments: BTreeMap<XeroPaymentId, RemotePayment>,
    pub(super) invoices_until: Timestamp,
    pub(super) payments_until: Timestamp,
    /// Whether there was no more than fits into a poll.
    pub(super) is_all: bool,
}

/// Reads both lists to their ends, or as far as one poll goes.
pub(super) async fn read(desk: &Desk<'_>, progress: &Progress) -> Result<Changes, Trouble> {
    let session = &desk.session;
    let mut invoices_seen = BTreeMap::new();
    let mut walk = Some(Walk::from(progress.invoices_until));
    let mut invoices_until = progress.invoices_until;
    for _ in 0..PAGES_MAX {
        let Some(place) = walk else { break };
        let page = invoices::changed(session, place.since, place.page).await?;
        let changes = page.iter().filter_map(|one| one.updated_at).collect::<Vec<_>>();
        (walk, invoices_until) = next(place.after(&changes, PAGE_LIMIT));
        invoices_seen.extend(page.into_iter().map(|one| (one.id, one)));
    }
    let is_all = walk.is_none();
    let mut payments_seen = BTreeMap::new();
    let mut walk = Some(Walk::from(progress.payments_until));
    let mut payments_until = progress.payments_until;
    for _ in 0..PAGES_MAX {
        let Some(place) = walk else { break };
        let page = payments::changed(session, place.since, place.page).await?;
        let changes = page.iter().filter_map(|one| one.updated_at).collect::<Vec<_>>();
        (walk, payments_until) = next(place.after(&changes, PAGE_LIMIT));
        payments_seen.extend(page.into_iter().map(|one| (one.id, one)));
    }
    Ok(Changes {
        invoices: invoices_seen,
        payments: payments_seen,
        invoices_until,
        payments_until,
        is_all: is_all && walk.is_none(),
    })
}

/// Where to go on, and up to when everything has been read.
fn next(next: Next) -> (Option<Walk>, Timestamp) {
    match next {
        Next::Done(until) => (None, until),
        // Of the newest second there may be more.
        Next::Page(walk) => (Some(walk), walk.since),
    }
}
