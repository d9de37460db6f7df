//! Looks up documents by their numbers, one call per batch. Our own document is adopted, a foreign
//! one is refused.

use domain::document::sales::{DocumentStatus, NewStatus, SalesDocument};
use domain::failure::Failure;
use domain::recognise::{self, Expected, FoundDocument};
use domain::sync_log::LoggedOperation;
use xero::{OddRow, Rows, XeroError};

use super::{Contacts, Outline, Sales, Target, Tasks, brought, told_if_gone};
use crate::desk::Desk;
use crate::entity::{Brought, Outcomes};

/// The result of looking up a document's numbers.
#[derive(Debug)]
pub(super) enum Found {
    /// No document prevents creating it.
    Nothing,
    /// Our earlier document, which still has to be updated to this snapshot.
    Ours(Target),
    /// Our earlier document, which can no longer be changed.
    Settled(Brought),
    /// A document that is not ours.
    Foreign(Failure),
}

/// Looks up the tasks' documents. Where Xero cannot be read, the error becomes the outcome.
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

/// Reads the documents with the tasks' numbers, and determines which of them are ours.
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
                    // The unreadable row may be this document, so no second one is created.
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
    let earlier_copy = task.mapping.earlier_copy_number();
    let expected = Expected {
        kind: T::KIND,
        number,
        numbers: &numbers,
        earlier_copy: Some(&earlier_copy),
        url: url.as_deref(),
        tag: tag.as_deref(),
        contact: contacts.get(&index).copied(),
        total,
        left: &task.mapping.left,
    };
    Some(recognise::document(found, expected))
}

/// The document may hold an older snapshot. It is updated if Xero still allows that.
fn ours<T: Sales>(tasks: &Tasks<'_, T>, index: usize, remote: &T::Remote) -> Option<Found> {
    let task = tasks.get(index)?;
    let head = remote.head();
    let operation = LoggedOperation::Adopt;
    if head.is_editable() {
        // Documents that we create or adopt are approved.
        let draft = *head.status != DocumentStatus::Authorised;
        let status = draft.then_some(NewStatus::Authorised);
        let number = head.number.map(str::to_owned);
        return Some(Found::Ours(Target::Existing { id: head.id, number, status, operation }));
    }
    let remarks = told_if_gone(remote).into_iter().collect();
    Some(Found::Settled(brought::<T>(task, remote, operation, remarks)))
}
