//! The invoices of payments that are recorded and not written to Xero.

use domain::crm::FIRST_REVISION;
use domain::crm::payment::{Payment, PaymentRecordStatus};
use domain::ids::{AccountId, CrmId, Ledger};
use domain::invoice_payments::PaidInvoices;
use futures::FutureExt;
use store::table::WriteExpectation;
use store::{StoreError, VersionedRecord};

use super::record_deletion;
use crate::Engine;

/// Returns the invoices that a payment named when it was only recorded. `None` for the first revision,
/// which nothing precedes.
pub(crate) async fn find_earlier_invoices(
    engine: &Engine,
    account: &AccountId,
    payment: &Payment,
) -> Result<Option<VersionedRecord<PaidInvoices>>, StoreError> {
    if payment.revision <= FIRST_REVISION {
        return Ok(None);
    }
    engine.store.find_paid_invoices(account, &payment.id).await
}

/// Stores the invoices of a payment that is only recorded. A deletion takes the payment off those
/// that it does not name, too. `earlier` is what [`find_earlier_invoices`] returned. May be
/// interrupted and repeated.
pub(crate) async fn keep_paid_invoices(
    engine: &Engine,
    ledger: &Ledger,
    payment: &Payment,
    earlier: Option<VersionedRecord<PaidInvoices>>,
) -> Result<(), StoreError> {
    match payment.standing {
        PaymentRecordStatus::Recorded => {
            store_paid_invoices(engine, &ledger.account, payment, earlier).await
        }
        PaymentRecordStatus::Deleted => {
            let Some(earlier) = earlier else { return Ok(()) };
            for invoice in earlier.record.unnamed_by(payment) {
                let invoice = CrmId::from(invoice.clone());
                let share = (&payment.id, payment.revision);
                let deletion = record_deletion(engine, ledger, &invoice, share).boxed();
                engine.skip_failing(&ledger.account, deletion).await?;
            }
            Ok(())
        }
    }
}

async fn store_paid_invoices(
    engine: &Engine,
    account: &AccountId,
    payment: &Payment,
    earlier: Option<VersionedRecord<PaidInvoices>>,
) -> Result<(), StoreError> {
    let paid = PaidInvoices::of_payment(account.clone(), payment);
    if earlier.as_ref().is_some_and(|row| row.record.revision >= paid.revision) {
        return Ok(());
    }
    let expect = WriteExpectation::from(earlier.map(|row| row.version));
    match engine.store.put_paid_invoices(&paid, expect).await {
        // The message was processed before, or a later one was.
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}
