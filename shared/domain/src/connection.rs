//! A connection: one account's use of one Xero organisation. Facts are stored; the status people see
//! is derived from them.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, GrantId, Ledger, TenantId, UserId, XeroConnectionId};
use crate::sync_log::LogStatus;

/// The facts about an account's connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Whose.
    pub account: AccountId,
    /// Where it stands.
    pub state: ConnectionState,
    /// The organisation it is pinned to, from the first connect on.
    pub organisation: Option<PinnedOrganisation>,
    /// When the account was last connected.
    pub connected_at: Option<Timestamp>,
    /// Who connected it, as Xero names them.
    pub connected_by: Option<String>,
    /// No call before this instant: Xero throttled, and everyone honours it.
    pub paused_until: Option<Timestamp>,
    /// Organisations a person consented to and may choose from, until they have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offered: Vec<PinnedOrganisation>,
    /// What the organisation's chart has against the account codes and tax types in use, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Links at Xero that we no longer use and that are still to be removed there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leftovers: Vec<PinnedOrganisation>,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Somebody went to Xero to authorise and has not come back.
    Pending,
    /// Connected.
    Active,
    /// Xero no longer accepts the grant.
    TokenExpired,
    /// Disconnected by a person, here or inside Xero.
    Disconnected,
}

/// The organisation of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedOrganisation {
    /// The organisation.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// Xero's id of the link between it and this app.
    pub xero_connection: XeroConnectionId,
    /// Whose tokens are used.
    pub grant: GrantId,
}

/// The status people see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Connected and syncing.
    Active,
    /// Authorisation started and not finished.
    Pending,
    /// A reconnect is needed.
    TokenExpired,
    /// The newest attempt failed.
    Error,
    /// Not connected.
    Disconnected,
}

impl Connection {
    /// A connection that somebody has started to make.
    pub const fn pending(account: AccountId) -> Self {
        Self {
            account,
            state: ConnectionState::Pending,
            organisation: None,
            connected_at: None,
            connected_by: None,
            paused_until: None,
            offered: Vec::new(),
            warnings: Vec::new(),
            leftovers: Vec::new(),
        }
    }

    /// The connection after a person ended it. What is left of it at Xero is still to be removed.
    #[must_use]
    pub fn disconnected(self) -> Self {
        let mut leftovers = self.leftovers;
        if let Some(organisation) = &self.organisation
            && !leftovers.iter().any(|one| one.xero_connection == organisation.xero_connection)
        {
            leftovers.push(organisation.clone());
        }
        Self { state: ConnectionState::Disconnected, offered: Vec::new(), leftovers, ..self }
    }

    /// The connection to an organisation that a person chose, at `now`. `None` when nobody consented
    /// to it. Another one that was in use is left over.
    pub fn chosen(&self, tenant: TenantId, now: Timestamp) -> Option<Self> {
        let chosen = self.offered.iter().find(|offered| offered.tenant == tenant)?.clone();
        let before = self.organisation.iter().filter(|before| before.tenant != tenant);
        let mut leftovers = self.leftovers.clone();
        leftovers.extend(before.cloned());
        leftovers.retain(|left| left.xero_connection != chosen.xero_connection);
        Some(Self {
            state: ConnectionState::Active,
            organisation: Some(chosen),
            connected_at: Some(now),
            paused_until: None,
            leftovers,
            ..self.clone()
        })
    }

    /// The ledger of its mappings, once it has ever been connected.
    pub fn ledger(&self) -> Option<Ledger> {
        let tenant = self.organisation.as_ref()?.tenant;
        Some(Ledger { account: self.account.clone(), tenant })
    }

    /// The organisation to talk to now, or why there is none.
    pub fn usable(&self, now: Timestamp) -> Result<&PinnedOrganisation, Unusable> {
        let organisation = self.organisation.as_ref();
        match (self.state, organisation) {
            (ConnectionState::Active, Some(organisation)) => match self.paused_until {
                Some(until) if until > now => Err(Unusable::PausedUntil(until)),
                Some(_) | None => Ok(organisation),
            },
            (ConnectionState::TokenExpired, _) => Err(Unusable::TokenExpired),
            (
                ConnectionState::Active | ConnectionState::Pending | ConnectionState::Disconnected,
                _,
            ) => Err(Unusable::NotConnected),
        }
    }

    /// The status people see, given how the newest attempt ended.
    pub const fn status(&self, newest: Option<LogStatus>) -> Status {
        match self.state {
            ConnectionState::Pending => Status::Pending,
            ConnectionState::TokenExpired => Status::TokenExpired,
            ConnectionState::Disconnected => Status::Disconnected,
            ConnectionState::Active => match newest {
                Some(LogStatus::Retrying | LogStatus::Skipped) => Status::Error,
                Some(LogStatus::Synced | LogStatus::Unchanged | LogStatus::Waiting) | None => {
                    Status::Active
                }
            },
        }
    }
}

/// Why a connection cannot be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// Never connected, or disconnected.
    NotConnected,
    /// A reconnect is needed.
    TokenExpired,
    /// Xero asked to wait until then.
    PausedUntil(Timestamp),
}

/// An authorisation under way: bound to the account and the person who started it, used once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthAttempt {
    /// The hash of the `state` parameter; the parameter itself is not kept.
    pub state_hash: String,
    /// Whose connection is being made.
    pub account: AccountId,
    /// Who started it.
    pub user: UserId,
    /// The PKCE verifier. Worthless without the code that Xero sends to our redirect URL.
    pub pkce_verifier: String,
    /// Until when the callback is accepted.
    pub expires_at: Timestamp,
}

/// The verifier is not shown.
impl fmt::Debug for OAuthAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OAuthAttempt({} by {})", self.account, self.user)
    }
}

/// How long a person may take on Xero's consent page, in minutes.
pub const OAUTH_ATTEMPT_MINUTES: i64 = 15;

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn active() -> Connection {
        Connection {
            state: ConnectionState::Active,
            organisation: Some(PinnedOrganisation {
                tenant: TenantId(Uuid::from_u128(1)),
                name: "Ridgeway".to_owned(),
                xero_connection: XeroConnectionId(Uuid::from_u128(2)),
                grant: GrantId(Uuid::from_u128(3)),
            }),
            ..Connection::pending(AccountId::new("acc_1").unwrap())
        }
    }

    #[test]
    fn only_an_active_connection_is_usable_and_a_pause_is_honoured() {
        let now = Timestamp::UNIX_EPOCH;
        let later = Timestamp::from_second(60).unwrap();
        assert!(active().usable(now).is_ok());
        let paused = Connection { paused_until: Some(later), ..active() };
        assert_eq!(paused.usable(now), Err(Unusable::PausedUntil(later)));
        assert!(paused.usable(later).is_ok());
        for (state, why) in [
            (ConnectionState::Pending, Unusable::NotConnected),
            (ConnectionState::Disconnected, Unusable::NotConnected),
            (ConnectionState::TokenExpired, Unusable::TokenExpired),
        ] {
            assert_eq!(Connection { state, ..active() }.usable(now), Err(why));
        }
    }

    #[test]
    fn the_status_is_error_only_while_the_newest_attempt_failed() {
        assert_eq!(active().status(None), Status::Active);
        assert_eq!(active().status(Some(LogStatus::Synced)), Status::Active);
        assert_eq!(active().status(Some(LogStatus::Skipped)), Status::Error);
        let gone = Connection { state: ConnectionState::Disconnected, ..active() };
        assert_eq!(gone.status(Some(LogStatus::Skipped)), Status::Disconnected);
    }
}
