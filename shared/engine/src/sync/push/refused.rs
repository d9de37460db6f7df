//! Refuses records that can never be stored. This is a final answer, not an outage: the sync log
//! gives the reason, the CRM receives an event, and the message is done, so that it does not block
//! the messages behind it.

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::{AccountId, CrmId};
use domain::outbound::EventContent;
use domain::sync_log::{LogStatus, LoggedOperation};
use store::StoreError;
use uuid::Uuid;

use crate::Engine;
use crate::sync::sync_log;

/// The failure of a record that is larger than a row may be.
pub(crate) fn too_large_failure() -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        "too_large",
        "The record is too large to be stored.",
        "Shorten its texts or split it in ServiceCortex, then send it again.",
    )
}

/// The failure of a payment on an invoice with the maximum number of payments.
pub(crate) fn too_many_payments_failure(invoice: &CrmId) -> Failure {
    let most = domain::invoice_payments::PAYMENTS_MAX;
    Failure::new(
        FailureClass::Untranslatable,
        "too_many_payments",
        format!("The invoice {invoice} has {most} payments, which is the maximum per invoice."),
        "Record it as a payment of another invoice.",
    )
}

/// Refuses a record, given by its id and its number for people, with this id of the event. Its row
/// stays as it was. If the message is processed again, the same id makes it the same event for the
/// CRM.
pub(crate) async fn refuse_record_as(
    engine: &Engine,
    event_id: Uuid,
    account: &AccountId,
    subject: (EntityKind, CrmId, String),
    failure: &Failure,
) -> Result<(), StoreError> {
    let began = engine.clock.now();
    let (entity, crm_id, number) = subject.clone();
    let content = EventContent::Skipped {
        entity,
        crm_id,
        number,
        code: failure.code.clone().into_owned(),
        message: failure.message.clone(),
        remedy: failure.remedy.clone(),
    };
    engine.report_event(event_id, account, content).await?;
    let message = format!("{failure} The record was not accepted.");
    let notice = sync_log::LogNotice {
        operation: LoggedOperation::Receive,
        subject,
        status: LogStatus::Skipped,
        message,
        failure: Some(failure),
        began,
    };
    sync_log::log_without_attempt(engine, account, notice).await;
    Ok(())
}
