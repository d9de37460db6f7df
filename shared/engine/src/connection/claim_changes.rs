//! The claims on organisations, and the uses of grants, that change with a connection.

use domain::connection::Connection;
use domain::ids::{GrantId, TenantId};
use store::{CLAIM_CHANGES_MAX, StoreError};

use crate::Engine;
use crate::connection::ConnectionChangeError;

/// The claims that change with a connection.
#[derive(Default)]
pub(super) struct ClaimChanges {
    /// Organisations that the account claims.
    pub(super) claimed: Vec<TenantId>,
    /// Organisations that it releases.
    pub(super) unclaimed: Vec<TenantId>,
    /// Grants that it uses from now on.
    pub(super) used: Vec<GrantId>,
    /// Grants that it no longer uses.
    pub(super) unused: Vec<GrantId>,
    /// Claims of the account that its row does not list because an earlier release wrote the row.
    held: Vec<TenantId>,
    /// The same for grants.
    held_grants: Vec<GrantId>,
}

impl ClaimChanges {
    /// Compares the claims of the connection with those that it needs. A row of an earlier release
    /// lists no claims; they are looked up, and created if no account has them.
    pub(super) async fn determine_changes(
        engine: &Engine,
        before: &Connection,
        after: &Connection,
    ) -> Result<Self, ConnectionChangeError> {
        let mut needs = Self::default();
        needs.find_claims(engine, before, after).await?;
        needs.find_grants(engine, before, after).await?;
        Ok(needs)
    }

    async fn find_claims(
        &mut self,
        engine: &Engine,
        before: &Connection,
        after: &Connection,
    ) -> Result<(), ConnectionChangeError> {
        let (wanted_before, wanted) = (before.wanted_claims(), after.wanted_claims());
        self.unclaimed = missing_elements(&wanted, &before.claims);
        for tenant in missing_elements(&before.claims, &wanted) {
            match engine.store.find_organisation_owner(tenant).await? {
                None => self.claimed.push(tenant),
                Some(owner) if owner == after.account => self.held.push(tenant),
                // A link that is to be removed needs no claim, and an organisation that was in use
                // stays in use.
                Some(_) if wanted_before.contains(&tenant) || !after.is_in_use(tenant) => {}
                Some(_) => return Err(ConnectionChangeError::Claimed),
            }
        }
        for tenant in missing_elements(&before.claims, &missing_elements(&wanted, &wanted_before)) {
            if engine
                .store
                .find_organisation_owner(tenant)
                .await?
                .is_some_and(|owner| owner == after.account)
            {
                self.unclaimed.push(tenant);
            }
        }
        Ok(())
    }

    async fn find_grants(
        &mut self,
        engine: &Engine,
        before: &Connection,
        after: &Connection,
    ) -> Result<(), StoreError> {
        let (wanted_before, wanted) = (before.wanted_grants(), after.wanted_grants());
        self.unused = missing_elements(&wanted, &before.grants);
        for grant in missing_elements(&before.grants, &wanted) {
            if engine.store.is_grant_used(grant, &after.account).await? {
                self.held_grants.push(grant);
            } else {
                self.used.push(grant);
            }
        }
        for grant in missing_elements(&before.grants, &missing_elements(&wanted, &wanted_before)) {
            if engine.store.is_grant_used(grant, &after.account).await? {
                self.unused.push(grant);
            }
        }
        Ok(())
    }

    /// Limits the changes to those that fit into one transaction, new claims first. The claim on
    /// the organisation in use is the first of them. The next change of the connection finds the
    /// remaining ones.
    pub(super) fn limit_to_transaction(mut self) -> Self {
        let mut room = CLAIM_CHANGES_MAX;
        keep_first_elements(&mut self.claimed, &mut room);
        keep_first_elements(&mut self.used, &mut room);
        keep_first_elements(&mut self.unclaimed, &mut room);
        keep_first_elements(&mut self.unused, &mut room);
        self
    }

    /// Returns the connection with the claims that it has from now on.
    pub(super) fn apply_to(&self, after: Connection) -> Connection {
        let mut claims = after.claims;
        claims.retain(|tenant| !self.unclaimed.contains(tenant));
        claims.extend(self.claimed.iter().chain(&self.held));
        let mut grants = after.grants;
        grants.retain(|grant| !self.unused.contains(grant));
        grants.extend(self.used.iter().chain(&self.held_grants));
        Connection { claims, grants, ..after }
    }
}

/// Keeps as many elements as fit, and reduces the remaining room accordingly.
fn keep_first_elements<T>(list: &mut Vec<T>, room: &mut usize) {
    list.truncate(*room);
    *room = room.saturating_sub(list.len());
}

/// Returns the elements of `wanted` that are not in `known`.
fn missing_elements<T: PartialEq + Copy>(known: &[T], wanted: &[T]) -> Vec<T> {
    wanted.iter().copied().filter(|one| !known.contains(one)).collect()
}
