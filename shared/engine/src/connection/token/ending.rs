//! Ends a grant with its last connection: revokes it at Xero and deletes its secret.

use domain::connection::Connection;
use domain::grant::Grant;
use domain::ids::GrantId;
use jiff::SignedDuration;
use store::table::WriteExpectation;
use store::{GrantUsers, StoreError, VersionedRecord};
use xero::XeroError;

use super::{TokenError, VisibleTokens, read_visible_tokens};
use crate::Engine;
use crate::error_chain::ErrorChain;
use crate::ports::Metric;

/// Maximum duration of a revocation and the deletion of the secret. A consent that arrives in the
/// meantime waits.
const ENDING_DURATION_MAX: SignedDuration = SignedDuration::from_secs(90);
/// Time before the end of that period in which no revocation begins: Xero may take a minute to
/// answer.
const REVOCATION_MARGIN: SignedDuration = SignedDuration::from_secs(65);
/// Maximum wait for an ending in progress, because a user waits for the answer.
const ENDING_WAIT_MAX: SignedDuration = SignedDuration::from_secs(10);

/// The upgrade that gives every connection its claims and records which grants it uses.
pub(crate) const CLAIMS_UPGRADE: &str = "claims";

/// The result of an attempt to end a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndGrantOutcome {
    /// It is revoked and its secret is deleted, or another connection needs it.
    Done,
    /// A connect with it may be in progress, or its users are not known yet: check again later.
    Later,
}

/// Ends a grant that an account no longer needs, unless an account needs it. `serial` is that of
/// the consent with which it was used. Revoking a grant ends every link between its user and this
/// app. May be repeated.
pub(crate) async fn end_unused_grant(
    engine: &Engine,
    id: GrantId,
    serial: u64,
) -> Result<EndGrantOutcome, TokenError> {
    // Connections of an earlier release do not record yet which grants they use.
    if !are_grant_uses_known(engine).await? {
        return Ok(EndGrantOutcome::Later);
    }
    let Some(row) = engine.store.find_grant(id).await? else {
        engine.secrets.delete_secret(&engine.numbered_secret_name(id, 0)).await?;
        return Ok(EndGrantOutcome::Done);
    };
    if is_needed(engine, id).await? {
        return Ok(EndGrantOutcome::Done);
    }
    let now = engine.clock.now();
    let is_busy = row.record.is_ending(now) || row.record.is_refreshing(now);
    if is_busy || row.record.may_be_consented(serial, now) {
        return Ok(EndGrantOutcome::Later);
    }
    let until = now.saturating_add(ENDING_DURATION_MAX).unwrap_or(now);
    let ending = row.record.clone().while_ending(until);
    // A consent in the meantime changes the row, and the grant must then not be ended.
    let version =
        match engine.store.put_grant(&ending, WriteExpectation::Version(row.version)).await {
            Ok(version) => version,
            Err(StoreError::Conflict) => return Ok(EndGrantOutcome::Later),
            Err(error) => return Err(error.into()),
        };
    let locked = VersionedRecord { record: ending, version };
    revoke_grant(engine, &locked).await?;
    delete_secrets(engine, id, locked.record.kept_from..=locked.record.secret_number).await?;
    engine.tokens.forget_grant(id);
    finish_ending(engine, &locked).await?;
    Ok(EndGrantOutcome::Done)
}

