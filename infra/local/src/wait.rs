//! Waiting for a condition: the only place of this crate where time is let pass.

use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(100);

/// Asks again and again until `poll` answers, or until `deadline` has passed: then `None`.
pub async fn until<T>(deadline: Duration, mut poll: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let asking = async {
        loop {
            if let Some(found) = poll().await {
                return found;
            }
            pause().await;
        }
    };
    tokio::time::timeout(deadline, asking).await.ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "polling another process for a condition: nothing tells us when it becomes true"
)]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

#[cfg(test)]
mod tests {
    use super::until;
    use std::time::Duration;

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
}
