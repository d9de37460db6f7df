//! Handles documents that Xero refuses because their client's contact is no longer in use.

use std::collections::BTreeSet;

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::{CrmId, XeroContactId};
use domain::operation::{ParkingReason, Trigger};
use domain::recognise;
use xero::api::contacts;

use super::{Addressed, SalesEntity};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::error_chain::ErrorChain;
use crate::sync::prerequisite::read_prerequisite;
use crate::sync::push::{self, PushOffer};
use crate::sync::{
    ContactEntity, find_merge_target, is_about_unused_contact, unknown_contact_failure,
};

/// Relinks a client whose contact was merged to the contact it was merged into; its documents
/// continue at once. An archived contact becomes a failure that names it.
pub(super) async fn follow_merges<T: SalesEntity>(
    desk: &TenantSession<'_>,
    addressed: &[Addressed<'_, T::Snapshot>],
) {
    let mut seen = BTreeSet::new();
    for Addressed { task, contact } in addressed {
        if !task.is_refused(is_about_unused_contact) {
            continue;
        }
        let client = CrmId::from(T::sales_outline(&task.snapshot).client.clone());
        let outcome = match find_unusable_reason(desk, *contact).await {
            Ok(None) => {
                if seen.insert(client.clone()) {
                    relink_client(desk, &client).await;
                }
                Err(error_after_relinking(desk, client, *contact).await)
            }
            Ok(Some(failure)) => Err(AttemptError::Explained(failure)),
            Err(trouble) => Err(trouble),
        };
        task.record_outcome(outcome);
    }
}

/// Returns why a contact is unusable, or `None` if it leads to one that is in use.
async fn find_unusable_reason(
    desk: &TenantSession<'_>,
    contact: XeroContactId,
) -> Result<Option<Failure>, AttemptError> {
    match contacts::get(&desk.session, contact).await? {
        Some(found) => Ok(recognise::find_unusable_reason(&find_merge_target(desk, found).await?)),
        None => Ok(Some(unknown_contact_failure())),
    }
}

/// Pushes the client again, which relinks it. Errors are recorded in the client's own row.
async fn relink_client(desk: &TenantSession<'_>, client: &CrmId) {
    let offers = [PushOffer { crm_id: client.clone(), snapshot: None }];
    let (engine, person) = (desk.engine, Trigger::Person);
    let pushed =
        push::push_records::<ContactEntity>(engine, &desk.ledger, &offers, person, desk.invocation);
    if let Some(Err(error)) = pushed.await.pop() {
        tracing::warn!(error = %ErrorChain(&error), "a client could not be relinked");
    }
}

/// Returns the error of a document whose client was to be relinked. The document continues at once
/// if the client now has another contact. Otherwise the attempt counts as failed, because it would
/// fail again for the same reason.
async fn error_after_relinking(
    desk: &TenantSession<'_>,
    client: CrmId,
    contact: XeroContactId,
) -> AttemptError {
    let row = match read_prerequisite(desk, EntityKind::Contact, client.clone()).await {
        Ok(row) => row,
        Err(error) => return error.into(),
    };
    let link = row.as_ref().and_then(|row| row.link.as_ref());
    if link.is_some_and(|link| link.xero_id.0 != contact.0) {
        return merged_contact_error(desk, client);
    }
    let why = row.as_ref().and_then(|row| row.operation.failure.as_ref());
    let why = why.map(|failure| format!(" {failure}")).unwrap_or_default();
    AttemptError::Explained(Failure::new(
        FailureClass::Rejected,
        "client_not_relinked",
        format!(
            "The contact of the client {client} was merged into another one in Xero, to which the client could not be linked.{why}"
        ),
        "Link the client to the contact that it belongs to, or restore its contact in Xero, then retry.",
    ))
}

fn merged_contact_error(desk: &TenantSession<'_>, client: CrmId) -> AttemptError {
    let failure = Failure::new(
        FailureClass::Blocked,
        FailureCause::ContactMerged,
        format!("The contact of the client {client} was merged into another one in Xero."),
        "No action is needed: the next attempt uses that contact.",
    );
    let failure = failure.not_before(desk.engine.clock.now());
    let on = Box::new(ParkingReason::Prerequisite { kind: EntityKind::Contact, crm_id: client });
    AttemptError::Blocked { failure, on }
}
