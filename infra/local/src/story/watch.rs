//! Detects conditions that make waiting pointless: the stack has ended, a function crashes, the
//! connection is lost, or a readable message was moved to a dead-letter queue. Each ends the story
//! at once, with the cause.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use tokio::time::Instant;

use super::api::Api;
use crate::aws::lambda::TIMED_OUT;
use crate::failure::Failure;
use crate::stack::Stack;

/// How often the API and the dead-letter queues are checked; the process and its log are checked
/// each time.
const ASKED_EVERY: Duration = Duration::from_secs(2);

/// The queues that the CRM sends to, and their dead-letter queues, by their outputs.
pub(super) const QUEUES: [(&str, &str); 4] = [
    ("ContactQueueUrl", "ContactDeadLetterQueueUrl"),
    ("InvoiceQueueUrl", "InvoiceDeadLetterQueueUrl"),
    ("CreditNoteQueueUrl", "CreditNoteDeadLetterQueueUrl"),
    ("PaymentQueueUrl", "PaymentDeadLetterQueueUrl"),
];

/// The queues of wake-ups that messages lead to, by their outputs.
const WAKE_UP_QUEUES: [&str; 4] = [
    "ContactWakeUpQueueUrl",
    "InvoiceWakeUpQueueUrl",
    "CreditNoteWakeUpQueueUrl",
    "PaymentWakeUpQueueUrl",
];

/// The texts that the local AWS logs when a function's process exits by itself, or cannot start.
const CRASHES: [&str; 5] = [
    "Runtime exited before returning a response",
    "bootstrap exited during init",
    "init error:",
    "Couldn't execute the bootstrap binary",
    "No bootstrap binary found",
];

/// The placeholder for the missing error type of a throttled invocation.
const UNNAMED: &str = "None";

/// Checks whether the story's condition can still be met.
pub(super) struct Watch<'a> {
    stack: &'a Stack,
    api: Api<'a>,
    /// How many bytes of the log of the local AWS have been read.
    read: Cell<u64>,
    is_connected: Cell<bool>,
    /// How many messages each dead-letter queue may hold, by its output.
    letters: RefCell<BTreeMap<&'static str, u64>>,
    asked_at: Cell<Option<Instant>>,
}

impl<'a> Watch<'a> {
    /// A watch over a stack without connections.
    pub(super) fn new(stack: &'a Stack, api: Api<'a>) -> Self {
        Self {
            stack,
            api,
            read: Cell::new(0),
            is_connected: Cell::new(false),
            letters: RefCell::default(),
            asked_at: Cell::new(None),
        }
    }

    /// The API, called as the story's owner.
    pub(super) fn api(&self) -> &Api<'a> {
        &self.api
    }

    /// From now on, an unusable connection ends the story.
    pub(super) fn expect_connected(&self) {
        self.is_connected.set(true);
    }

    /// Allows this number of messages in the dead-letter queue.
    pub(super) fn expect_letters(&self, dead_letters: &'static str, count: u64) {
        self.letters.borrow_mut().insert(dead_letters, count);
    }

    /// Fails with the cause if the condition can no longer be met.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        if let Some(ended) = self.stack.ended() {
            return Err(ended);
        }
        if let Some(crash) = self.crash() {
            return Err(Failure::new(format!("A function crashed: {crash}"))
                .remedy(format!("Its log is in {}.", self.stack.log().display())));
        }
        let is_due = self.asked_at.get().is_none_or(|at| at.elapsed() >= ASKED_EVERY);
        if is_due {
            self.check_connection().await?;
            self.check_dead_letters().await?;
            self.asked_at.set(Some(Instant::now()));
        }
        Ok(())
    }

    async fn check_connection(&self) -> Result<(), Failure> {
        if !self.is_connected.get() {
            return Ok(());
        }
        let connection = self.api.connection_unless_busy().await?;
        match connection.and_then(|connection| connection.obstacle()) {
            Some(obstacle) => Err(Failure::new(obstacle)),
            None => Ok(()),
        }
    }

    async fn check_dead_letters(&self) -> Result<(), Failure> {
        for (_, dead_letters) in QUEUES {
            let url = self.stack.outputs.get(dead_letters)?;
            let expected = self.letters.borrow().get(dead_letters).copied().unwrap_or_default();
            let held = self.stack.aws.messages_left(url).await?;
            if held <= expected {
                continue;
            }
            let letters = self.stack.aws.peek(url).await?;
            let reasons: Vec<&str> =
                letters.iter().filter_map(|letter| letter.attribute("reason")).collect();
            return Err(Failure::new(format!(
                "{dead_letters} holds {held} messages instead of {expected}: {}",
                reasons.join("; ")
            )));
        }
        Ok(())
    }

    /// How many messages each of the queues holds, both the CRM's messages and wake-ups.
    pub(super) async fn queued(&self) -> Result<Vec<u64>, Failure> {
        let mut counts = Vec::new();
        for queue in QUEUES.map(|(queue, _)| queue).into_iter().chain(WAKE_UP_QUEUES) {
            counts.push(self.stack.aws.messages_left(self.stack.outputs.get(queue)?).await?);
        }
        Ok(counts)
    }

    /// A crash that was logged since the last check. `None` if the log cannot be read.
    fn crash(&self) -> Option<String> {
        let mut log = std::fs::File::open(self.stack.log()).ok()?;
        log.seek(SeekFrom::Start(self.read.get())).ok()?;
        let mut bytes = Vec::new();
        log.read_to_end(&mut bytes).ok()?;
        // The last line may not be complete yet.
        let end = bytes.iter().rposition(|byte| *byte == b'\n')?.saturating_add(1);
        bytes.truncate(end);
        self.read.set(self.read.get().saturating_add(u64::try_from(end).ok()?));
        crash_in(&String::from_utf8_lossy(&bytes))
    }
}

