//! Records when an account's records were last attempted and when an attempt last succeeded. The
//! settings page shows both.

use domain::activity::Activity;
use domain::ids::AccountId;
use store::StoreError;
use store::table::Expect;

use crate::Engine;
use crate::chain::Chain;

/// Maximum attempts at writing a row that another process changes at the same time.
const CONFLICTS_MAX: u32 = 6;

/// Records that attempts have just ended. Nothing depends on it: a failure to write is only logged.
pub(crate) async fn record_attempts(engine: &Engine, account: &AccountId, has_success: bool) {
    let now = engine.clock.now();
    let recorded = async {
        for _ in 0..CONFLICTS_MAX {
            let known = engine.store.activity(account).await?;
            let expect = known.as_ref().map_or(Expect::Absent, |row| Expect::Version(row.version));
            let before = known.as_ref().map(|row| &row.record);
            let activity = Activity::after(before, account.clone(), has_success, now);
            match engine.store.put_activity(&activity, expect).await {
                Ok(_) => return Ok(()),
                // A concurrently recorded failure must not overwrite a success, so this attempt is
                // repeated.
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    };
    if let Err(error) = recorded.await {
        tracing::warn!(
            error = %Chain(&error),
            account.id = %account,
            "the last attempt was not recorded"
        );
    }
}
