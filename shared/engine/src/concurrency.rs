//! Runs a limited number of futures concurrently.

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};

/// Maximum number of table rows processed concurrently. Each opens a connection to the table.
const CONCURRENT_MAX: usize = 16;

/// Runs all futures and returns their results in the order of the futures.
pub(crate) async fn map_concurrently<T>(futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    map_limited(CONCURRENT_MAX, futures).await
}

/// Runs all futures, at most `limit` at a time, and returns their results in the order of the
/// futures. One that takes long uses one place of the limit, and the others continue meanwhile.
pub(crate) async fn map_limited<T>(limit: usize, futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let numbered = futures.into_iter().enumerate();
    let numbered = numbered.map(|(place, future)| future.map(move |result| (place, result)));
    let numbered = numbered.collect::<Vec<_>>();
    let mut results = stream::iter(numbered).buffer_unordered(limit).collect::<Vec<_>>().await;
    results.sort_unstable_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    use super::*;

    const POLLS_MAX: usize = 1_000;

    /// Polls a future until it ends.
    fn run<T>(future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..POLLS_MAX {
            if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
                return result;
            }
        }
        panic!("the future does not end");
    }

    #[test]
    fn a_future_that_takes_long_delays_no_others_and_results_keep_their_order() {
        const COUNT: usize = 20;
        let ended = AtomicUsize::new(0);
        let ended = &ended;
        let work = (0..COUNT).map(move |number| {
            poll_fn(move |context| {
                // The first one ends after all others.
                if number == 0 && ended.load(Ordering::SeqCst) < COUNT - 1 {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                ended.fetch_add(1, Ordering::SeqCst);
                Poll::Ready(number)
            })
            .boxed()
        });
        let results = run(map_limited(3, work.collect()));
        assert_eq!(results, (0..COUNT).collect::<Vec<_>>());
    }
}
