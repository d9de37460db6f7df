//! Determines the contacts to which documents are addressed.

use std::collections::BTreeSet;

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::{CrmId, XeroContactId};
use domain::mapping::Mapping;
use domain::operation::{OperationState, ParkingReason};

use super::{SalesEntity, SalesTasks, TaskWithContact, is_voided};
use crate::connection::tenant_session::AttemptError;
use crate::sync::KnownClients;

/// Returns the clients whose contacts the tasks need. Voiding needs no contact.
pub(in crate::sync) fn list_clients<T: SalesEntity>(tasks: &SalesTasks<'_, T>) -> BTreeSet<CrmId> {
    let needing = tasks.iter().filter(|task| !is_voided::<T>(task));
    needing.map(|task| client_id_of::<T>(&task.snapshot)).collect()
}

/// Returns the tasks with the contacts of their clients. A task whose client has no contact gets a
/// blocked outcome. Tasks to be voided are left out: voiding needs no contact.
pub(super) fn address_documents<'a, T: SalesEntity>(
    tasks: &'a SalesTasks<'a, T>,
    clients: &KnownClients,
) -> Vec<TaskWithContact<'a, T::Snapshot>> {
    let mut tasks_with_contacts = Vec::with_capacity(tasks.len());
    for task in tasks.iter().filter(|task| !is_voided::<T>(task)) {
        let client = client_id_of::<T>(&task.snapshot);
        if let Some(error) = clients.failed.get(&client) {
            task.set_outcome(Err(error.clone().into()));
            continue;
        }
        let row = clients.rows.get(&client);
        match row.and_then(|row| row.link.as_ref()) {
            Some(link) => {
                let contact = XeroContactId(link.xero_id.0);
                tasks_with_contacts.push(TaskWithContact { task, contact, repetition: 0 });
            }
            None => task.set_outcome(Err(missing_client_error(client, row))),
        }
    }
    tasks_with_contacts
}

/// Returns the client of a document.
pub(super) fn client_id_of<T: SalesEntity>(snapshot: &T::Snapshot) -> CrmId {
    T::sales_outline(snapshot).client.clone().into()
}

/// Returns the error of a document that waits for its client. If the client waits for a limit, the
/// document waits for the same instant. Otherwise it waits for the client, whose link releases it at
/// once: a person may correct or link a client that fails long before its next retry.
fn missing_client_error(crm_id: CrmId, client: Option<&Mapping>) -> AttemptError {
    let operation = client.map(|client| &client.operation);
    let why = operation.and_then(|operation| operation.failure.as_ref());
    let detail = why.map(|failure| format!(" {failure}")).unwrap_or_default();
    let is_withheld =
        operation.is_some_and(|operation| operation.state == OperationState::Withheld);
    let (message, remedy) = if is_withheld {
        (
            format!("The client {crm_id} is marked Never send, so it is not in Xero."),
            "Send the client with Sync now, or link it to a contact. Or choose Never send for this document, too.",
        )
    } else {
        (format!("The client {crm_id} is not in Xero yet.{detail}"), "")
    };
    let failure = Failure::new(FailureClass::Blocked, "client_not_in_xero", message, remedy);
    let is_failing = why.is_some_and(|failure| failure.class.is_counted());
    let failure = match operation.map(|operation| &operation.state) {
        Some(OperationState::Waiting { until }) if !is_failing => failure.with_not_before(*until),
        Some(
            OperationState::Due
            | OperationState::Waiting { until: _ }
            | OperationState::Claimed { by: _, until: _ }
            | OperationState::Parked { on: _ }
            | OperationState::Synced
            | OperationState::Skipped
            | OperationState::Withheld,
        )
        | None => failure,
    };
    let on = Box::new(ParkingReason::Prerequisite { kind: EntityKind::Contact, crm_id });
    AttemptError::Blocked { failure, on }
}
