//! Looking documents up by their numbers: ours is adopted, somebody else's refused, none is none. One call
//! for a batch.

use domain::document::sales::{DocumentStatus, NewStatus, SalesDocument};
use domain::failure::Failure;
use domain::recognise::{self, Expected, FoundDocument};
use domain::sync_log::LoggedOperation;
use xero::{OddRow, Rows, XeroError};

use super::{Contacts, Outline, Sales, Target, Tasks, brought, told_if_gone};
use crate::desk::Desk;
use crate::entity::{Brought, Outcomes};

/// What was found under a document's numbers.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing that stands in the way of creating it.
    Nothing,
    /// The document we made earlier, still to be brought to this snapshot.
    Ours(Target),
    /// The document we made earlier, which takes no changes any more.
    Settled(Brought),
    /// Somebody else's document.
    Foreign(Failure),
}

/// Looks the tasks' documents up. Where Xero does not tell, they have their outcome.
pub(super) async fn find<T: Sales>(
    desk: &Desk<'_>,
    tasks: &Tasks<'_, T>,
    contacts: &Contacts,
    sought: Vec<usize>,
    outcomes: &mut Outcomes,
) -> Vec<(usize, Found)> {
    let found = remotes::<T>(desk, tasks, contacts, sought, outcomes).await;
    let decide = |(index, found)| {
        let found = match found {
            FoundDocument::Nothing => Found::Nothing,
            FoundDocument::Foreign(failure) => Found::Foreign(failure),
            FoundDocument::Ours(remote) => ours::<T>(tasks, index, &remote)?,
        };
        Some((index, found))
    };
    found.into_iter().filter_map(decide).collect()
}

/// What Xero has under the tasks' numbers, and whose it is.
pub(super) async fn remotes<T: Sales>(
    desk: &Desk<'_>,
    tasks: &Tasks<'_, T>,
    contacts: &Contacts,
    sought: Vec<usize>,
    outcomes: &mut Outcomes,
) -> Vec<(usize, FoundDocument<T::Remote>)> {
    let known = sought.iter().filter_map(|index| tasks.get(*index));
    let numbers = known.flat_map(|task| task.mapping.natural_keys()).collect::<Vec<_>>();
    let numbers = numbers.iter().map(String::as_str).collect::<Vec<_>>();
    if numbers.is_empty() {
        return Vec::new();
    }
    match T::find_by_numbers(&desk.session, &numbers).await {
        Ok(Rows { rows, undecodable }) => {
            let mut found = Vec::with_capacity(sought.len());
            for index in sought {
                let Some(document) = whose::<T>(desk, tasks, contacts, index, &rows) else {
                    continue;
                };
                let numbers = tasks.get(index).map(|task| task.mapping.natural_keys());
                let numbers = numbers.unwrap_or_default();
                let is_it = |odd: &&OddRow| numbers.iter().any(|one| odd.may_have_number(one));
                match undecodable.iter().find(is_it) {
                    // What cannot be read may be ours, so nothing is made beside it.
                    Some(odd) if matches!(document, FoundDocument::Nothing) => {
                        outcomes.set(index, Err(XeroError::from(odd).into()));
                    }
                    Some(_) | None => found.push((index, document)),
                }
            }
            found
        }
        Err(error) => {
            outcomes.fail(sought, &error.into());
            Vec::new()
        }
    }
}

fn whose<T: Sales>(
    desk: &Desk<'_>,
    tasks: &Tasks<'_, T>,
    contacts: &Contacts,
    index: usize,
    found: &[T::Remote],
) -> Option<FoundDocument<T::Remote>> {
    let task = tasks.get(index)?;
    let Outline { number, total, .. } = T::outline(&task.snapshot);
    let numbers = task.mapping.natural_keys();
    let numbers = numbers.iter().map(String::as_str).collect::<Vec<_>>();
    let url = T::url(desk.engine.places.crm.as_str(), &task.snapshot);
    let tag = T::tag(&task.snapshot);
    let expected = Expected {
        kind: T::KIND,
        number,
        numbers: &numbers,
        url: url.as_deref(),
        tag: tag.as_deref(),
        contact: contacts.get(&index).copied(),
        total,
        left: &task.mapping.left,
    };
    Some(recognise::document(found, expected))
}

/// What was found may be of an older snapshot. An update settles that, where one is still allowed.
fn ours<T: Sales>(tasks: &Tasks<'_, T>, index: usize, remote: &T::Remote) -> Option<Found> {
    let task = tasks.get(index)?;
    let head = remote.head();
    let operation = LoggedOperation::Adopt;
    if head.is_editable() {
        // What we make is approved; so is what we take over.
        let draft = *head.status != DocumentStatus::Authorised;
        let status = draft.then_some(NewStatus::Authorised);
        return Some(Found::Ours(Target::Existing { id: head.id, status, operation }));
    }
    let remarks = told_if_gone(remote).into_iter().collect();
    Some(Found::Settled(brought::<T>(task, remote, operation, remarks)))
}
