//! Xero contacts for people: search, link, unlink, and the reconciliation of all clients with all
//! contacts.

mod link;
pub mod reconcile;
mod reconciliation_input;
mod search_cache;

use domain::document::contact::{ContactStatus, RemoteContact};
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, Ledger, XeroContactId};
use futures::FutureExt;
use serde::Serialize;
use store::{ReadAheadKeys, StoreError};
use xero::api::contacts;

use crate::connection::connection_failures::not_connected_failure;
use crate::connection::ledgers::find_connected_ledger;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::{Engine, Invocation, concurrency};

pub use self::link::{LinkOutcome, link_client, unlink_client};
pub use self::search_cache::SearchCache;

/// Maximum number of contacts that a search shows.
const SHOWN_MAX: u16 = 50;

/// A contact in Xero, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactView {
    /// Xero's key.
    pub contact_id: XeroContactId,
    /// Its name.
    pub name: String,
    /// Its number, whoever assigned it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// VAT, GST or tax number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<String>,
    /// Company number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_number: Option<String>,
    /// Whether it is archived and must be restored before it can be used.
    pub is_archived: bool,
    /// The client linked to it, if any. Not shown if the row of the link cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<CrmId>,
}

/// Searches Xero's contacts. `Err` says why Xero could not be read.
pub async fn search_contacts(
    engine: &Engine,
    account: &AccountId,
    text: &str,
    invocation: Invocation,
) -> Result<Vec<ContactView>, AttemptError> {
    let Some(ledger) = find_connected_ledger(engine, account).await? else {
        return Err(not_connected_failure().into());
    };
    let tenant_session = TenantSession::open_for_lookup(engine, &ledger, invocation).await?;
    let found = find_contacts_by_text(&tenant_session, text).await?;
    let mut owners = ReadAheadKeys::default();
    for contact in &found {
        owners.add_linked_record(&ledger, EntityKind::Contact, contact.id.into());
    }
    let ahead = engine.with_rows_read_ahead(owners).await;
    let views = found
        .into_iter()
        .map(|contact| build_contact_view(&ahead, &ledger, contact).boxed())
        .collect();
    let views = concurrency::map_concurrently(views)
        .await
        .into_iter()
        .collect::<Result<Vec<_>, StoreError>>()?;
    Ok(views)
}

/// Returns the contacts that contain a text, as Xero had them within the last minute.
async fn find_contacts_by_text(
    tenant_session: &TenantSession<'_>,
    text: &str,
) -> Result<Vec<RemoteContact>, AttemptError> {
    let now = tenant_session.engine.clock.now();
    if let Some(known) = tenant_session.engine.searches.get(&tenant_session.ledger, text, now) {
        return Ok(known);
    }
    let found = contacts::search_contacts(&tenant_session.api, text, SHOWN_MAX.into()).await;
    let mut found =
        tenant_session.record_error_on_connection(found.map_err(AttemptError::from)).await?.rows;
    found.truncate(SHOWN_MAX.into());
    tenant_session.engine.searches.insert_results(&tenant_session.ledger, text, found.clone(), now);
    Ok(found)
}

async fn build_contact_view(
    engine: &Engine,
    ledger: &Ledger,
    contact: RemoteContact,
) -> Result<ContactView, StoreError> {
    let (kind, id) = (EntityKind::Contact, contact.id);
    let linked = engine.store.find_linked_record(ledger, kind, id.into());
    let client_id = engine.skip_failing(&ledger.account, linked).await?.flatten();
    let RemoteContact { name, number, email, tax_number, company_number, status, .. } = contact;
    Ok(ContactView {
        contact_id: id,
        name,
        number,
        email,
        vat_number: tax_number,
        company_number,
        is_archived: status == ContactStatus::Archived,
        client_id,
    })
}
