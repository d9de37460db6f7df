//! Releases payments of the CRM that wait until it is decided whether Xero already has them.

use std::collections::BTreeSet;

use domain::entity::EntityKind;
use domain::failure::Failure;
use domain::ids::{CrmId, Ledger, PaymentId};
use domain::invoice_payments::InvoicePayments;
use domain::mapping::{Mapping, MappingKey};
use futures::FutureExt;
use store::StoreError;

use super::{ReleaseTerms, is_prerequisite_met, release_mappings};
use crate::error_chain::ErrorChain;
use crate::errors::{FirstError, PersistError};
use crate::sync::is_undecided;
use crate::{Engine, concurrency};

/// A payment of the CRM for which a payment in Xero was unclear, and the invoice that both pay.
pub(crate) type DecidedPayment = (CrmId, PaymentId);

/// Returns the payments of the CRM for which a change of an invoice's payments has decided whether
/// Xero has them ([`InvoicePayments::list_decided_since`]).
pub(crate) fn list_decided_payments(
    before: &InvoicePayments,
    after: &InvoicePayments,
) -> Vec<DecidedPayment> {
    let decided = after.list_decided_since(before).into_iter();
    decided.map(|payment| (after.invoice.clone(), payment.clone())).collect()
}

/// Releases the parts of these payments as [`release_decided_payments`] does. The decision is
/// recorded, so a failure is only logged; the sweep releases the parts later, also those that were
/// given up (`overlooked_changes`).
pub(crate) async fn try_release_decided_payments(
    engine: &Engine,
    ledger: &Ledger,
    decided: &[DecidedPayment],
) {
    if decided.is_empty() {
        return;
    }
    if let Err(error) = release_decided_payments(engine, ledger, decided).boxed().await {
        tracing::error!(
            error = %ErrorChain(&error),
            account.id = %ledger.account,
            "not every payment that waited for a decision was released; the sweep tries again"
        );
    }
}

/// Releases the parts of these payments that waited because a payment in Xero was unclear, and no
/// longer have to. All of them share wake-ups. An error of one payment is returned after the others
/// are released.
async fn release_decided_payments(
    engine: &Engine,
    ledger: &Ledger,
    decided: &[DecidedPayment],
) -> Result<(), PersistError> {
    let listed = decided.iter().map(|(invoice, payment)| {
        let parts = list_ready_parts(engine, ledger, invoice, payment);
        engine.skip_failing(&ledger.account, parts).boxed()
    });
    let (mut ready, mut failed) = (BTreeSet::new(), FirstError::new());
    for parts in concurrency::map_concurrently(listed.collect()).await {
        ready.extend(failed.keep_error(parts).flatten().into_iter().flatten());
    }
    let keys = ready.into_iter().collect::<Vec<MappingKey>>();
    let released = release_mappings(engine, ledger, keys, ReleaseTerms::AT_ONCE, |_| true).await;
    failed.keep_error(released);
    failed.into_result(())
}

/// Returns the parts of a payment that waited for a decision about this invoice, or failed for lack
/// of one, and no longer have to wait.
async fn list_ready_parts(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
    payment: &PaymentId,
) -> Result<Vec<MappingKey>, StoreError> {
    let awaited = MappingKey::new(ledger.clone(), EntityKind::Invoice, invoice.clone());
    let parts = engine.store.list_payment_parts(ledger, payment).await?;
    let mut ready = Vec::new();
    for part in parts.rows.into_iter().map(|row| row.record) {
        let is_ready = if part.awaited_record().as_ref() == Some(&awaited) {
            is_prerequisite_met(engine, &part).await?
        } else {
            has_failed_as_unclear(&part) && !is_undecided(engine, &part).await?
        };
        if is_ready {
            ready.push(part.key);
        }
    }
    Ok(ready)
}

/// Returns whether the last attempt found a payment in Xero that no poll had reported yet.
fn has_failed_as_unclear(part: &Mapping) -> bool {
    part.operation.failure.as_ref().is_some_and(Failure::is_about_unclear_payment)
}
