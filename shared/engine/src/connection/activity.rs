//! Records when an account's records were last attempted and when an attempt last succeeded. The
//! settings page shows both.

use domain::activity::AccountActivity;
use domain::ids::AccountId;

use crate::Engine;
use crate::error_chain::ErrorChain;

/// Records that attempts have just ended. This is for display only, so a failure to write is only
/// logged.
pub(crate) async fn record_attempts(engine: &Engine, account: &AccountId, has_success: bool) {
    let now = engine.clock.now();
    // A concurrently recorded failure must not overwrite a success, so the change is decided again
    // after a conflict.
    let recorded = engine.store.update_activity(account, |known| {
        let is_recent = known.as_ref().is_some_and(|known| known.is_recent(has_success, now));
        (!is_recent).then(|| {
            AccountActivity::after_attempts(known.as_ref(), account.clone(), has_success, now)
        })
    });
    if let Err(error) = recorded.await {
        tracing::warn!(
            error = %ErrorChain(&error),
            account.id = %account,
            "the last attempt was not recorded"
        );
    }
}
