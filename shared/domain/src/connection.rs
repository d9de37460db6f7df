//! A connection: one account's use of one Xero organisation. Facts are stored; the status people see
//! is derived from them.

mod attempts;
mod changes;
mod unavailable;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, GrantId, Ledger, TenantId, UserId, XeroConnectionId};

pub use attempts::{
    ConsentAttempt, ConsentStage, GrantUse, OAUTH_ATTEMPT_MINUTES, OAuthAttempt, TICKET_MINUTES,
    TenantClaim,
};
pub use unavailable::Unavailable;

/// The facts about an account's connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Whose.
    pub account: AccountId,
    /// Where it stands, whatever connect is under way.
    pub state: ConnectionState,
    /// The organisation it is pinned to, from the first connect on.
    pub organisation: Option<PinnedOrganisation>,
    /// When the account was last connected.
    pub connected_at: Option<Timestamp>,
    /// Who connected it, as Xero names them.
    pub connected_by: Option<String>,
    /// When it was last ended: a connect that was begun before cannot be completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disconnected_at: Option<Timestamp>,
    /// No call before this instant: Xero throttled, and everyone honours it.
    pub paused_until: Option<Timestamp>,
    /// Rises whenever the connection starts to work. What was parked for want of a connection is released
    /// when it has risen since, and only then.
    #[serde(default)]
    pub epoch: u64,
    /// The connect that somebody has begun and not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingConnect>,
    /// Organisations a person consented to and may choose from, until they have; at most
    /// [`ORGANISATIONS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offered: Vec<PinnedOrganisation>,
    /// Who consented to the offered organisations, as Xero names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_by: Option<String>,
    /// Since when Xero refuses the organisation that it still lists as connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<Unavailable>,
    /// What the organisation's chart has against the account codes and tax types in use, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Links at Xero that we no longer use and that are still to be removed there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leftovers: Vec<PinnedOrganisation>,
    /// Organisations whose claim row names this account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<TenantId>,
    /// Grants with a row that says that this account uses them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<GrantId>,
    /// Organisations whose unsynced records are still to be carried over to the one in use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried_from: Vec<TenantId>,
    /// How often somebody asked for records to be carried over: whoever asks while they are is heard, too.
    #[serde(default)]
    pub carry_requests: u32,
    /// Every organisation that this account has records in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<TenantId>,
}

/// A connect that somebody has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingConnect {
    /// Who began it.
    pub by: UserId,
    /// Until when it can be finished.
    pub until: Timestamp,
    /// The hash that names it.
    pub state_hash: String,
}

/// The organisations that a connection offers at once, and those whose links it still has to remove. A
/// person who has more in Xero ticks those that matter on the consent page.
pub const ORGANISATIONS_MAX: usize = 40;

/// The warnings of one connection that people are shown.
pub const WARNINGS_MAX: usize = 50;

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Never connected. In rows of an earlier release, also: a connect was begun.
    Pending,
    /// Connected.
    Active,
    /// Connected, but Xero refuses every call on the organisation: its trial or subscription may have ended.
    Unavailable,
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
    /// The serial of the secret's value that the consent gave: older tokens may cover less.
    #[serde(default)]
    pub serial: u64,
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
    /// Xero refuses every call on the organisation, which is still connected.
    OrganisationUnavailable,
    /// Connected, and records are failing or were given up.
    Error,
    /// Not connected.
    Disconnected,
}

impl Connection {
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
            (ConnectionState::Unavailable, _) => Err(Unusable::Unavailable),
            (
                ConnectionState::Active | ConnectionState::Pending | ConnectionState::Disconnected,
                _,
            ) => Err(Unusable::NotConnected),
        }
    }

    /// The connect that is under way, if one is.
    pub fn pending_connect(&self, now: Timestamp) -> Option<&PendingConnect> {
        self.pending.as_ref().filter(|pending| pending.until > now)
    }

    /// The status people see. `is_failing` says whether any record is failing or was given up.
    pub fn status(&self, is_failing: bool, now: Timestamp) -> Status {
        let status = self.settled_status();
        if is_failing && status == Status::Active {
            Status::Error
        } else if status == Status::Disconnected && self.pending_connect(now).is_some() {
            Status::Pending
        } else {
            status
        }
    }

    /// The status, whatever is under way and whatever becomes of the records.
    pub const fn settled_status(&self) -> Status {
        match self.state {
            ConnectionState::Pending | ConnectionState::Disconnected => Status::Disconnected,
            ConnectionState::Active => Status::Active,
            ConnectionState::Unavailable => Status::OrganisationUnavailable,
            ConnectionState::TokenExpired => Status::TokenExpired,
        }
    }

    /// Whether this is the organisation in use.
    pub fn is_in_use(&self, tenant: TenantId) -> bool {
        let used = self.organisation.as_ref().filter(|_| self.state.is_connected());
        used.is_some_and(|used| used.tenant == tenant)
    }

    /// Whether the account is connected with a grant, or may choose an organisation of it.
    pub fn needs_grant(&self, grant: GrantId) -> bool {
        let used = self.organisation.iter().filter(|_| self.state.is_connected());
        used.chain(&self.offered).any(|one| one.grant == grant)
    }

    /// Organisations that nobody else may connect: the one in use, and those whose links are still to be
    /// removed at Xero.
    pub fn wanted_claims(&self) -> Vec<TenantId> {
        distinct(self.linked().map(|one| one.tenant))
    }

    /// Grants that this account still needs: for the organisation in use, for links that are to be removed,
    /// and for organisations that it may choose.
    pub fn wanted_grants(&self) -> Vec<GrantId> {
        distinct(self.linked().chain(&self.offered).map(|one| one.grant))
    }

    fn linked(&self) -> impl Iterator<Item = &PinnedOrganisation> {
        let used = self.organisation.iter().filter(|_| self.state.is_connected());
        used.chain(&self.leftovers)
    }

    /// When somebody must look at it again: at once for links to be removed and records to be carried over.
    pub fn due_at(&self) -> Option<Timestamp> {
        let is_active = self.state == ConnectionState::Active;
        if !self.leftovers.is_empty() || (is_active && !self.carried_from.is_empty()) {
            return Some(Timestamp::UNIX_EPOCH);
        }
        let unavailable = self.unavailable.filter(|_| self.state == ConnectionState::Unavailable);
        unavailable.map(|unavailable| unavailable.look_at)
    }
}

fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for one in all {
        if !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct
}

impl ConnectionState {
    /// Whether the account has an organisation that it uses, be it that Xero refuses for now.
    pub const fn is_connected(self) -> bool {
        match self {
            Self::Active | Self::Unavailable | Self::TokenExpired => true,
            Self::Pending | Self::Disconnected => false,
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
    /// Xero refuses every call on the organisation.
    Unavailable,
    /// Xero asked to wait until then.
    PausedUntil(Timestamp),
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
