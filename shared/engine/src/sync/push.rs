//! The protocol: accept, claim, resolve, write and confirm, for one or many records. This is the
//! only code that drives operations.

mod attempt;
mod claim;
mod clients;
mod copy;
mod item;
mod keep;
mod kinds;
mod record_outcome;
mod refused;
mod snapshots;

use std::sync::Arc;

use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger};
use domain::mapping::{KeptSnapshot, Mapping, MappingKey};
use domain::operation::{ClaimId, OperationState, Trigger, WriteAnswer};
use futures::FutureExt;
use jiff::Timestamp;
use store::{ReadAheadKeys, VersionedRecord};

use crate::errors::{PersistError, isolate_record};
use crate::ports::PortError;
use crate::{Engine, Invocation, concurrency};

use self::claim::ClaimOutcome;
use self::item::PushItem;
pub(crate) use self::keep::{
    KeepReason, keep_client_snapshot, keep_snapshot, keep_snapshots_together,
};
pub(crate) use self::kinds::PushedKind;
pub use self::kinds::PushedKinds;
pub(crate) use self::record_outcome::{report_ended_skip, report_withheld_skip};
pub(crate) use self::refused::{refuse_record_as, too_large_failure, too_many_payments_failure};
pub(crate) use self::snapshots::{encode_snapshot, parse_snapshot};

/// Maximum rounds of one push. A record with a newer snapshot at the end of a round continues in
/// the next.
const ROUNDS_MAX: u32 = 3;

/// The outcome of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushOutcome {
    /// This attempt synced the newest snapshot.
    Synced,
    /// Xero already had it.
    Unchanged,
    /// The snapshot is older than the known one.
    Stale {
        /// The known revision.
        known: u64,
    },
    /// The record will be tried again; a wake-up is scheduled.
    Waiting {
        /// When it is tried again.
        until: Timestamp,
    },
    /// The record waits for an event or another record.
    Parked,
    /// The record was given up. The mapping holds the reason.
    Skipped,
    /// A user marked the record as never to be sent.
    Withheld,
    /// Another process is working on the record.
    Held {
        /// When its claim ends at the latest.
        until: Timestamp,
    },
    /// This process cannot report the outcome: another process has taken over the claim, or a newer
    /// snapshot arrived and is pushed next.
    Superseded,
    /// The record is unknown.
    Unknown,
}

/// A record to push.
#[derive(Debug, Clone)]
pub(crate) struct PushOffer {
    /// Its id.
    pub(crate) crm_id: CrmId,
    /// Its snapshot, if one arrived. Otherwise the newest known snapshot is pushed.
    pub(crate) snapshot: Option<KeptSnapshot>,
}

impl PushOffer {
    /// Offers a record of which no snapshot arrived.
    pub(crate) const fn without_snapshot(crm_id: CrmId) -> Self {
        Self { crm_id, snapshot: None }
    }
}

/// A claimed mapping.
#[derive(Debug)]
pub(crate) struct ClaimedRecord {
    by: ClaimId,
    row: VersionedRecord<Mapping>,
    /// When the attempt began.
    at: Timestamp,
}

/// Facts about an attempt, besides its outcome.
#[derive(Debug, Clone, Copy)]
struct AttemptFacts {
    /// What Xero answered to the attempt's writes.
    write_answer: Option<WriteAnswer>,
    /// Whether Xero may have a document of the attempt that the row does not know.
    may_have_left_document: bool,
    /// The epoch of the connection on which the attempt was made.
    epoch: Option<u64>,
    trigger: Trigger,
}

/// One round of a push: whose records it pushes, of which kind, why, and within which time.
#[derive(Debug, Clone, Copy)]
struct PushRound<'a> {
    engine: &'a Engine,
    ledger: &'a Ledger,
    kind: EntityKind,
    trigger: Trigger,
    invocation: Invocation,
}

/// The result of pushing one record.
#[derive(Debug)]
struct FinishedPush {
    pushed: PushOutcome,
    /// When to check the record again, if a wake-up is to be scheduled.
    wake_up_at: Option<Timestamp>,
}

/// The result of recording an attempt.
#[derive(Debug)]
enum RecordedOutcome {
    Done(FinishedPush),
    /// A newer snapshot arrived during the attempt and is due.
    Overtaken,
}

