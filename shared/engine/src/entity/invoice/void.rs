//! Voiding: out of Xero's books.

use domain::document::invoice::{InvoiceStatus, RemoteInvoice};
use domain::ids::XeroInvoiceId;
use domain::recognise::FoundInvoice;
use domain::sync_log::LoggedOperation;
use futures::FutureExt;
use xero::api::invoices::{self, TargetStatus};

use super::{Contacts, Tasks, brought, find, is_voided, open};
use crate::desk::{Desk, Trouble};
use crate::entity::write::{Draft, Sent, Way, write};
use crate::entity::{Brought, Outcomes, batch_size};

/// Takes voided invoices out of Xero's books: a draft is deleted, an approved one voided. What never
/// got there has nothing to be taken out.
pub(super) async fn void(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    contacts: &Contacts,
    outcomes: &mut Outcomes,
) {
    let voided = open(tasks, outcomes, is_voided);
    if voided.is_empty() {
        return;
    }
    let mut drafts = Vec::new();
    for (index, remote) in standing(desk, tasks, contacts, voided, outcomes).await {
        let Some(task) = tasks.get(index) else { continue };
        let operation = LoggedOperation::Void;
        let Some(remote) = remote else {
            let remark = "It was never sent to Xero, so there is nothing to void.".to_owned();
            outcomes.set(index, Ok(Brought { link: None, operation, remarks: vec![remark] }));
            continue;
        };
        match target(&remote.status) {
            Some(status) => {
                let document = (remote.id, status);
                drafts.push(Draft { task: index, document, operation, remarks: Vec::new() });
            }
            None => {
                outcomes.set(index, Ok(brought(task, &remote, operation, Vec::new())));
            }
        }
    }
    let way = Way {
        call: |session, changes, key| invoices::set_status(session, changes, key).boxed(),
        body: invoices::status_body,
        batch: batch_size(tasks),
    };
    for Sent { task: index, operation, remarks, result } in
        write(&desk.session, tasks, drafts, &way).await
    {
        let Some(task) = tasks.get(index) else { continue };
        let outcome = result.map(|remote| brought(task, &remote, operation, remarks));
        outcomes.set(index, outcome.map_err(Trouble::Xero));
    }
}

/// What takes an invoice out of the books, if it is still in them.
const fn target(status: &InvoiceStatus) -> Option<TargetStatus> {
    match status {
        InvoiceStatus::Voided | InvoiceStatus::Deleted => None,
        InvoiceStatus::Draft | InvoiceStatus::Submitted => Some(TargetStatus::Deleted),
        InvoiceStatus::Authorised | InvoiceStatus::Paid | InvoiceStatus::Other(_) => {
            Some(TargetStatus::Voided)
        }
    }
}

/// The invoices as Xero has them: those that are linked by their ids, those that an unanswered try may
/// have left by their numbers. Somebody else's invoice is not ours to void.
async fn standing(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    contacts: &Contacts,
    voided: Vec<usize>,
    outcomes: &mut Outcomes,
) -> Vec<(usize, Option<RemoteInvoice>)> {
    let (mut linked, mut sought, mut standing) = (Vec::new(), Vec::new(), Vec::new());
    for index in voided {
        let Some(task) = tasks.get(index) else { continue };
        match &task.mapping.link {
            Some(link) => linked.push((index, XeroInvoiceId(link.xero_id.0))),
            None if task.must_resolve() => sought.push(index),
            None => standing.push((index, None)),
        }
    }
    let ids = linked.iter().map(|(_, id)| *id).collect::<Vec<_>>();
    match invoices::find_by_ids(&desk.session, &ids).await {
        Ok(found) => standing.extend(
            linked
                .into_iter()
                .map(|(index, id)| (index, found.iter().find(|remote| remote.id == id).cloned())),
        ),
        Err(error) => outcomes.fail(linked.into_iter().map(|(index, _)| index), &error.into()),
    }
    for (index, found) in find::remotes(desk, tasks, contacts, sought, outcomes).await {
        standing.push((
            index,
            match found {
                FoundInvoice::Ours(remote) => Some(remote),
                FoundInvoice::Nothing | FoundInvoice::Foreign(_) => None,
            },
        ));
    }
    standing
}
