//! Limits the refunds of one invoice. Each returns money by a credit note of its own, which Xero
//! does not compare with what was paid on the invoice.

use domain::crm::payment::PaymentPart;
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::Ledger;
use domain::invoice_payments::{InvoicePayments, InvoiceRefund, REFUNDS_MAX, RefundAdmission};
use domain::mapping::{Mapping, MappingKey};
use domain::money::Money;
use domain::operation::OperationState;
use store::{ConflictLimit, InvoicePaymentRows, StoreError};

use crate::Engine;
use crate::connection::tenant_session::AttemptError;

/// The most that the refunds of an invoice may return together.
struct RefundLimit {
    amount: Money,
    /// Whether it is what was paid, and not the invoice's total.
    is_paid: bool,
}

/// Admits a refund on an invoice, and records it with the invoice's payments before anything of it
/// is written. All refunds of an invoice together return at most what was paid on it: nothing if
/// every known payment was deleted. If no payment was ever known, they return at most its total,
/// `billed`.
///
/// # Errors
///
/// Fails if the refund exceeds this together with the others. It is not retried before the invoice
/// changes.
pub(super) async fn admit_refund(
    engine: &Engine,
    invoice: &Mapping,
    billed: Option<Money>,
    part: &PaymentPart,
) -> Result<(), AttemptError> {
    let ledger = &invoice.key.ledger;
    let (crm_id, number) = (&invoice.key.crm_id, &invoice.snapshot.natural_key);
    let refund = InvoiceRefund { refund: part.payment.clone(), amount: part.amount };
    let mut conflicts = ConflictLimit::default();
    loop {
        let rows = engine.store.find_invoice_payments(ledger, crm_id).await?;
        let rows = rows.unwrap_or_else(|| {
            InvoicePaymentRows::without_payments(ledger.clone(), crm_id.clone())
        });
        let mut payments = rows.record.clone();
        // What is wrong with such a refund is explained when its credit note is built.
        let Some(limit) = find_limit(invoice, billed, &payments, part) else { return Ok(()) };
        let mut admission = payments.admit_refund(&refund, limit.amount);
        if matches!(admission, RefundAdmission::Exceeds(_) | RefundAdmission::TooMany)
            && forget_withheld_refunds(engine, ledger, &mut payments).await?
        {
            admission = payments.admit_refund(&refund, limit.amount);
        }
        match admission {
            RefundAdmission::Known => return Ok(()),
            RefundAdmission::Admitted => {}
            RefundAdmission::Exceeds(returned) => {
                return Err(excess_failure(number, &limit, returned, part.amount).into());
            }
            RefundAdmission::TooMany => return Err(too_many_failure(number).into()),
        }
        match engine.store.put_invoice_payments(&rows, payments, None, &[]).await {
            Ok(_) => return Ok(()),
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

/// Returns the limit of an invoice's refunds. `None` if the refund has another currency than the
/// invoice or exceeds its total, or if the total is unknown.
fn find_limit(
    invoice: &Mapping,
    billed: Option<Money>,
    payments: &InvoicePayments,
    part: &PaymentPart,
) -> Option<RefundLimit> {
    let billed = billed?;
    if part.amount.currency != billed.currency || part.amount.amount > billed.amount {
        return None;
    }
    let known = payments.paid_amount(billed.currency);
    let in_xero = invoice.link.as_ref().and_then(|link| link.amounts.as_ref()?.amount_paid);
    let in_xero = in_xero.filter(|paid| paid.currency == billed.currency);
    let paid = in_xero.filter(|paid| paid.amount > known.amount).unwrap_or(known);
    let is_paid = !paid.amount.is_zero() || payments.has_known_payments();
    Some(RefundLimit { amount: if is_paid { paid } else { billed }, is_paid })
}

/// Forgets the refunds that are never to be sent and were not written. Returns whether there are
/// any.
async fn forget_withheld_refunds(
    engine: &Engine,
    ledger: &Ledger,
    payments: &mut InvoicePayments,
) -> Result<bool, StoreError> {
    let mut withheld = Vec::new();
    for known in &payments.refunds {
        let key = MappingKey::new(ledger.clone(), EntityKind::Payment, known.note_part_id());
        let note = engine.store.find_mapping(&key).await?;
        let is_withheld = note.is_some_and(|note| {
            note.record.link.is_none() && note.record.operation.state == OperationState::Withheld
        });
        if is_withheld {
            withheld.push(known.refund.clone());
        }
    }
    for refund in &withheld {
        payments.forget_refund(refund);
    }
    Ok(!withheld.is_empty())
}

fn excess_failure(number: &str, limit: &RefundLimit, returned: Money, amount: Money) -> Failure {
    let total = if limit.is_paid {
        format!("{} was paid on {number}", limit.amount)
    } else {
        format!("The total of {number} is {}", limit.amount)
    };
    let returned = if returned.amount.is_zero() {
        String::new()
    } else {
        format!(", of which other refunds return {returned}")
    };
    Failure::new(
        FailureClass::Untranslatable,
        FailureCause::RefundOverPaid,
        format!("{total}{returned}, so {amount} cannot be refunded on it."),
        "Check the refunds of the invoice. If this one was not made, choose Never send. If another one was not made, choose Never send for that one, or delete it in Xero, then sync this one again. If a payment is missing, record it, then sync the refund again.",
    )
}

fn too_many_failure(number: &str) -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        FailureCause::RefundOverPaid,
        format!("{number} already has {REFUNDS_MAX} refunds, the most that one invoice can have."),
        "Record the refund in Xero, then choose Never send.",
    )
}
