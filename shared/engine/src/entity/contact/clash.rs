//! Numbers and names that are taken.

use domain::crm::client::Client;
use domain::document::contact::{ContactDocument, RemoteContact};
use domain::recognise::{self, FoundContact};
use domain::translate::client::contact_name;
use xero::api::contacts;

use super::{Tasks, adopt, with_number};
use crate::desk::{Desk, Trouble};
use crate::entity::write::Draft;
use crate::entity::{Outcomes, Task};

/// What was refused because its number or name is taken: by its own contact, which came into being
/// since it was looked for; by the same business, which is adopted; or by another, which a person has
/// to tell apart.
pub(super) async fn settle(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    clashing: Vec<usize>,
    outcomes: &mut Outcomes,
) -> Vec<Draft<ContactDocument>> {
    let clients = clashing.iter().filter_map(|index| Some((*index, &tasks.get(*index)?.snapshot)));
    let clients = clients.collect::<Vec<_>>();
    if clients.is_empty() {
        return Vec::new();
    }
    let names = clients.iter().map(|(_, client)| contact_name(client)).collect::<Vec<_>>();
    let namesakes = names.iter().map(String::as_str).collect::<Vec<_>>();
    let found = match contacts::find_by_names(&desk.session, &namesakes).await {
        Ok(found) => found,
        Err(error) => {
            outcomes.fail(clashing, &error.into());
            return Vec::new();
        }
    };
    let mut same = Vec::new();
    for ((index, client), name) in clients.into_iter().zip(&names) {
        let Some(task) = tasks.get(index) else { continue };
        let of_that_name = match of_name(desk, &found, name).await {
            Ok(of_that_name) => of_that_name,
            Err(trouble) => {
                outcomes.set(index, Err(trouble));
                continue;
            }
        };
        let number = task.mapping.contact_number();
        let contact = match with_number(&of_that_name, &number) {
            Some(own) => own.clone(),
            None => {
                match recognise::namesake(&allowed(task, of_that_name), client, &number, name) {
                    FoundContact::Same(contact) => contact,
                    FoundContact::Unclear(failure) => {
                        outcomes.set(index, Err(Trouble::Explained(failure)));
                        continue;
                    }
                }
            }
        };
        match adopt(desk, tasks, index, contact).await {
            Ok(update) => same.extend(update),
            Err(trouble) => outcomes.set(index, Err(trouble)),
        }
    }
    same
}

/// Without those that a person has unlinked the client from.
fn allowed(task: &Task<'_, Client>, found: Vec<RemoteContact>) -> Vec<RemoteContact> {
    let is_left = |contact: &RemoteContact| task.mapping.left.contains(&contact.id.into());
    found.into_iter().filter(|contact| !is_left(contact)).collect()
}

/// Those of the found contacts that have a name; where none has it to the letter, whatever Xero takes
/// for a namesake.
async fn of_name(
    desk: &Desk<'_>,
    found: &[RemoteContact],
    name: &str,
) -> Result<Vec<RemoteContact>, Trouble> {
    let found = found.iter().filter(|one| recognise::is_namesake(one, name));
    let found = found.cloned().collect::<Vec<_>>();
    if found.is_empty() {
        Ok(contacts::find_by_name(&desk.session, name).await?)
    } else {
        Ok(found)
    }
}
