//! Dead-letter queues, to which messages are moved whatever their content.
//!
//! A message that cannot be moved aside returns to its queue and blocks its account. So if SQS
//! refuses what is sent, the message is moved with the stable code of its reason alone, and if SQS
//! refuses that, too, only the beginning of its body is kept. After any other failure, such as a
//! throttle or a missing permission, the whole message returns to its queue: a later delivery moves
//! it aside as it is.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::send_message::builders::SendMessageFluentBuilder;
use aws_sdk_sqs::types::MessageAttributeValue;
use domain::dead_letter::DeadLetterReason;
use engine::error_chain::ErrorChain;
use engine::ports::{BoxError, DeadLetter, DeadLetters, PortError};

use super::refusals::is_content_refused;

/// Maximum bytes that are kept of a body that does not fit: far below every size limit of a queue.
const BEGINNING_BYTES: usize = 64 * 1024;

/// A function's dead-letter queue.
#[derive(Debug, Clone)]
pub struct DeadLetterQueue {
    client: Client,
    queue_url: String,
}

impl DeadLetterQueue {
    /// Creates the dead-letter queue at this address.
    pub fn new(client: Client, queue_url: String) -> Self {
        Self { client, queue_url }
    }

    /// Builds a message with the code of its reason.
    fn build_message(
        &self,
        letter: DeadLetter<'_>,
        body: &str,
        reason: &DeadLetterReason,
    ) -> SendMessageFluentBuilder {
        let message = self
            .client
            .send_message()
            .queue_url(&self.queue_url)
            .message_body(body)
            .message_attributes("reason_code", string_attribute(reason.stable_code()));
        // Only FIFO queues have groups and deduplication. Their names end in `.fifo`.
        if self.queue_url.strip_suffix(".fifo").is_some() {
            message.message_group_id(letter.group).message_deduplication_id(letter.message_id)
        } else {
            message
        }
    }
}

#[async_trait]
impl DeadLetters for DeadLetterQueue {
    async fn dead_letter(
        &self,
        letter: DeadLetter<'_>,
        reason: &DeadLetterReason,
    ) -> Result<(), PortError> {
        let failed =
            |source| PortError { operation: "move a message to the dead-letter queue", source };
        // SQS does not accept an empty body. A body of one space is just as unreadable.
        let body = if letter.body.is_empty() { " " } else { letter.body };
        let whole = self.build_message(letter, body, reason);
        let tries = [
            whole.clone().message_attributes("reason", string_attribute(reason.sentence_text())),
            whole,
            self.build_message(letter, truncate_body(body), reason),
        ];
        let mut refusal: Option<BoxError> = None;
        for sent in tries {
            match sent.send().await {
                Ok(_) => return Ok(()),
                Err(error) if is_content_refused(&error) => {
                    tracing::warn!(
                        error = %ErrorChain(&error),
                        "SQS refused a dead letter in this form"
                    );
                    refusal = Some(error.into());
                }
                Err(error) => return Err(failed(error.into())),
            }
        }
        Err(failed(refusal.unwrap_or_else(|| "nothing was sent".into())))
    }
}

fn string_attribute(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .expect("a data type is set")
}

/// Returns at most [`BEGINNING_BYTES`] of a body, in whole characters.
fn truncate_body(body: &str) -> &str {
    let mut end = body.len().min(BEGINNING_BYTES);
    while !body.is_char_boundary(end) {
        end -= 1;
    }
    body.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
