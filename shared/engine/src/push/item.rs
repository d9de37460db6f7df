//! Follows one offer through the rounds of a push.

use domain::ids::CrmId;
use jiff::Timestamp;

use super::{Ended, Offer, Pushed, Unrecorded};

/// One offer during the push.
pub(super) struct PushItem<'a, S> {
    pub(super) crm_id: CrmId,
    /// The snapshot to accept. `None` if the newest known one is pushed.
    pub(super) snapshot: Option<&'a S>,
    /// Whether the next round pushes it.
    pub(super) is_due: bool,
    /// How the push of the record has ended so far.
    pub(super) end: Result<Ended, Unrecorded>,
}

impl<'a, S> PushItem<'a, S> {
    pub(super) fn new(offer: &Offer<'a, S>) -> Self {
        let Offer { crm_id, snapshot } = offer;
        let end = Ok(Pushed::Superseded.ended());
        Self { crm_id: crm_id.clone(), snapshot: *snapshot, is_due: true, end }
    }

    /// Records how the push of the record ended.
    pub(super) fn end(&mut self, end: Result<Ended, Unrecorded>) {
        self.is_due = false;
        self.end = end;
    }

    /// Records that a newer snapshot has arrived. The next round pushes it; if there is none, or
    /// this process dies, the wake-up does.
    pub(super) fn continue_at(&mut self, now: Timestamp) {
        self.is_due = true;
        self.snapshot = None;
        self.end = Ok(Ended { pushed: Pushed::Superseded, look: Some(now) });
    }
}
