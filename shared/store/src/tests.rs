//! What several tests of the store need.

use std::pin::pin;

use domain::ids::AccountId;
use futures::FutureExt;

/// Polls that are enough for every future that waits for nothing but its own turns.
const POLLS_MAX: usize = 1_000;

pub(crate) fn an_account() -> AccountId {
    AccountId::new("acc_1").unwrap()
}

/// Completes a future that waits for nothing outside. Unlike an executor, it may be called while
/// another future is polled, as by another process.
pub(crate) fn complete<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut outputs = std::iter::repeat_with(|| future.as_mut().now_or_never());
    outputs.by_ref().take(POLLS_MAX).flatten().next().expect("the future waits for nothing outside")
}
