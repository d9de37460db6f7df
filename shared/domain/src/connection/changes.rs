//! Changes of a connection.

use jiff::{SignedDuration, Timestamp};

use super::{
    Connection, ConnectionEnd, ConnectionState, LEFTOVERS_MAX, NAME_MAX, OFFER_HOURS,
    ORGANISATIONS_MAX, PinnedOrganisation, TENANTS_MAX, UnavailablePeriod, WARNING_MAX,
    WARNINGS_MAX,
};
use crate::ids::{AccountId, TenantId, UserId};

impl Connection {
    /// The connection of an account that has never been connected.
    pub const fn never_connected(account: AccountId) -> Self {
        Self {
            account,
            state: ConnectionState::Pending,
            organisation: None,
            connected_at: None,
            connected_by: None,
            disconnected_at: None,
            ended: None,
            paused_until: None,
            epoch: 0,
            pending: None,
            offered: Vec::new(),
            offered_by: None,
            offered_until: None,
            unavailable: None,
            warnings: Vec::new(),
            leftovers: Vec::new(),
            claims: Vec::new(),
            grants: Vec::new(),
            carried_from: Vec::new(),
            carry_requests: 0,
            carry_place: None,
            tenants: Vec::new(),
        }
    }

    /// Limits the lists and texts for storage: keeps the first offered organisations, the first
    /// warnings, and the newest leftover links. A leftover link that is dropped ends when its grant
    /// is revoked. Every list of claims is derived from the limited connection.
    #[must_use]
    pub fn within_limits(mut self) -> Self {
        self.offered.truncate(ORGANISATIONS_MAX);
        self.warnings.truncate(WARNINGS_MAX);
        let surplus = self.leftovers.len().saturating_sub(LEFTOVERS_MAX);
        self.leftovers.drain(..surplus);
        let organisations = self.organisation.iter_mut();
        for one in organisations.chain(&mut self.offered).chain(&mut self.leftovers) {
            truncate_text(&mut one.name, NAME_MAX);
        }
        for name in self.connected_by.iter_mut().chain(&mut self.offered_by) {
            truncate_text(name, NAME_MAX);
        }
        for warning in &mut self.warnings {
            truncate_text(warning, WARNING_MAX);
        }
        self
    }

    /// The connection after a user ended it. Its remaining links at Xero must still be removed, and
    /// a connect in progress can no longer be finished.
    #[must_use]
    pub fn after_disconnect(self, now: Timestamp) -> Self {
        let mut leftovers = self.leftovers;
        if let Some(organisation) = &self.organisation
            && self.state.is_connected()
        {
            add_leftover(&mut leftovers, organisation);
        }
        for offered in &self.offered {
            add_leftover(&mut leftovers, offered);
        }
        let ended = if self.state.is_connected() {
            Some(ConnectionEnd { at: now, by: None })
        } else {
            self.ended
        };
        Self {
            state: ConnectionState::Disconnected,
            disconnected_at: Some(now),
            ended,
            pending: None,
            offered: Vec::new(),
            offered_by: None,
            offered_until: None,
            unavailable: None,
            leftovers,
            ..self
        }
    }

    /// The connection after this user ended it in the CRM.
    #[must_use]
    pub fn after_disconnect_by(self, by: Option<&UserId>, now: Timestamp) -> Self {
        let was_connected = self.state.is_connected();
        let mut after = self.after_disconnect(now);
        if let Some(end) = after.ended.as_mut().filter(|_| was_connected) {
            end.by = by.cloned();
        }
        after
    }

    /// The connection after an unanswered offer has ended, or `None` if no offer has ended. The
    /// offer's links must be removed.
    pub fn without_ended_offer(self, now: Timestamp) -> Option<Self> {
        if self.offered_until.is_none_or(|until| until > now) {
            return None;
        }
        let used = self.organisation.as_ref().filter(|_| self.state.is_connected());
        let grant = used.map(|used| used.grant);
        let (offered, ended): (Vec<_>, Vec<_>) =
            self.offered.into_iter().partition(|one| Some(one.grant) == grant);
        let mut leftovers = self.leftovers;
        for offered in &ended {
            add_leftover(&mut leftovers, offered);
        }
        let offered_by = self.offered_by.filter(|_| !offered.is_empty());
        Some(Self { offered, offered_by, offered_until: None, leftovers, ..self })
    }

