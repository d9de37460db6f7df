//! Finds payments that an unanswered try may have left, by the reference that names the payment.

use domain::crm::payment::PaymentPart;
use domain::document::payment::{MoneyStatus, RemotePayment};
use domain::failure::Failure;
use domain::ids::XeroInvoiceId;
use domain::sync_log::LoggedOperation;
use xero::api::{bank_transactions, payments};
use xero::{Rows, XeroError};

use super::{Ground, Part, Remote};
use crate::desk::{Desk, Trouble};
use crate::entity::unknown_status::unknown_status;
use crate::entity::{Brought, Task, fail};

/// Looks up the parts of which an unanswered try may have left a document, and adopts what is
/// found: the payments of all invoices in few calls, and each bank transaction in a call of its
/// own. Where Xero cannot be read, the error becomes the outcome.
pub(super) async fn adopt(desk: &Desk<'_>, parts: &[Part<'_>]) {
    let (mut on_invoices, mut alone) = (Vec::new(), Vec::new());
    for Part { task, ground } in parts.iter().filter(|part| part.task.must_resolve()) {
        match ground {
            Ground::Invoice(invoice) => on_invoices.push((*task, *invoice)),
            Ground::Contact(_) | Ground::None => alone.push(*task),
        }
    }
    let invoices = on_invoices.iter().map(|(_, invoice)| *invoice).collect::<Vec<_>>();
    match payments::of_invoices(&desk.session, &invoices).await {
        Ok(all) => {
            for (task, invoice) in on_invoices {
                adopt_found(task, ours(task, invoice, &all));
            }
        }
        Err(error) => fail(on_invoices.into_iter().map(|(task, _)| task), &error.into()),
    }
    for task in alone {
        adopt_found(task, one(desk, task, Ground::None).await);
    }
}

fn adopt_found(task: &Task<'_, PaymentPart>, found: Result<Option<Remote>, Trouble>) {
    match found {
        Ok(Some(remote)) => {
            let (link, operation) = (Some(remote.link(task)), LoggedOperation::Adopt);
            task.finish(Ok(Brought { link, operation, remarks: Vec::new() }));
        }
        Ok(None) => {}
        Err(trouble) => task.finish(Err(trouble)),
    }
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

/// Returns the one of these that counts. One with an unknown status may count, so no second one may
/// be created.
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
