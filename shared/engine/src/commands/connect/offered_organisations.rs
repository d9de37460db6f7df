//! Determines which organisations a consent offers: those that it linked, and the one to which the
//! account is pinned; and the connection after the consent.

use std::sync::Arc;

use domain::connection::{Connection, ORGANISATIONS_MAX, PinnedOrganisation};
use domain::ids::{AccountId, GrantId};
use jiff::{SignedDuration, Timestamp};
use store::StoreError;
use uuid::Uuid;
use xero::XeroError;
use xero::connections::{TenantType, XeroConnection};

use super::ConnectError;
use crate::connection::answer_reports::fetch_links;
use crate::connection::grant_tokens::GrantTokens;
use crate::{Engine, Invocation};

/// Maximum difference between Xero's clock and ours.
const CLOCK_SKEW_MAX: SignedDuration = SignedDuration::from_mins(3);

/// The known facts about a consent.
pub(super) struct KnownConsent {
    pub(super) grant: GrantId,
    pub(super) serial: u64,
    /// The consent's id in Xero's links.
    pub(super) event: Option<Uuid>,
    /// When the connect was begun.
    pub(super) begun_at: Timestamp,
}

/// The organisations that a consent offers.
pub(super) struct OfferedOrganisations {
    /// Organisations that this account may use, in Xero's order.
    pub(super) free: Vec<PinnedOrganisation>,
    /// Whether any other organisation belongs to another account.
    pub(super) is_any_claimed: bool,
    /// Whether Xero's links name this consent and all of them can be read. Otherwise an organisation
    /// may belong to another consent of the same Xero user, or the intended one may be missing, and
    /// only the user knows which one is intended.
    pub(super) is_certain: bool,
}

/// Reads from Xero which organisations a consent offers to an account. If it offers none and a link
/// cannot be read, the error is about that link: the user may have selected its organisation.
pub(super) async fn read_offered_organisations(
    engine: &Engine,
    account: &AccountId,
    offer: &KnownConsent,
    invocation: Invocation,
) -> Result<OfferedOrganisations, ConnectError> {
    let tokens = Arc::new(GrantTokens {
        engine: engine.clone(),
        grant: offer.grant,
        consented: offer.serial,
        invocation,
        connection: None,
    });
    let linked = fetch_links(engine, &*tokens).await?;
    let offered = find_offered_organisations(engine, account, &linked.rows, offer).await?;
    match linked.undecodable.first() {
        Some(odd) if offered.free.is_empty() => Err(XeroError::from(odd).into()),
        Some(_) => Ok(OfferedOrganisations { is_certain: false, ..offered }),
        None => Ok(offered),
    }
}

/// Finds the organisations of these links that a consent offers to an account.
async fn find_offered_organisations(
    engine: &Engine,
    account: &AccountId,
    linked: &[XeroConnection],
    offer: &KnownConsent,
) -> Result<OfferedOrganisations, StoreError> {
    let connection = engine.store.find_connection(account).await?.map(|row| row.record);
    let pinned = connection.and_then(|one| one.organisation).map(|one| one.tenant);
    let organisations = linked.iter().filter(|one| one.tenant_type == TenantType::Organisation);
    let is_any_named = organisations.clone().any(|one| is_named(one, offer));
    let is_consented = |one: &XeroConnection| {
        if is_any_named { is_named(one, offer) } else { is_recent(one, offer) }
    };
    let wanted = organisations.filter(|one| Some(one.tenant) == pinned || is_consented(one));
    let mut offered =
        OfferedOrganisations { free: Vec::new(), is_any_claimed: false, is_certain: is_any_named };
    for one in wanted {
        if offered.free.len() == ORGANISATIONS_MAX {
            tracing::warn!(account.id = %account, "too many organisations; the rest are not offered");
            break;
        }
        // If the owner cannot be read, it counts as another account.
        let owner =
            engine.skip_failing(account, engine.store.find_organisation_owner(one.tenant)).await?;
        let is_free = owner.is_some_and(|owner| owner.is_none_or(|owner| owner == *account));
        if !is_free {
            offered.is_any_claimed = true;
            continue;
        }
        offered.free.push(PinnedOrganisation {
            tenant: one.tenant,
            name: one.tenant_name.clone(),
            xero_connection: one.id,
            grant: offer.grant,
            serial: offer.serial,
        });
    }
    Ok(offered)
}

/// Returns whether a link names the consent.
fn is_named(linked: &XeroConnection, offer: &KnownConsent) -> bool {
    offer.event.is_some() && linked.auth_event_id == offer.event
}

/// Returns whether a link was made or renewed after the connect began. It is unknown whether a
/// renewed link keeps the id of its first consent, so this decides if no link names the consent.
fn is_recent(linked: &XeroConnection, offer: &KnownConsent) -> bool {
    let since = offer.begun_at.saturating_sub(CLOCK_SKEW_MAX).unwrap_or(Timestamp::MIN);
    linked.updated_at.is_some_and(|at| at >= since)
}

/// Returns the connection after a consent. The pinned organisation remains in use; without one, the
/// first is used if the organisations are certainly those of this consent. Otherwise the user is
/// only asked to choose. Another request may have connected the account in the meantime.
pub(super) fn connection_after_consent(
    connection: Connection,
    offered: &[PinnedOrganisation],
    is_certain: bool,
    by: Option<String>,
    now: Timestamp,
) -> Connection {
    let pinned = connection.organisation.as_ref().map(|pinned| pinned.tenant);
    let tenant = match pinned {
        Some(pinned) => offered.iter().find(|one| one.tenant == pinned),
        None => offered.first().filter(|_| is_certain),
    };
    let open = Connection { pending: None, ..connection.after_offer(offered, by.clone(), now) };
    let connected = tenant.and_then(|one| open.after_choice(one.tenant, now));
    match connected {
        Some(connected) if offered.len() > 1 => Connection { connected_by: by, ..connected },
        Some(connected) => {
            Connection { connected_by: by, offered: Vec::new(), offered_by: None, ..connected }
        }
        None => open,
    }
}
