//! Assigns overpayments and prepayments to the clients that are linked to their contacts. A link
//! changes nothing in Xero, so no list of the poll shows them again: the stored ones are assigned,
//! and those of contacts that had no client are read again.

use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger, XeroContactId, XeroId};
use domain::mapping::{Mapping, MappingKey};
use domain::surplus::Surplus;
use futures::FutureExt;
use store::table::WriteExpectation;
use store::{ConflictLimit, Store, StoreError};

use crate::error_chain::ErrorChain;
use crate::{Engine, concurrency};

/// The overpayments and prepayments that one call assigns at most.
const ASSIGNED_MAX: NonZeroU16 = NonZeroU16::new(1_000).expect("not zero");

/// Assigns the newest surpluses as [`assign_surpluses`] does, after a change of a link. The daily
/// check assigns the others.
pub(crate) async fn try_assign_newest_surpluses(engine: &Engine, ledger: &Ledger) {
    let _next = try_assign_surpluses(engine, ledger, None).await;
}

/// Assigns surpluses as [`assign_surpluses`] does, once a day, because clients are also linked when
/// they are sent, and a process may die after it has changed a link. Returns the position after which
/// the next day continues. A failure is only logged; then the next day repeats it.
pub(crate) async fn try_assign_surpluses(
    engine: &Engine,
    ledger: &Ledger,
    after: Option<&str>,
) -> Option<String> {
    assign_surpluses(engine, ledger, after).boxed().await.unwrap_or_else(|error| {
        tracing::error!(
            error = %ErrorChain(&error),
            account.id = %ledger.account,
            "not every overpayment was assigned to its client; the daily check tries again"
        );
        after.map(str::to_owned)
    })
}

/// Has the overpayments and prepayments of a ledger read again, as [`try_read_surpluses_again`] does,
/// if an attempt links a client to a contact that existed before.
pub(crate) async fn follow_new_contact(engine: &Engine, before: &Mapping, after: &Mapping) {
    if after.has_found_contact_since(before) {
        try_read_surpluses_again(engine, &after.key.ledger).await;
    }
}

/// Has the overpayments and prepayments of a ledger read again, as [`read_surpluses_again`] does.
/// This is requested before a link is written, because a process may die right after it has written
/// the link, and after it, because a poll may read the lists between the two. The second request
/// writes nothing if the first one still stands. A failure is only logged: then the money is
/// reported when Xero changes it.
pub(crate) async fn try_read_surpluses_again(engine: &Engine, ledger: &Ledger) {
    if let Err(error) = read_surpluses_again(engine, ledger).boxed().await {
        tracing::error!(
            error = %ErrorChain(&error),
            account.id = %ledger.account,
            "the overpayments of a newly linked contact are not read again"
        );
    }
}

/// Makes the next poll that reads changes also read the overpayments and prepayments that changed
/// since a year before the account was connected. Polls have left out the money of contacts without a client, and
/// the lists of changes do not show it again. A poll that runs meanwhile does not record its own
/// progress, and the next one repeats it. May be interrupted and repeated.
async fn read_surpluses_again(engine: &Engine, ledger: &Ledger) -> Result<(), StoreError> {
    let connection = engine.store.find_connection(&ledger.account).await?;
    let connected_at = connection.and_then(|row| row.record.connected_at);
    let Some(connected_at) = connected_at else { return Ok(()) };
    let mut conflicts = ConflictLimit::default();
    loop {
        let Some(known) = engine.store.find_poll_progress(ledger).await? else { return Ok(()) };
        let progress = known.record.clone().with_surpluses_to_read_again(connected_at);
        if progress == known.record {
            return Ok(());
        }
        let expect = WriteExpectation::Version(known.version);
        match engine.store.put_poll_progress(&progress, expect).await {
            Ok(_) => return Ok(()),
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

/// Assigns undecided overpayments and prepayments of a ledger after a position, at most
/// [`ASSIGNED_MAX`], to the clients that are linked to their contacts now, with an event for each
/// that changes. One from whose contact its client was unlinked belongs to no client until another
/// one is linked. Rows that cannot be read are reported and left out. Returns the position of the
/// last one, if there may be more. Makes no call to Xero. May be interrupted and repeated.
async fn assign_surpluses(
    engine: &Engine,
    ledger: &Ledger,
    after: Option<&str>,
) -> Result<Option<String>, StoreError> {
    let page = engine.store.list_undecided_surpluses(ledger, after, ASSIGNED_MAX).await?;
    let assigned = page.surpluses.into_iter().map(|id| {
        let assigned = assign_surplus(engine, ledger, id).boxed();
        engine.skip_failing(&ledger.account, assigned).boxed()
    });
    for one in concurrency::map_concurrently(assigned.collect()).await {
        one?;
    }
    Ok(page.next)
}

/// Assigns one surplus, and starts again after a conflict with another process.
async fn assign_surplus(engine: &Engine, ledger: &Ledger, id: XeroId) -> Result<(), StoreError> {
    let (store, account) = (&engine.store, &ledger.account);
    let mut conflicts = ConflictLimit::default();
    loop {
        let Some(known) = store.find_surplus(ledger, id).await? else { return Ok(()) };
        let (client, is_unlinked) = find_surplus_client(store, &known.record).await?;
        let assigned = known.record.assign_to(client, is_unlinked, engine.clock.now());
        let Some((surplus, content)) = assigned else { return Ok(()) };
        let event = engine.new_event(account, content);
        let expect = WriteExpectation::Version(known.version);
        match store.put_surplus(&surplus, expect, Some(&event)).await {
            Ok(()) => {
                engine.deliver_committed(account, [&event]).await;
                return Ok(());
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

/// Returns the client of a surplus, and whether it was unlinked from the contact that paid it.
async fn find_surplus_client(
    store: &Store,
    surplus: &Surplus,
) -> Result<(CrmId, bool), StoreError> {
    let Surplus { ledger, client, contact, .. } = surplus;
    if let Some(contact) = contact {
        let linked = store.find_linked_record(ledger, EntityKind::Contact, (*contact).into());
        if let Some(linked) = linked.await? {
            return Ok((linked, false));
        }
    }
    // The client may be linked to another contact now, which says nothing about this one.
    let stays_unlinked = surplus.is_unlinked && contact.is_some();
    let is_unlinked = stays_unlinked || is_unlinked(store, ledger, client, *contact).await?;
    Ok((client.clone(), is_unlinked))
}

/// Returns whether a client was unlinked from the contact that paid a surplus, which earlier
/// releases did not store. If it was not, and is not linked to that contact either, its own contact
/// was merged into that one.
pub(crate) async fn is_unlinked(
    store: &Store,
    ledger: &Ledger,
    client: &CrmId,
    contact: Option<XeroContactId>,
) -> Result<bool, StoreError> {
    let key = MappingKey::new(ledger.clone(), EntityKind::Contact, client.clone());
    let row = store.find_mapping(&key).await?;
    Ok(row.is_some_and(|row| row.record.was_unlinked_from(contact)))
}
