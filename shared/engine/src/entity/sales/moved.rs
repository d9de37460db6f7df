//! Handles documents that Xero refuses because their client's contact is no longer in use.

use std::collections::BTreeSet;

use domain::entity::EntityKind;
use domain::failure::{Cause, Failure, FailureClass};
use domain::ids::{CrmId, XeroContactId};
use domain::operation::{Parking, Urgency};
use domain::recognise;
use xero::api::contacts;

use super::{Addressed, Sales};
use crate::chain::Chain;
use crate::desk::{Desk, Trouble};
use crate::entity::prerequisite::read;
use crate::entity::{Contact, after_merges, is_about_use, no_contact};
use crate::push::{self, Offer};

/// Relinks a client whose contact was merged to the contact it was merged into; its documents
/// continue at once. An archived contact becomes a failure that names it.
pub(super) async fn settle<T: Sales>(desk: &Desk<'_>, addressed: &[Addressed<'_, T::Snapshot>]) {
    let mut seen = BTreeSet::new();
    for Addressed { task, contact } in addressed {
        if !task.is_refused(is_about_use) {
            continue;
        }
        let client = CrmId::from(T::outline(&task.snapshot).client.clone());
        let outcome = match unusable(desk, *contact).await {
            Ok(None) => {
                if seen.insert(client.clone()) {
                    relink(desk, &client).await;
                }
                Err(after_relinking(desk, client, *contact).await)
            }
            Ok(Some(failure)) => Err(Trouble::Explained(failure)),
            Err(trouble) => Err(trouble),
        };
        task.finish(outcome);
    }
}

/// Returns why a contact is unusable, or `None` if it leads to one that is in use.
async fn unusable(desk: &Desk<'_>, contact: XeroContactId) -> Result<Option<Failure>, Trouble> {
    match contacts::get(&desk.session, contact).await? {
        Some(found) => Ok(recognise::unusable(&after_merges(desk, found).await?)),
        None => Ok(Some(no_contact())),
    }
}

/// Pushes the client again, which relinks it. Errors are recorded in the client's own row.
async fn relink(desk: &Desk<'_>, client: &CrmId) {
    let offers = [Offer { crm_id: client.clone(), snapshot: None }];
    let (engine, person) = (desk.engine, Urgency::Person);
    let pushed = push::push::<Contact>(engine, &desk.ledger, &offers, person, desk.invocation);
    if let Some(Err(error)) = pushed.await.pop() {
        tracing::warn!(error = %Chain(&error), "a client could not be relinked");
    }
}

/// Returns the error of a document whose client was to be relinked. The document continues at once
/// if the client now has another contact. Otherwise the attempt counts as failed, because it would
/// fail again for the same reason.
async fn after_relinking(desk: &Desk<'_>, client: CrmId, contact: XeroContactId) -> Trouble {
    let row = match read(desk, EntityKind::Contact, client.clone()).await {
        Ok(row) => row,
        Err(error) => return error.into(),
    };
    let link = row.as_ref().and_then(|row| row.link.as_ref());
    if link.is_some_and(|link| link.xero_id.0 != contact.0) {
        return merged(desk, client);
    }
    let why = row.as_ref().and_then(|row| row.operation.failure.as_ref());
    let why = why.map(|failure| format!(" {failure}")).unwrap_or_default();
    Trouble::Explained(Failure::new(
        FailureClass::Rejected,
        "client_not_relinked",
        format!(
            "The contact of the client {client} was merged into another one in Xero, to which the client could not be linked.{why}"
        ),
        "Link the client to the contact that it belongs to, or restore its contact in Xero, then retry.",
    ))
}

fn merged(desk: &Desk<'_>, client: CrmId) -> Trouble {
    let failure = Failure::new(
        FailureClass::Blocked,
        Cause::ContactMerged,
        format!("The contact of the client {client} was merged into another one in Xero."),
        "No action is needed: the next attempt uses that contact.",
    );
    let failure = failure.not_before(desk.engine.clock.now());
    let on = Box::new(Parking::Prerequisite { kind: EntityKind::Contact, crm_id: client });
    Trouble::Blocked { failure, on }
}
