//! Pushes records whose snapshots are already in the table.

use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger};
use domain::operation::Trigger;

use crate::errors::PersistError;
use crate::sync::push::{self, PushOffer, PushOutcome};
use crate::{Engine, Invocation};

/// Pushes the newest known snapshots of records of one kind.
pub async fn push_stored_records(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    records: &[CrmId],
    trigger: Trigger,
    invocation: Invocation,
) -> Vec<Result<PushOutcome, PersistError>> {
    let offers = records.iter().cloned().map(PushOffer::without_snapshot).collect::<Vec<_>>();
    push::push_records(engine, ledger, kind, &offers, trigger, invocation).await
}
