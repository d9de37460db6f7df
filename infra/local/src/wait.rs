//! Waiting for a condition: the only module of this crate that sleeps.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::Duration;

use tokio::time::Instant;

const PAUSE: Duration = Duration::from_millis(100);

/// The interval between two checks of a condition: each check calls several processes.
const PAUSE_BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// How long there may be no progress before a wait is given up. Longer than the first retry delay
/// (five minutes and a tenth) and than any timeout of the template's queues and functions that the
/// story uses.
pub const PATIENCE: Duration = Duration::from_mins(10);

/// The result of one check of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look<T> {
    /// The condition holds.
    Done(T),
    /// It does not hold yet.
    Pending {
        /// A digest of everything that can change until the condition holds.
        state: u64,
        /// How long no progress is expected, if that is known: the time until a retry.
        quiet: Option<Duration>,
    },
}

/// Checks repeatedly until the condition holds or a check fails. `None` after `patience` without a
/// state that is new in this wait: alternating between states is no progress. There is no other
/// limit: a slow machine takes as long as it needs.
pub async fn while_moving<T, E>(
    patience: Duration,
    mut look: impl AsyncFnMut() -> Result<Look<T>, E>,
) -> Result<Option<T>, E> {
    let mut seen = BTreeSet::new();
    let mut ends_at = Instant::now() + patience;
    loop {
        match look().await? {
            Look::Done(found) => return Ok(Some(found)),
            Look::Pending { state, quiet } => {
                let now = Instant::now();
                if seen.insert(state) {
                    ends_at = ends_at.max(now + patience);
                }
                if let Some(quiet) = quiet {
                    ends_at = ends_at.max(now + quiet + patience);
                }
                if now >= ends_at {
                    return Ok(None);
                }
            }
        }
        pause(PAUSE_BETWEEN_LOOKS).await;
    }
}

/// A digest of everything that can change, for [`Look::Pending`].
pub fn digest(moving: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    moving.hash(&mut hasher);
    hasher.finish()
}

/// Polls until `poll` returns a value, or until `deadline` has passed: then `None`.
pub async fn until<T>(deadline: Duration, mut poll: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let asking = async {
        loop {
            if let Some(found) = poll().await {
                return found;
            }
            pause(PAUSE).await;
        }
    };
    tokio::time::timeout(deadline, asking).await.ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "polling another process for a condition that has no notification"
)]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Look, PATIENCE, until, while_moving};

    fn pending(state: u64) -> Look<&'static str> {
        Look::Pending { state, quiet: None }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_answer_ends_the_wait() {
        let mut asked = 0;
        let answer = until(Duration::from_mins(1), async || {
            asked += 1;
            (asked == 3).then_some("yes")
        })
        .await;
        assert_eq!(answer, Some("yes"));
    }

    #[tokio::test(start_paused = true)]
    async fn without_an_answer_the_deadline_ends_the_wait() {
        assert_eq!(until(Duration::from_secs(1), async || None::<()>).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_continues_as_long_as_there_is_progress() {
        let started = Instant::now();
        let mut step = 0_u64;
        let answer = while_moving(PATIENCE, async || {
            // A new state every nine minutes.
            let passed = started.elapsed().as_secs() / (9 * 60);
            step = step.max(passed);
            Ok::<_, String>(if step == 20 { Look::Done("there") } else { pending(step) })
        })
        .await;
        assert_eq!(answer, Ok(Some("there")));
        assert!(started.elapsed() >= Duration::from_hours(3));
    }

    #[tokio::test(start_paused = true)]
    async fn alternating_between_two_states_is_given_up() {
        let started = Instant::now();
        let mut step = 0_u64;
        let answer = while_moving(PATIENCE, async || {
            step += 1;
            Ok::<_, String>(pending(step % 2))
        })
        .await;
        assert_eq!(answer, Ok(None));
        assert!(started.elapsed() < PATIENCE + Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_continues_until_an_announced_retry() {
        let retry = Instant::now() + Duration::from_mins(16);
        let answer = while_moving(PATIENCE, async || {
            let left = retry.saturating_duration_since(Instant::now());
            let quiet = (!left.is_zero()).then_some(left);
            Ok::<_, String>(match quiet {
                Some(_) => Look::Pending { state: 0, quiet },
                None => Look::Done("there"),
            })
        })
        .await;
        assert_eq!(answer, Ok(Some("there")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_ends_the_wait_at_once() {
        let started = Instant::now();
        let answer =
            while_moving(PATIENCE, async || Err::<Look<()>, _>("the connection is gone")).await;
        assert_eq!(answer, Err("the connection is gone"));
        assert!(started.elapsed().is_zero());
    }
}
