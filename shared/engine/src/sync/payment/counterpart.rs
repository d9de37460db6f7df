//! Finds payments that Xero already has by other means: through the bank, or entered by hand.
//! Writing such a payment would count its money twice.

use std::collections::BTreeSet;

use domain::crm::payment::{PartRole, PaymentPart};
use domain::document::payment::{MoneyStatus, RemotePayment};
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::{CrmId, Ledger, PaymentId, XeroInvoiceId};
use domain::invoice_payments::{Counterpart, InvoicePayments, PaymentMatch, ReceivedPayment};
use domain::mapping::Mapping;
use domain::money::Money;
use domain::operation::ParkingReason;
use domain::sync_log::LoggedOperation;
use jiff::Timestamp;
use store::StoreError;
use xero::api::payments;
use xero::{DecodedRows, XeroError};

use super::{PartWithPrerequisite, PaymentPrerequisite};
use crate::Engine;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::{Synced, fail_tasks};

/// Maximum steps in which the payments on an invoice are compared. Far fewer are needed; the limit
/// stops an endless loop in case of a defect.
const STEPS_MAX: usize = 200;

/// A part that is about to be written, the invoice that it pays, and the known payments on it.
struct UnknownPart<'a> {
    part: PartWithPrerequisite<'a>,
    invoice: XeroInvoiceId,
    known: InvoicePayments,
}