/// Pushes records of one ledger and kind, up to 50 per call: the offered snapshots if they are
/// newer, otherwise the newest known ones. Returns one outcome per offer, in their order. No two
/// offers may name the same record.
///
/// If the outcome is `Ok`, it is recorded in the row and the sync log. If it is `Err`, the caller
/// returns the message to the queue; processing it again does no harm.
pub(crate) async fn push_records(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    offers: &[PushOffer],
    trigger: Trigger,
    invocation: Invocation,
) -> Vec<Result<PushOutcome, PersistError>> {
    if offers.is_empty() {
        return Vec::new();
    }
    let collector = engine.with_collected_events();
    let engine = collector.as_deref().unwrap_or(engine);
    let engine: &Engine = &*engine.with_rows_read_ahead(list_rows(ledger, kind, offers)).await;
    let mut items = offers.iter().map(PushItem::new).collect::<Vec<_>>();
    let (mut is_attempted, mut is_synced) = (false, false);
    for turn in 0..ROUNDS_MAX {
        // Snapshots that arrived in the meantime come from the row; no user waits for them.
        let trigger = if turn == 0 { trigger } else { Trigger::Routine };
        let round = PushRound { engine, ledger, kind, trigger, invocation };
        let mut claimed = Vec::new();
        for (item, admission) in claim_records(round, &mut items).await {
            match admission {
                Ok(ClaimOutcome::Claimed(row)) => claimed.push((item, *row)),
                Ok(ClaimOutcome::Refused(finished)) => item.finish(Ok(finished)),
                Err(error) => item.finish(Err(error)),
            }
        }
        is_attempted |= !claimed.is_empty();
        for (item, recorded) in attempt::attempt_records(round, claimed).await {
            match recorded {
                Ok(RecordedOutcome::Done(finished)) => {
                    is_synced |= matches!(finished.pushed, PushOutcome::Synced);
                    item.finish(Ok(finished));
                }
                Ok(RecordedOutcome::Overtaken) => item.continue_at(engine.clock.now()),
                Err(error) => item.finish(Err(error)),
            }
        }
        if !items.iter().any(|item| item.is_due) {
            break;
        }
    }
    if is_attempted {
        engine.synced_events.add_attempts(is_synced);
    }
    if collector.is_some() {
        engine.deliver_synced_events(&ledger.account).await;
    }
    schedule_due_wake_ups(engine, ledger, kind, items).await
}

/// Returns the rows that a push reads once. A row that it reads again has been written since, or
/// must be as the table has it then.
fn list_rows(ledger: &Ledger, kind: EntityKind, offers: &[PushOffer]) -> ReadAheadKeys {
    let mut rows = ReadAheadKeys::default();
    rows.add_connection(&ledger.account);
    rows.add_call_budget(ledger.tenant);
    rows.add_activity(&ledger.account);
    match kind {
        EntityKind::Invoice | EntityKind::CreditNote | EntityKind::Payment => {
            rows.add_account_codes(&ledger.account);
            rows.add_chart(ledger);
        }
        EntityKind::Contact | EntityKind::Allocation => {}
    }
    for offer in offers {
        rows.add_mapping(&MappingKey::new(ledger.clone(), kind, offer.crm_id.clone()));
    }
    rows
}

/// An item with the result of claiming it.
type ItemClaim<'i, 'a> = (&'i mut PushItem<'a>, Result<ClaimOutcome, PersistError>);

/// Accepts and claims the items that this round pushes.
async fn claim_records<'i, 'a>(
    round: PushRound<'_>,
    items: &'i mut [PushItem<'a>],
) -> Vec<ItemClaim<'i, 'a>> {
    let PushRound { engine, ledger, kind, trigger, invocation } = round;
    let admissions = items.iter_mut().filter(|item| item.is_due).map(|item| {
        let key = MappingKey::new(ledger.clone(), kind, item.crm_id.clone());
        let snapshot = item.snapshot;
        let admit = async move {
            claim::accept_and_claim(engine, &key, snapshot, trigger, invocation).await
        };
        async move { (item, isolate_record(admit).await) }.boxed()
    });
    concurrency::map_concurrently(admissions.collect()).await
}

/// Schedules wake-ups for records to check again. If that fails, the outcome counts as not
/// recorded.
async fn schedule_due_wake_ups(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    items: Vec<PushItem<'_>>,
) -> Vec<Result<PushOutcome, PersistError>> {
    let look = |item: &PushItem<'_>| {
        let at = item.result.as_ref().ok()?.wake_up_at?;
        Some((item.crm_id.clone(), at))
    };
    let checks = items.iter().filter_map(look).collect();
    let mut unscheduled: Vec<(CrmId, Arc<PortError>)> = Vec::new();
    for (records, result) in engine.schedule_wake_ups(ledger, kind, checks).await {
        if let Err(error) = result {
            let error = Arc::new(error);
            unscheduled.extend(records.into_iter().map(|crm_id| (crm_id, error.clone())));
        }
    }
    let result = |item: PushItem<'_>| {
        let failed = unscheduled.iter().find(|(crm_id, _)| *crm_id == item.crm_id);
        match (item.result, failed) {
            (Ok(_), Some((_, error))) => Err(PersistError::WakeUp(error.clone())),
            (Ok(finished), None) => Ok(finished.pushed),
            (Err(error), _) => Err(error),
        }
    };
    items.into_iter().map(result).collect()
}

impl PushOutcome {
    /// Ends the push of a record without scheduling a wake-up.
    const fn without_wake_up(self) -> FinishedPush {
        FinishedPush { pushed: self, wake_up_at: None }
    }

    /// Returns what the state after an attempt means for the caller.
    const fn from_state(state: &OperationState) -> Self {
        match state {
            OperationState::Synced => Self::Synced,
            OperationState::Waiting { until } => Self::Waiting { until: *until },
            OperationState::Parked { on: _ } => Self::Parked,
            OperationState::Skipped => Self::Skipped,
            OperationState::Withheld => Self::Withheld,
            OperationState::Due => Self::Superseded,
            OperationState::Claimed { by: _, until } => Self::Held { until: *until },
        }
    }
}
