//! Determines why Xero refuses calls on an organisation, and records it on the connection.

use domain::connection::ConnectionState;
use xero::api::organisation;
use xero::{NotPermitted, XeroError};

use super::{TenantSession, is_refusal};
use crate::Engine;
use crate::connection::answer_reports::fetch_links;
use crate::connection::{change_if_connected, disconnect};
use crate::error_chain::ErrorChain;

/// Why Xero refused a call on an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusalCause {
    /// The account is no longer connected to the organisation.
    Unlinked,
    /// Xero refuses every call on the organisation.
    Unavailable,
    /// Xero refused this call only.
    Single,
}

impl TenantSession<'_> {
    /// Determines why Xero refused a call: the organisation's link was removed inside Xero, or Xero
    /// refuses every call on it although it is still linked, as after the end of a trial or a
    /// subscription.
    pub(super) async fn determine_refusal_cause(&self) -> Result<RefusalCause, XeroError> {
        if !self.check_link_at_xero().await? {
            return Ok(RefusalCause::Unlinked);
        }
        let (account, seen) = (&self.ledger.account, self.connected_at);
        match organisation::get_organisation(&self.api).await {
            Err(error) if is_refusal(&error) => {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    account.id = %account,
                    "Xero refuses an organisation that is still linked"
                );
                let now = self.engine.clock.now();
                let engine: &Engine = &self.engine.without_read_ahead();
                change_if_connected(engine, account, seen, |one| one.after_refusal(now)).await;
                Ok(RefusalCause::Unavailable)
            }
            // Another process has found the same, or a person has ended the connection.
            Err(XeroError::NotPermitted { source: NotPermitted::Closed }) => {
                let store = self.engine.store.without_read_ahead();
                let row = store.find_connection(account).await;
                let state = row.ok().flatten().map(|row| row.record.state);
                let is_unavailable = state == Some(ConnectionState::Unavailable);
                Ok(if is_unavailable { RefusalCause::Unavailable } else { RefusalCause::Unlinked })
            }
            Ok(_) => Ok(RefusalCause::Single),
            Err(error) => Err(error),
        }
    }

    /// Returns whether Xero still lists the organisation among those that this user linked. If not,
    /// the connection is ended here, too: Xero sends no notification when a link is removed.
    pub(crate) async fn check_link_at_xero(&self) -> Result<bool, XeroError> {
        let linked = fetch_links(self.engine, &*self.tokens).await?;
        let tenant = self.ledger.tenant;
        // An unreadable link counts as listed: no connection is ended because of it.
        let is_listed = linked.rows.iter().any(|linked| linked.tenant == tenant)
            || linked.undecodable.iter().any(|odd| odd.may_belong_to(tenant.0));
        if !is_listed {
            let (account, seen) = (&self.ledger.account, self.connected_at);
            let engine: &Engine = &self.engine.without_read_ahead();
            let now = engine.clock.now();
            change_if_connected(engine, account, seen, |one| one.after_unlink(now)).await;
            let removed = disconnect::remove_leftovers(engine, account, self.invocation);
            if let Err(error) = removed.await {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    "the removed link could not be cleaned up; the sweep tries again"
                );
            }
        }
        Ok(is_listed)
    }
}
