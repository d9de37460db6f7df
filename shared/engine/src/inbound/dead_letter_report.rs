//! Reports messages that are moved to the dead-letter queue: the sync log and an event tell the
//! account which record is affected and why, as far as the message is readable.

use domain::dead_letter::DeadLetterReason;
use domain::envelope::{MessageSubject, UnreadableBody, find_subject};
use domain::failure::{Failure, FailureClass};
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
            "The message from the CRM could not be read: {}.",
            DeadLetterReason::from(unreadable).sentence_text()
        ),
        "Correct it in the CRM, then send it again.",
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
/// dead-letter queue. The stored record stays unchanged. A message that does not name its record
/// and account is not reported, because the recipient is unknown.
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
        return Ok(());
    };
    let event_id = derive_event_id(&account, &format!("moved aside\n{message_id}"));
    push::refuse_record_as(engine, event_id, &account, (kind, crm_id, number), failure).await
}
