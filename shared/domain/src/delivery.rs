//! Failed deliveries: how often processing a message failed and for which reasons, whether the
//! function stopped in the process, and events that the CRM's queue refuses.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::dead_letter::DeadLetterReason;
use crate::outbound::EventMessage;

/// After how many failures for the same permanent reason a message or an event is moved aside.
pub const FAILURES_MAX: u32 = 5;

/// The stable code of a message during whose processing the function stopped: it ran out of memory
/// or time, or crashed.
pub const STOPPED: &str = "function_stopped";

/// How long after the end of its invocation a message may return because the function stopped. It
/// is hidden for 15 seconds at a time, and may then wait for an invocation.
const RETURNS_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// How long the failures of a message are kept after the last change: a day longer than SQS keeps
/// a message.
const FAILURES_KEPT: SignedDuration = SignedDuration::from_hours(15 * 24);

/// How long an event that was set aside is kept.
const ASIDE_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The failures of one message, over all processes that received it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryFailures {
    /// The id that the queue assigned to the message.
    pub message_id: String,
    /// The number of failures, by the code of their reason.
    #[serde(default)]
    pub counts: BTreeMap<String, u32>,
    /// While a function processes the message: the end of its invocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processed_until: Option<Timestamp>,
    /// The instant of the last change.
    pub changed_at: Timestamp,
}

impl DeliveryFailures {
    /// A message that has not failed yet.
    pub fn new(message_id: &str, now: Timestamp) -> Self {
        Self {
            message_id: message_id.to_owned(),
            counts: BTreeMap::new(),
            processed_until: None,
            changed_at: now,
        }
    }

    /// How often it failed for the reason with this code.
    pub fn failures_for(&self, code: &str) -> u32 {
        self.counts.get(code).copied().unwrap_or(0)
    }

    /// How often the function stopped while it processed the message.
    pub fn count_stops(&self) -> u32 {
        self.failures_for(STOPPED)
    }

    /// Counts a failure, which ends the processing.
    pub fn count_failure(&mut self, code: &str) {
        let count = self.counts.entry(code.to_owned()).or_default();
        *count = count.saturating_add(1);
        self.processed_until = None;
    }

    /// Marks the message as being processed by an invocation that ends at `until`.
    pub fn begin_processing(&mut self, until: Timestamp) {
        self.processed_until = Some(until);
    }

    /// Ends the processing with any outcome.
    pub fn end_processing(&mut self) {
        self.processed_until = None;
    }

    /// Counts a stop if processing began, did not end, and the message returns as soon as it does
    /// after a stop.
    pub fn recognise_stop(&mut self, now: Timestamp) {
        let Some(until) = self.processed_until.take() else { return };
        if now <= latest_return(until) {
            self.count_failure(STOPPED);
        }
    }

    /// When the row expires.
    pub fn expires_at(&self) -> Timestamp {
        self.changed_at.saturating_add(FAILURES_KEPT).unwrap_or(Timestamp::MAX)
    }
}

/// Until when a message may return because the function stopped, if its invocation ended at
/// `until`. A message whose end could not be recorded must return later than that.
pub fn latest_return(until: Timestamp) -> Timestamp {
    until.saturating_add(RETURNS_WITHIN).unwrap_or(Timestamp::MAX)
}

/// An event that the CRM's queue refuses because of its content. It left the outbox, so that the
/// account's later events are delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventAside {
    /// The event, as it was committed.
    pub event: EventMessage,
    /// The stable code of the reason.
    pub reason_code: String,
    /// The reason.
    pub reason: String,
    /// When it was set aside.
    pub set_aside_at: Timestamp,
}

impl EventAside {
    /// Sets an event aside for a reason.
    pub fn new(event: EventMessage, reason: &DeadLetterReason, now: Timestamp) -> Self {
        Self {
            event,
            reason_code: reason.stable_code().to_owned(),
            reason: reason.sentence_text().to_owned(),
            set_aside_at: now,
        }
    }

    /// When the row expires.
    pub fn expires_at(&self) -> Timestamp {
        self.set_aside_at.saturating_add(ASIDE_KEPT).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn failures_are_counted_for_each_reason() {
        let mut failures = DeliveryFailures::new("m1", second(0));
        for code in ["panicked", "corrupt_row", "panicked"] {
            failures.count_failure(code);
        }
        let counts =
            ["panicked", "corrupt_row", "too_large"].map(|code| failures.failures_for(code));
        assert_eq!(counts, [2, 1, 0]);
    }

    #[test]
    fn only_a_message_that_returns_without_an_end_and_in_time_stopped_its_function() {
        let mut failures = DeliveryFailures::new("m1", second(0));
        failures.recognise_stop(second(10));
        assert_eq!(failures.count_stops(), 0, "nothing began");
        failures.begin_processing(second(120));
        failures.end_processing();
        failures.recognise_stop(second(20));
        assert_eq!(failures.count_stops(), 0, "it ended");
        for (now, stops) in [(5, 1), (180, 2), (181, 2)] {
            failures.begin_processing(second(120));
            failures.recognise_stop(second(now));
            assert_eq!(failures.count_stops(), stops, "{now}");
        }
        failures.recognise_stop(second(182));
        assert_eq!(failures.count_stops(), 2, "a stop is counted once");
    }

    #[test]
    fn failures_outlive_the_message() {
        let failures = DeliveryFailures::new("m1", second(0));
        assert!(failures.expires_at() > second(14 * 86_400));
    }
}
