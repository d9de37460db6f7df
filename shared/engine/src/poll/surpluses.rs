//! Reads overpayments and prepayments, and reports those of clients to the CRM.
//!
//! Both lists are read only when something suggests a change: after a poll that observed a change
//! of an invoice with payments or credits, and after each daily verification. A poll reads at most
//! one page of each list, and a longer list is continued by the next poll.

use std::collections::{BTreeMap, BTreeSet};

use domain::call_budget::CallPriority;
use domain::crm::invoice::Invoice as InvoiceSnapshot;
use domain::document::invoice::RemoteInvoice;
use domain::entity::EntityKind;
use domain::ids::{CrmId, XeroContactId, XeroInvoiceId};
use domain::mapping::MappingKey;
use domain::poll::{ChangeWalk, ListPosition, PollProgress, WalkStep};
use domain::surplus::{RemoteSurplus, SeenSurplus, SurplusKind, observe_surplus};
use futures::FutureExt;
use jiff::civil::Date;
use store::table::WriteExpectation;
use store::{ConflictLimit, ReadAheadKeys, Store, StoreError};
use xero::XeroError;
use xero::api::RowPage;
use xero::api::surpluses::read_changed_page;

use super::changes::step_after_page;
use super::list_failures::ListFailures;
use crate::concurrency;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::surplus_clients::is_unlinked;

/// The maximum number of invoices of one contact that are compared with a surplus.
const INVOICES_MAX: usize = 20;

/// A sales invoice on which a poll saw payments or credits.
#[derive(Debug, Clone)]
pub(super) struct PaidInvoice {
    id: XeroInvoiceId,
    contact: Option<XeroContactId>,
    /// The dates of its payments.
    dates: BTreeSet<Date>,
}

/// Returns the sales invoices with payments or credits among those that a poll read.
pub(super) fn list_paid_invoices(
    invoices: &BTreeMap<XeroInvoiceId, RemoteInvoice>,
) -> Vec<PaidInvoice> {
    let paid = invoices.values().filter(|one| {
        let settlement = &one.settlement;
        one.is_sales && !(settlement.payments.is_empty() && settlement.credits.is_empty())
    });
    let paid = paid.map(|one| PaidInvoice {
        id: one.id,
        contact: one.contact_id,
        dates: one.settlement.payments.iter().filter_map(|payment| payment.date).collect(),
    });
    paid.collect()
}

/// Reads a page of each list, reports what changed, and records the progress. If Xero fails to show
/// one list, or the remaining calls are reserved for more urgent work, the next poll tries again.
/// Returns the number of overpayments and prepayments that changed.
pub(super) async fn read_surpluses(
    tenant_session: &TenantSession<'_>,
    progress: &mut PollProgress,
    paid: &[PaidInvoice],
) -> Result<usize, AttemptError> {
    let session = tenant_session.session_with_priority(CallPriority::Verification);
    let (mut changed, mut is_behind) = (0, false);
    let mut failures = ListFailures::new(&tenant_session.ledger);
    for kind in SurplusKind::ALL {
        let Some(position) = progress.surplus_position(kind) else { continue };
        let walk = ChangeWalk::resume_after_rows(position.from, position.rows_read);
        let page = match read_changed_page(&session, kind, walk.since, walk.at).await {
            Err(XeroError::NotPermitted { .. }) => {
                if is_behind {
                    *progress = progress.clone().with_read_surpluses(true);
                }
                return failures.into_result(changed);
            }
            read => read.map(Some).map_err(AttemptError::from),
        };
        let Some(page) = failures.keep_failure(list_name(kind), page)? else { continue };
        changed += observe_page(tenant_session, kind, &page, paid).await?;
        let (next, is_end) = advance_position(tenant_session, walk, &page);
        is_behind |= !is_end;
        *progress = progress.clone().with_surplus_position(kind, next);
    }
    // A list that was not shown is still due.
    if is_behind || failures.is_empty() {
        *progress = progress.clone().with_read_surpluses(is_behind);
    }
    failures.into_result(changed)
}

const fn list_name(kind: SurplusKind) -> &'static str {
    match kind {
        SurplusKind::Overpayment => "/Overpayments",
        SurplusKind::Prepayment => "/Prepayments",
    }
}

/// Returns the position after a page, and whether the page was the last one.
fn advance_position(
    tenant_session: &TenantSession<'_>,
    walk: ChangeWalk,
    page: &RowPage<RemoteSurplus>,
) -> (ListPosition, bool) {
    let now = tenant_session.engine.clock.now();
    match step_after_page(walk, page, now, |one| one.updated_at) {
        WalkStep::Done(from) => (ListPosition { from, rows_read: 0 }, true),
        WalkStep::Page(walk) => {
            (ListPosition { from: walk.since, rows_read: walk.at.rows_before() }, false)
        }
    }
}

