//! Limits the refunds of one invoice. Each returns money by a credit note of its own, which Xero
//! does not compare with what was paid on the invoice.

mod amount;

use domain::crm::payment::{PartRole, PaymentPart};
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::{CrmId, XeroContactId};
use domain::invoice_payments::{InvoicePayments, InvoiceRefund, REFUNDS_MAX, RefundAdmission};
use domain::mapping::{Mapping, MappingKey};
use domain::money::Money;
use domain::operation::{OperationState, WriteTrace};
use futures::FutureExt;
use store::{ConflictLimit, InvoicePaymentRows, StoreError};
use xero::ApiSession;

use self::amount::find_limit;
use super::invoice_client::{read_invoice_snapshot, require_contact};
use super::refund_notes::{NotedRefunds, find_note_key, parse_part, read_noted_refunds};
use super::unwritten_refunds::find_unwritten_refunds;
use crate::Engine;
use crate::connection::tenant_session::{AttemptError, TenantSession};

/// Admits a refund on an invoice, and records it with the invoice's payments before anything of it
/// is written. All refunds of an invoice together return at most its total and at most what was
/// paid on it: nothing if every known payment was deleted, and the total if no payment was ever
/// known. The first time, the credit notes of the contact's refunds are read from Xero: they show
/// refunds that the rows do not have, and which ones were voided.
///
/// # Errors
///
/// Fails if the refund exceeds this together with the others. It is not retried before the invoice
/// changes, or the refunds do.
pub(super) async fn admit_refund(
    tenant_session: &TenantSession<'_>,
    invoice: &Mapping,
    contact: XeroContactId,
    part: &PaymentPart,
) -> Result<(), AttemptError> {
    let (engine, number) = (tenant_session.engine, &invoice.snapshot.natural_key);
    let billed = find_billed_total(invoice);
    let mut noted = None;
    let mut conflicts = ConflictLimit::default();
    loop {
        let rows = read_payments_of(engine, &invoice.key).await?;
        let mut payments = rows.record.clone();
        // What is wrong with such a refund is explained when its credit note is built.
        let Some(limit) = find_limit(invoice, billed, &payments, part) else { return Ok(()) };
        if payments.counts_refund(&as_invoice_refund(part)) {
            return Ok(());
        }
        if noted.is_none() {
            let read = read_noted_refunds(engine, &tenant_session.api, &invoice.key, contact);
            noted = Some(read.boxed().await?);
        }
        if let Some(noted) = &noted {
            noted.apply_to(&mut payments);
        }
        let is_sent = noted.as_ref().is_some_and(|noted| noted.has_note_of(part));
        let admission = if is_sent {
            payments.add_sent_refund(&as_invoice_refund(part));
            RefundAdmission::Admitted
        } else {
            admit_or_forget_withheld(engine, &mut payments, part, limit.amount).await?
        };
        // The others are recorded even if this one is refused.
        if payments != rows.record
            && let Err(error) = engine.store.put_invoice_payments(&rows, payments, None, &[]).await
        {
            conflicts.allow_retry(error)?;
            continue;
        }
        return match admission {
            RefundAdmission::Known | RefundAdmission::Admitted => Ok(()),
            RefundAdmission::Exceeds(returned) => {
                Err(limit.to_failure(number, returned, part.amount).into())
            }
            RefundAdmission::TooMany => Err(too_many_failure(number).into()),
        };
    }
}

/// Returns whether a refund that was refused because of the limit may be sent now, as far as the
/// rows say. Makes no call to Xero.
pub(crate) async fn has_room_for_refund(
    engine: &Engine,
    refused: &Mapping,
) -> Result<bool, StoreError> {
    let Some((part, invoice)) = read_refused_refund(engine, refused).await? else {
        return Ok(false);
    };
    let mut payments = read_payments_of(engine, &invoice.key).await?.record;
    let billed = find_billed_total(&invoice);
    let Some(limit) = find_limit(&invoice, billed, &payments, &part) else { return Ok(false) };
    let admission = admit_or_forget_withheld(engine, &mut payments, &part, limit.amount).await?;
    Ok(match admission {
        RefundAdmission::Known | RefundAdmission::Admitted => true,
        RefundAdmission::Exceeds(_) | RefundAdmission::TooMany => false,
    })
}

