//! Finds payments that Xero already has by other means: through the bank, or entered by hand.
//! Writing such a payment would count its money twice.

use domain::crm::payment::{PartRole, PaymentPart};
use domain::failure::{Failure, FailureClass};
use domain::ids::CrmId;
use domain::invoice_payments::{Counterpart, ReceivedPayment};
use domain::sync_log::LoggedOperation;

use super::PartWithPrerequisite;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::Synced;

/// Sets the outcome of the parts that Xero has by other means, as far as the polls have seen it. A
/// part that Xero may have fails until a person decides.
pub(super) async fn complete_known_parts(
    tenant_session: &TenantSession<'_>,
    parts: &[PartWithPrerequisite<'_>],
) {
    for PartWithPrerequisite { task, prerequisite: _ } in parts {
        if !task.outcome.is_empty() {
            continue;
        }
        match find_counterpart(tenant_session, &task.snapshot).await {
            Ok(Some(synced)) => task.set_outcome(Ok(synced)),
            Ok(None) => {}
            Err(error) => task.set_outcome(Err(error)),
        }
    }
}

/// Returns the result of a part that Xero has by other means.
async fn find_counterpart(
    tenant_session: &TenantSession<'_>,
    part: &PaymentPart,
) -> Result<Option<Synced>, AttemptError> {
    let PartRole::Invoice(invoice) = &part.role else { return Ok(None) };
    if part.method.is_always_pushed() {
        return Ok(None);
    }
    let (store, ledger) = (&tenant_session.engine.store, &tenant_session.ledger);
    let rows = store.find_invoice_payments(ledger, &CrmId::from(invoice.clone())).await?;
    let Some(rows) = rows else { return Ok(None) };
    match rows.record.find_counterpart(&part.payment) {
        Some(Counterpart::Same(received)) => {
            let remarks = vec![describe_counterpart(received)];
            Ok(Some(Synced { link: None, operation: LoggedOperation::Push, remarks }))
        }
        Some(Counterpart::Possible(received)) => Err(unclear_failure(part, received).into()),
        None => Ok(None),
    }
}

fn describe_counterpart(received: &ReceivedPayment) -> String {
    let payment = describe_payment(received);
    format!("It was not sent, because Xero already has it as {payment}.")
}

fn unclear_failure(part: &PaymentPart, received: &ReceivedPayment) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "payment_unclear",
        format!(
            "Xero has {}, which may be this payment of {}, so it was not sent.",
            describe_payment(received),
            part.amount
        ),
        "Decide which payment it is; this payment is then sent if Xero does not have it.",
    )
}

fn describe_payment(received: &ReceivedPayment) -> String {
    let date = received.date.map(|date| format!(" of {date}")).unwrap_or_default();
    format!("a payment of {}{date}", received.amount)
}
