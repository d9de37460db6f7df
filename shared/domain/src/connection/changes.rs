//! How a connection changes.

use jiff::Timestamp;

use super::{
    Connection, ConnectionState, ORGANISATIONS_MAX, PinnedOrganisation, Unavailable, WARNINGS_MAX,
};
use crate::ids::{AccountId, TenantId};

impl Connection {
    /// The connection of an account that was never connected.
    pub const fn never(account: AccountId) -> Self {
        Self {
            account,
            state: ConnectionState::Pending,
            organisation: None,
            connected_at: None,
            connected_by: None,
            disconnected_at: None,
            paused_until: None,
            epoch: 0,
            pending: None,
            offered: Vec::new(),
            offered_by: None,
            unavailable: None,
            warnings: Vec::new(),
            leftovers: Vec::new(),
            claims: Vec::new(),
            grants: Vec::new(),
            carried_from: Vec::new(),
            carry_requests: 0,
            tenants: Vec::new(),
        }
    }

    /// The connection with its lists within their bounds, as it is kept: the first organisations that are
    /// offered, the first warnings, the newest links that are left over. A link that is forgotten ends when the
    /// grant it belongs to is revoked.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.offered.truncate(ORGANISATIONS_MAX);
        self.warnings.truncate(WARNINGS_MAX);
        let surplus = self.leftovers.len().saturating_sub(ORGANISATIONS_MAX);
        self.leftovers.drain(..surplus);
        self
    }

    /// The connection after a person ended it. What is left of it at Xero is still to be removed, and
    /// nobody can finish a connect that was under way.
    #[must_use]
    pub fn disconnected(self, now: Timestamp) -> Self {
        let mut leftovers = self.leftovers;
        if let Some(organisation) = &self.organisation
            && self.state.is_connected()
        {
            leave(&mut leftovers, organisation);
        }
        for offered in &self.offered {
            leave(&mut leftovers, offered);
        }
        Self {
            state: ConnectionState::Disconnected,
            disconnected_at: Some(now),
            pending: None,
            offered: Vec::new(),
            offered_by: None,
            unavailable: None,
            leftovers,
            ..self
        }
    }

    /// The connection after its link was found removed inside Xero. A connect that a person has begun meanwhile
    /// goes on, and the organisations that may be chosen stay.
    #[must_use]
    pub fn unlinked(self, now: Timestamp) -> Self {
        let (pending, disconnected_at) = (self.pending.clone(), self.disconnected_at);
        let (offered, offered_by) = (self.offered.clone(), self.offered_by.clone());
        let alone = Self { offered: Vec::new(), ..self };
        Self { disconnected_at, pending, offered, offered_by, ..alone.disconnected(now) }
    }

    /// The connection once Xero refuses every call on the organisation.
    #[must_use]
    pub fn refused(self, now: Timestamp) -> Self {
        let unavailable = self.unavailable.filter(|_| self.state == ConnectionState::Unavailable);
        let unavailable = Some(unavailable.unwrap_or_else(|| Unavailable::found(now)));
        Self { state: ConnectionState::Unavailable, unavailable, ..self }
    }

    /// The connection while the organisations of a consent may be chosen. What an earlier consent offered, and
    /// this one does not, is left over.
    #[must_use]
    pub fn offering(self, offered: &[PinnedOrganisation], by: Option<String>) -> Self {
        let mut leftovers = self.leftovers;
        let used = self.organisation.as_ref().filter(|_| self.state.is_connected());
        for earlier in &self.offered {
            let is_needed = used.into_iter().chain(offered).any(|one| one.is_same_link(earlier));
            if !is_needed {
                leave(&mut leftovers, earlier);
            }
        }
        leftovers.retain(|left| !offered.iter().any(|one| one.is_same_link(left)));
        Self { offered: offered.to_vec(), offered_by: by, leftovers, ..self }
    }

    /// The connection to an organisation that a person chose, at `now`. `None` when nobody consented
    /// to it. Another one that was in use is left over, and what is unsynced in it is carried over.
    pub fn chosen(&self, tenant: TenantId, now: Timestamp) -> Option<Self> {
        let chosen = self.offered.iter().find(|offered| offered.tenant == tenant)?.clone();
        let before = self.organisation.iter().filter(|before| before.tenant != tenant);
        let mut leftovers = self.leftovers.clone();
        for linked in self.organisation.iter().filter(|_| self.state.is_connected()) {
            leave(&mut leftovers, linked);
        }
        leftovers.retain(|left| !left.is_same_link(&chosen));
        let mut carried_from = self.carried_from.clone();
        let source = self.organisation.as_ref().map_or(TenantId::NONE, |before| before.tenant);
        if !carried_from.contains(&source) {
            carried_from.push(source);
        }
        carried_from.retain(|source| *source != tenant);
        let mut tenants = self.tenants.clone();
        for known in before.map(|before| before.tenant).chain([tenant]) {
            if !tenants.contains(&known) {
                tenants.push(known);
            }
        }
        Some(Self {
            state: ConnectionState::Active,
            organisation: Some(chosen),
            connected_at: Some(now),
            paused_until: None,
            epoch: self.epoch.saturating_add(1),
            pending: None,
            unavailable: None,
            leftovers,
            carried_from,
            tenants,
            ..self.clone()
        })
    }

    /// The connection once Xero no longer refuses the organisation.
    #[must_use]
    pub fn recovered(self) -> Self {
        let epoch = self.epoch.saturating_add(1);
        Self { state: ConnectionState::Active, epoch, unavailable: None, ..self }
    }
}

/// Adds a link to those that are left over, unless it is one of them.
fn leave(leftovers: &mut Vec<PinnedOrganisation>, link: &PinnedOrganisation) {
    if !leftovers.iter().any(|one| one.is_same_link(link)) {
        leftovers.push(link.clone());
    }
}

impl PinnedOrganisation {
    /// Whether both are the same link of the same Xero user.
    pub fn is_same_link(&self, other: &Self) -> bool {
        self.xero_connection == other.xero_connection && self.grant == other.grant
    }
}
