//! A connection: one account's use of one Xero organisation. The row holds facts; the status that
//! people see is derived from them.

mod attempts;
mod carry_over_cursor;
mod changes;
mod end;
mod limits;
mod pause;
mod unavailable;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, GrantId, Ledger, TenantId, XeroConnectionId};

pub use attempts::{
    ConsentAttempt, ConsentStage, GrantUse, OAUTH_ATTEMPT_MINUTES, OAuthAttempt, PendingConnect,
    TICKET_MINUTES, TenantClaim,
};
pub use carry_over_cursor::CarryOverCursor;
pub use end::ConnectionEnd;
pub use limits::{
    LEFTOVERS_MAX, NAME_MAX, ORGANISATIONS_MAX, TENANTS_MAX, WARNING_MAX, WARNINGS_MAX,
};
pub use unavailable::UnavailablePeriod;

/// The facts about an account's connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The account.
    pub account: AccountId,
    /// The state of the connection, independent of any connect in progress.
    pub state: ConnectionState,
    /// The organisation that the connection is pinned to, from the first connect on.
    pub organisation: Option<PinnedOrganisation>,
    /// When the account was last connected.
    pub connected_at: Option<Timestamp>,
    /// The name of the Xero user who connected it.
    pub connected_by: Option<String>,
    /// When the connection last ended. A connect that began before this instant cannot be
    /// completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disconnected_at: Option<Timestamp>,
    /// How the last connection ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<ConnectionEnd>,
    /// No call is made before this instant: Xero throttled a call, and every function honours the
    /// pause.
    pub paused_until: Option<Timestamp>,
    /// A number that rises whenever the connection starts to work. Records that were parked without
    /// a connection are released only if it has risen since then.
    #[serde(default)]
    pub epoch: u64,
    /// A connect that a user has begun and not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingConnect>,
    /// Organisations that a user consented to and may choose from until the choice is made; at most
    /// [`ORGANISATIONS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offered: Vec<PinnedOrganisation>,
    /// The name of the Xero user who consented to the offered organisations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_by: Option<String>,
    /// Until when the offered organisations may be chosen. `None` if they are of the login in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_until: Option<Timestamp>,
    /// Set while Xero refuses calls on the organisation although it still lists it as connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<UnavailablePeriod>,
    /// Problems that the organisation's chart has with the account codes and tax types in use, as
    /// sentences for people; at most [`WARNINGS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Links at Xero that are no longer used and must still be removed there; at most
    /// [`LEFTOVERS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leftovers: Vec<PinnedOrganisation>,
    /// Organisations whose claim row names this account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<TenantId>,
    /// Grants for which a row states that this account uses them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<GrantId>,
    /// Organisations whose unsynced records must still be carried over to the one in use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried_from: Vec<TenantId>,
    /// The number of requests to carry records over. A request that arrives while records are being
    /// carried over changes the number, so it is not lost.
    #[serde(default)]
    pub carry_requests: u32,
    /// Where carrying records over stopped when its time ran out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry_place: Option<CarryOverCursor>,
    /// Every organisation in which this account has records; at most [`TENANTS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<TenantId>,
}

/// How long an account that is not connected may choose among the organisations of a consent, in
/// hours.
pub const OFFER_HOURS: i64 = 24;

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Never connected. In rows of an earlier release, also: a connect was begun.
    Pending,
    /// Connected.
    Active,
    /// Connected, but Xero refuses every call on the organisation. Its trial or subscription may
    /// have ended.
    Unavailable,
    /// Xero no longer accepts the grant.
    TokenExpired,
    /// Disconnected by a user in the CRM or in Xero.
    Disconnected,
}

/// The organisation of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedOrganisation {
    /// The tenant id of the organisation.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
    /// Xero's id of the link between the organisation and this app.
    pub xero_connection: XeroConnectionId,
    /// The grant whose tokens are used.
    pub grant: GrantId,
    /// The serial of the secret's value that the consent gave. Older tokens may cover fewer
    /// permissions.
    #[serde(default)]
    pub serial: u64,
}

/// The status that people see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// Connected and syncing.
    Active,
    /// Authorisation was started and is not finished.
    Pending,
    /// A reconnect is needed.
    TokenExpired,
    /// The organisation is still connected, but Xero refuses every call on it.
    OrganisationUnavailable,
    /// Connected, but records are failing or were given up, or payments cannot be read from Xero.
    Error,
    /// Not connected.
    Disconnected,
}

impl Connection {
    /// The ledger of the account's mappings, once it has ever been connected.
    pub fn current_ledger(&self) -> Option<Ledger> {
        let tenant = self.organisation.as_ref()?.tenant;
        Some(Ledger { account: self.account.clone(), tenant })
    }