/// Observes the rows of a page. A row that will always fail is reported and left out. Returns the
/// number of rows with changes.
async fn observe_page(
    tenant_session: &TenantSession<'_>,
    kind: SurplusKind,
    page: &RowPage<RemoteSurplus>,
    paid: &[PaidInvoice],
) -> Result<usize, StoreError> {
    let ledger = &tenant_session.ledger;
    let received = page.rows.iter().filter(|one| one.is_from_customer).collect::<Vec<_>>();
    let mut rows = ReadAheadKeys::default();
    for contact in received.iter().filter_map(|one| one.contact) {
        rows.add_linked_record(ledger, EntityKind::Contact, contact.into());
    }
    let ahead = tenant_session.engine.with_rows_read_ahead(rows).await;
    let observed = received.into_iter().map(|remote| {
        let work = observe_one(tenant_session, &ahead.store, kind, remote, paid).boxed();
        tenant_session.engine.skip_failing(&ledger.account, work).boxed()
    });
    let observed = concurrency::map_concurrently(observed.collect()).await;
    let observed = observed.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    Ok(observed.into_iter().filter(|changed| *changed == Some(true)).count())
}

/// Observes an overpayment or prepayment until it is stored as Xero shows it, for the client that
/// is linked at that time: meanwhile another process may change the row, or a user the link. One of
/// a contact that is no client is left out; `links` has the links of the page's contacts, read
/// before. If the contact of a client was merged into another one, its money is that of the client
/// with whom it was stored, or else of the client whose invoices were paid with it. If a user has
/// unlinked that client from the contact, it belongs to no client. Returns whether it had changed.
async fn observe_one(
    tenant_session: &TenantSession<'_>,
    links: &Store,
    kind: SurplusKind,
    remote: &RemoteSurplus,
    paid: &[PaidInvoice],
) -> Result<bool, StoreError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let Some(contact) = remote.contact else { return Ok(false) };
    let invoices = find_paid_invoices(tenant_session, contact, remote.date, paid).await?;
    let (mut links, mut is_changed) = (links, false);
    let mut conflicts = ConflictLimit::default();
    loop {
        let linked = links.find_linked_record(ledger, EntityKind::Contact, contact.into()).await?;
        let billed = match &linked {
            Some(_) => None,
            None => find_billed_client(tenant_session, &invoices).await?,
        };
        let known = engine.store.find_surplus(ledger, remote.id).await?;
        let stored = known.as_ref().map(|row| &row.record);
        let earlier = stored.map(|surplus| surplus.client.clone());
        let client = linked.clone().or(earlier).or(billed);
        let Some(client) = client else { return Ok(is_changed) };
        // The client may be linked to another contact now, which says nothing about this one.
        let stays_unlinked = stored.is_some_and(|surplus| surplus.is_unlinked);
        let is_unlinked = linked.is_none()
            && (stays_unlinked
                || is_unlinked(&engine.store, ledger, &client, Some(contact)).await?);
        let (client, paid_invoices) = (&client, invoices.as_slice());
        let seen = SeenSurplus { ledger, kind, client, is_unlinked, remote, paid_invoices };
        let observed = observe_surplus(stored, seen, engine.clock.now());
        let Some((surplus, content)) = observed else { return Ok(is_changed) };
        let event = content.map(|content| engine.new_event(&ledger.account, content));
        let expect = WriteExpectation::from(known.map(|row| row.version));
        match engine.store.put_surplus(&surplus, expect, event.as_ref()).await {
            Ok(()) => {
                engine.deliver_committed(&ledger.account, event.as_ref()).await;
                is_changed = true;
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
        links = &engine.store;
    }
}

/// Returns the CRM's invoices to this contact that were paid on this date.
async fn find_paid_invoices(
    tenant_session: &TenantSession<'_>,
    contact: XeroContactId,
    date: Option<Date>,
    paid: &[PaidInvoice],
) -> Result<Vec<CrmId>, StoreError> {
    let Some(date) = date else { return Ok(Vec::new()) };
    let (store, ledger) = (&tenant_session.engine.store, &tenant_session.ledger);
    let paid = paid.iter().filter(|one| one.contact == Some(contact) && one.dates.contains(&date));
    let mut invoices = Vec::new();
    for one in paid.take(INVOICES_MAX) {
        let found = store.find_linked_record(ledger, EntityKind::Invoice, one.id.into()).await?;
        invoices.extend(found);
    }
    Ok(invoices)
}

/// Returns the client of the first of these invoices. `None` if no invoice can be read.
async fn find_billed_client(
    tenant_session: &TenantSession<'_>,
    invoices: &[CrmId],
) -> Result<Option<CrmId>, StoreError> {
    let (store, ledger) = (&tenant_session.engine.store, &tenant_session.ledger);
    for invoice in invoices {
        let key = MappingKey::new(ledger.clone(), EntityKind::Invoice, invoice.clone());
        let found = store.find_mapping(&key).await?;
        let snapshot =
            found.and_then(|row| row.record.snapshot.parse_text::<InvoiceSnapshot>().ok());
        if let Some(snapshot) = snapshot {
            return Ok(Some(snapshot.client_id.into()));
        }
    }
    Ok(None)
}
