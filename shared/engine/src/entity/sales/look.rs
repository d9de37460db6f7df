//! Reads documents that Xero already has.

use domain::document::sales::SalesDocument;
use domain::failure::{Failure, FailureClass};
use domain::sync_log::LoggedOperation;
use xero::{Rows, XeroError};

use super::{Sales, Tasks, brought, is_voided, open, told_if_gone};
use crate::desk::Desk;
use crate::entity::{Outcomes, Task};

/// Reads the documents whose newest revision Xero already has, to show their state. Nothing is
/// written, so a paid document, or one in a closed period, stays unchanged.
pub(super) async fn look<T: Sales>(desk: &Desk<'_>, tasks: &Tasks<'_, T>, outcomes: &mut Outcomes) {
    let known = |task: &Task<'_, T::Snapshot>| {
        task.mapping.link.is_some()
            && !is_voided::<T>(task)
            && task.mapping.synced_revision == Some(T::revision(&task.snapshot))
    };
    let looked_at = open::<T>(tasks, outcomes, known);
    let linked = |index: &usize| {
        let task = tasks.get(*index)?;
        let link = task.mapping.link.as_ref()?;
        Some((*index, task, link.xero_id))
    };
    let linked = looked_at.iter().filter_map(linked).collect::<Vec<_>>();
    if linked.is_empty() {
        return;
    }
    let ids = linked.iter().map(|(_, _, id)| T::typed(*id)).collect::<Vec<_>>();
    let Rows { rows: found, undecodable } = match T::find_by_ids(&desk.session, &ids).await {
        Ok(found) => found,
        Err(error) => return outcomes.fail(looked_at, &error.into()),
    };
    for (index, task, id) in linked {
        let remote = found.iter().find(|remote| remote.head().id == id);
        outcomes.set(
            index,
            match remote {
                Some(remote) => {
                    let remarks = told_if_gone(remote).into_iter().collect();
                    Ok(brought::<T>(task, remote, LoggedOperation::Push, remarks))
                }
                None => match undecodable.iter().find(|odd| odd.may_be(id.0)) {
                    Some(odd) => Err(XeroError::from(odd).into()),
                    None => Err(gone_without_trace(&T::number(&task.snapshot)).into()),
                },
            },
        );
    }
}

fn gone_without_trace(number: &str) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "document_missing",
        format!("{number} is no longer in Xero."),
        "Check in Xero what happened to it.",
    )
}
