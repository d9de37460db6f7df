//! Completes a connect: exchanges the code, stores the tokens and chooses the organisation.
//!
//! Every step is recorded before the next one begins, so an interrupted completion resumes with the
//! same ticket where it stopped. Only the exchange of the code cannot be repeated.

use domain::connection::{Connection, ConsentAttempt, ConsentStage, NAME_MAX, PinnedOrganisation};
use domain::ids::{AccountId, GrantId, Ledger, UserId};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use store::table::WriteExpectation;
use store::{StoreError, VersionedRecord};
use uuid::Uuid;
use xero::{RequestSent, XeroError};

use super::offered_organisations::{
    KnownConsent, connection_after_consent, read_offered_organisations,
};
use super::{ConnectError, clear_pending, hash_secret, sealing_context};
use crate::connection::{ConnectionChangeError, change_connection_and_claims, token, upgrade};
use crate::error_chain::ErrorChain;
use crate::sealing;
use crate::sync::carry_over::resume_after_connect;
use crate::{Engine, Invocation};

/// Maximum duration of exchanging a code and storing its tokens, even if Xero is slow.
const CODE_EXCHANGE_DURATION_MAX: SignedDuration = SignedDuration::from_secs(18);

/// The result of a completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectOutcome {
    /// The account is connected.
    Connected(PinnedOrganisation),
    /// The user selected no organisation.
    NoOrganisation,
    /// Every organisation that the user selected belongs to another account.
    OrganisationInUse,
    /// The account was connected to another organisation before, or the intended organisation is
    /// ambiguous. The user must choose one of these.
    OtherOrganisation {
        /// The name that Xero has for the user who consented.
        by: Option<String>,
        /// The organisations that may be chosen.
        offered: Vec<PinnedOrganisation>,
        /// Whether another selected organisation belongs to another account.
        is_any_in_use: bool,
    },
    /// The ticket was used, has expired or is unknown.
    Expired,
    /// The ticket belongs to another user or another account.
    NotYours,
    /// Another request is completing it.
    InProgress,
    /// Xero rejected its own code: the user has to begin again.
    Refused,
}

/// The result of exchanging a consent's code.
#[derive(Debug, Clone)]
struct ExchangedConsent {
    grant: GrantId,
    serial: u64,
    event: Option<Uuid>,
    by: Option<String>,
}

/// Completes the connect of this ticket for the user who began it.
pub async fn complete_connect(
    engine: &Engine,
    account: &AccountId,
    user: &UserId,
    ticket: &SecretString,
    invocation: Invocation,
) -> Result<ConnectOutcome, ConnectError> {
    let Some(row) = engine.store.find_consent(&hash_secret(ticket)).await? else {
        return Ok(ConnectOutcome::Expired);
    };
    if row.record.account != *account || row.record.user != *user {
        tracing::warn!(account.id = %account, "the ticket belongs to another user or account");
        return Ok(ConnectOutcome::NotYours);
    }
    if row.record.expires_at <= engine.clock.now()
        || was_disconnected_since(engine, &row.record).await?
    {
        return Ok(ConnectOutcome::Expired);
    }
    // From here on, the command that ends every connection finds this account.
    engine.require_account_logged(account).await?;
    let (row, exchanged) = match ensure_exchanged(engine, row, ticket, invocation).await? {
        Ok(exchanged) => exchanged,
        Err(ended) => return Ok(ended),
    };
    let completed = connect_account(engine, &row.record, &exchanged, invocation).await?;
    match engine.store.remove_consent(&row.record.ticket_hash, row.version).await {
        Ok(()) | Err(StoreError::Conflict) => {}
        // It expires by itself, and leads to the same connection until it does.
        Err(error) => {
            tracing::warn!(error = %ErrorChain(&error), "a used ticket was not removed");
        }
    }
    clear_pending(engine, account, &row.record.state_hash).await?;
    Ok(completed)
}

