//! Records a payment on each of its invoices.

use domain::crm::payment::{Payment, PaymentRecordStatus};
use domain::ids::{CrmId, InvoiceId, Ledger};
use domain::invoice_payments::RecordedPayment;
use futures::FutureExt;

use super::change_in_steps;
use crate::Engine;
use crate::errors::{PersistError, isolate_record};

/// The result of recording a payment.
#[derive(Debug)]
pub(crate) enum RecordPaymentOutcome {
    /// The payment is recorded on each of its invoices, except for these shares.
    Done {
        /// The shares that could not be recorded.
        failed: Vec<FailedShare>,
    },
    /// The payment was recorded before with other details, and was not changed.
    Contradicts,
    /// An invoice already has the maximum number of payments. The payment is recorded on none of
    /// its invoices.
    TooMany(CrmId),
}

/// A share that can never be recorded, because the rows of its invoice cannot be read or written.
#[derive(Debug)]
pub(crate) struct FailedShare {
    /// The invoice.
    pub(crate) invoice: InvoiceId,
    /// The reason.
    pub(crate) error: PersistError,
}

/// Whether a share may be recorded on its invoice.
enum ShareAdmission {
    Admitted,
    /// The invoice does not know the payment, and it was deleted.
    NothingToRecord,
    Contradicts,
    NoRoom,
}

/// Records a payment on each of its invoices, so that it is recognised when Xero has it. An invoice
/// whose rows are damaged fails its own share only. May be interrupted and repeated.
pub(crate) async fn record_payment(
    engine: &Engine,
    ledger: &Ledger,
    payment: &Payment,
) -> Result<RecordPaymentOutcome, PersistError> {
    let (mut admitted, mut failed, mut full) = (Vec::new(), Vec::new(), None);
    for share in &payment.allocations {
        let invoice = share.invoice_id.clone();
        let Some(recorded) = RecordedPayment::from_payment(payment, &invoice) else { continue };
        let crm_id = CrmId::from(invoice.clone());
        let admission = admit_share(engine, ledger, &crm_id, &recorded).boxed();
        match isolate_record(admission).await {
            Ok(ShareAdmission::Admitted) => admitted.push((invoice, recorded)),
            Ok(ShareAdmission::NothingToRecord) => {}
            Ok(ShareAdmission::Contradicts) => return Ok(RecordPaymentOutcome::Contradicts),
            Ok(ShareAdmission::NoRoom) => full = Some(crm_id),
            Err(error) if error.is_about_the_record() => {
                failed.push(FailedShare { invoice, error });
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(invoice) = full {
        return Ok(RecordPaymentOutcome::TooMany(invoice));
    }
    for (invoice, recorded) in admitted {
        let crm_id = CrmId::from(invoice.clone());
        let recording = record_share(engine, ledger, &crm_id, &recorded).boxed();
        match isolate_record(recording).await {
            Ok(()) => {}
            Err(error) if error.is_about_the_record() => {
                failed.push(FailedShare { invoice, error });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(RecordPaymentOutcome::Done { failed })
}

async fn admit_share(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
    recorded: &RecordedPayment,
) -> Result<ShareAdmission, PersistError> {
    let Some(rows) = engine.store.find_invoice_payments(ledger, invoice).await? else {
        return Ok(ShareAdmission::Admitted);
    };
    let known = rows.record;
    if known.contradicts_recorded(recorded) {
        return Ok(ShareAdmission::Contradicts);
    }
    if known.has_room_for(&recorded.payment) {
        return Ok(ShareAdmission::Admitted);
    }
    Ok(match recorded.standing {
        PaymentRecordStatus::Recorded => ShareAdmission::NoRoom,
        PaymentRecordStatus::Deleted => ShareAdmission::NothingToRecord,
    })
}

async fn record_share(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
    recorded: &RecordedPayment,
) -> Result<(), PersistError> {
    let changed = change_in_steps(engine, ledger, invoice, |payments| {
        let before = payments.clone();
        let changes = payments.record_payment(recorded.clone());
        (*payments != before).then_some(changes)
    });
    changed.await.map_err(PersistError::from)
}
