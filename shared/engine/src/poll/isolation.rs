//! Isolates invoices from each other: one that cannot be processed is reported and does not stop
//! the others.

use domain::entity::EntityKind;
use domain::ids::CrmId;
use domain::receipts::Received;
use domain::sync_log::LogStatus;

use crate::chain::Chain;
use crate::desk::Desk;
use crate::errors::{Unrecorded, isolate};
use crate::journal;
use crate::ports::Measure;

/// Processes one invoice. If that will always fail because of its rows, or panics, this is reported
/// and does not stop the others, and the result is `None`.
pub(super) async fn isolate_invoice<T>(
    desk: &Desk<'_>,
    crm_id: &CrmId,
    work: impl Future<Output = Result<T, Unrecorded>>,
) -> Result<Option<T>, Unrecorded> {
    match isolate(work).await {
        Err(error) if error.is_about_the_record() => {
            report(desk, crm_id, &error).await;
            Ok(None)
        }
        result => result.map(Some),
    }
}

/// Reports that an invoice cannot be processed.
async fn report(desk: &Desk<'_>, crm_id: &CrmId, error: &Unrecorded) {
    let account = &desk.ledger.account;
    desk.engine.metrics.record(Measure::Defect);
    tracing::error!(
        error = %Chain(error),
        account.id = %account,
        crm.id = %crm_id,
        "an invoice could not be observed"
    );
    let subject = (EntityKind::Invoice, crm_id.clone(), crm_id.to_string());
    let told = "Payments on it in Xero could not be recorded. Contact support.".to_owned();
    journal::idle(desk.engine, account, subject, LogStatus::Skipped, told, None).await;
}

/// Returns the payments on an invoice that are known. `None` if its rows cannot be read.
pub(super) async fn known_payments(
    desk: &Desk<'_>,
    crm_id: &CrmId,
) -> Result<Option<Vec<Received>>, Unrecorded> {
    let read = async {
        let rows = desk.engine.store.receipts(&desk.ledger, crm_id).await;
        let rows = rows.map_err(Unrecorded::from)?;
        Ok::<_, Unrecorded>(rows.map(|rows| rows.record.received).unwrap_or_default())
    };
    match isolate(read).await {
        Err(error) if error.is_about_the_record() => Ok(None),
        received => received.map(Some),
    }
}