    /// The connection after its link was found removed in Xero. A connect in progress continues,
    /// and the offered organisations remain available.
    #[must_use]
    pub fn after_unlink(self, now: Timestamp) -> Self {
        let (pending, disconnected_at) = (self.pending.clone(), self.disconnected_at);
        let (offered, offered_by) = (self.offered.clone(), self.offered_by.clone());
        let offered_until = (!offered.is_empty()).then(|| offer_end(now));
        let alone = Self { offered: Vec::new(), ..self }.after_disconnect(now);
        Self { disconnected_at, pending, offered, offered_by, offered_until, ..alone }
    }

    /// The connection after Xero started to refuse every call on the organisation.
    #[must_use]
    pub fn after_refusal(self, now: Timestamp) -> Self {
        let unavailable = self.unavailable.filter(|_| self.state == ConnectionState::Unavailable);
        let unavailable = Some(unavailable.unwrap_or_else(|| UnavailablePeriod::starting_at(now)));
        Self { state: ConnectionState::Unavailable, unavailable, ..self }
    }

    /// The connection while the organisations of a consent are offered. Organisations that an
    /// earlier consent offered and this one does not become leftovers.
    #[must_use]
    pub fn after_offer(
        self,
        offered: &[PinnedOrganisation],
        by: Option<String>,
        now: Timestamp,
    ) -> Self {
        let mut leftovers = self.leftovers;
        let used = self.organisation.as_ref().filter(|_| self.state.is_connected());
        for earlier in &self.offered {
            let is_needed = used.into_iter().chain(offered).any(|one| one.is_same_link(earlier));
            if !is_needed {
                add_leftover(&mut leftovers, earlier);
            }
        }
        leftovers.retain(|left| !offered.iter().any(|one| one.is_same_link(left)));
        let grant = self.organisation.as_ref().filter(|_| self.state.is_connected());
        let grant = grant.map(|used| used.grant);
        let is_question = offered.iter().any(|one| Some(one.grant) != grant);
        let offered_until = is_question.then(|| offer_end(now));
        Self { offered: offered.to_vec(), offered_by: by, offered_until, leftovers, ..self }
    }

    /// The connection to an organisation that a user chose at `now`. `None` if no consent covers
    /// it, or if the account already has records in [`TENANTS_MAX`] other organisations. A
    /// different organisation that was in use becomes a leftover, and its unsynced records are
    /// carried over.
    pub fn after_choice(&self, tenant: TenantId, now: Timestamp) -> Option<Self> {
        let chosen = self.offered.iter().find(|offered| offered.tenant == tenant)?.clone();
        let before = self.organisation.iter().filter(|before| before.tenant != tenant);
        let mut leftovers = self.leftovers.clone();
        for linked in self.organisation.iter().filter(|_| self.state.is_connected()) {
            add_leftover(&mut leftovers, linked);
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
        if tenants.len() > TENANTS_MAX.max(self.tenants.len()) {
            return None;
        }
        // They are about the chart of the organisation that was in use.
        let is_same = self.organisation.as_ref().is_some_and(|before| before.tenant == tenant);
        let warnings = if is_same { self.warnings.clone() } else { Vec::new() };
        Some(Self {
            state: ConnectionState::Active,
            organisation: Some(chosen),
            connected_at: Some(now),
            paused_until: None,
            epoch: self.epoch.saturating_add(1),
            pending: None,
            offered_until: None,
            unavailable: None,
            warnings,
            leftovers,
            carried_from,
            carry_place: None,
            tenants,
            ..self.clone()
        })
    }

    /// The connection after Xero stopped refusing the organisation.
    #[must_use]
    pub fn after_recovery(self) -> Self {
        let epoch = self.epoch.saturating_add(1);
        Self { state: ConnectionState::Active, epoch, unavailable: None, ..self }
    }
}

/// The end of an offer made now.
fn offer_end(now: Timestamp) -> Timestamp {
    now.saturating_add(SignedDuration::from_hours(OFFER_HOURS)).unwrap_or(now)
}

/// Limits a text to a number of characters.
fn truncate_text(text: &mut String, characters: usize) {
    if let Some((end, _)) = text.char_indices().nth(characters) {
        text.truncate(end);
    }
}

/// Adds a link to the leftovers unless they already contain it.
fn add_leftover(leftovers: &mut Vec<PinnedOrganisation>, link: &PinnedOrganisation) {
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
