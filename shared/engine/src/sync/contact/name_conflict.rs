//! Resolves contacts whose number or name is already taken in Xero.

use domain::crm::client::Client;
use domain::document::contact::RemoteContact;
use domain::recognise::{self, FoundContact};
use domain::translate::client::contact_name;
use xero::api::contacts;
use xero::{DecodedRows, XeroError};

use super::{BatchPreferences, ContactDraft, adopt_contact, find_by_contact_number};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::{SyncTask, fail_tasks};

/// Resolves contacts that Xero refused because their number or name is taken. The holder may be the
/// client's own contact, created after the look-up, or the same business, which is adopted;
/// otherwise a person has to decide.
pub(super) async fn resolve_conflicts<'a>(
    tenant_session: &TenantSession<'_>,
    conflicting: Vec<&'a SyncTask<'a, Client>>,
    preferences: &mut BatchPreferences,
) -> Vec<ContactDraft<&'a SyncTask<'a, Client>>> {
    if conflicting.is_empty() {
        return Vec::new();
    }
    let holders = match find_number_holders(tenant_session, &conflicting).await {
        Ok(holders) => holders,
        Err(error) => {
            fail_tasks(conflicting, &error);
            return Vec::new();
        }
    };
    let mut same = Vec::new();
    for task in conflicting {
        let contact = match find_client_contact(tenant_session, task, &holders).await {
            Ok(contact) => contact,
            Err(error) => {
                task.set_outcome(Err(error));
                continue;
            }
        };
        match adopt_contact(tenant_session, task, contact, preferences).await {
            Ok(update) => same.push(update),
            Err(error) => task.set_outcome(Err(error)),
        }
    }
    same
}

/// Returns the contact of a client: the one with its number, or a contact with the same name that
/// is proven to be the same business. Names are looked up one at a time, so that an error concerns
/// one client only.
async fn find_client_contact(
    tenant_session: &TenantSession<'_>,
    task: &SyncTask<'_, Client>,
    holders: &DecodedRows<RemoteContact>,
) -> Result<RemoteContact, AttemptError> {
    let number = task.mapping.contact_number();
    if let Some(own) = find_by_contact_number(&holders.rows, &number) {
        return Ok(own.clone());
    }
    // The unreadable row may be this client's contact, so no namesake is adopted.
    if let Some(odd) = holders.undecodable.iter().find(|odd| odd.may_have_number(&number)) {
        return Err(XeroError::from(odd).into());
    }
    let name = &contact_name(&task.snapshot);
    let found = contacts::find_by_name(&tenant_session.api, name).await?;
    match recognise::choose_contact(
        &exclude_unlinked(task, found.rows),
        &task.snapshot,
        &number,
        name,
    ) {
        FoundContact::Same(contact) => Ok(*contact),
        FoundContact::Unclear(failure) => Err(AttemptError::Explained(failure)),
    }
}

/// Returns the contacts with the clients' numbers, including archived ones.
async fn find_number_holders(
    tenant_session: &TenantSession<'_>,
    conflicting: &[&SyncTask<'_, Client>],
) -> Result<DecodedRows<RemoteContact>, AttemptError> {
    let numbers = conflicting.iter().map(|task| task.mapping.contact_number()).collect::<Vec<_>>();
    let numbers = numbers.iter().map(String::as_str).collect::<Vec<_>>();
    Ok(contacts::list_by_numbers(&tenant_session.api, &numbers).await?)
}

/// Excludes contacts that a person has unlinked from the client.
fn exclude_unlinked(task: &SyncTask<'_, Client>, found: Vec<RemoteContact>) -> Vec<RemoteContact> {
    let is_left =
        |contact: &RemoteContact| task.mapping.previous_xero_ids.contains(&contact.id.into());
    found.into_iter().filter(|contact| !is_left(contact)).collect()
}
