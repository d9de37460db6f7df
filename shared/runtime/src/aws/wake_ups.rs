//! Wake-ups as one-time schedules of EventBridge Scheduler. A schedule sends to the queue of
//! wake-ups of its kind, and is deleted afterwards.

use async_trait::async_trait;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::operation::create_schedule::CreateScheduleError;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, SqsParameters, Target,
};
use domain::envelope::WakeUp;
use domain::idempotency::ContentHash;
use engine::ports::{Clock, PortError, WakeUps};
use jiff::{SignedDuration, Timestamp};

use super::refusals::classify_refusal;
use crate::clock::SystemClock;
use crate::config::WakeUpConfig;

/// How far ahead the instant of a schedule is at least. Scheduler refuses one in the past, and the
/// call takes time; it starts a schedule up to a minute late in any case
/// (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>).
const AHEAD_MIN: SignedDuration = SignedDuration::from_secs(10);

/// EventBridge Scheduler for later wake-ups, and the queues for immediate ones.
#[derive(Debug, Clone)]
pub struct WakeUpScheduler {
    scheduler: Client,
    queues: aws_sdk_sqs::Client,
    config: WakeUpConfig,
}

impl WakeUpScheduler {
    /// Uses these clients.
    pub fn new(scheduler: Client, queues: aws_sdk_sqs::Client, config: WakeUpConfig) -> Self {
        Self { scheduler, queues, config }
    }
}

#[async_trait]
impl WakeUps for WakeUpScheduler {
    async fn schedule(&self, wake: &WakeUp, at: Timestamp) -> Result<(), PortError> {
        let failed = |source| PortError { operation: "schedule a wake-up", source };
        let body = wake.to_body();
        let group = SqsParameters::builder().message_group_id(wake.account.as_str()).build();
        let target = Target::builder()
            .arn(&self.config.queue_for(wake.kind).arn)
            .role_arn(&self.config.role_arn)
            .input(&body)
            .sqs_parameters(group)
            .build()
            .map_err(|error| failed(error.into()))?;
        let on_time = FlexibleTimeWindow::builder()
            .mode(FlexibleTimeWindowMode::Off)
            .build()
            .map_err(|error| failed(error.into()))?;
        let booked = self
            .scheduler
            .create_schedule()
            .name(schedule_name(&body))
            .group_name(&self.config.group)
            .schedule_expression(schedule_expression(at, SystemClock.now()))
            .flexible_time_window(on_time)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(target)
            .send()
            .await;
        match booked {
            Ok(_) => Ok(()),
            // The same wake-up is already scheduled.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateScheduleError::is_conflict_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(failed(classify_refusal(error))),
        }
    }

    async fn enqueue(&self, wake: &WakeUp) -> Result<(), PortError> {
        let sent = self
            .queues
            .send_message()
            .queue_url(&self.config.queue_for(wake.kind).url)
            .message_body(wake.to_body())
            .message_group_id(wake.account.as_str())
            .send()
            .await;
        let failed = |source| PortError { operation: "enqueue a wake-up", source };
        sent.map(drop).map_err(|error| failed(classify_refusal(error)))
    }
}

/// The name of a schedule: the same for the same wake-up. At most 64 characters of `0-9 a-z A-Z - _
/// .` are allowed.
fn schedule_name(body: &str) -> String {
    let hash = ContentHash::of_bytes(body.as_bytes());
    format!("wake-{}", hash.as_str().get(..48).unwrap_or_default())
}

/// Returns the schedule expression, in UTC. It is rounded up to whole seconds, so that a wake-up is
/// never early. An instant that is over, or nearly, becomes one shortly after `now`.
fn schedule_expression(at: Timestamp, now: Timestamp) -> String {
    let at = at.max(now.saturating_add(AHEAD_MIN).unwrap_or(now));
    let later = at.saturating_add(SignedDuration::from_millis(999)).unwrap_or(at);
    later.strftime("at(%Y-%m-%dT%H:%M:%S)").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wake_up_is_scheduled_for_the_next_whole_second() {
        let now = Timestamp::from_second(1_799_999_000).unwrap();
        let at = Timestamp::new(1_800_000_000, 1_000_000).unwrap();
        assert_eq!(schedule_expression(at, now), "at(2027-01-15T08:00:01)");
        let whole = Timestamp::from_second(1_800_000_000).unwrap();
        assert_eq!(schedule_expression(whole, now), "at(2027-01-15T08:00:00)");
    }

    #[test]
    fn a_wake_up_for_the_past_or_for_now_is_scheduled_shortly_ahead() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        for at in [Timestamp::MIN, now, now + SignedDuration::from_secs(9)] {
            assert_eq!(schedule_expression(at, now), "at(2027-01-15T08:00:10)", "{at}");
        }
    }

    #[test]
    fn a_schedule_name_fits_into_64_characters() {
        assert_eq!(schedule_name("body").len(), 53);
        assert_ne!(schedule_name("body"), schedule_name("other"));
    }
}
