//! Reads what has changed in Xero since a ledger was last read.

use std::collections::BTreeMap;

use domain::document::invoice::RemoteInvoice;
use domain::document::payment::RemotePayment;
use domain::ids::{XeroInvoiceId, XeroPaymentId};
use domain::poll::{Next, Progress, ReadPage, Walk};
use jiff::Timestamp;
use xero::OddRow;
use xero::api::{Page, invoices, payments};

use crate::desk::{Desk, Trouble};

/// Maximum pages of each list per poll. The next poll resumes where this one stopped.
const PAGES_MAX: u32 = 20;

/// The changes that were read.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) invoices: BTreeMap<XeroInvoiceId, RemoteInvoice>,
    pub(super) payments: BTreeMap<XeroPaymentId, RemotePayment>,
    /// Rows of either list that could not be read.
    pub(super) undecodable: Vec<OddRow>,
    pub(super) invoices_from: Timestamp,
    pub(super) payments_from: Timestamp,
    /// Whether both lists were read to their ends.
    pub(super) is_all: bool,
}

/// Reads both lists to their ends, or up to the limit of one poll.
pub(super) async fn read(desk: &Desk<'_>, progress: &Progress) -> Result<Changes, Trouble> {
    let session = &desk.session;
    let mut undecodable = Vec::new();
    let mut invoices_seen = BTreeMap::new();
    let mut walk = Some(Walk::from(progress.invoices_from));
    let mut invoices_from = progress.invoices_from;
    for _ in 0..PAGES_MAX {
        let Some(place) = walk else { break };
        let page = invoices::changed(session, place.since, place.page).await?;
        (walk, invoices_from) = next(place, &page, |one| one.updated_at);
        invoices_seen.extend(page.rows.into_iter().map(|one| (one.id, one)));
        undecodable.extend(page.undecodable);
    }
    let is_all = walk.is_none();
    let mut payments_seen = BTreeMap::new();
    let mut walk = Some(Walk::from(progress.payments_from));
    let mut payments_from = progress.payments_from;
    for _ in 0..PAGES_MAX {
        let Some(place) = walk else { break };
        let page = payments::changed(session, place.since, place.page).await?;
        (walk, payments_from) = next(place, &page, |one| one.updated_at);
        payments_seen.extend(page.rows.into_iter().map(|one| (one.id, one)));
        undecodable.extend(page.undecodable);
    }
    Ok(Changes {
        invoices: invoices_seen,
        payments: payments_seen,
        undecodable,
        invoices_from,
        payments_from,
        is_all: is_all && walk.is_none(),
    })
}

/// Returns where to continue now, and where the next poll resumes if this one stops here.
fn next<T>(
    walk: Walk,
    page: &Page<T>,
    changed_at: fn(&T) -> Option<Timestamp>,
) -> (Option<Walk>, Timestamp) {
    let odd = page.undecodable.iter().filter_map(|odd| odd.changed_at);
    let changes = page.rows.iter().filter_map(changed_at).chain(odd).collect::<Vec<_>>();
    let read = ReadPage {
        rows: page.count(),
        full: page.full,
        changes: &changes,
        answered_at: page.answered_at,
    };
    match walk.after(read) {
        Next::Done(until) => (None, until),
        // There may be more rows of the newest second.
        Next::Page(walk) => (Some(walk), walk.since),
    }
}
