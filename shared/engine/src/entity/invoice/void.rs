//! Voiding: out of Xero's books.

use domain::crm::invoice::Invoice as Snapshot;
use domain::document::invoice::{InvoiceStatus, RemoteInvoice};
use domain::ids::XeroInvoiceId;
use domain::recognise::FoundInvoice;
use domain::sync_log::LoggedOperation;
use xero::api::invoices::{self, TargetStatus};

use super::{brought, contact, find};
use crate::desk::{Desk, Trouble};
use crate::entity::{Brought, Task, only};

/// Takes the invoice out of Xero's books: a draft is deleted, an approved one voided. What never got
/// there has nothing to be taken out.
pub(super) async fn void(desk: &Desk<'_>, task: &Task<'_, Snapshot>) -> Result<Brought, Trouble> {
    let Some(remote) = to_be_voided(desk, task).await? else {
        let remark = "It was never sent to Xero, so there is nothing to void.".to_owned();
        let operation = LoggedOperation::Void;
        return Ok(Brought { link: None, operation, remarks: vec![remark] });
    };
    let target = match remote.status {
        InvoiceStatus::Voided | InvoiceStatus::Deleted => {
            return Ok(brought(task.snapshot, &remote, LoggedOperation::Void, Vec::new()));
        }
        InvoiceStatus::Draft | InvoiceStatus::Submitted => TargetStatus::Deleted,
        InvoiceStatus::Authorised | InvoiceStatus::Paid | InvoiceStatus::Other(_) => {
            TargetStatus::Voided
        }
    };
    let changes = [(remote.id, target)];
    let key = task.idempotency_key(&invoices::status_body(&changes));
    let written = invoices::set_status(&desk.session, &changes, &key).await?;
    let (remote, warnings) = only(written)?;
    Ok(brought(task.snapshot, &remote, LoggedOperation::Void, warnings))
}

async fn to_be_voided(
    desk: &Desk<'_>,
    task: &Task<'_, Snapshot>,
) -> Result<Option<RemoteInvoice>, Trouble> {
    if let Some(link) = &task.mapping.link {
        return Ok(invoices::get(&desk.session, XeroInvoiceId(link.xero_id.0)).await?);
    }
    if !task.must_resolve() {
        return Ok(None);
    }
    let contact = contact(desk, task.snapshot).await?;
    match find(desk, task, contact).await? {
        FoundInvoice::Ours(remote) => Ok(Some(remote)),
        // Somebody else's invoice is not ours to void.
        FoundInvoice::Nothing | FoundInvoice::Foreign(_) => Ok(None),
    }
}