    /// The organisation that calls may be made on now.
    ///
    /// # Errors
    ///
    /// The reason why no call may be made.
    pub fn usable_organisation(
        &self,
        now: Timestamp,
    ) -> Result<&PinnedOrganisation, UnusableConnection> {
        let organisation = self.organisation.as_ref();
        match (self.state, organisation) {
            (ConnectionState::Active, Some(organisation)) => match self.pause_end(now) {
                Some(until) => Err(UnusableConnection::PausedUntil(until)),
                None => Ok(organisation),
            },
            (ConnectionState::TokenExpired, _) => Err(UnusableConnection::TokenExpired),
            (ConnectionState::Unavailable, _) => Err(UnusableConnection::Unavailable),
            (
                ConnectionState::Active | ConnectionState::Pending | ConnectionState::Disconnected,
                _,
            ) => Err(UnusableConnection::NotConnected),
        }
    }

    /// The connect in progress, if there is one.
    pub fn pending_connect(&self, now: Timestamp) -> Option<&PendingConnect> {
        self.pending.as_ref().filter(|pending| pending.until > now)
    }

    /// The status that people see. `is_failing` says whether any record is failing or was given up,
    /// or payments cannot be read from Xero.
    pub fn display_status(&self, is_failing: bool, now: Timestamp) -> ConnectionStatus {
        let status = self.underlying_status();
        if is_failing && status == ConnectionStatus::Active {
            ConnectionStatus::Error
        } else if status == ConnectionStatus::Disconnected && self.pending_connect(now).is_some() {
            ConnectionStatus::Pending
        } else {
            status
        }
    }

    /// The status, ignoring a connect in progress and failures.
    pub const fn underlying_status(&self) -> ConnectionStatus {
        match self.state {
            ConnectionState::Pending | ConnectionState::Disconnected => {
                ConnectionStatus::Disconnected
            }
            ConnectionState::Active => ConnectionStatus::Active,
            ConnectionState::Unavailable => ConnectionStatus::OrganisationUnavailable,
            ConnectionState::TokenExpired => ConnectionStatus::TokenExpired,
        }
    }

    /// Whether the account is connected to this organisation.
    pub fn is_in_use(&self, tenant: TenantId) -> bool {
        let used = self.organisation.as_ref().filter(|_| self.state.is_connected());
        used.is_some_and(|used| used.tenant == tenant)
    }

    /// Whether the account is connected with a grant, or may choose an organisation of it.
    pub fn needs_grant(&self, grant: GrantId) -> bool {
        let used = self.organisation.iter().filter(|_| self.state.is_connected());
        used.chain(&self.offered).any(|one| one.grant == grant)
    }

    /// Organisations that no other account may connect: the one in use, and those whose links must
    /// still be removed at Xero.
    pub fn wanted_claims(&self) -> Vec<TenantId> {
        collect_distinct(self.linked_organisations().map(|one| one.tenant))
    }

    /// Grants that this account still needs: for the organisation in use, for links that must be
    /// removed, and for organisations that it may choose.
    pub fn wanted_grants(&self) -> Vec<GrantId> {
        collect_distinct(self.linked_organisations().chain(&self.offered).map(|one| one.grant))
    }

    /// Whether rows state that this account uses organisations or grants that it no longer needs. A
    /// change of a connection releases as many of them as fit into its transaction.
    pub fn has_unneeded_claims(&self) -> bool {
        let (tenants, grants) = (self.wanted_claims(), self.wanted_grants());
        self.claims.iter().any(|tenant| !tenants.contains(tenant))
            || self.grants.iter().any(|grant| !grants.contains(grant))
    }

    fn linked_organisations(&self) -> impl Iterator<Item = &PinnedOrganisation> {
        let used = self.organisation.iter().filter(|_| self.state.is_connected());
        used.chain(&self.leftovers)
    }

    /// When a scheduled job must process the connection. At once if links must be removed, claims
    /// released or records carried over; otherwise when a refused organisation is checked again or
    /// an offer ends.
    pub fn due_at(&self) -> Option<Timestamp> {
        let is_active = self.state == ConnectionState::Active;
        let is_carrying = is_active && !self.carried_from.is_empty();
        if !self.leftovers.is_empty() || is_carrying || self.has_unneeded_claims() {
            return Some(Timestamp::UNIX_EPOCH);
        }
        let unavailable = self.unavailable.filter(|_| self.state == ConnectionState::Unavailable);
        let look_at = unavailable.map(|unavailable| unavailable.look_at);
        look_at.into_iter().chain(self.offered_until).min()
    }
}

fn collect_distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for one in all {
        if !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct
}

impl ConnectionState {
    /// Whether the account has an organisation in use, even if Xero currently refuses calls on it.
    pub const fn is_connected(self) -> bool {
        match self {
            Self::Active | Self::Unavailable | Self::TokenExpired => true,
            Self::Pending | Self::Disconnected => false,
        }
    }
}

/// The reason why a connection cannot be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusableConnection {
    /// Never connected, or disconnected.
    NotConnected,
    /// A reconnect is needed.
    TokenExpired,
    /// Xero refuses every call on the organisation.
    Unavailable,
    /// Xero asked to wait until this instant.
    PausedUntil(Timestamp),
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
