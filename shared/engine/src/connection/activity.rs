//! Records when an account's records were last attempted and when an attempt last succeeded. The
//! settings page shows both.

use domain::activity::AccountActivity;
use domain::ids::AccountId;
use domain::outbound::EventMessage;

use crate::Engine;
use crate::error_chain::ErrorChain;

/// Records that attempts have just ended and that events about them were delivered. A failure to
/// write is only logged: the attempts are for display only, and the events are delivered again.
pub(crate) async fn record_attempts(
    engine: &Engine,
    account: &AccountId,
    has_success: bool,
    delivered: &[&EventMessage],
) {
    let now = engine.clock.now();
    // A concurrently recorded failure must not overwrite a success, so the change is decided again
    // after a conflict.
    let recorded = engine.store.record_deliveries_and_activity(account, delivered, |known| {
        let is_recent = known.as_ref().is_some_and(|known| known.is_recent(has_success, now));
        (!is_recent).then(|| {
            AccountActivity::after_attempts(known.as_ref(), account.clone(), has_success, now)
        })
    });
    if let Err(error) = recorded.await {
        tracing::warn!(
            error = %ErrorChain(&error),
            account.id = %account,
            "the last attempt and the deliveries of its events could not be recorded"
        );
    }
}
