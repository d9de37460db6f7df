//! Messages that nobody can read: they are put aside, each with its reason, and hold nobody up.

use super::Story;
use super::material::{Malformed, QueueName};
use super::post::Post;
use crate::aws::sqs::Found;
use crate::failure::Failure;
use crate::wait::{self, Look, PATIENCE, digest};

impl Story<'_> {
    /// Messages arrive that nobody can read.
    pub(super) async fn confuse(
        &self,
        post: &mut Post<'_>,
    ) -> Result<(Vec<Found>, Vec<String>), Failure> {
        let malformed = &self.material.malformed;
        self.console.step(&format!("{} messages arrive that nobody can read", malformed.len()));
        for name in QueueName::ALL {
            let count = malformed.iter().filter(|message| message.queue == name).count();
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            self.watch.expect_letters(name.dead_letters(), count);
        }
        for message in malformed {
            post.malformed(message).await?;
        }
        let mut letters = Vec::new();
        let mut problems = Vec::new();
        for name in QueueName::ALL {
            let expected: Vec<&Malformed> =
                malformed.iter().filter(|message| message.queue == name).collect();
            let found = self.put_aside(name, expected.len()).await?;
            problems.extend(unexplained(&expected, &found));
            letters.extend(found);
        }
        self.console.done(&format!("{} put aside", letters.len()));
        Ok((letters, problems))
    }

    /// The messages that were put aside, once there are as many as expected or no more can come.
    async fn put_aside(&self, name: QueueName, expected: usize) -> Result<Vec<Found>, Failure> {
        let outputs = &self.stack.outputs;
        let (queue, dead) = (outputs.get(name.url())?, outputs.get(name.dead_letters())?);
        let waited = wait::while_moving(PATIENCE, async || {
            self.watch.check().await?;
            // A message leaves its queue after it was put aside, so the queue is counted first.
            let waiting = self.stack.aws.messages_left(queue).await?;
            let aside = self.stack.aws.messages_left(dead).await?;
            let is_all = usize::try_from(aside).is_ok_and(|aside| aside >= expected);
            if is_all || waiting == 0 {
                return Ok(Look::Done(()));
            }
            Ok::<_, Failure>(Look::Pending { state: digest(&(waiting, aside)), quiet: None })
        });
        // What was not put aside is named by the check of the reasons.
        waited.await?;
        self.stack.aws.peek(dead).await
    }
}

/// The messages that were not put aside with the reason they had to be.
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
                None => Some(format!("A message to be put aside for its \"{words}\" was not")),
            }
        })
        .collect()
}
