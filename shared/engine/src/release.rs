//! Letting go of what was parked, once what it waited for has happened.

use std::num::NonZeroU16;

use domain::ids::Ledger;
use domain::operation::{Event, State};
use store::table::Expect;
use store::{StoreError, Versioned};

use crate::Engine;

/// Of each of the index's shards. What is beyond is released by the next reconnect, or by hand.
const PER_SHARD: NonZeroU16 = NonZeroU16::new(500).expect("not zero");

/// Releases everything of a ledger that is parked: each row is due at once, with a wake-up booked.
/// Repeating it, or being interrupted, does no harm.
pub(crate) async fn parked(engine: &Engine, ledger: &Ledger) -> Result<(), StoreError> {
    for key in engine.store.parked(ledger, PER_SHARD).await? {
        let Some(Versioned { record, version }) = engine.store.mapping(&key).await? else {
            continue;
        };
        let now = engine.clock.now();
        let Ok(released) = record.apply(Event::Released, now) else { continue };
        match engine.store.put_mapping(&released, Expect::Version(version)).await {
            Ok(_) if matches!(released.operation.state, State::Waiting { until: _ }) => {
                engine.book(&released, now).await;
            }
            // Somebody else is on it.
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
