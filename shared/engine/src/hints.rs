//! Hints from the product to itself to look at records again, at once or at an instant.

use domain::entity::EntityKind;
use domain::envelope::{Errand, WAKE_RECORDS_MAX, Wake};
use domain::ids::{CrmId, Ledger};
use domain::retry;
use jiff::Timestamp;

use crate::Engine;
use crate::ports::PortError;

/// Maximum records per hint: as many as one call takes, so that records that failed together are
/// resolved together.
const TOGETHER: usize = xero::api::BATCH_LIMIT;

impl Engine {
    /// Schedules wake-ups for records, together where they are due together. Returns the records of
    /// each bundle, and whether scheduling succeeded.
    pub(crate) async fn book(
        &self,
        ledger: &Ledger,
        kind: EntityKind,
        looks: Vec<(CrmId, Timestamp)>,
    ) -> Vec<(Vec<CrmId>, Result<(), PortError>)> {
        let now = self.clock.now();
        let mut booked = Vec::new();
        for (records, at) in retry::bundles(looks, TOGETHER, now) {
            let wake = self.wake(ledger, kind, Errand::Records(records.clone()), at);
            booked.push((records, self.wake_ups.book(&wake, at).await));
        }
        booked
    }

    /// Schedules a wake-up for one record.
    pub(crate) async fn book_one(
        &self,
        ledger: &Ledger,
        kind: EntityKind,
        crm_id: &CrmId,
        at: Timestamp,
    ) -> Result<(), PortError> {
        let wake = self.wake(ledger, kind, Errand::Records(vec![crm_id.clone()]), at);
        self.wake_ups.book(&wake, at).await
    }

    /// Enqueues a hint about records behind the account's other wake-ups of this kind.
    pub(crate) async fn leave(
        &self,
        ledger: &Ledger,
        kind: EntityKind,
        records: &[CrmId],
    ) -> Result<(), PortError> {
        for some in records.chunks(WAKE_RECORDS_MAX) {
            let now = self.clock.now();
            let wake = self.wake(ledger, kind, Errand::Records(some.to_vec()), now);
            self.wake_ups.leave(&wake).await?;
        }
        Ok(())
    }

    /// Creates a wake-up. Wake-ups for the same records and instant are equal if they are created
    /// within a minute. Later ones differ, because a queue drops a body that it has seen within the
    /// last five minutes.
    pub(crate) fn wake(
        &self,
        ledger: &Ledger,
        kind: EntityKind,
        errand: Errand,
        at: Timestamp,
    ) -> Wake {
        Wake {
            account: ledger.account.clone(),
            tenant: ledger.tenant,
            kind,
            errand,
            ticket: format!("{}-{}", at.as_second(), self.clock.now().as_second() / 60),
        }
    }
}
