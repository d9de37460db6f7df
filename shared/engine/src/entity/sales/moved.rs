//! Documents that Xero refuses because their client's contact is in use no more.

use std::collections::BTreeSet;

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::{CrmId, XeroContactId};
use domain::operation::{Parking, Urgency};
use domain::recognise;
use xero::api::contacts;

use super::{Contacts, Sales, Tasks};
use crate::chain::Chain;
use crate::desk::{Desk, Trouble};
use crate::entity::{Contact, Outcomes, after_merges, is_about_use, no_contact};
use crate::push::{self, Offer};

/// A client whose contact was merged is linked to the one it was merged into, and its documents go on at once.
/// A contact that is archived is named.
pub(super) async fn settle<T: Sales>(
    desk: &Desk<'_>,
    tasks: &Tasks<'_, T>,
    contacts: &Contacts,
    outcomes: &mut Outcomes,
) {
    let mut seen = BTreeSet::new();
    for index in outcomes.refused(is_about_use) {
        let (Some(task), Some(contact)) = (tasks.get(index), contacts.get(&index)) else {
            continue;
        };
        let client = CrmId::from(T::outline(&task.snapshot).client.clone());
        let outcome = match unusable(desk, *contact).await {
            Ok(None) => {
                if seen.insert(client.clone()) {
                    relink(desk, &client).await;
                }
                Err(merged(desk, client))
            }
            Ok(Some(failure)) => Err(Trouble::Explained(failure)),
            Err(trouble) => Err(trouble),
        };
        outcomes.set(index, outcome);
    }
}

/// Why nothing can be done for a contact; none when it leads to one that is in use.
async fn unusable(desk: &Desk<'_>, contact: XeroContactId) -> Result<Option<Failure>, Trouble> {
    match contacts::get(&desk.session, contact).await? {
        Some(found) => Ok(recognise::unusable(&after_merges(desk, found).await?)),
        None => Ok(Some(no_contact())),
    }
}

/// Looking at the client's contact again links it anew. What goes wrong is in the client's own row.
async fn relink(desk: &Desk<'_>, client: &CrmId) {
    let offers = [Offer { crm_id: client.clone(), snapshot: None }];
    let (engine, person) = (desk.engine, Urgency::Person);
    let pushed = push::push::<Contact>(engine, &desk.ledger, &offers, person, desk.invocation);
    if let Some(Err(error)) = pushed.await.pop() {
        tracing::warn!(error = %Chain(&error), "a client was not linked anew");
    }
}

fn merged(desk: &Desk<'_>, client: CrmId) -> Trouble {
    let failure = Failure::new(
        FailureClass::Blocked,
        "contact_merged",
        format!("The contact of the client {client} was merged into another one in Xero."),
        "Nothing is needed: it goes on with that one.",
    );
    let failure = failure.not_before(desk.engine.clock.now());
    let on = Box::new(Parking::Prerequisite { kind: EntityKind::Contact, crm_id: client });
    Trouble::Blocked { failure, on }
}
