//! Removes payments that were deleted in the CRM, unless they are reconciled or part of a batch.

use domain::crm::payment::{PaymentPart, Standing};
use domain::document::payment::MoneyStatus;
use domain::failure::{Failure, FailureClass};
use domain::sync_log::LoggedOperation;
use xero::api::{bank_transactions, payments};

use super::{Remote, Tasks, fetch, find, ground};
use crate::Memory;
use crate::desk::{Desk, Trouble};
use crate::entity::unknown_status::unknown_status;
use crate::entity::write::write_one;
use crate::entity::{Brought, Task, open};

/// Removes the parts whose payment was deleted. Xero deletes one payment per call.
pub(super) async fn remove(desk: &Desk<'_>, tasks: &Tasks<'_>) {
    for task in open(tasks, |task| task.snapshot.standing == Standing::Deleted) {
        let outcome = match standing(desk, task).await {
            Ok(remote) => remove_one(desk, task, remote).await,
            Err(trouble) => Err(trouble),
        };
        task.finish(outcome);
    }
}

/// Reads the document of a part: the linked one, or what an unanswered try may have left.
async fn standing(
    desk: &Desk<'_>,
    task: &Task<'_, PaymentPart>,
) -> Result<Option<Remote>, Trouble> {
    match &task.mapping.link {
        Some(link) => fetch(desk, task, link.xero_id).await,
        None if task.must_resolve() => match ground::known(desk, &task.snapshot).await? {
            Some(ground) => find::one(desk, task, ground).await,
            // The restored table may lack the invoice as well. It is sent again first.
            None if task.memory == Memory::Restored => Err(ground::awaited(&task.snapshot)),
            // Without its invoice the part cannot have been sent.
            None => Ok(None),
        },
        None => Ok(None),
    }
}

async fn remove_one(
    desk: &Desk<'_>,
    task: &Task<'_, PaymentPart>,
    remote: Option<Remote>,
) -> Result<Brought, Trouble> {
    let operation = LoggedOperation::Void;
    let Some(remote) = remote else {
        let remark = "It is not in Xero, so there is nothing to remove.".to_owned();
        return Ok(Brought { link: None, operation, remarks: vec![remark] });
    };
    let link = Some(remote.link(task));
    match remote.status() {
        MoneyStatus::Authorised => {}
        MoneyStatus::Deleted => return Ok(Brought { link, operation, remarks: Vec::new() }),
        MoneyStatus::Other(status) => {
            return Err(unknown_status(&task.snapshot.tag(), status).into());
        }
    }
    if let Some(failure) = fixed(&remote) {
        return Err(failure.into());
    }
    let session = &desk.session;
    let deleted = match remote {
        Remote::Payment(payment) => {
            let key = task.idempotency_key(&payments::deletion());
            let call = payments::delete(session, payment.id, &key);
            let deleted = write_one(task, call, |_| true).await;
            deleted.map(|(payment, remarks)| (Remote::Payment(payment), remarks))
        }
        Remote::Transaction(transaction) => {
            let body = bank_transactions::deletion(transaction.id);
            let key = task.idempotency_key(&body);
            let call = bank_transactions::delete(session, transaction.id, &key);
            let deleted = write_one(task, call, |_| true).await;
            deleted.map(|(transaction, remarks)| (Remote::Transaction(transaction), remarks))
        }
    };
    let (remote, remarks) = deleted.map_err(Trouble::Xero)?;
    Ok(Brought { link: Some(remote.link(task)), operation, remarks })
}

/// Returns why a payment must not be removed, if so.
fn fixed(remote: &Remote) -> Option<Failure> {
    let (is_reconciled, is_batched) = match remote {
        Remote::Payment(payment) => (payment.is_reconciled, payment.batch.is_some()),
        Remote::Transaction(transaction) => (transaction.is_reconciled, false),
    };
    let failure = |code: &'static str, message: &str, remedy: &str| {
        Some(Failure::new(FailureClass::Rejected, code, message, remedy))
    };
    if is_reconciled {
        return failure(
            "payment_reconciled",
            "The payment was deleted in the CRM, but in Xero it is reconciled with the bank statement.",
            "Undo the reconciliation in Xero, then retry; or choose Never send.",
        );
    }
    if is_batched {
        return failure(
            "payment_in_batch",
            "The payment was deleted in the CRM, but in Xero it is part of a batch payment.",
            "Remove the batch payment in Xero, or choose Never send.",
        );
    }
    None
}
