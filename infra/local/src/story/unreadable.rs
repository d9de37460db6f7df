//! Messages that cannot be read: each is moved to a dead-letter queue with its reason, and delays
//! no other message.

use clap::ValueEnum as _;

use super::Story;
use super::material::Malformed;
use super::post::Post;
use crate::aws::sqs::Found;
use crate::crm_queues::CrmQueue;
use crate::failure::Failure;
use crate::wait::{self, Look, PATIENCE, digest};

impl Story<'_> {
    /// Sends messages that cannot be read.
    pub(super) async fn send_unreadable(
        &self,
        post: &mut Post<'_>,
    ) -> Result<(Vec<Found>, Vec<String>), Failure> {
        let malformed = &self.material.malformed;
        self.console.step(&format!("{} messages arrive that cannot be read", malformed.len()));
        for queue in CrmQueue::value_variants() {
            let count = malformed.iter().filter(|message| message.queue == *queue).count();
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            self.watch.expect_letters(queue.dead_letter_output(), count);
        }
        for message in malformed {
            post.malformed(message).await?;
        }
        let mut letters = Vec::new();
        let mut problems = Vec::new();
        for queue in CrmQueue::value_variants() {
            let expected: Vec<&Malformed> =
                malformed.iter().filter(|message| message.queue == *queue).collect();
            let found = self.wait_for_dead_letters(*queue, expected.len()).await?;
            problems.extend(unexplained(&expected, &found));
            letters.extend(found);
        }
        self.console.done(&format!("{} moved to dead-letter queues", letters.len()));
        Ok((letters, problems))
    }

    /// The dead letters, once all expected ones have arrived or no more can arrive.
    async fn wait_for_dead_letters(
        &self,
        name: CrmQueue,
        expected: usize,
    ) -> Result<Vec<Found>, Failure> {
        let outputs = &self.stack.outputs;
        let (queue, dead) = (outputs.get(name.output())?, outputs.get(name.dead_letter_output())?);
        let waited = wait::while_moving(PATIENCE, async || {
            self.watch.check().await?;
            // A message leaves its queue after it was moved, so the queue is counted first.
            let waiting = self.stack.aws.messages_left(queue).await?;
            let aside = self.stack.aws.messages_left(dead).await?;
            let is_all = usize::try_from(aside).is_ok_and(|aside| aside >= expected);
            if is_all || waiting == 0 {
                return Ok(Look::Done(()));
            }
            Ok::<_, Failure>(Look::Pending { state: digest(&(waiting, aside)), quiet: None })
        });
        // The check of the reasons reports missing ones.
        waited.await?;
        self.stack.aws.peek(dead).await
    }
}

/// The messages that were not moved with the expected reason.
fn unexplained(expected: &[&Malformed], found: &[Found]) -> Vec<String> {
    let reason_of = |message: &Malformed| {
        let body = message.body();
        found
            .iter()
            .find(|letter| letter.body == body)
            .and_then(|letter| letter.attribute("reason"))
    };
    expected
        .iter()
        .filter_map(|message| {
            let words = &message.reason_contains;
            match reason_of(message) {
                Some(reason) if reason.contains(words) => None,
                Some(reason) => Some(format!("A dead letter's reason lacks \"{words}\": {reason}")),
                None => Some(format!("No dead letter has the reason \"{words}\"")),
            }
        })
        .collect()
}
