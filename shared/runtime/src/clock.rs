//! The system's clock.

use std::time::Duration;

use async_trait::async_trait;
use engine::ports::Clock;
use jiff::Timestamp;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock port's real implementation")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock port's real implementation")]
    async fn sleep_for(&self, moment: Duration) {
        tokio::time::sleep(moment).await;
    }
}
