//! When an account's records were last attempted, and with success: facts that its settings page shows.

use domain::activity::Activity;
use domain::ids::AccountId;
use store::StoreError;
use store::table::Expect;

use crate::Engine;
use crate::chain::Chain;

/// Remembers that attempts have just ended. It guards nothing: of two that end at the same moment, the first
/// to be written is remembered, and what cannot be written costs a line.
pub(crate) async fn record_attempts(engine: &Engine, account: &AccountId, has_success: bool) {
    let now = engine.clock.now();
    let recorded = async {
        let known = engine.store.activity(account).await?;
        let expect = known.as_ref().map_or(Expect::Absent, |row| Expect::Version(row.version));
        let before = known.as_ref().map(|row| &row.record);
        let activity = Activity::after(before, account.clone(), has_success, now);
        match engine.store.put_activity(&activity, expect).await {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    };
    if let Err(error) = recorded.await {
        tracing::warn!(error = %Chain(&error), account.id = %account, "the last attempt was not noted");
    }
}
