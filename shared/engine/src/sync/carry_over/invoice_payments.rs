//! Carries over the payments of invoices together with the invoices.

use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger};
use domain::mapping::Mapping;
use domain::operation::WriteTrace;
use futures::FutureExt;
use store::StoreError;

use super::PAGE;
use crate::sync::invoice_payments;
use crate::{Engine, Invocation};

/// Moves the payments that the CRM recorded before the connection. Returns `false` if time ran out.
pub(super) async fn carry_over_invoice_payments(
    engine: &Engine,
    source: &Ledger,
    target: &Ledger,
    invocation: Invocation,
) -> Result<bool, StoreError> {
    let mut after: Option<CrmId> = None;
    loop {
        if engine.clock.now() > invocation.last_call {
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

/// Moves the payments of one invoice. The carry-over that a concurrent writer requests moves what
/// it has written.
async fn move_invoice_payments(
    engine: &Engine,
    source: &Ledger,
    invoice: &CrmId,
    target: &Ledger,
) -> Result<(), StoreError> {
    let Some(rows) = engine.store.find_invoice_payments(source, invoice).await? else {
        return Ok(());
    };
    invoice_payments::merge_payments(engine, target, &rows.record).await?;
    engine.store.remove_invoice_payments(&rows).await
}

/// Moves the payments that the CRM recorded on an invoice that is not in the books of the previous
/// organisation.
pub(super) async fn carry_over_payments_of(
    engine: &Engine,
    source: &Ledger,
    mapping: &Mapping,
    target: &Ledger,
) -> Result<(), StoreError> {
    let is_moved = mapping.key.kind == EntityKind::Invoice
        && mapping.link.is_none()
        && mapping.operation.trace == WriteTrace::Clean
        && !mapping.is_held(engine.clock.now());
    if !is_moved {
        return Ok(());
    }
    move_invoice_payments(engine, source, &mapping.key.crm_id, target).await
}