/// Sets the outcome of the parts that Xero has by other means: as far as the polls have seen it, or
/// as Xero shows it now, because the next poll may be a quarter of an hour away. A part that Xero
/// may have waits until a person decides.
pub(super) async fn complete_known_parts(
    tenant_session: &TenantSession<'_>,
    parts: &[PartWithPrerequisite<'_>],
) {
    let mut unknown = Vec::new();
    for part in parts.iter().filter(|part| part.task.outcome.is_empty()) {
        let (task, PaymentPrerequisite::Invoice(invoice)) = (part.task, part.prerequisite) else {
            continue;
        };
        let engine = tenant_session.engine;
        match find_known_payments(engine, &tenant_session.ledger, &task.snapshot).await {
            Ok(Some(known)) => match known.find_counterpart(&task.snapshot.payment) {
                Some(Counterpart::Same(received)) => task.set_outcome(Ok(known_part(received))),
                Some(Counterpart::Possible(received)) => {
                    task.set_outcome(Err(undecided_error(&task.snapshot, received)));
                }
                None => unknown.push(UnknownPart { part: *part, invoice, known }),
            },
            Ok(None) => {}
            Err(error) => task.set_outcome(Err(error.into())),
        }
    }
    if !unknown.is_empty() {
        complete_unseen_parts(tenant_session, unknown).await;
    }
}

/// Sets the outcome of the parts whose money is on their invoices in Xero, where no poll has seen it
/// yet, and of those whose money an unreadable payment there may be.
async fn complete_unseen_parts(tenant_session: &TenantSession<'_>, unknown: Vec<UnknownPart<'_>>) {
    let ids = unknown.iter().map(|one| one.invoice).collect::<BTreeSet<_>>();
    let ids = ids.into_iter().collect::<Vec<_>>();
    let found = payments::find_by_invoices(&tenant_session.api, &ids).await;
    let DecodedRows { rows: found, undecodable } = match found {
        Ok(found) => found,
        Err(error) => {
            return fail_tasks(unknown.into_iter().map(|one| one.part.task), &error.into());
        }
    };
    let now = tenant_session.engine.clock.now();
    for UnknownPart { part, invoice, mut known } in unknown {
        let snapshot = &part.task.snapshot;
        let present = found.iter().filter(|payment| {
            payment.parent == Some(invoice.into()) && payment.status != MoneyStatus::Deleted
        });
        let present = present.map(|payment| as_received(payment, snapshot, now));
        let present = present.collect::<Vec<_>>();
        for _ in 0..STEPS_MAX {
            if known.observe_payments(&present).is_all {
                break;
            }
        }
        match known.find_counterpart(&snapshot.payment) {
            Some(Counterpart::Same(received)) => part.task.set_outcome(Ok(known_part(received))),
            // The next poll asks a person to decide; then this part waits for the decision.
            Some(Counterpart::Possible(received)) => {
                let failure = unclear_failure(snapshot, received, FailureClass::Rejected);
                part.task.set_outcome(Err(failure.into()));
            }
            None => {
                // The unreadable row may be this payment, so no second one is created.
                let odd = undecodable.iter().find(|odd| odd.may_belong_to(invoice.0));
                if let Some(odd) = odd {
                    part.task.set_outcome(Err(XeroError::from(odd).into()));
                }
            }
        }
    }
}

/// A payment in Xero as a poll would see it. Its account does not matter here.
fn as_received(payment: &RemotePayment, part: &PaymentPart, now: Timestamp) -> ReceivedPayment {
    let received = ReceivedPayment {
        id: payment.id,
        amount: Money::new(payment.amount, part.amount.currency),
        date: payment.date,
        reference: payment.reference.clone(),
        account: None,
        batch: payment.batch,
        is: PaymentMatch::Imported,
        seen_at: now,
        compared_with: Vec::new(),
    };
    received.with_clipped_texts()
}

/// Returns the known payments on the invoice of a part. `None` if the part cannot reach Xero by
/// other means.
async fn find_known_payments(
    engine: &Engine,
    ledger: &Ledger,
    part: &PaymentPart,
) -> Result<Option<InvoicePayments>, StoreError> {
    let PartRole::Invoice(invoice) = &part.role else { return Ok(None) };
    if part.method.is_always_pushed() {
        return Ok(None);
    }
    let rows = engine.store.find_invoice_payments(ledger, &CrmId::from(invoice.clone())).await?;
    Ok(rows.map(|rows| rows.record))
}

/// Returns whether a part waits for a person to decide if Xero already has its money.
pub(crate) async fn is_undecided(engine: &Engine, mapping: &Mapping) -> Result<bool, StoreError> {
    let known = find_payments_beside(engine, mapping).await?;
    Ok(known.is_some_and(|(payment, known)| known.is_undecided(&payment)))
}

/// Returns whether it was decided if Xero already has the money of a part, after the attempt began
/// that failed because this was unclear.
pub(crate) async fn is_decided_since_failure(
    engine: &Engine,
    mapping: &Mapping,
) -> Result<bool, StoreError> {
    let Some((payment, known)) = find_payments_beside(engine, mapping).await? else {
        return Ok(false);
    };
    let is_later = known.decided_at.is_some_and(|at| mapping.has_failed_before(at));
    Ok(is_later && !known.is_undecided(&payment))
}

/// Returns the payment of a part, and the known payments on its invoice. `None` if the part cannot
/// reach Xero by other means.
async fn find_payments_beside(
    engine: &Engine,
    mapping: &Mapping,
) -> Result<Option<(PaymentId, InvoicePayments)>, StoreError> {
    if mapping.key.kind != EntityKind::Payment {
        return Ok(None);
    }
    // An attempt at the part reports a snapshot that cannot be read.
    let Ok(part) = mapping.snapshot.parse_text::<PaymentPart>() else {
        return Ok(None);
    };
    let known = find_known_payments(engine, &mapping.key.ledger, &part).await?;
    Ok(known.map(|known| (part.payment, known)))
}

/// The result of a part that Xero has by other means.
fn known_part(received: &ReceivedPayment) -> Synced {
    let payment = describe_payment(received);
    let remarks = vec![format!("It was not sent, because Xero already has it as {payment}.")];
    Synced { link: None, operation: LoggedOperation::Push, remarks }
}

/// The error of a part that waits for a person's decision. It is released by the decision, or by the
/// poll that sees that the payment was removed in Xero.
fn undecided_error(part: &PaymentPart, received: &ReceivedPayment) -> AttemptError {
    let failure = unclear_failure(part, received, FailureClass::Blocked);
    let PartRole::Invoice(invoice) = &part.role else { return failure.into() };
    let (kind, crm_id) = (EntityKind::Invoice, CrmId::from(invoice.clone()));
    AttemptError::Blocked { failure, on: Box::new(ParkingReason::Prerequisite { kind, crm_id }) }
}

fn unclear_failure(part: &PaymentPart, received: &ReceivedPayment, class: FailureClass) -> Failure {
    Failure::new(
        class,
        FailureCause::PaymentUnclear,
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
