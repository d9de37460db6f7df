//! Carries over the payments of invoices together with the invoices.

use domain::crm::payment::{PartRole, PaymentPart, PaymentRecordStatus};
use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger, PaymentId};
use domain::mapping::Mapping;
use futures::FutureExt;
use store::StoreError;

use super::PAGE;
use crate::sync::outbox::derive_event_id;
use crate::sync::{invoice_payments, push};
use crate::{Engine, Invocation, concurrency};

/// Moves the payments that the CRM recorded before the connection. Returns `false` if time ran out.
pub(super) async fn carry_over_invoice_payments(
    engine: &Engine,
    source: &Ledger,
    target: &Ledger,
    invocation: Invocation,
) -> Result<bool, StoreError> {
    let mut after: Option<CrmId> = None;
    loop {
        if invocation.is_past_last_call(engine.clock.now()) {
            return Ok(false);
        }
        let invoices =
            engine.store.list_invoices_with_payments(source, after.as_ref(), PAGE).await?;
        let Some(last) = invoices.last().cloned() else { return Ok(true) };
        for invoice in invoices {
            let moved = move_invoice_payments(engine, source, &invoice, target).boxed();
            engine.skip_failing(&source.account, moved).await?;
        }
        after = Some(last);
    }
}

/// Moves the payments of one invoice, as far as the invoice has room for them in the new ledger.
/// The others are refused, as if they arrived now. The carry-over that a concurrent writer requests
/// moves what it has written.
async fn move_invoice_payments(
    engine: &Engine,
    source: &Ledger,
    invoice: &CrmId,
    target: &Ledger,
) -> Result<(), StoreError> {
    let Some(rows) = engine.store.find_invoice_payments(source, invoice).await? else {
        return Ok(());
    };
    let beyond = invoice_payments::merge_payments(engine, target, &rows.record).await?;
    let refusals = beyond.iter().filter(|payment| payment.is_in_effect());
    let refusals =
        refusals.map(|payment| refuse_payment(engine, target, invoice, &payment.payment).boxed());
    let refused = concurrency::map_concurrently(refusals.collect()).await;
    refused.into_iter().collect::<Result<(), StoreError>>()?;
    engine.store.remove_invoice_payments(&rows).await
}

/// Refuses a payment on an invoice that has the maximum number of payments. If the move is
/// repeated, the CRM recognises the event.
async fn refuse_payment(
    engine: &Engine,
    target: &Ledger,
    invoice: &CrmId,
    payment: &PaymentId,
) -> Result<(), StoreError> {
    let (account, tenant) = (&target.account, &target.tenant);
    let seed = format!("not carried over\n{tenant}\n{invoice}\n{payment}");
    let id = CrmId::from(payment.clone());
    let subject = (EntityKind::Payment, id.clone(), id.to_string());
    let failure = push::too_many_payments_failure(invoice);
    push::refuse_record_as(engine, derive_event_id(account, &seed), account, subject, &failure)
        .await
}

/// Refuses the payment of which a record is a share, if the invoice has no room for it in the new
/// ledger. Returns whether it did. If [`move_invoice_payments`] refused the payment already, the
/// CRM recognises the event.
pub(super) async fn refuse_share_without_room(
    engine: &Engine,
    mapping: &Mapping,
    target: &Ledger,
) -> Result<bool, StoreError> {
    if mapping.key.kind != EntityKind::Payment {
        return Ok(false);
    }
    let Ok(part) = mapping.snapshot.parse_text::<PaymentPart>() else {
        return Ok(false);
    };
    let PartRole::Invoice(invoice) = part.role else { return Ok(false) };
    if part.standing == PaymentRecordStatus::Deleted {
        return Ok(false);
    }
    let invoice = CrmId::from(invoice);
    let rows = engine.store.find_invoice_payments(target, &invoice).await?;
    let has_room = rows.is_none_or(|rows| rows.record.has_room_for(&part.payment));
    if !has_room {
        refuse_payment(engine, target, &invoice, &part.payment).await?;
    }
    Ok(!has_room)
}

/// Moves the payments that the CRM recorded on an invoice that is not in the books of the previous
/// organisation.
pub(super) async fn carry_over_unsynced_payments(
    engine: &Engine,
    source: &Ledger,
    mapping: &Mapping,
    target: &Ledger,
) -> Result<(), StoreError> {
    let is_moved = mapping.key.kind == EntityKind::Invoice
        && mapping.link.is_none()
        && !mapping.operation.may_have_written();
    if !is_moved {
        return Ok(());
    }
    move_invoice_payments(engine, source, &mapping.key.crm_id, target).await
}
