//! Follows one offer through the rounds of a push.

use domain::ids::CrmId;
use domain::mapping::KeptSnapshot;
use jiff::Timestamp;

use super::{FinishedPush, PersistError, PushOffer, PushOutcome};

/// One offer during the push.
pub(super) struct PushItem<'a> {
    pub(super) crm_id: CrmId,
    /// The snapshot to accept. `None` if the newest known one is pushed.
    pub(super) snapshot: Option<&'a KeptSnapshot>,
    /// Whether the next round pushes it.
    pub(super) is_due: bool,
    /// The result of pushing the record so far.
    pub(super) result: Result<FinishedPush, PersistError>,
}

impl<'a> PushItem<'a> {
    pub(super) fn new(offer: &'a PushOffer) -> Self {
        let PushOffer { crm_id, snapshot } = offer;
        let result = Ok(PushOutcome::Superseded.without_wake_up());
        Self { crm_id: crm_id.clone(), snapshot: snapshot.as_ref(), is_due: true, result }
    }

    /// Records the result of pushing the record.
    pub(super) fn finish(&mut self, result: Result<FinishedPush, PersistError>) {
        self.is_due = false;
        self.result = result;
    }

    /// Records that a newer snapshot has arrived. The next round pushes it; if there is no further
    /// round, or this process dies, the wake-up triggers the push.
    pub(super) fn continue_at(&mut self, now: Timestamp) {
        self.is_due = true;
        self.snapshot = None;
        self.result = Ok(FinishedPush { pushed: PushOutcome::Superseded, wake_up_at: Some(now) });
    }
}
