//! Looks up documents by their numbers, one call per batch. Our own document is adopted, a foreign
//! one is refused.

use domain::document::sales::{DocumentStatus, NewStatus, SalesDocument};
use domain::failure::Failure;
use domain::ids::XeroContactId;
use domain::recognise::{self, Expected, FoundDocument};
use domain::sync_log::LoggedOperation;
use xero::{OddRow, Rows, XeroError};

use super::{Addressed, Outline, Sales, Target, brought, told_if_gone};
use crate::desk::Desk;
use crate::entity::{Brought, Task, fail};

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
pub(super) async fn find<'a, T: Sales>(
    desk: &Desk<'_>,
    sought: Vec<Addressed<'a, T::Snapshot>>,
) -> Vec<(Addressed<'a, T::Snapshot>, Found)> {
    if sought.is_empty() {
        return Vec::new();
    }
    let tasks = sought.iter().map(|one| one.task).collect::<Vec<_>>();
    let rows = match read::<T>(desk, &tasks).await {
        Ok(rows) => rows,
        Err(error) => {
            fail(tasks, &error.into());
            return Vec::new();
        }
    };
    let mut found = Vec::with_capacity(sought.len());
    for one in sought {
        match whose::<T>(desk, one.task, Some(one.contact), &rows) {
            Ok(FoundDocument::Nothing) => found.push((one, Found::Nothing)),
            Ok(FoundDocument::Foreign(failure)) => found.push((one, Found::Foreign(failure))),
            Ok(FoundDocument::Ours(remote)) => found.push((one, ours::<T>(one.task, &remote))),
            Err(error) => one.task.finish(Err(error.into())),
        }
    }
    found
}

/// Reads the documents with the tasks' numbers.
pub(super) async fn read<T: Sales>(
    desk: &Desk<'_>,
    tasks: &[&Task<'_, T::Snapshot>],
) -> Result<Rows<T::Remote>, XeroError> {
    let numbers = tasks.iter().flat_map(|task| task.mapping.natural_keys()).collect::<Vec<_>>();
    let numbers = numbers.iter().map(String::as_str).collect::<Vec<_>>();
    T::find_by_numbers(&desk.session, &numbers).await
}

/// Determines which of the documents is the task's. Fails if none is, but an unreadable one may be:
/// then no second one may be created.
pub(super) fn whose<T: Sales>(
    desk: &Desk<'_>,
    task: &Task<'_, T::Snapshot>,
    contact: Option<XeroContactId>,
    found: &Rows<T::Remote>,
) -> Result<FoundDocument<T::Remote>, XeroError> {
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
        contact,
        total,
        left: &task.mapping.left,
    };
    let document = recognise::document(&found.rows, expected);
    let is_it = |odd: &&OddRow| numbers.iter().any(|one| odd.may_have_number(one));
    match found.undecodable.iter().find(is_it) {
        Some(odd) if matches!(document, FoundDocument::Nothing) => Err(XeroError::from(odd)),
        Some(_) | None => Ok(document),
    }
}

/// The document may hold an older snapshot. It is updated if Xero still allows that.
fn ours<T: Sales>(task: &Task<'_, T::Snapshot>, remote: &T::Remote) -> Found {
    let head = remote.head();
    let operation = LoggedOperation::Adopt;
    if head.is_editable() {
        // Documents that we create or adopt are approved.
        let draft = *head.status != DocumentStatus::Authorised;
        let status = draft.then_some(NewStatus::Authorised);
        let number = head.number.map(str::to_owned);
        return Found::Ours(Target::Existing { id: head.id, number, status, operation });
    }
    let remarks = told_if_gone(remote).into_iter().collect();
    Found::Settled(brought::<T>(task, remote, operation, remarks))
}
