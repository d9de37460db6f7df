//! Stores the tokens of a consent.

use domain::grant::{Grant, SecretVersion};
use domain::ids::GrantId;
use store::table::WriteExpectation;
use store::{ConflictLimit, VersionedRecord};
use xero::TokenSet;

use super::ending::wait_until_ended;
use super::refresh::{SecretWrite, write_secret};
use super::{KeptTokens, TokenError};
use crate::Engine;

/// Stores the tokens of a consent: first the secret, then the row that protects it. Returns the
/// serial of the stored tokens, or `None` if Xero issued no refresh token. If the process dies in
/// between, or before an account uses the grant, the sweep finds the row.
pub(crate) async fn store_consent_tokens(
    engine: &Engine,
    tokens: &TokenSet,
) -> Result<Option<(GrantId, u64)>, TokenError> {
    let id = GrantId(tokens.identity.xero_user_id);
    wait_until_ended(engine, id).await?;
    let mut written = None;
    let mut conflicts = ConflictLimit::default();
    loop {
        let now = engine.clock.now();
        let (grant, expect) = match engine.store.find_grant(id).await? {
            Some(VersionedRecord { record, version }) => {
                (record, WriteExpectation::Version(version))
            }
            None => (Grant::new(id, now), WriteExpectation::Absent),
        };
        let grant = grant.awaiting_use(now).keeping_from(written);
        let version = match engine.store.put_grant(&grant, expect).await {
            Ok(version) => version,
            Err(error) => {
                conflicts.allow_retry(error)?;
                continue;
            }
        };
        let next_version = version.as_number().saturating_add(1);
        let serial = Grant::next_serial(next_version, grant.newest_serial());
        let secret = SecretVersion { id: engine.ids.new_uuid(), serial };
        let Some(kept) = KeptTokens::new(tokens, serial, now) else {
            tracing::error!("Xero issued no refresh token: the scope offline_access is missing");
            return Ok(None);
        };
        write_secret(engine, &grant, &kept, secret, SecretWrite::Consented).await?;
        written = Some(grant.secret_number);
        let consented = grant.after_consent(secret, now);
        match engine.store.put_grant(&consented, WriteExpectation::Version(version)).await {
            Ok(_) => return Ok(Some((id, serial))),
            // Another process has renewed older tokens in the meantime, so these are stored again
            // as the newest.
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}