/// The first crash in the log: a process that exited, a panic, or an invocation that failed. A
/// function that timed out is not a crash: its messages return.
fn crash_in(log: &str) -> Option<String> {
    let mut lines = log.lines();
    while let Some(line) = lines.next() {
        if line.contains(" panicked at ") {
            // The message of the panic is on the next line.
            let said = lines.next().unwrap_or_default();
            return Some(format!("{} {}", line.trim(), said.trim()).trim().to_owned());
        }
        let has_ended = CRASHES.iter().any(|crash| line.contains(crash));
        let has_panicked = line.contains("panicked and goes back");
        if has_ended || has_panicked || has_failed(line) {
            return Some(line.trim().to_owned());
        }
    }
    None
}

/// Whether the line reports an invocation that failed for another reason than a timeout.
fn has_failed(line: &str) -> bool {
    let kind = line.split_once("(errorType=").and_then(|(_, rest)| rest.split(' ').next());
    kind.is_some_and(|kind| kind != TIMED_OUT && kind != UNNAMED)
}

#[cfg(test)]
mod tests {
    use super::crash_in;

    #[test]
    fn a_function_whose_process_exits_has_crashed() {
        let log = "12:00 INFO [sqs] fine\n12:01 WARNING [lambda] Lambda invoice-push: Runtime exited \
                   before returning a response\n12:02 INFO more\n";
        let crash = crash_in(log).unwrap();
        assert!(crash.contains("invoice-push: Runtime exited"), "{crash}");
        let start = "Warm provided-runtime execution error for sweep: bootstrap exited during init \
                     with code 101: TABLE_NAME is not set\n";
        assert!(crash_in(start).unwrap().contains("TABLE_NAME is not set"));
    }

    #[test]
    fn a_panic_is_reported_with_its_message() {
        let log =
            "\nthread 'main' panicked at shared/engine/src/push.rs:12:5:\nindex out of bounds\n";
        assert_eq!(
            crash_in(log).unwrap(),
            "thread 'main' panicked at shared/engine/src/push.rs:12:5: index out of bounds"
        );
        let caught = r#"{"level":"ERROR","message":"a group of records panicked and goes back"}"#;
        assert_eq!(crash_in(caught).unwrap(), caught);
    }

    #[test]
    fn a_failed_invocation_is_a_crash_and_a_timeout_is_not() {
        let failed = |kind: &str| {
            format!(
                "ESM: Lambda contact-push failed processing SQS batch from contacts.fifo \
                 (errorType={kind} errorMessage=no)\n"
            )
        };
        assert!(crash_in(&failed("Runtime.HandlerError")).is_some());
        assert_eq!(crash_in(&failed("Sandbox.Timedout")), None);
        assert_eq!(crash_in(&failed("None")), None);
        assert_eq!(crash_in("Lambda contact-push: Task timed out after 60.00 seconds\n"), None);
        assert_eq!(crash_in("ESM: Lambda contact-push processed 10 SQS messages\n"), None);
    }
}
