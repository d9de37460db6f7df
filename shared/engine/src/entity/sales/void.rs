//! Voids documents in Xero.

use domain::document::sales::{DocumentStatus, SalesDocument};
use domain::failure::Failure;
use domain::recognise::FoundDocument;
use domain::sync_log::LoggedOperation;
use xero::api::TargetStatus;
use xero::{Rows, XeroError};

use super::{Contacts, Sales, Tasks, brought, find, is_voided, open};
use crate::desk::{Desk, Trouble};
use crate::entity::unknown_status::unknown_status;
use crate::entity::write::{Draft, Sent, write};
use crate::entity::{Brought, Outcomes, batch_size};

/// Voids documents in Xero: a draft is deleted, an approved document is voided. A document that was
/// never sent needs neither.
pub(super) async fn void<T: Sales>(
    desk: &Desk<'_>,
    tasks: &Tasks<'_, T>,
    contacts: &Contacts,
    outcomes: &mut Outcomes,
) {
    let voided = open::<T>(tasks, outcomes, is_voided::<T>);
    if voided.is_empty() {
        return;
    }
    let mut drafts = Vec::new();
    for (index, remote) in standing::<T>(desk, tasks, contacts, voided, outcomes).await {
        let Some(task) = tasks.get(index) else { continue };
        let operation = LoggedOperation::Void;
        let Some(remote) = remote else {
            let remark = "It was never sent to Xero, so there is nothing to void.".to_owned();
            outcomes.set(index, Ok(Brought { link: None, operation, remarks: vec![remark] }));
            continue;
        };
        match target(&T::number(&task.snapshot), remote.head().status) {
            Ok(Some(status)) => {
                let document = (T::typed(remote.head().id), status);
                drafts.push(Draft { task: index, document, operation, remarks: Vec::new() });
            }
            Ok(None) => {
                outcomes.set(index, Ok(brought::<T>(task, &remote, operation, Vec::new())));
            }
            Err(failure) => outcomes.set(index, Err(failure.into())),
        }
    }
    let way = T::ending(batch_size(tasks));
    for Sent { task: index, operation, remarks, result } in
        write(&desk.session, tasks, drafts, &way).await
    {
        let Some(task) = tasks.get(index) else { continue };
        let outcome = result.map(|remote| brought::<T>(task, &remote, operation, remarks));
        outcomes.set(index, outcome.map_err(Trouble::Xero));
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

/// Reads the documents from Xero: linked ones by their ids, and those that an unanswered try may
/// have left by their numbers. Foreign documents are not voided.
async fn standing<T: Sales>(
    desk: &Desk<'_>,
    tasks: &Tasks<'_, T>,
    contacts: &Contacts,
    voided: Vec<usize>,
    outcomes: &mut Outcomes,
) -> Vec<(usize, Option<T::Remote>)> {
    let (mut linked, mut sought, mut standing) = (Vec::new(), Vec::new(), Vec::new());
    for index in voided {
        let Some(task) = tasks.get(index) else { continue };
        match &task.mapping.link {
            Some(link) => linked.push((index, link.xero_id)),
            None if task.must_resolve() => sought.push(index),
            None => standing.push((index, None)),
        }
    }
    let ids = linked.iter().map(|(_, id)| T::typed(*id)).collect::<Vec<_>>();
    match T::find_by_ids(&desk.session, &ids).await {
        Ok(Rows { rows: found, undecodable }) => {
            for (index, id) in linked {
                let remote = found.iter().find(|remote| remote.head().id == id).cloned();
                match undecodable.iter().find(|odd| odd.may_be(id.0)) {
                    Some(odd) if remote.is_none() => {
                        outcomes.set(index, Err(XeroError::from(odd).into()));
                    }
                    Some(_) | None => standing.push((index, remote)),
                }
            }
        }
        Err(error) => outcomes.fail(linked.into_iter().map(|(index, _)| index), &error.into()),
    }
    for (index, found) in find::remotes::<T>(desk, tasks, contacts, sought, outcomes).await {
        standing.push((
            index,
            match found {
                FoundDocument::Ours(remote) => Some(remote),
                FoundDocument::Nothing | FoundDocument::Foreign(_) => None,
            },
        ));
    }
    standing
}
