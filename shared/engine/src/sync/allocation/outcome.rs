//! The outcomes of allocations.

use domain::crm::allocation::Allocation as Snapshot;
use domain::failure::{Failure, FailureClass};
use domain::ids::XeroAllocationId;
use domain::mapping::XeroLink;
use domain::sync_log::LoggedOperation;

use crate::connection::tenant_session::AttemptError;
use crate::sync::{SyncTask, Synced};

/// Returns the error of an allocation that Xero accepted and does not show yet.
pub(super) fn allocation_not_shown_error() -> AttemptError {
    let failure = Failure::new(
        FailureClass::Uncertain,
        "allocation_not_shown",
        "Xero accepted the allocation but does not list it yet.",
        "No action is needed: the next attempt checks first and applies nothing twice.",
    );
    failure.into()
}

/// Returns the outcome of an allocation that Xero has or had.
pub(super) fn synced_allocation(
    task: &SyncTask<'_, Snapshot>,
    id: XeroAllocationId,
    operation: LoggedOperation,
    remarks: Vec<String>,
) -> Synced {
    let number = Some(task.snapshot.display_name());
    let link = XeroLink {
        xero_id: id.into(),
        number,
        xero_updated_at: None,
        amounts: None,
        contact: None,
    };
    Synced { link: Some(link), operation, remarks }
}
