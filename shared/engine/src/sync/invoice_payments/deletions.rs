//! Deleted payments on invoices that the message about the deletion does not name.

use domain::crm::Revision;
use domain::crm::payment::PaymentRecordStatus;
use domain::ids::{CrmId, Ledger, PaymentId};
use domain::invoice_payments::RecordedPayment;
use store::StoreError;

use super::change_in_steps;
use crate::Engine;

/// Records on an invoice that a payment was deleted with this revision. Nothing changes if the
/// invoice does not know the payment, or knows a later revision. May be interrupted and repeated.
pub(crate) async fn record_deletion(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
    (payment, revision): (&PaymentId, Revision),
) -> Result<(), StoreError> {
    let deleted = change_in_steps(engine, ledger, invoice, |payments| {
        let known = payments.recorded.iter().find(|one| one.payment == *payment)?;
        if known.revision > revision {
            return None;
        }
        let standing = PaymentRecordStatus::Deleted;
        let deleted = RecordedPayment { revision, standing, ..known.clone() };
        let before = payments.clone();
        let changes = payments.record_payment(deleted);
        (*payments != before).then_some(changes)
    });
    deleted.await
}
