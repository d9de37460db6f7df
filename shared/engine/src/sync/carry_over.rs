//! Carries over the records that arrived before the account was connected to its current
//! organisation.
//!
//! Records of an account that was never connected are kept in a ledger without an organisation.
//! After a connect they move to the ledger of the organisation, clients first. Records that were
//! never synced to a previous organisation move as well. A record is written to its new ledger
//! before it is removed from the old one, so an interrupted process loses nothing and can be
//! repeated. Records that stay in the old ledger are processed once: when time runs out, the
//! connection's row says where the next invocation resumes.

mod invoice_payments;
mod requests;

use std::num::NonZeroU16;

use domain::connection::{CarryOverCursor, Connection, ConnectionState};
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, Ledger, TenantId};
use domain::mapping::{Mapping, MappingKey, SnapshotAcceptance};
use domain::operation::{OperationEvent, OperationState, Trigger, WriteTrace};
use futures::FutureExt;
use store::table::PageCursor;
use store::{StoreError, VersionedRecord};

use self::invoice_payments::{
    carry_over_invoice_payments, carry_over_unsynced_payments, refuse_share_without_room,
};
use self::requests::enqueue_connected_wake_up;
pub(crate) use self::requests::{repeat_connected_wake_up, request_carry_over};
use crate::connection::tenant_session::TenantSession;
use crate::connection::{change_connection, chart};
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sync::{release, unconnected_records};
use crate::{Engine, Invocation};

/// Records moved between two checks of the remaining time.
const PAGE: NonZeroU16 = NonZeroU16::new(50).expect("not zero");

/// Releases the records that waited for a connection, and requests that they are carried over. The
/// connection is usable in any case; the sweep repeats failed steps.
pub(crate) async fn resume_after_connect(engine: &Engine, ledger: &Ledger) {
    if let Err(error) = enqueue_connected_wake_up(engine, ledger).await {
        tracing::error!(error = %ErrorChain(&error), "the carry-over could not be enqueued; the sweep tries again");
    }
    if let Err(error) = release::release_parked(engine, ledger).await {
        tracing::error!(error = %ErrorChain(&error), "parked records could not be released; the sweep tries again");
    }
}

