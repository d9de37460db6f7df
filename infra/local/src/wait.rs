//! Waiting for a condition: the only place of this crate where time is let pass.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::Duration;
use tokio::time::Instant;

const PAUSE: Duration = Duration::from_millis(100);

/// Between two looks at something that moves: each look asks several processes.
const PAUSE_BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// How long nothing may move before a wait is given up. Longer than the first step of the retry ladder
/// (five minutes and a tenth) and than any timeout of the template's queues and functions that the
/// story uses.
pub const PATIENCE: Duration = Duration::from_mins(10);

/// What one look at a condition showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look<T> {
    /// The condition holds.
    Done(T),
    /// It does not hold yet.
    Pending {
        /// A digest of everything that can move on the way to it.
        state: u64,
        /// How long nothing is expected to move, when that is known: the time until a retry.
        quiet: Option<Duration>,
    },
}

/// Looks again and again until the look is done or fails. `None` after `patience` without a state that
/// was not seen before in this wait: moving to and fro is no progress. There is no other limit: a slow
/// machine takes as long as it takes.
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

/// A digest of whatever can move, for [`Look::Pending`].
pub fn digest(moving: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    moving.hash(&mut hasher);
    hasher.finish()
}

/// Asks again and again until `poll` answers, or until `deadline` has passed: then `None`.
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
    reason = "polling another process for a condition: nothing tells us when it becomes true"
)]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

#[cfg(test)]
mod tests {
    use super::{Look, PATIENCE, until, while_moving};
    use std::time::Duration;
    use tokio::time::Instant;

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
    async fn no_answer_by_the_deadline_is_none() {
        assert_eq!(until(Duration::from_secs(1), async || None::<()>).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_keeps_moving_is_waited_for_however_long_it_takes() {
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
    async fn moving_to_and_fro_is_given_up() {
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
    async fn a_retry_that_is_announced_is_waited_for() {
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
