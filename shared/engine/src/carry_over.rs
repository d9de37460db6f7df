//! What arrived before the account was connected to the organisation in use, brought to it.
//!
//! Records of an account that was never connected are kept in a ledger without an organisation. When it is
//! connected they move to the ledger of its organisation, clients first, and so does what was never synced in an
//! organisation that another one has replaced. A record that is moved is written to its new place before it is
//! removed from the old one, so a process that dies leaves nothing lost and nothing that cannot be moved again.

use std::num::NonZeroU16;

use domain::connection::{Connection, ConnectionState};
use domain::entity::EntityKind;
use domain::envelope::Errand;
use domain::ids::{CrmId, Ledger, TenantId};
use domain::mapping::{Accepted, Mapping, MappingKey};
use domain::operation::{Event, State, Trace, Urgency};
use store::table::{Cursor, Expect};
use store::{StoreError, Versioned};

use crate::chain::Chain;
use crate::connection::change;
use crate::desk::Desk;
use crate::push::Unrecorded;
use crate::{Engine, Invocation, choices, kept_records, receipts};

/// Records moved between two looks at the clock.
const PAGE: NonZeroU16 = NonZeroU16::new(50).expect("not zero");
/// A row that somebody else writes at the same moment is read and written again, this many times.
const CONFLICTS_MAX: u32 = 4;

/// Clients first: documents need them.
const ORDER: [EntityKind; 5] = [
    EntityKind::Contact,
    EntityKind::Invoice,
    EntityKind::CreditNote,
    EntityKind::Allocation,
    EntityKind::Payment,
];

/// Leaves a hint that an account has just been connected.
pub(crate) async fn leave_hint(engine: &Engine, ledger: &Ledger) -> Result<(), Unrecorded> {
    let now = engine.clock.now();
    let mut wake = engine.wake(ledger, EntityKind::Contact, Errand::Connected, now);
    wake.ticket = engine.ids.uuid().to_string();
    Ok(engine.wake_ups.leave(&wake).await?)
}

/// Carries over what waited for the connection, as long as there is time, and checks the account codes in use
/// against the organisation's chart. What is left is done by the next hint.
pub(crate) async fn walk(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> Result<(), Unrecorded> {
    let Some(row) = engine.store.connection(&ledger.account).await? else { return Ok(()) };
    let connection = row.record;
    let is_current = connection.ledger().as_ref() == Some(ledger);
    if !is_current || connection.state != ConnectionState::Active {
        return Ok(());
    }
    for source in &connection.carried_from {
        match carry(engine, *source, ledger, invocation).await? {
            Carried::All => {}
            Carried::CutShort => return leave_hint(engine, ledger).await,
            // The next sweep finds it free.
            Carried::AllButHeld => return Ok(()),
        }
        let removed = change(engine, &ledger.account, |now| {
            let mut carried_from = now.carried_from.clone();
            carried_from.retain(|one| one != source);
            let is_same = now.carry_requests == connection.carry_requests;
            is_same.then_some(Connection { carried_from, ..now })
        });
        if removed.await?.is_none() {
            // Somebody has written more to it meanwhile.
            return leave_hint(engine, ledger).await;
        }
    }
    kept_records::reset(engine, &ledger.account).await?;
    check_codes(engine, ledger, invocation).await;
    Ok(())
}

/// Whether the account codes in use are in the chart of the organisation; if not, the settings page says so. The
/// connection stands all the same.
async fn check_codes(engine: &Engine, ledger: &Ledger, invocation: Invocation) {
    let Ok(desk) = Desk::open(engine, ledger, Urgency::All, invocation).await else { return };
    if choices::check(&desk).await.is_err() {
        tracing::warn!(account.id = %ledger.account, "the account codes were not checked");
    }
}

/// How far carrying over came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carried {
    /// Nothing is left.
    All,
    /// There was no time for the rest.
    CutShort,
    /// Some records are being attempted at this moment.
    AllButHeld,
}

