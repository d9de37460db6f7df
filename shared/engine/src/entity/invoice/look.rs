//! Looking at what Xero has already.

use domain::crm::invoice::Invoice as Snapshot;
use domain::failure::{Failure, FailureClass};
use domain::ids::XeroInvoiceId;
use domain::sync_log::LoggedOperation;
use xero::api::invoices;

use super::{Tasks, brought, is_voided, open, told_if_gone};
use crate::desk::Desk;
use crate::entity::{Outcomes, Task};

/// Xero has these revisions already: somebody wants to know how they stand there. Nothing is written,
/// so that a paid invoice, or one in a closed period, stays as it is.
pub(super) async fn look(desk: &Desk<'_>, tasks: &Tasks<'_>, outcomes: &mut Outcomes) {
    let known = |task: &Task<'_, Snapshot>| {
        task.mapping.link.is_some()
            && !is_voided(task)
            && task.mapping.synced_revision == Some(task.snapshot.revision)
    };
    let looked_at = open(tasks, outcomes, known);
    let linked = |index: &usize| {
        let task = tasks.get(*index)?;
        let link = task.mapping.link.as_ref()?;
        Some((*index, task, XeroInvoiceId(link.xero_id.0)))
    };
    let linked = looked_at.iter().filter_map(linked).collect::<Vec<_>>();
    if linked.is_empty() {
        return;
    }
    let ids = linked.iter().map(|(_, _, id)| *id).collect::<Vec<_>>();
    let found = match invoices::find_by_ids(&desk.session, &ids).await {
        Ok(found) => found,
        Err(error) => return outcomes.fail(looked_at, &error.into()),
    };
    for (index, task, id) in linked {
        let remote = found.iter().find(|remote| remote.id == id);
        outcomes.set(
            index,
            match remote {
                Some(remote) => {
                    let remarks = told_if_gone(remote).into_iter().collect();
                    Ok(brought(task, remote, LoggedOperation::Push, remarks))
                }
                None => Err(gone_without_trace(&task.snapshot).into()),
            },
        );
    }
}

fn gone_without_trace(invoice: &Snapshot) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "document_missing",
        format!("{} is no longer in Xero.", invoice.number),
        "Check in Xero what became of it.",
    )
}
