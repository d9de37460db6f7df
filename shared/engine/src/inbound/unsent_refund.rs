//! Logs refunds that are not written to Xero.

use domain::crm::refund::Refund;
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId};
use domain::sync_log::{LogStatus, LoggedOperation};

use crate::Engine;
use crate::sync::sync_log::{self, LogNotice};

/// Logs that a refund is not written, because no account is chosen for its method. Nothing else
/// shows it: Xero has no document of it.
pub(super) async fn log_unsent_refund(engine: &Engine, account: &AccountId, refund: &Refund) {
    let id = CrmId::from(refund.id.clone());
    let notice = LogNotice {
        operation: LoggedOperation::Receive,
        subject: (EntityKind::Payment, id.clone(), id.to_string()),
        status: LogStatus::Unchanged,
        message: format!(
            "The refund was not sent, because no account is chosen for its method ({}). Record it in Xero when it appears on the bank statement.",
            refund.method
        ),
        failure: None,
        began: engine.clock.now(),
    };
    sync_log::log_without_attempt(engine, account, notice).await;
}