/// Carries over what another ledger of the account holds.
async fn carry(
    engine: &Engine,
    source: TenantId,
    target: &Ledger,
    invocation: Invocation,
) -> Result<Carried, Unrecorded> {
    let source = Ledger { account: target.account.clone(), tenant: source };
    if source.tenant == TenantId::NONE && !carry_money(engine, &source, target, invocation).await? {
        return Ok(Carried::CutShort);
    }
    let mut carried = Carried::All;
    for kind in ORDER {
        let mut after: Option<Cursor> = None;
        loop {
            if engine.clock.now() > invocation.last_call {
                return Ok(Carried::CutShort);
            }
            let page = engine.store.mappings(&source, kind, after, PAGE).await?;
            let mut queued = Vec::new();
            for row in page.rows {
                if source.tenant != TenantId::NONE {
                    carry_money_of(engine, &source, &row.record, target).await?;
                }
                match move_record(engine, row, target).await? {
                    Moved::Pushed(crm_id) => queued.push(crm_id),
                    Moved::Kept => {}
                    Moved::Held => carried = Carried::AllButHeld,
                }
            }
            engine.leave(target, kind, &queued).await?;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(carried)
}

/// Moves what the CRM recorded of payments before there was a connection.
async fn carry_money(
    engine: &Engine,
    source: &Ledger,
    target: &Ledger,
    invocation: Invocation,
) -> Result<bool, StoreError> {
    loop {
        if engine.clock.now() > invocation.last_call {
            return Ok(false);
        }
        let invoices = engine.store.invoices_with_money(source, PAGE).await?;
        if invoices.is_empty() {
            return Ok(true);
        }
        for invoice in invoices {
            let Some(rows) = engine.store.receipts(source, &invoice).await? else { continue };
            receipts::merge(engine, target, &rows.record).await?;
            engine.store.remove_receipts(&rows).await?;
        }
    }
}

/// Moves what the CRM recorded of payments of an invoice that is not in the books of the organisation it leaves.
async fn carry_money_of(
    engine: &Engine,
    source: &Ledger,
    mapping: &Mapping,
    target: &Ledger,
) -> Result<(), StoreError> {
    let is_moved = mapping.key.kind == EntityKind::Invoice
        && mapping.link.is_none()
        && mapping.operation.trace == Trace::Clean
        && !mapping.is_held(engine.clock.now());
    if !is_moved {
        return Ok(());
    }
    let Some(rows) = engine.store.receipts(source, &mapping.key.crm_id).await? else {
        return Ok(());
    };
    receipts::merge(engine, target, &rows.record).await?;
    engine.store.remove_receipts(&rows).await
}

/// How a record was moved.
enum Moved {
    /// It is to be pushed from its new place.
    Pushed(CrmId),
    /// Nothing more is to be done for it.
    Kept,
    /// It is being attempted.
    Held,
}

/// Moves one record, if it is to be moved.
async fn move_record(
    engine: &Engine,
    row: Versioned<Mapping>,
    target: &Ledger,
) -> Result<Moved, StoreError> {
    let Versioned { record: mapping, version } = row;
    let now = engine.clock.now();
    let is_synced = mapping.link.is_some();
    if mapping.is_held(now) {
        return Ok(Moved::Held);
    }
    if is_synced && mapping.key.kind != EntityKind::Contact {
        return Ok(Moved::Kept);
    }
    let is_pushed = !is_synced && is_wanted(&mapping);
    place(engine, &mapping, target, is_pushed).await?;
    // What may be in the books of the other organisation is still known there.
    if !is_synced && mapping.operation.trace == Trace::Clean {
        match engine.store.remove_mapping(&mapping.key, version).await {
            Ok(()) => {}
            // A newer snapshot came for it: the next walk moves that.
            Err(StoreError::Conflict) => {
                tracing::info!(crm.id = %mapping.key.crm_id, "a record changed while it was moved");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(if is_pushed { Moved::Pushed(mapping.key.crm_id) } else { Moved::Kept })
}

/// Whether a record was to be pushed, and not only to be kept.
const fn is_wanted(mapping: &Mapping) -> bool {
    !matches!(mapping.operation.state, State::Due | State::Withheld | State::Synced)
}

/// Writes a record to its new place, unless a newer snapshot of it is there.
async fn place(
    engine: &Engine,
    mapping: &Mapping,
    target: &Ledger,
    is_pushed: bool,
) -> Result<(), StoreError> {
    let key = MappingKey { ledger: target.clone(), ..mapping.key.clone() };
    for _ in 0..CONFLICTS_MAX {
        let now = engine.clock.now();
        let known = engine.store.mapping(&key).await?;
        let expect = known.as_ref().map_or(Expect::Absent, |row| Expect::Version(row.version));
        let known = known.map(|row| row.record);
        let accepted = Mapping::accept(known.as_ref(), &key, mapping.snapshot.clone(), now);
        let Accepted::Newer(placed) = accepted else { return Ok(()) };
        let event = if mapping.operation.state == State::Withheld {
            Some(Event::Withheld)
        } else {
            is_pushed.then_some(Event::Queued)
        };
        let placed = match event.map(|event| placed.apply(event, now)) {
            Some(Ok(applied)) => applied,
            Some(Err(_)) | None => *placed,
        };
        match engine.store.put_mapping(&placed, expect, None).await {
            Err(StoreError::Conflict) => {}
            result => return result.map(drop),
        }
    }
    Err(StoreError::Conflict)
}

/// Asks for what has just been written to a ledger to be carried over, if the account has been connected to another
/// one meanwhile: whoever wrote it did not know.
pub(crate) async fn request(engine: &Engine, written: &Ledger) -> Result<(), Unrecorded> {
    let requested = change(engine, &written.account, |connection| {
        let is_other = connection.state.is_connected()
            && connection.ledger().is_some_and(|ledger| ledger != *written);
        let mut carried_from = connection.carried_from.clone();
        if !carried_from.contains(&written.tenant) {
            carried_from.push(written.tenant);
        }
        let carry_requests = connection.carry_requests.wrapping_add(1);
        is_other.then_some(Connection { carried_from, carry_requests, ..connection })
    });
    match requested.await?.and_then(|connection| connection.ledger()) {
        Some(ledger) => leave_hint(engine, &ledger).await,
        None => Ok(()),
    }
}

/// Carries over what a hint was lost about. Trouble is repaired by the next sweep.
pub(crate) async fn sweep(engine: &Engine, ledger: &Ledger) {
    if let Err(error) = leave_hint(engine, ledger).await {
        tracing::warn!(error = %Chain(&error), account.id = %ledger.account, "no hint could be left");
    }
}
