//! Looking invoices up by their numbers: ours is adopted, somebody else's refused, none is none. One call
//! for a batch.

use domain::document::invoice::{InvoiceStatus, NewStatus, RemoteInvoice};
use domain::failure::Failure;
use domain::money::Money;
use domain::recognise::{self, ExpectedInvoice, FoundInvoice};
use domain::sync_log::LoggedOperation;
use domain::totals;
use domain::translate::invoice::crm_url;
use xero::api::invoices;

use super::{Contacts, Target, Tasks, brought, told_if_gone};
use crate::desk::Desk;
use crate::entity::{Brought, Outcomes};

/// What was found under an invoice's numbers.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing that stands in the way of creating it.
    Nothing,
    /// The invoice we made earlier, still to be brought to this snapshot.
    Ours(Target),
    /// The invoice we made earlier, which takes no changes any more.
    Settled(Brought),
    /// Somebody else's invoice.
    Foreign(Failure),
}

/// Looks the tasks' invoices up. Where Xero does not tell, they have their outcome.
pub(super) async fn find(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    contacts: &Contacts,
    sought: Vec<usize>,
    outcomes: &mut Outcomes,
) -> Vec<(usize, Found)> {
    let found = remotes(desk, tasks, contacts, sought, outcomes).await;
    let decide = |(index, found)| {
        let found = match found {
            FoundInvoice::Nothing => Found::Nothing,
            FoundInvoice::Foreign(failure) => Found::Foreign(failure),
            FoundInvoice::Ours(remote) => ours(tasks, index, &remote)?,
        };
        Some((index, found))
    };
    found.into_iter().filter_map(decide).collect()
}

/// What Xero has under the tasks' numbers, and whose it is.
pub(super) async fn remotes(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    contacts: &Contacts,
    sought: Vec<usize>,
    outcomes: &mut Outcomes,
) -> Vec<(usize, FoundInvoice)> {
    let known = sought.iter().filter_map(|index| tasks.get(*index));
    let numbers = known.flat_map(|task| task.mapping.natural_keys()).collect::<Vec<_>>();
    let numbers = numbers.iter().map(String::as_str).collect::<Vec<_>>();
    if numbers.is_empty() {
        return Vec::new();
    }
    match invoices::find_by_numbers(&desk.session, &numbers).await {
        Ok(found) => {
            let whose = |index| Some((index, whose(desk, tasks, contacts, index, &found)?));
            sought.into_iter().filter_map(whose).collect()
        }
        Err(error) => {
            outcomes.fail(sought, &error.into());
            Vec::new()
        }
    }
}

fn whose(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    contacts: &Contacts,
    index: usize,
    found: &[RemoteInvoice],
) -> Option<FoundInvoice> {
    let task = tasks.get(index)?;
    let invoice = &task.snapshot;
    let numbers = task.mapping.natural_keys();
    let numbers = numbers.iter().map(String::as_str).collect::<Vec<_>>();
    let expected = ExpectedInvoice {
        number: &invoice.number,
        numbers: &numbers,
        url: &crm_url(desk.engine.places.crm.as_str(), &invoice.id),
        contact: contacts.get(&index).copied(),
        total: Money::new(totals::of(invoice).total, invoice.currency),
        left: &task.mapping.left,
    };
    Some(recognise::invoice(found, expected))
}

/// What was found may be of an older snapshot. An update settles that, where one is still allowed.
fn ours(tasks: &Tasks<'_>, index: usize, remote: &RemoteInvoice) -> Option<Found> {
    let task = tasks.get(index)?;
    let untouched = remote.amount_due == remote.total;
    let editable = matches!(
        remote.status,
        InvoiceStatus::Draft | InvoiceStatus::Submitted | InvoiceStatus::Authorised
    );
    let operation = LoggedOperation::Adopt;
    if editable && untouched {
        // What we make is approved; so is what we take over.
        let draft = remote.status != InvoiceStatus::Authorised;
        let status = draft.then_some(NewStatus::Authorised);
        return Some(Found::Ours(Target::Existing { id: remote.id, status, operation }));
    }
    let remarks = told_if_gone(remote).into_iter().collect();
    Some(Found::Settled(brought(task, remote, operation, remarks)))
}
