//! Reads documents that Xero already has.

use domain::document::sales::SalesDocument;
use domain::failure::{Failure, FailureClass};
use domain::sync_log::LoggedOperation;
use xero::{Rows, XeroError};

use super::{Addressed, Sales, brought, told_if_gone};
use crate::desk::Desk;
use crate::entity::fail;

/// Reads the documents whose newest revision Xero already has, to show their state. Nothing is
/// written, so a paid document, or one in a closed period, stays unchanged.
pub(super) async fn look<T: Sales>(desk: &Desk<'_>, addressed: &[Addressed<'_, T::Snapshot>]) {
    let linked = |one: &Addressed<'_, T::Snapshot>| {
        let id = one.task.mapping.link.as_ref()?.xero_id;
        let is_known = one.task.mapping.synced_revision == Some(T::revision(&one.task.snapshot));
        (one.task.outcome.is_empty() && is_known).then_some(id)
    };
    let linked = addressed.iter().filter_map(|one| Some((one.task, linked(one)?)));
    let linked = linked.collect::<Vec<_>>();
    if linked.is_empty() {
        return;
    }
    let ids = linked.iter().map(|(_, id)| T::typed(*id)).collect::<Vec<_>>();
    let Rows { rows: found, undecodable } = match T::find_by_ids(&desk.session, &ids).await {
        Ok(found) => found,
        Err(error) => return fail(linked.into_iter().map(|(task, _)| task), &error.into()),
    };
    for (task, id) in linked {
        let remote = found.iter().find(|remote| remote.head().id == id);
        task.finish(match remote {
            Some(remote) => {
                let remarks = told_if_gone(remote).into_iter().collect();
                Ok(brought::<T>(task, remote, LoggedOperation::Push, remarks))
            }
            None => match undecodable.iter().find(|odd| odd.may_be(id.0)) {
                Some(odd) => Err(XeroError::from(odd).into()),
                None => Err(gone_without_trace(&T::number(&task.snapshot)).into()),
            },
        });
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