/// Returns whether a user disconnected the account after the connect began, which takes precedence.
async fn was_disconnected_since(
    engine: &Engine,
    consent: &ConsentAttempt,
) -> Result<bool, StoreError> {
    let Some(row) = engine.store.find_connection(&consent.account).await? else { return Ok(false) };
    let Connection { disconnected_at, pending, .. } = row.record;
    let is_pending = pending.is_some_and(|pending| pending.state_hash == consent.state_hash);
    Ok(disconnected_at.is_some_and(|ended_at| {
        ended_at > consent.begun_at || (ended_at == consent.begun_at && !is_pending)
    }))
}

/// Exchanges the code, unless that is done. `Ok(Err(_))` is the outcome of a completion that ends
/// here.
async fn ensure_exchanged(
    engine: &Engine,
    row: VersionedRecord<ConsentAttempt>,
    ticket: &SecretString,
    invocation: Invocation,
) -> Result<Result<(VersionedRecord<ConsentAttempt>, ExchangedConsent), ConnectOutcome>, ConnectError>
{
    let VersionedRecord { record: consent, version } = row;
    match &consent.stage {
        ConsentStage::Exchanging => Ok(Err(ConnectOutcome::InProgress)),
        ConsentStage::Exchanged { grant, serial, event, by } => {
            let exchanged =
                ExchangedConsent { grant: *grant, serial: *serial, event: *event, by: by.clone() };
            Ok(Ok((VersionedRecord { record: consent, version }, exchanged)))
        }
        // The code works once, so an interrupted exchange would waste it.
        ConsentStage::Coded { sealed: _ } if is_too_late(engine, invocation) => {
            Ok(Err(ConnectOutcome::InProgress))
        }
        ConsentStage::Coded { sealed } => {
            let context = sealing_context(&consent.account, &consent.user);
            let Some(opened) = sealing::open_sealed(ticket, &context, sealed) else {
                return Ok(Err(ConnectOutcome::Expired));
            };
            let begun = ConsentAttempt { stage: ConsentStage::Exchanging, ..consent.clone() };
            match engine.store.put_consent(&begun, WriteExpectation::Version(version)).await {
                Ok(version) => exchange_code(engine, consent, version, &opened).await,
                Err(StoreError::Conflict) => Ok(Err(ConnectOutcome::InProgress)),
                Err(error) => Err(error.into()),
            }
        }
    }
}

/// Returns whether an exchange may be interrupted before its tokens are stored.
fn is_too_late(engine: &Engine, invocation: Invocation) -> bool {
    invocation.deadline.duration_since(engine.clock.now()) < CODE_EXCHANGE_DURATION_MAX
}

async fn exchange_code(
    engine: &Engine,
    consent: ConsentAttempt,
    version: store::table::ItemVersion,
    opened: &SecretString,
) -> Result<Result<(VersionedRecord<ConsentAttempt>, ExchangedConsent), ConnectOutcome>, ConnectError>
{
    let (verifier, code) = opened.expose_secret().split_once(' ').unwrap_or_default();
    let (verifier, code) = (SecretString::from(verifier), SecretString::from(code));
    let tokens = match engine.app.exchange_code(&*engine.transport, &code, &verifier).await {
        Ok(tokens) => tokens,
        Err(error) if is_unsent(&error) => {
            // The code is still valid, so the same ticket may be presented again.
            engine.store.put_consent(&consent, WriteExpectation::Version(version)).await?;
            return Err(error.into());
        }
        Err(error) => {
            tracing::warn!(error = %ErrorChain(&error), account.id = %consent.account, "the code was not exchanged");
            engine.store.remove_consent(&consent.ticket_hash, version).await?;
            clear_pending(engine, &consent.account, &consent.state_hash).await?;
            if matches!(error, XeroError::GrantRefused) {
                return Ok(Err(ConnectOutcome::Refused));
            }
            return Err(error.into());
        }
    };
    let stored_tokens = token::store_consent_tokens(engine, &tokens).await;
    let Ok(Some((grant, serial))) = stored_tokens else {
        // The code was used, so the user has to begin again.
        engine.store.remove_consent(&consent.ticket_hash, version).await?;
        clear_pending(engine, &consent.account, &consent.state_hash).await?;
        return stored_tokens.map(|_| Err(ConnectOutcome::Refused)).map_err(ConnectError::from);
    };
    let identity = tokens.identity;
    let event = identity.authentication_event_id;
    let by = identity.name.or(identity.email);
    let by: Option<String> = by.map(|name| name.chars().take(NAME_MAX).collect());
    let stage = ConsentStage::Exchanged { grant, serial, event, by: by.clone() };
    let exchanged_attempt = ConsentAttempt { stage, ..consent };
    let version =
        engine.store.put_consent(&exchanged_attempt, WriteExpectation::Version(version)).await?;
    let exchanged = ExchangedConsent { grant, serial, event, by };
    Ok(Ok((VersionedRecord { record: exchanged_attempt, version }, exchanged)))
}

