//! Isolates invoices from each other: an invoice that cannot be processed is reported and does not
//! stop the others.

use domain::entity::EntityKind;
use domain::ids::CrmId;
use domain::invoice_payments::ReceivedPayment;
use domain::sync_log::{LogStatus, LoggedOperation};
use jiff::Timestamp;
use xero::XeroError;

use crate::connection::tenant_session::TenantSession;
use crate::error_chain::ErrorChain;
use crate::errors::{PersistError, isolate_record};
use crate::ports::Metric;
use crate::sync::sync_log::{self, LogNotice};

/// Processes one invoice. If this panics, or will always fail because of the invoice's rows, the
/// error is reported, the other invoices continue, and the result is `None`.
pub(super) async fn isolate_invoice<T>(
    tenant_session: &TenantSession<'_>,
    crm_id: &CrmId,
    work: impl Future<Output = Result<T, PersistError>>,
) -> Result<Option<T>, PersistError> {
    let began = tenant_session.engine.clock.now();
    match isolate_record(work).await {
        Err(error) if error.is_about_the_record() => {
            report_failed_invoice(tenant_session, crm_id, &error, began).await;
            Ok(None)
        }
        result => result.map(Some),
    }
}

/// Returns whether Xero did not show one document, and may answer about others.
pub(super) fn is_about_one_document(error: &XeroError) -> bool {
    matches!(
        error,
        XeroError::Undecodable { .. }
            | XeroError::AnswerTooLarge { .. }
            | XeroError::ServerFault { .. }
            | XeroError::Rejected { .. }
            | XeroError::CallRefused { .. }
    )
}

/// Reports that an invoice cannot be processed.
async fn report_failed_invoice(
    tenant_session: &TenantSession<'_>,
    crm_id: &CrmId,
    error: &PersistError,
    began: Timestamp,
) {
    let account = &tenant_session.ledger.account;
    tenant_session.engine.metrics.record_metric(Metric::Defect);
    tracing::error!(
        error = %ErrorChain(error),
        account.id = %account,
        crm.id = %crm_id,
        "an invoice could not be observed"
    );
    let subject = (EntityKind::Invoice, crm_id.clone(), crm_id.to_string());
    let message =
        "Payments of this invoice in Xero could not be recorded. Contact support.".to_owned();
    let notice = LogNotice {
        operation: LoggedOperation::Import,
        subject,
        status: LogStatus::Skipped,
        message,
        failure: None,
        began,
    };
    sync_log::log_without_attempt(tenant_session.engine, account, notice).await;
}

/// Returns the payments on an invoice that are known. `None` if its rows cannot be read.
pub(super) async fn known_payments(
    tenant_session: &TenantSession<'_>,
    crm_id: &CrmId,
) -> Result<Option<Vec<ReceivedPayment>>, PersistError> {
    let read = async {
        let rows =
            tenant_session.engine.store.find_invoice_payments(&tenant_session.ledger, crm_id).await;
        let rows = rows.map_err(PersistError::from)?;
        Ok::<_, PersistError>(rows.map(|rows| rows.record.received).unwrap_or_default())
    };
    match isolate_record(read).await {
        Err(error) if error.is_about_the_record() => Ok(None),
        received => received.map(Some),
    }
}
