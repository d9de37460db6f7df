//! Voiding: out of Xero's books.

use domain::document::sales::{DocumentStatus, SalesDocument};
use domain::recognise::FoundDocument;
use domain::sync_log::LoggedOperation;
use xero::api::TargetStatus;
use xero::{Rows, XeroError};

use super::{Contacts, Sales, Tasks, brought, find, is_voided, open};
use crate::desk::{Desk, Trouble};
use crate::entity::write::{Draft, Sent, write};
use crate::entity::{Brought, Outcomes, batch_size};

/// Takes voided documents out of Xero's books: a draft is deleted, an approved one voided. What never
/// got there has nothing to be taken out.
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
        match target(remote.head().status) {
            Some(status) => {
                let document = (T::typed(remote.head().id), status);
                drafts.push(Draft { task: index, document, operation, remarks: Vec::new() });
            }
            None => {
                outcomes.set(index, Ok(brought::<T>(task, &remote, operation, Vec::new())));
            }
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

/// What takes a document out of the books, if it is still in them.
const fn target(status: &DocumentStatus) -> Option<TargetStatus> {
    match status {
        DocumentStatus::Voided | DocumentStatus::Deleted => None,
        DocumentStatus::Draft | DocumentStatus::Submitted => Some(TargetStatus::Deleted),
        DocumentStatus::Authorised | DocumentStatus::Paid | DocumentStatus::Other(_) => {
            Some(TargetStatus::Voided)
        }
    }
}

/// The documents as Xero has them: those that are linked by their ids, those that an unanswered try may
/// have left by their numbers. Somebody else's document is not ours to void.
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