/// Carries over the records that waited for the connection while there is time, releases those that
/// [`resume_after_connect`] left parked, and checks the account codes in use against the
/// organisation's chart. The next wake-up resumes where the time ran out.
pub(crate) async fn continue_carry_over(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> Result<(), PersistError> {
    let Some(row) = engine.store.find_connection(&ledger.account).await? else { return Ok(()) };
    let connection = row.record;
    let is_current = connection.current_ledger().as_ref() == Some(ledger);
    if !is_current || connection.state != ConnectionState::Active {
        return Ok(());
    }
    let (account, requests) = (&ledger.account, connection.carry_requests);
    for source in &connection.carried_from {
        let begun = connection.carry_place.clone();
        let start = CarryOverCursor::at_walk_start(*source, ledger.tenant, requests);
        let place = begun.filter(|place| place.is_same_walk(&start)).unwrap_or(start);
        match carry_over_records(engine, place, ledger, invocation).await? {
            CarryOverOutcome::All => {}
            CarryOverOutcome::CutShort(place) => {
                record_carry_over_cursor(engine, account, requests, Some(place)).await?;
                return enqueue_connected_wake_up(engine, ledger).await;
            }
            // The next sweep finds the released records in either ledger.
            CarryOverOutcome::AllButHeld => {
                return Ok(record_carry_over_cursor(engine, account, requests, None).await?);
            }
        }
        let removed = change_connection(engine, account, |now| {
            let mut carried_from = now.carried_from.clone();
            carried_from.retain(|one| one != source);
            let is_same = now.carry_requests == requests;
            is_same.then_some(Connection { carried_from, carry_place: None, ..now })
        });
        if removed.await?.is_none() {
            // More records were written to the source in the meantime.
            return enqueue_connected_wake_up(engine, ledger).await;
        }
    }
    unconnected_records::reset_count(engine, &ledger.account).await?;
    release::release_unauthorised(engine, ledger, invocation).await?;
    check_codes_after_connect(engine, ledger, invocation).await;
    Ok(())
}

/// Checks whether the organisation's chart contains the account codes in use. If not, the settings
/// page shows a warning; the connection stays usable.
async fn check_codes_after_connect(engine: &Engine, ledger: &Ledger, invocation: Invocation) {
    let opened = TenantSession::open(engine, ledger, Trigger::All, invocation).await;
    let Ok(tenant_session) = opened else { return };
    if chart::check_account_codes(&tenant_session).await.is_err() {
        tracing::warn!(account.id = %ledger.account, "the account codes were not checked");
    }
}

/// Records where the carry-over stopped. After another request it starts from the beginning, so
/// then the cursor is not recorded.
async fn record_carry_over_cursor(
    engine: &Engine,
    account: &AccountId,
    requests: u32,
    place: Option<CarryOverCursor>,
) -> Result<(), StoreError> {
    let recorded = change_connection(engine, account, |now| {
        let is_new = now.carry_requests == requests && now.carry_place != place;
        is_new.then(|| Connection { carry_place: place.clone(), ..now })
    });
    recorded.await.map(drop)
}

/// The progress of a carry-over.
enum CarryOverOutcome {
    /// All records have moved.
    All,
    /// Time ran out before all records had moved.
    CutShort(CarryOverCursor),
    /// All records have moved except those that are being attempted at this moment.
    AllButHeld,
}

/// Carries over the records of another ledger of the account, from `place` on.
async fn carry_over_records(
    engine: &Engine,
    mut place: CarryOverCursor,
    target: &Ledger,
    invocation: Invocation,
) -> Result<CarryOverOutcome, PersistError> {
    let source = Ledger { account: target.account.clone(), tenant: place.source };
    // Payments that have moved are gone from the source, so this part needs no cursor.
    if source.tenant == TenantId::NONE
        && !carry_over_invoice_payments(engine, &source, target, invocation).await?
    {
        return Ok(CarryOverOutcome::CutShort(place));
    }
    let first = place.kind;
    // In the order in which they depend on each other: documents need their clients.
    for kind in EntityKind::ALL.into_iter().skip_while(|kind| *kind != first) {
        place.kind = kind;
        loop {
            if invocation.is_past_last_call(engine.clock.now()) {
                return Ok(CarryOverOutcome::CutShort(place));
            }
            let after = place.after.clone().map(PageCursor::at_sort_key);
            let page = engine.store.list_mappings(&source, kind, after, PAGE).await?;
            engine.report_unreadable(&source.account, &page.unreadable);
            let mut queued = Vec::new();
            for row in page.rows {
                let moved = move_with_payments(engine, &source, row, target).boxed();
                match engine.skip_failing(&source.account, moved).await? {
                    Some(RecordMoveOutcome::Pushed(crm_id)) => queued.push(crm_id),
                    Some(RecordMoveOutcome::Kept) | None => {}
                    Some(RecordMoveOutcome::Held) => place.has_held = true,
                }
            }
            engine.enqueue_wake_ups(target, kind, &queued).await?;
            place.after = page.next.map(|cursor| cursor.sort_key().to_owned());
            if place.after.is_none() {
                break;
            }
        }
    }
    Ok(if place.has_held { CarryOverOutcome::AllButHeld } else { CarryOverOutcome::All })
}

/// The result of moving one record.
enum RecordMoveOutcome {
    /// The record is to be pushed from its new ledger.
    Pushed(CrmId),
    /// Nothing else is to be done for the record.
    Kept,
    /// The record is being attempted.
    Held,
}

/// Moves one record, if it is to be moved, after its payments.
async fn move_with_payments(
    engine: &Engine,
    source: &Ledger,
    row: VersionedRecord<Mapping>,
    target: &Ledger,
) -> Result<RecordMoveOutcome, StoreError> {
    if source.tenant != TenantId::NONE {
        carry_over_unsynced_payments(engine, source, &row.record, target).await?;
    }
    move_record(engine, row, target).await
}

/// Moves one record, if it is to be moved.
async fn move_record(
    engine: &Engine,
    row: VersionedRecord<Mapping>,
    target: &Ledger,
) -> Result<RecordMoveOutcome, StoreError> {
    let VersionedRecord { record: mapping, version } = row;
    let now = engine.clock.now();
    let is_synced = mapping.link.is_some();
    if mapping.is_held(now) {
        return Ok(RecordMoveOutcome::Held);
    }
    if is_synced && !mapping.key.kind.is_carried_over_when_synced() {
        return Ok(RecordMoveOutcome::Kept);
    }
    let is_refused = !is_synced && refuse_share_without_room(engine, &mapping, target).await?;
    let is_pushed = !is_synced && !is_refused && was_queued_for_push(&mapping);
    if !is_refused {
        write_to_target(engine, &mapping, target, is_pushed).await?;
    }
    // A record that may exist in the previous organisation keeps its row there.
    if !is_synced && !may_be_in_organisation(&mapping) {
        match engine.store.remove_mapping(&mapping.key, version).await {
            Ok(()) => {}
            // A newer snapshot arrived; the next carry-over moves it.
            Err(StoreError::Conflict) => {
                tracing::info!(crm.id = %mapping.key.crm_id, "a record changed while it was moved");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(if is_pushed {
        RecordMoveOutcome::Pushed(mapping.key.crm_id)
    } else {
        RecordMoveOutcome::Kept
    })
}

/// Returns whether the organisation of a record's ledger may have its document although no answer
/// confirmed it. Before the first connection there was no organisation.
fn may_be_in_organisation(mapping: &Mapping) -> bool {
    let is_uncertain = mapping.operation.trace == WriteTrace::Uncertain;
    let was_connected = mapping.key.ledger.tenant != TenantId::NONE;
    is_uncertain || (was_connected && mapping.operation.may_have_written())
}

/// Returns whether a record was to be pushed, and not only to be stored.
const fn was_queued_for_push(mapping: &Mapping) -> bool {
    !matches!(
        mapping.operation.state,
        OperationState::Due | OperationState::Withheld | OperationState::Synced
    )
}

/// Writes a record to its new ledger, unless a newer snapshot is there.
async fn write_to_target(
    engine: &Engine,
    mapping: &Mapping,
    target: &Ledger,
    is_pushed: bool,
) -> Result<(), StoreError> {
    let key = MappingKey { ledger: target.clone(), ..mapping.key.clone() };
    let updated = engine.store.update_mapping(&key, |known| {
        let now = engine.clock.now();
        let accepted =
            Mapping::accept_snapshot(known.as_ref(), &key, mapping.snapshot.clone(), now);
        let SnapshotAcceptance::Newer(placed) = accepted else { return Err(()) };
        let event = if mapping.operation.state == OperationState::Withheld {
            Some(OperationEvent::Withheld)
        } else {
            is_pushed.then_some(OperationEvent::Queued)
        };
        let moved = match event.map(|event| placed.apply_event(event, now)) {
            Some(Ok(applied)) => applied,
            Some(Err(_)) | None => *placed,
        };
        let is_skip_reported = moved.is_skip_reported || mapping.is_shown_as_given_up();
        let withheld = mapping.withheld.clone().or(moved.withheld);
        Ok(Mapping { withheld, is_skip_reported, ..moved })
    });
    updated.await.map(drop)
}
