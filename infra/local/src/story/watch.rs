//! What makes waiting pointless: the stack is gone, a function crashes, the connection is lost, or a
//! message that can be read was put aside. Each ends the story at once, with the cause.

use super::api::Api;
use crate::aws::lambda::TIMED_OUT;
use crate::failure::Failure;
use crate::stack::Stack;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::Duration;
use tokio::time::Instant;

/// How often the API and the dead-letter queues are asked; the process and its log are looked at each
/// time.
const ASKED_EVERY: Duration = Duration::from_secs(2);

/// The queues that the CRM sends to, and where what cannot be read is put aside; by their outputs.
pub(super) const QUEUES: [(&str, &str); 4] = [
    ("ContactQueueUrl", "ContactDeadLetterQueueUrl"),
    ("InvoiceQueueUrl", "InvoiceDeadLetterQueueUrl"),
    ("CreditNoteQueueUrl", "CreditNoteDeadLetterQueueUrl"),
    ("PaymentQueueUrl", "PaymentDeadLetterQueueUrl"),
];

/// The queues of the wake-ups that messages lead to, by their outputs.
const WAKE_UP_QUEUES: [&str; 4] = [
    "ContactWakeUpQueueUrl",
    "InvoiceWakeUpQueueUrl",
    "CreditNoteWakeUpQueueUrl",
    "PaymentWakeUpQueueUrl",
];

/// What the local AWS writes when a function's process ends by itself, or cannot start.
const CRASHES: [&str; 5] = [
    "Runtime exited before returning a response",
    "bootstrap exited during init",
    "init error:",
    "Couldn't execute the bootstrap binary",
    "No bootstrap binary found",
];

/// What stands for the type of an error that has none: an invocation that was throttled.
const UNNAMED: &str = "None";

/// Looks whether what the story waits for can still happen.
pub(super) struct Watch<'a> {
    stack: &'a Stack,
    api: Api<'a>,
    /// How much of the log of the local AWS has been read.
    read: Cell<u64>,
    is_connected: Cell<bool>,
    /// How many messages each dead-letter queue may hold, by its output.
    letters: RefCell<BTreeMap<&'static str, u64>>,
    asked_at: Cell<Option<Instant>>,
}

impl<'a> Watch<'a> {
    /// A watch over a stack on which nothing is connected yet.
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

    /// The API in the name of the story's owner.
    pub(super) fn api(&self) -> &Api<'a> {
        &self.api
    }

    /// From now on, a connection that cannot be used ends the story.
    pub(super) fn expect_connected(&self) {
        self.is_connected.set(true);
    }

    /// So many messages are going to be put aside there, and no more.
    pub(super) fn expect_letters(&self, dead_letters: &'static str, count: u64) {
        self.letters.borrow_mut().insert(dead_letters, count);
    }

    /// Fails with the cause when what is waited for can no longer happen.
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
                "{held} messages were put aside in {dead_letters}, not {expected}: {}",
                reasons.join("; ")
            )));
        }
        Ok(())
    }

    /// How many messages each of the queues holds, of the CRM's messages and of wake-ups.
    pub(super) async fn queued(&self) -> Result<Vec<u64>, Failure> {
        let mut counts = Vec::new();
        for queue in QUEUES.map(|(queue, _)| queue).into_iter().chain(WAKE_UP_QUEUES) {
            counts.push(self.stack.aws.messages_left(self.stack.outputs.get(queue)?).await?);
        }
        Ok(counts)
    }

    /// What the log says of a crash since it was last read. A log that cannot be read says nothing.
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

/// The first crash that the log tells of: a process that ended, a panic, or an invocation that failed.
/// A function that did not finish in its time is not one: its messages come back.
fn crash_in(log: &str) -> Option<String> {
    let mut lines = log.lines();
    while let Some(line) = lines.next() {
        if line.contains(" panicked at ") {
            // The panic's message is on the line below.
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

/// Whether the line reports an invocation that failed for another reason than its time.
fn has_failed(line: &str) -> bool {
    let kind = line.split_once("(errorType=").and_then(|(_, rest)| rest.split(' ').next());
    kind.is_some_and(|kind| kind != TIMED_OUT && kind != UNNAMED)
}

#[cfg(test)]
mod tests {
    use super::crash_in;

    #[test]
    fn a_function_whose_process_ends_has_crashed() {
        let log = "12:00 INFO [sqs] fine\n12:01 WARNING [lambda] Lambda invoice-push: Runtime exited \
                   before returning a response\n12:02 INFO more\n";
        let crash = crash_in(log).unwrap();
        assert!(crash.contains("invoice-push: Runtime exited"), "{crash}");
        let start = "Warm provided-runtime execution error for sweep: bootstrap exited during init \
                     with code 101: TABLE_NAME is not set\n";
        assert!(crash_in(start).unwrap().contains("TABLE_NAME is not set"));
    }

    #[test]
    fn a_panic_is_told_with_its_message() {
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
    fn an_invocation_that_failed_has_crashed_and_one_that_was_slow_has_not() {
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
