//! Voids documents in Xero.

use domain::document::sales::{DocumentStatus, SalesDocument};
use domain::failure::Failure;
use domain::recognise::FoundDocument;
use domain::sync_log::LoggedOperation;
use xero::api::TargetStatus;
use xero::{Rows, XeroError};

use super::{Sales, Tasks, brought, find, is_voided};
use crate::desk::{Desk, Trouble};
use crate::entity::unknown_status::unknown_status;
use crate::entity::write::{Draft, Sent, write};
use crate::entity::{Brought, Entity, Task, batch_size, fail, open};

/// Voids documents in Xero: a draft is deleted, an approved document is voided. A document that was
/// never sent needs neither.
pub(super) async fn void<T: Sales>(desk: &Desk<'_>, tasks: &Tasks<'_, T>) {
    let voided = open(tasks, is_voided::<T>);
    if voided.is_empty() {
        return;
    }
    let mut drafts = Vec::new();
    for (task, remote) in standing::<T>(desk, voided).await {
        let operation = LoggedOperation::Void;
        let Some(remote) = remote else {
            let remark = "It was never sent to Xero, so there is nothing to void.".to_owned();
            task.finish(Ok(Brought { link: None, operation, remarks: vec![remark] }));
            continue;
        };
        match target(&T::number(&task.snapshot), remote.head().status) {
            Ok(Some(status)) => {
                let document = (T::typed(remote.head().id), status);
                drafts.push(Draft { item: task, document, operation, remarks: Vec::new() });
            }
            Ok(None) => task.finish(Ok(brought::<T>(task, &remote, operation, Vec::new()))),
            Err(failure) => task.finish(Err(failure.into())),
        }
    }
    let way = T::ending(batch_size(tasks));
    for Sent { item: task, document: _, operation, remarks, result } in
        write(&desk.session, drafts, &way).await
    {
        let outcome = result.map(|remote| brought::<T>(task, &remote, operation, remarks));
        task.finish(outcome.map_err(Trouble::Xero));
    }
}

/// Returns the status that removes a document from the books, if it still counts there. A document
/// with an unknown status is never voided, because voiding cannot be undone.
fn target(number: &str, status: &DocumentStatus) -> Result<Option<TargetStatus>, Failure> {
    match status {
        DocumentStatus::Voided | DocumentStatus::Deleted => Ok(None),
        DocumentStatus::Draft | DocumentStatus::Submitted => Ok(Some(TargetStatus::Deleted)),
        DocumentStatus::Authorised | DocumentStatus::Paid => Ok(Some(TargetStatus::Voided)),
        DocumentStatus::Other(status) => Err(unknown_status(number, status)),
    }
}

/// A task with its document, if Xero has one.
type TaskDocument<'a, T> = (&'a Task<'a, <T as Entity>::Snapshot>, Option<<T as Sales>::Remote>);

/// Reads the documents from Xero: linked ones by their ids, and those that an unanswered try may
/// have left by their numbers. Foreign documents are not voided.
async fn standing<'a, T: Sales>(
    desk: &Desk<'_>,
    voided: Vec<&'a Task<'a, T::Snapshot>>,
) -> Vec<TaskDocument<'a, T>> {
    let (mut linked, mut sought, mut standing) = (Vec::new(), Vec::new(), Vec::new());
    for task in voided {
        match &task.mapping.link {
            Some(link) => linked.push((task, link.xero_id)),
            None if task.must_resolve() => sought.push(task),
            None => standing.push((task, None)),
        }
    }
    let ids = linked.iter().map(|(_, id)| T::typed(*id)).collect::<Vec<_>>();
    match T::find_by_ids(&desk.session, &ids).await {
        Ok(Rows { rows: found, undecodable }) => {
            for (task, id) in linked {
                let remote = found.iter().find(|remote| remote.head().id == id).cloned();
                match undecodable.iter().find(|odd| odd.may_be(id.0)) {
                    Some(odd) if remote.is_none() => {
                        task.finish(Err(XeroError::from(odd).into()));
                    }
                    Some(_) | None => standing.push((task, remote)),
                }
            }
        }
        Err(error) => fail(linked.into_iter().map(|(task, _)| task), &error.into()),
    }
    if sought.is_empty() {
        return standing;
    }
    match find::read::<T>(desk, &sought).await {
        Ok(rows) => {
            for task in sought {
                match find::whose::<T>(desk, task, None, &rows) {
                    Ok(FoundDocument::Ours(remote)) => standing.push((task, Some(remote))),
                    Ok(FoundDocument::Nothing | FoundDocument::Foreign(_)) => {
                        standing.push((task, None));
                    }
                    Err(error) => task.finish(Err(error.into())),
                }
            }
        }
        Err(error) => fail(sought, &error.into()),
    }
    standing
}