/// Returns whether an exchange failed before Xero could receive it.
fn is_unsent(error: &XeroError) -> bool {
    matches!(error, XeroError::IdentityUnanswered { source } if source.sent == RequestSent::No)
}

/// Chooses the organisation and connects the account to it.
async fn connect_account(
    engine: &Engine,
    consent: &ConsentAttempt,
    exchanged: &ExchangedConsent,
    invocation: Invocation,
) -> Result<ConnectOutcome, ConnectError> {
    upgrade::require_claims(engine, invocation).await?;
    let account = &consent.account;
    let offer = KnownConsent {
        grant: exchanged.grant,
        serial: exchanged.serial,
        event: exchanged.event,
        begun_at: consent.begun_at,
    };
    let offered = read_offered_organisations(engine, account, &offer, invocation).await?;
    if offered.free.is_empty() {
        abandon_consent(engine, account, exchanged).await;
        return Ok(if offered.is_any_claimed {
            ConnectOutcome::OrganisationInUse
        } else {
            ConnectOutcome::NoOrganisation
        });
    }
    let free = &offered.free;
    // If a selected organisation is unavailable, or may be one whose link cannot be read, the user
    // decides whether to use another one.
    let is_certain = offered.is_certain && !offered.is_any_claimed;
    let connected = change_connection_and_claims(engine, account, |connection| {
        let by = exchanged.by.clone();
        Some(connection_after_consent(connection, free, is_certain, by, engine.clock.now()))
    });
    let connected = match connected.await {
        Ok(connected) => connected,
        // Another account has just claimed the organisation.
        Err(ConnectionChangeError::Claimed) => {
            abandon_consent(engine, account, exchanged).await;
            return Ok(ConnectOutcome::OrganisationInUse);
        }
        Err(error) => return Err(error.into()),
    };
    let organisation = connected.and_then(|connection| connection.organisation);
    let used = organisation.filter(|used| free.iter().any(|one| one.tenant == used.tenant));
    let Some(used) = used else {
        return Ok(ConnectOutcome::OtherOrganisation {
            by: exchanged.by.clone(),
            offered: offered.free,
            is_any_in_use: offered.is_any_claimed,
        });
    };
    let ledger = Ledger { account: account.clone(), tenant: used.tenant };
    tracing::info!(account.id = %account, tenant.id = %used.tenant, "connected");
    resume_after_connect(engine, &ledger).await;
    Ok(ConnectOutcome::Connected(used))
}

/// Ends the grant of a consent that connected nothing, unless another connection uses it.
async fn abandon_consent(engine: &Engine, account: &AccountId, exchanged: &ExchangedConsent) {
    let row = engine.store.find_connection(account).await;
    if row.is_ok_and(|row| row.is_some_and(|row| row.record.grants.contains(&exchanged.grant))) {
        return;
    }
    if let Err(error) = token::end_unused_grant(engine, exchanged.grant, exchanged.serial).await {
        tracing::warn!(error = %ErrorChain(&error), "the grant of an abandoned consent could not be revoked");
    }
}