/// Reads from Xero which refunds count on the invoice of a refund that was refused because of the
/// limit, and records that. Repeating it does no harm.
pub(crate) async fn refresh_refunds(
    tenant_session: &TenantSession<'_>,
    session: &ApiSession,
    refused: &Mapping,
) -> Result<(), AttemptError> {
    let engine = tenant_session.engine;
    let Some((part, invoice)) = read_refused_refund(engine, refused).await? else {
        return Ok(());
    };
    let PartRole::RefundNote(id) = &part.role else { return Ok(()) };
    let contact = match require_contact(engine, &invoice.key.ledger, id, &invoice).await {
        Err(AttemptError::Blocked { .. }) => return Ok(()),
        contact => contact?,
    };
    let noted = read_noted_refunds(engine, session, &invoice.key, contact).boxed().await?;
    let payments = read_payments_of(engine, &invoice.key).await?.record;
    let unwritten = find_unwritten_refunds(engine, session, &payments).boxed().await?;
    let noted = noted.with_ended(unwritten);
    record_noted_refunds(engine, &invoice.key, &noted).await.map_err(AttemptError::from)
}

async fn record_noted_refunds(
    engine: &Engine,
    invoice: &MappingKey,
    noted: &NotedRefunds,
) -> Result<(), StoreError> {
    let mut conflicts = ConflictLimit::default();
    loop {
        let rows = read_payments_of(engine, invoice).await?;
        let mut payments = rows.record.clone();
        noted.apply_to(&mut payments);
        if payments == rows.record {
            return Ok(());
        }
        match engine.store.put_invoice_payments(&rows, payments, None, &[]).await {
            Ok(_) => return Ok(()),
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

/// Returns the part of a refused refund, and the mapping of its invoice. `None` if either is
/// missing.
async fn read_refused_refund(
    engine: &Engine,
    refused: &Mapping,
) -> Result<Option<(PaymentPart, Mapping)>, StoreError> {
    let Some(part) = parse_part(refused) else { return Ok(None) };
    let PartRole::RefundNote(id) = &part.role else { return Ok(None) };
    let (ledger, id) = (refused.key.ledger.clone(), CrmId::from(id.clone()));
    let key = MappingKey::new(ledger, EntityKind::Invoice, id);
    let invoice = engine.store.find_mapping(&key).await?;
    Ok(invoice.map(|invoice| (part, invoice.record)))
}

async fn read_payments_of(
    engine: &Engine,
    invoice: &MappingKey,
) -> Result<InvoicePaymentRows, StoreError> {
    let (ledger, crm_id) = (&invoice.ledger, &invoice.crm_id);
    let rows = engine.store.find_invoice_payments(ledger, crm_id).await?;
    Ok(rows.unwrap_or_else(|| InvoicePaymentRows::without_payments(ledger.clone(), crm_id.clone())))
}

fn find_billed_total(invoice: &Mapping) -> Option<Money> {
    read_invoice_snapshot(invoice).map(|snapshot| snapshot.billed_total())
}

fn as_invoice_refund(part: &PaymentPart) -> InvoiceRefund {
    InvoiceRefund { refund: part.payment.clone(), amount: part.amount }
}

/// Admits a refund, if necessary after forgetting those that are never to be sent.
async fn admit_or_forget_withheld(
    engine: &Engine,
    payments: &mut InvoicePayments,
    part: &PaymentPart,
    limit: Money,
) -> Result<RefundAdmission, StoreError> {
    let refund = as_invoice_refund(part);
    let admission = payments.admit_refund(&refund, limit);
    let is_refused = matches!(admission, RefundAdmission::Exceeds(_) | RefundAdmission::TooMany);
    if is_refused && forget_withheld_refunds(engine, payments).await? {
        return Ok(payments.admit_refund(&refund, limit));
    }
    Ok(admission)
}

/// Forgets the refunds that are never to be sent and cannot have been written. Returns whether there
/// are any.
async fn forget_withheld_refunds(
    engine: &Engine,
    payments: &mut InvoicePayments,
) -> Result<bool, StoreError> {
    let mut withheld = Vec::new();
    for known in &payments.refunds {
        // The sweep, which asks for this too, has no permission to read rows together.
        let note = engine.store.find_mapping(&find_note_key(payments, known)).await?;
        if note.is_some_and(|note| is_withheld_before_write(&note.record)) {
            withheld.push(known.refund.clone());
        }
    }
    for refund in &withheld {
        payments.forget_refund(refund);
    }
    Ok(!withheld.is_empty())
}

/// Returns whether a user chose Never send for a record that Xero cannot have.
pub(crate) fn is_withheld_before_write(mapping: &Mapping) -> bool {
    mapping.link.is_none()
        && mapping.operation.state == OperationState::Withheld
        && mapping.operation.trace == WriteTrace::Clean
}

fn too_many_failure(number: &str) -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        FailureCause::RefundOverPaid,
        format!("{number} already has {REFUNDS_MAX} refunds, the most that one invoice can have."),
        "Record the refund in Xero, then choose Never send.",
    )
}
