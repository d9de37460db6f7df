//! Runs a limited number of futures concurrently.

use futures::future::BoxFuture;
use futures::{StreamExt, stream};

/// Maximum number of table rows processed concurrently. Each opens a connection to the table.
const CONCURRENT_MAX: usize = 16;

/// Runs all futures and returns their results in the order of the futures.
pub(crate) async fn map_concurrently<T>(futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    stream::iter(futures).buffered(CONCURRENT_MAX).collect().await
}
