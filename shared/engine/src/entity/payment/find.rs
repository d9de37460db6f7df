//! Finds payments that an unanswered try may have left, by the reference that names the payment.

use std::collections::BTreeMap;

use domain::crm::payment::PaymentPart;
use domain::document::payment::{MoneyStatus, RemotePayment};
use domain::failure::Failure;
use domain::ids::XeroInvoiceId;
use domain::sync_log::LoggedOperation;
use xero::api::{bank_transactions, payments};
use xero::{Rows, XeroError};

use super::{Ground, Remote, Tasks};
use crate::desk::{Desk, Trouble};
use crate::entity::unknown_status::unknown_status;
use crate::entity::{Brought, Outcomes, Task};

/// Adopts what is found of the tasks' parts. Where Xero cannot be read, the error becomes the
/// outcome.
pub(super) async fn adopt(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    grounds: &BTreeMap<usize, Ground>,
    sought: Vec<usize>,
    outcomes: &mut Outcomes,
) {
    for (index, found) in find(desk, tasks, grounds, sought, outcomes).await {
        let Some(task) = tasks.get(index) else { continue };
        if let Some(remote) = found {
            let (link, operation) = (Some(remote.link(task)), LoggedOperation::Adopt);
            outcomes.set(index, Ok(Brought { link, operation, remarks: Vec::new() }));
        }
    }
}

/// Looks up the tasks' parts in Xero: the payments of all invoices in few calls, and each bank
/// transaction in a call of its own.
pub(super) async fn find(
    desk: &Desk<'_>,
    tasks: &Tasks<'_>,
    grounds: &BTreeMap<usize, Ground>,
    sought: Vec<usize>,
    outcomes: &mut Outcomes,
) -> Vec<(usize, Option<Remote>)> {
    let mut found = Vec::new();
    let (mut on_invoices, mut alone) = (Vec::new(), Vec::new());
    for index in sought {
        match grounds.get(&index) {
            Some(Ground::Invoice(invoice)) => on_invoices.push((index, *invoice)),
            Some(Ground::Contact(_) | Ground::None) => alone.push(index),
            None => {}
        }
    }
    let invoices = on_invoices.iter().map(|(_, invoice)| *invoice).collect::<Vec<_>>();
    match payments::of_invoices(&desk.session, &invoices).await {
        Ok(all) => {
            for (index, invoice) in on_invoices {
                let Some(task) = tasks.get(index) else { continue };
                match ours(task, invoice, &all) {
                    Ok(ours) => found.push((index, ours)),
                    Err(trouble) => outcomes.set(index, Err(trouble)),
                }
            }
        }
        Err(error) => outcomes.fail(on_invoices.into_iter().map(|(index, _)| index), &error.into()),
    }
    for index in alone {
        let Some(task) = tasks.get(index) else { continue };
        match one(desk, task, Ground::None).await {
            Ok(remote) => found.push((index, remote)),
            Err(trouble) => outcomes.set(index, Err(trouble)),
        }
    }
    found
}

/// Looks up one part in Xero.
pub(super) async fn one(
    desk: &Desk<'_>,
    task: &Task<'_, PaymentPart>,
    ground: Ground,
) -> Result<Option<Remote>, Trouble> {
    if let Ground::Invoice(invoice) = ground {
        let all = payments::of_invoices(&desk.session, &[invoice]).await?;
        return ours(task, invoice, &all);
    }
    let tag = task.snapshot.tag();
    let all = bank_transactions::find_by_reference(&desk.session, &tag).await?;
    let same = all.rows.into_iter().filter(|one| one.total == task.snapshot.amount);
    let ours = standing(same.map(Remote::Transaction), &tag)?;
    match all.undecodable.iter().find(|odd| odd.may_have_reference(&tag)) {
        Some(odd) if ours.is_none() => Err(XeroError::from(odd).into()),
        Some(_) | None => Ok(ours),
    }
}

fn ours(
    task: &Task<'_, PaymentPart>,
    invoice: XeroInvoiceId,
    all: &Rows<RemotePayment>,
) -> Result<Option<Remote>, Trouble> {
    let tag = task.snapshot.tag();
    let same = all.rows.iter().filter(|one| {
        one.invoice == Some(invoice)
            && one.reference.as_deref() == Some(tag.as_str())
            && one.amount == task.snapshot.amount.amount
    });
    let ours = standing(same.cloned().map(Remote::Payment), &tag)?;
    let odd = all.undecodable.iter();
    let odd =
        odd.filter(|odd| odd.may_belong_to(invoice.0)).find(|odd| odd.may_have_reference(&tag));
    match odd {
        // The unreadable row may be this payment, so no second one is created.
        Some(odd) if ours.is_none() => Err(XeroError::from(odd).into()),
        Some(_) | None => Ok(ours),
    }
}

/// The one of these that counts. One whose status is not known may count, so nothing is made beside it.
fn standing(same: impl Iterator<Item = Remote>, tag: &str) -> Result<Option<Remote>, Failure> {
    let mut unknown = None;
    for remote in same {
        match remote.status() {
            MoneyStatus::Authorised => return Ok(Some(remote)),
            MoneyStatus::Deleted => {}
            MoneyStatus::Other(status) => unknown = Some(unknown_status(tag, status)),
        }
    }
    unknown.map_or(Ok(None), Err)
}
