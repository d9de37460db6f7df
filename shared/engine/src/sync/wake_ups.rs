//! Wake-ups: messages from the product to itself to check records again, at once or at an instant.

use domain::entity::EntityKind;
use domain::envelope::{WAKE_UP_RECORDS_MAX, WakeUp, WakeUpKind};
use domain::ids::{CrmId, Ledger};
use domain::retry;
use jiff::Timestamp;

use crate::Engine;
use crate::ports::PortError;

/// Maximum records per wake-up: as many as one call takes, so that records that failed together are
/// resolved together.
const RECORDS_PER_WAKE_UP: usize = xero::api::BATCH_LIMIT;

impl Engine {
    /// Schedules wake-ups for records, and enqueues those for records that are due now: a schedule
    /// may be a minute late. Records that are due together share a wake-up. Returns the records of
    /// each bundle, and whether scheduling succeeded.
    pub(crate) async fn schedule_wake_ups(
        &self,
        ledger: &Ledger,
        kind: EntityKind,
        checks: Vec<(CrmId, Timestamp)>,
    ) -> Vec<(Vec<CrmId>, Result<(), PortError>)> {
        let now = self.clock.now();
        let mut scheduled = Vec::new();
        for (records, at) in retry::group_checks(checks, RECORDS_PER_WAKE_UP, now) {
            let wake_up = self.new_wake_up(ledger, kind, WakeUpKind::Records(records.clone()), at);
            let result = if at > now {
                self.wake_ups.schedule(&wake_up, at).await
            } else {
                self.wake_ups.enqueue(&wake_up).await
            };
            scheduled.push((records, result));
        }
        scheduled
    }

    /// Schedules a wake-up for one record.
    pub(crate) async fn schedule_wake_up(
        &self,
        ledger: &Ledger,
        kind: EntityKind,
        crm_id: &CrmId,
        at: Timestamp,
    ) -> Result<(), PortError> {
        let wake_up = self.new_wake_up(ledger, kind, WakeUpKind::Records(vec![crm_id.clone()]), at);
        self.wake_ups.schedule(&wake_up, at).await
    }

    /// Enqueues a wake-up about records behind the account's other wake-ups of this kind.
    pub(crate) async fn enqueue_wake_ups(
        &self,
        ledger: &Ledger,
        kind: EntityKind,
        records: &[CrmId],
    ) -> Result<(), PortError> {
        for some in records.chunks(WAKE_UP_RECORDS_MAX) {
            let now = self.clock.now();
            let wake_up = self.new_wake_up(ledger, kind, WakeUpKind::Records(some.to_vec()), now);
            self.wake_ups.enqueue(&wake_up).await?;
        }
        Ok(())
    }

    /// Creates a wake-up. Wake-ups for the same records and millisecond are equal if they are created
    /// within a minute. Others differ, because a queue drops a body that it has seen within the last
    /// five minutes: a record may stop, and be released again, within a second.
    pub(crate) fn new_wake_up(
        &self,
        ledger: &Ledger,
        kind: EntityKind,
        work: WakeUpKind,
        at: Timestamp,
    ) -> WakeUp {
        WakeUp {
            account: ledger.account.clone(),
            tenant: ledger.tenant,
            kind,
            work,
            ticket: format!("{}-{}", at.as_millisecond(), self.clock.now().as_second() / 60),
        }
    }
}
