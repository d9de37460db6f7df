//! The input of a reconciliation: every contact of an organisation, and every client without a
//! contact.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use domain::call_budget::CallPriority;
use domain::crm::client::Client;
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::{CrmId, Ledger, XeroContactId};
use domain::mapping::Mapping;
use domain::matching::{ClientIdentity, OrganisationContacts};
use domain::operation::{OperationState, Trigger};
use domain::paging::{PageLimit, PagePosition};
use jiff::Timestamp;
use store::StoreError;
use store::table::PageCursor;

use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::{Engine, Invocation};

/// Clients read per page.
const PAGE: NonZeroU16 = NonZeroU16::new(250).expect("not zero");
/// Maximum pages of contacts that are compared: 30,000 contacts, if their answers are not too
/// large.
const CONTACT_PAGES_MAX: u32 = 30;

/// The contacts of an organisation.
pub(super) struct ContactList {
    pub(super) contacts: OrganisationContacts,
    /// Whether every contact could be read. Among the others may be a better match.
    pub(super) is_complete: bool,
}

/// Reads every contact of the organisation. Having more contacts than can be compared is a failure:
/// a match is unambiguous only among all of them.
pub(super) async fn fetch_all_contacts(
    engine: &Engine,
    ledger: &Ledger,
    invocation: Invocation,
) -> Result<ContactList, AttemptError> {
    let tenant_session = TenantSession::open(engine, ledger, Trigger::All, invocation)
        .await?
        .with_priority(CallPriority::Poll);
    let mut all = ContactList { contacts: OrganisationContacts::new(), is_complete: true };
    let (mut next, mut pages) = (Some(PagePosition::FIRST), PageLimit::of_pages(CONTACT_PAGES_MAX));
    while let Some(at) = next.filter(|_| !pages.is_reached()) {
        let page = xero::api::contacts::read_contact_page(&tenant_session.api, at).await;
        let page =
            tenant_session.record_error_on_connection(page.map_err(AttemptError::from)).await?;
        pages.count_page(page.at);
        next = page.next_position();
        all.is_complete &= page.undecodable.is_empty();
        all.contacts.extend(page.rows);
    }
    if next.is_some() {
        return Err(too_many_contacts_failure().into());
    }
    Ok(all)
}

fn too_many_contacts_failure() -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "too_many_contacts",
        "The Xero organisation has too many contacts to reconcile automatically.",
        "Link clients to their contacts one by one.",
    )
}

/// The clients of a ledger.
#[derive(Default)]
pub(super) struct ClientList {
    pub(super) parties: Vec<ClientIdentity>,
    pub(super) held: BTreeMap<XeroContactId, CrmId>,
    pub(super) count: u64,
}

pub(super) async fn read_all_clients(
    engine: &Engine,
    ledger: &Ledger,
) -> Result<ClientList, StoreError> {
    let mut clients = ClientList::default();
    let mut after: Option<PageCursor> = None;
    loop {
        let page = engine.store.list_mappings(ledger, EntityKind::Contact, after, PAGE).await?;
        let now = engine.clock.now();
        engine.report_unreadable(&ledger.account, &page.unreadable);
        clients.count += u64::try_from(page.unreadable.len()).unwrap_or(u64::MAX);
        for row in page.rows {
            clients.count += 1;
            let mapping = row.record;
            match &mapping.link {
                Some(link) => {
                    let contact = XeroContactId(link.xero_id.0);
                    clients.held.insert(contact, mapping.key.crm_id.clone());
                }
                None => clients.parties.extend(find_client_identity(&mapping, now)),
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(clients);
        }
    }
}

/// The details that identify a client without a contact. `None` for a client that is being sent or
/// is never to be sent.
pub(super) fn find_client_identity(mapping: &Mapping, now: Timestamp) -> Option<ClientIdentity> {
    if mapping.is_held(now) || mapping.operation.state == OperationState::Withheld {
        return None;
    }
    let client: Client = mapping.snapshot.parse_text().ok()?;
    let not = mapping.previous_xero_ids.iter().map(|left| XeroContactId(left.0)).collect();
    Some(ClientIdentity { number: mapping.contact_number(), not, ..ClientIdentity::from(&client) })
}