/// Ends a grant if no account uses it some time after a consent: the consent was interrupted.
pub(crate) async fn end_abandoned_grant(engine: &Engine, id: GrantId) -> Result<(), TokenError> {
    let Some(row) = engine.store.find_grant(id).await? else { return Ok(()) };
    if row.record.look_at.is_none_or(|at| at > engine.clock.now()) {
        return Ok(());
    }
    let serial = row.record.consent.map_or(0, |consent| consent.serial);
    match end_unused_grant(engine, id, serial).await? {
        EndGrantOutcome::Later => return Ok(()),
        EndGrantOutcome::Done => {}
    }
    let Some(row) = engine.store.find_grant(id).await? else { return Ok(()) };
    if row.record.look_at.is_none_or(|at| at > engine.clock.now()) {
        return Ok(());
    }
    let Grant { kept_from, secret_number, .. } = row.record;
    delete_secrets(engine, id, kept_from..secret_number).await?;
    let seen = row.record.found_in_use();
    match engine.store.put_grant(&seen, WriteExpectation::Version(row.version)).await {
        // The process that has written the row in the meantime keeps it due.
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Returns whether the rows that record the uses of grants are complete.
async fn are_grant_uses_known(engine: &Engine) -> Result<bool, StoreError> {
    engine.store.is_upgraded(CLAIMS_UPGRADE).await
}

async fn delete_secrets(
    engine: &Engine,
    id: GrantId,
    numbers: impl Iterator<Item = u32>,
) -> Result<(), TokenError> {
    for number in numbers {
        engine.secrets.delete_secret(&engine.numbered_secret_name(id, number)).await?;
    }
    Ok(())
}

/// Returns whether any account is connected with a grant, or may choose an organisation of it. An
/// account that only has to remove one of its links does not need it: the link ends with the grant.
/// An account whose row cannot be read counts as one that needs it.
async fn is_needed(engine: &Engine, id: GrantId) -> Result<bool, StoreError> {
    let users = engine.store.list_grant_users(id).await?;
    report_unreadable_users(engine, &users);
    if !users.is_all || !users.unreadable.is_empty() {
        return Ok(true);
    }
    for user in &users.accounts {
        let connection = engine.skip_failing(user, engine.store.find_connection(user)).await?;
        let is_needed = |row: Option<VersionedRecord<Connection>>| {
            row.is_some_and(|row| row.record.needs_grant(id))
        };
        if connection.is_none_or(is_needed) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Counts and logs rows that do not reveal which account uses a grant.
pub(crate) fn report_unreadable_users(engine: &Engine, users: &GrantUsers) {
    for error in &users.unreadable {
        engine.metrics.record_metric(Metric::Defect);
        // The error names the row, and so the grant.
        tracing::error!(
            error = %ErrorChain(error),
            "a user of a grant cannot be read and counts as using it"
        );
    }
}

/// Revokes the refresh token, if there is one. A token that Xero no longer accepts is already
/// revoked.
async fn revoke_grant(engine: &Engine, locked: &VersionedRecord<Grant>) -> Result<(), TokenError> {
    let tokens = match read_visible_tokens(engine, &locked.record).await? {
        VisibleTokens::Tokens(tokens) => tokens,
        VisibleTokens::NotYet => return Err(TokenError::Busy),
        VisibleTokens::Missing if locked.record.is_fresh(engine.clock.now()) => {
            return Err(TokenError::Busy);
        }
        VisibleTokens::Missing | VisibleTokens::Gone => return Ok(()),
    };
    // A delayed process must not revoke a consent that was given in the meantime.
    let latest =
        locked.record.ending_until.and_then(|until| until.checked_sub(REVOCATION_MARGIN).ok());
    if latest.is_none_or(|latest| engine.clock.now() > latest) {
        return Err(TokenError::Busy);
    }
    match engine.app.revoke_token(&*engine.transport, &tokens.refresh_token).await {
        Ok(()) | Err(XeroError::GrantRefused) => Ok(()),
        Err(error) => Err(TokenError::Xero(error)),
    }
}

async fn finish_ending(engine: &Engine, locked: &VersionedRecord<Grant>) -> Result<(), TokenError> {
    let ended = locked.record.clone().after_ending(engine.clock.now());
    match engine.store.put_grant(&ended, WriteExpectation::Version(locked.version)).await {
        // A consent that did not wait is newer than this.
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits until no process is ending a grant. Fails if that takes too long.
pub(super) async fn wait_until_ended(engine: &Engine, id: GrantId) -> Result<(), TokenError> {
    let now = engine.clock.now();
    let latest = now.saturating_add(ENDING_WAIT_MAX).unwrap_or(now);
    for _ in 0..super::RECHECKS_MAX {
        let row = engine.store.find_grant(id).await?;
        if row.is_none_or(|row| !row.record.is_ending(engine.clock.now())) {
            return Ok(());
        }
        if engine.clock.now() >= latest {
            break;
        }
        engine.clock.sleep_for(super::RECHECK_INTERVAL).await;
    }
    Err(TokenError::Busy)
}
