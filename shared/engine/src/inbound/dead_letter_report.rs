//! Reports messages that are moved to the dead-letter queue: the sync log and an event tell the
//! account which record is affected and why, as far as the message is readable.

use domain::dead_letter::DeadLetterReason;
use domain::envelope::{
    MessageHead, MessageSubject, MessageType, UnreadableBody, find_subject, read_message_head,
};
use domain::failure::{Failure, FailureClass};
use domain::ids::AccountId;
use domain::outbound::EventContent;
use store::StoreError;

use crate::Engine;
use crate::sync::outbox::derive_event_id;
use crate::sync::push;

/// The failure of a message that cannot be read.
pub fn unreadable_message_failure(unreadable: &UnreadableBody) -> Failure {
    if matches!(unreadable, UnreadableBody::Oversized { bytes: _ }) {
        return push::too_large_failure();
    }
    Failure::new(
        FailureClass::Untranslatable,
        "message_refused",
        format!(
            "The message from ServiceCortex could not be read: {}.",
            DeadLetterReason::from(unreadable).sentence_text()
        ),
        "Correct it in ServiceCortex, then send it again.",
    )
}

/// The failure of a message that failed repeatedly for the same reason and is not tried again.
pub fn exhausted_attempts_failure(reason: &DeadLetterReason) -> Failure {
    Failure::new(
        FailureClass::Defect,
        reason.stable_code(),
        format!("Every attempt failed: {}.", reason.sentence_text()),
        "Contact support.",
    )
}

/// Writes a sync log entry and an event about the record of a CRM message that is moved to the
/// dead-letter queue. The stored record stays unchanged. If the message does not name its record
/// and account, the event is about the message, for the account of its group. Without a valid
/// group, the recipient is unknown, and nothing is reported.
///
/// The event's id is derived from the queue's id of the message. So if the message is received
/// again, because it could not be moved, the CRM recognises the event and drops it.
pub async fn report_dead_letter(
    engine: &Engine,
    message_id: &str,
    body: &str,
    group: &str,
    failure: &Failure,
) -> Result<(), StoreError> {
    let Some(MessageSubject { account, kind, crm_id, number }) = find_subject(body, group) else {
        return report_refused_message(engine, message_id, body, group, failure).await;
    };
    let event_id = derive_event_id(&account, &format!("moved aside\n{message_id}"));
    push::refuse_record_as(engine, event_id, &account, (kind, crm_id, number), failure).await
}

/// Reports a message whose record is unknown.
async fn report_refused_message(
    engine: &Engine,
    message_id: &str,
    body: &str,
    group: &str,
    failure: &Failure,
) -> Result<(), StoreError> {
    let Ok(account) = AccountId::new(group) else { return Ok(()) };
    let MessageHead { message_id: crm_message_id, message_type } = read_message_head(body);
    let content = EventContent::MessageRefused {
        queue_message_id: message_id.to_owned(),
        message_id: crm_message_id,
        message_type: message_type.map(MessageType::as_str).map(str::to_owned),
        code: failure.code.clone().into_owned(),
        message: failure.message.clone(),
        remedy: failure.remedy.clone(),
    };
    let event_id = derive_event_id(&account, &format!("refused\n{message_id}"));
    engine.report_event(event_id, &account, content).await
}
