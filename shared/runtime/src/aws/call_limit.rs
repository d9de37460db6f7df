//! The time limit of AWS calls: they end before the invocation that makes them, however slow AWS is.
//!
//! A call is limited as a whole, with its tries and the pauses between them. A call that runs out of
//! time fails like one without an answer: whether a write was performed is unknown. If no time is
//! left when it begins, nothing is sent.
//!
//! The limit belongs to the work of an invocation and to everything that it awaits in the same task.
//! `lambda.rs` sets it for every invocation. A request of API Gateway reaches it only if the process
//! started within the invocation: otherwise its work is dropped after 25 seconds, before Lambda's 29.
//! Calls at the start of a process have no limit, because Lambda does not say how long a start may
//! take.

use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::timeout::TimeoutConfig;
use jiff::Timestamp;
use tokio::time::{Instant, timeout};

/// How long before the deadline most calls end. The rest is for returning messages to their queue
/// and for the answer of the function.
const WORK_RESERVE: Duration = Duration::from_secs(2);

/// When the AWS calls of the current work end.
#[derive(Debug, Clone, Copy)]
struct CallLimit {
    /// When the invocation ends. `None` if that is too far away for a clock.
    deadline: Option<Instant>,
    /// How long before the deadline calls end.
    reserve: Duration,
}

tokio::task_local! {
    static CALL_LIMIT: CallLimit;
}

/// No time is left for a call, and nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("no time is left in this invocation for a call of AWS")]
pub(super) struct OutOfTime;

/// Limits the AWS calls of an invocation's work: they end two seconds before `deadline`.
pub(crate) fn limit_calls<W: Future>(
    deadline: Timestamp,
    now: Timestamp,
    work: W,
) -> impl Future<Output = W::Output> {
    let left = Duration::try_from(deadline.duration_since(now)).unwrap_or_default();
    let limit = CallLimit { deadline: Instant::now().checked_add(left), reserve: WORK_RESERVE };
    CALL_LIMIT.scope(limit, work)
}

/// Lets the AWS calls of the last steps of an invocation end only `reserve` before its deadline.
/// Outside of an invocation, nothing limits them.
pub(crate) fn limit_last_calls<W: Future>(
    reserve: Duration,
    work: W,
) -> impl Future<Output = W::Output> {
    let deadline = CALL_LIMIT.try_with(|limit| limit.deadline).ok().flatten();
    CALL_LIMIT.scope(CallLimit { deadline, reserve }, work)
}

/// Returns the time for a call that begins now. `None` if nothing limits it.
fn time_left() -> Result<Option<Duration>, OutOfTime> {
    let limit = CALL_LIMIT.try_with(|limit| *limit).ok();
    let Some((deadline, reserve)) = limit.and_then(|limit| Some((limit.deadline?, limit.reserve)))
    else {
        return Ok(None);
    };
    let left = deadline.saturating_duration_since(Instant::now()).saturating_sub(reserve);
    if left.is_zero() { Err(OutOfTime) } else { Ok(Some(left)) }
}

/// Awaits a call that is not made with the SDK, within the limit.
pub(super) async fn await_in_time<C: Future>(call: C) -> Result<C::Output, OutOfTime> {
    match time_left()? {
        None => Ok(call.await),
        Some(left) => timeout(left, call).await.map_err(|_| OutOfTime),
    }
}

/// Limits the calls of a client of the SDK.
#[derive(Debug)]
pub(super) struct CallLimiter;

impl Intercept for CallLimiter {
    fn name(&self) -> &'static str {
        "CallLimiter"
    }

    /// The SDK reads the timeout of the whole operation after this step.
    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(left) = time_left()? {
            let limit = TimeoutConfig::builder().operation_timeout(left).build();
            cfg.interceptor_state().store_put(limit);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
