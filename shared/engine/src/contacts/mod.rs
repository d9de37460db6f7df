//! Xero contacts for people: search, link, unlink, and the reconciliation of all clients with all
//! contacts.

mod known;
mod link;
pub mod reconcile;
mod searches;

use domain::document::contact::{ContactStatus, RemoteContact};
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, XeroContactId};
use domain::meter::Priority;
use domain::operation::Urgency;
use futures::FutureExt;
use serde::Serialize;
use store::StoreError;
use xero::api::contacts;

use crate::closed::not_connected;
use crate::desk::{Desk, Trouble};
use crate::ledgers::ledger;
use crate::{Engine, Invocation, abreast};

pub use self::link::{Linked, link, unlink};
pub use self::searches::SearchCache;

/// Maximum number of contacts that a search shows.
const SHOWN_MAX: u16 = 50;

/// A contact in Xero, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactView {
    /// Xero's key.
    pub contact_id: XeroContactId,
    /// Its name.
    pub name: String,
    /// Its number, whether or not we assigned it.
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
pub async fn search(
    engine: &Engine,
    account: &AccountId,
    text: &str,
    invocation: Invocation,
) -> Result<Vec<ContactView>, Trouble> {
    let Some(ledger) = ledger(engine, account).await? else {
        return Err(not_connected().into());
    };
    let desk = Desk::open(engine, &ledger, Urgency::Person, invocation).await?.at(Priority::Lookup);
    let found = find(&desk, text).await?;
    let views = found.into_iter().map(|contact| view(&desk, contact).boxed()).collect();
    let views = abreast::all(views).await.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    Ok(views)
}

/// Returns the contacts that contain a text, as Xero had them within the last minute.
async fn find(desk: &Desk<'_>, text: &str) -> Result<Vec<RemoteContact>, Trouble> {
    let now = desk.engine.clock.now();
    if let Some(known) = desk.engine.searches.get(&desk.ledger, text, now) {
        return Ok(known);
    }
    let found = contacts::search(&desk.session, text, SHOWN_MAX.into()).await;
    let mut found = desk.noted(found.map_err(Trouble::from)).await?.rows;
    found.truncate(SHOWN_MAX.into());
    desk.engine.searches.put(&desk.ledger, text, found.clone(), now);
    Ok(found)
}

async fn view(desk: &Desk<'_>, contact: RemoteContact) -> Result<ContactView, StoreError> {
    let (kind, id) = (EntityKind::Contact, contact.id);
    let linked = desk.engine.store.linked(&desk.ledger, kind, id.into());
    let client_id = desk.engine.skip_failing(&desk.ledger.account, linked).await?.flatten();
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
