//! Ending a grant with its last connection: revoked at Xero, and its secret deleted.

use domain::connection::Connection;
use domain::grant::Grant;
use domain::ids::GrantId;
use jiff::SignedDuration;
use store::table::Expect;
use store::{GrantUsers, StoreError, Versioned};
use xero::XeroError;

use super::{TokenError, Visible, read_visible};
use crate::Engine;
use crate::chain::Chain;
use crate::ports::Measure;

/// How long a revocation and the deletion of the secret take at most: a consent that arrives meanwhile waits.
const ENDING: SignedDuration = SignedDuration::from_secs(90);
/// How long before the end of that a revocation is no longer begun: Xero may take a minute to answer.
const REVOCATION: SignedDuration = SignedDuration::from_secs(65);
/// An ending that is under way is waited for this long: a person waits for the answer.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// The upgrade that gives every connection its claims and records which grants it uses.
pub(crate) const CLAIMS_UPGRADE: &str = "claims";

/// How an attempt to end a grant ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is revoked and its secret is gone, or another connection needs it.
    Done,
    /// Somebody may be connecting with it, or it is not known yet who uses it: look again later.
    Later,
}

/// Ends a grant that an account no longer needs, unless an account needs it. `serial` is that of the consent
/// that it was used with. Revoking a grant ends every link that its user has with this app. Repeating this does
/// no harm.
pub(crate) async fn end_unused(
    engine: &Engine,
    id: GrantId,
    serial: u64,
) -> Result<Ended, TokenError> {
    // Connections of an earlier release do not say yet which grants they use.
    if !are_uses_known(engine).await? {
        return Ok(Ended::Later);
    }
    let Some(row) = engine.store.grant(id).await? else {
        engine.secrets.delete(&engine.numbered_secret_name(id, 0)).await?;
        return Ok(Ended::Done);
    };
    if is_needed(engine, id).await? {
        return Ok(Ended::Done);
    }
    let now = engine.clock.now();
    let is_busy = row.record.is_ending(now) || row.record.is_refreshing(now);
    if is_busy || row.record.may_be_consented(serial, now) {
        return Ok(Ended::Later);
    }
    let until = now.saturating_add(ENDING).unwrap_or(now);
    let ending = row.record.clone().ending(until);
    // A consent that came between moves the row, and then this is not the last word about the grant.
    let version = match engine.store.put_grant(&ending, Expect::Version(row.version)).await {
        Ok(version) => version,
        Err(StoreError::Conflict) => return Ok(Ended::Later),
        Err(error) => return Err(error.into()),
    };
    let held = Versioned { record: ending, version };
    revoke(engine, &held).await?;
    delete_secrets(engine, id, held.record.kept_from..=held.record.secret_number).await?;
    engine.tokens.remove(id);
    finish(engine, &held).await?;
    Ok(Ended::Done)
}

/// Ends a grant if no account uses it some time after a consent: the consent was interrupted.
pub(crate) async fn end_abandoned(engine: &Engine, id: GrantId) -> Result<(), TokenError> {
    let Some(row) = engine.store.grant(id).await? else { return Ok(()) };
    if row.record.look_at.is_none_or(|at| at > engine.clock.now()) {
        return Ok(());
    }
    let serial = row.record.consent.map_or(0, |consent| consent.serial);
    match end_unused(engine, id, serial).await? {
        Ended::Later => return Ok(()),
        Ended::Done => {}
    }
    let Some(row) = engine.store.grant(id).await? else { return Ok(()) };
    if row.record.look_at.is_none_or(|at| at > engine.clock.now()) {
        return Ok(());
    }
    let Grant { kept_from, secret_number, .. } = row.record;
    delete_secrets(engine, id, kept_from..secret_number).await?;
    let seen = row.record.found_in_use();
    match engine.store.put_grant(&seen, Expect::Version(row.version)).await {
        // Whoever wrote it meanwhile keeps it due.
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Returns whether the rows that record the uses of grants are complete.
async fn are_uses_known(engine: &Engine) -> Result<bool, StoreError> {
    engine.store.is_upgraded(CLAIMS_UPGRADE).await
}

async fn delete_secrets(
    engine: &Engine,
    id: GrantId,
    numbers: impl Iterator<Item = u32>,
) -> Result<(), TokenError> {
    for number in numbers {
        engine.secrets.delete(&engine.numbered_secret_name(id, number)).await?;
    }
    Ok(())
}

/// Whether any account is connected with a grant, or may choose an organisation of it. An account that only
/// has a link of it to remove does not need it: the link ends with the grant. An account whose row cannot be
/// read counts as one that needs it.
async fn is_needed(engine: &Engine, id: GrantId) -> Result<bool, StoreError> {
    let users = engine.store.grant_users(id).await?;
    report_unreadable_users(engine, &users);
    if !users.is_all || !users.unreadable.is_empty() {
        return Ok(true);
    }
    for user in &users.accounts {
        let connection = engine.skip_failing(user, engine.store.connection(user)).await?;
        let is_needed =
            |row: Option<Versioned<Connection>>| row.is_some_and(|row| row.record.needs_grant(id));
        if connection.is_none_or(is_needed) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Counts and logs rows that do not reveal which account uses a grant.
pub(crate) fn report_unreadable_users(engine: &Engine, users: &GrantUsers) {
    for error in &users.unreadable {
        engine.metrics.record(Measure::Defect);
        // The error names the row, and so the grant.
        tracing::error!(
            error = %Chain(error),
            "a user of a grant cannot be read and counts as using it"
        );
    }
}

/// Revokes the refresh token, if there is one. One that Xero no longer takes is revoked already.
async fn revoke(engine: &Engine, held: &Versioned<Grant>) -> Result<(), TokenError> {
    let kept = match read_visible(engine, &held.record).await? {
        Visible::Tokens(kept) => kept,
        Visible::NotYet => return Err(TokenError::Busy),
        Visible::Missing if held.record.is_fresh(engine.clock.now()) => {
            return Err(TokenError::Busy);
        }
        Visible::Missing | Visible::Gone => return Ok(()),
    };
    // A process that was held up must not revoke what somebody consents to meanwhile.
    let latest = held.record.ending_until.and_then(|until| until.checked_sub(REVOCATION).ok());
    if latest.is_none_or(|latest| engine.clock.now() > latest) {
        return Err(TokenError::Busy);
    }
    match engine.app.revoke(&*engine.transport, &kept.refresh_token).await {
        Ok(()) | Err(XeroError::GrantRefused) => Ok(()),
        Err(error) => Err(TokenError::Xero(error)),
    }
}

async fn finish(engine: &Engine, held: &Versioned<Grant>) -> Result<(), TokenError> {
    let ended = held.record.clone().ended(engine.clock.now());
    match engine.store.put_grant(&ended, Expect::Version(held.version)).await {
        // A consent that did not wait is newer than this.
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits until nobody is ending a grant any more, or says that it takes too long.
pub(super) async fn wait_until_ended(engine: &Engine, id: GrantId) -> Result<(), TokenError> {
    let now = engine.clock.now();
    let latest = now.saturating_add(PATIENCE).unwrap_or(now);
    for _ in 0..super::LOOKS_MAX {
        let row = engine.store.grant(id).await?;
        if row.is_none_or(|row| !row.record.is_ending(engine.clock.now())) {
            return Ok(());
        }
        if engine.clock.now() >= latest {
            break;
        }
        engine.clock.pause(super::LOOK_EVERY).await;
    }
    Err(TokenError::Busy)
}
