//! Several things at the same time, and not too many.

use futures::future::BoxFuture;
use futures::{StreamExt, stream};

/// Rows of the table worked on at the same time: as many connections are opened to it.
const AT_ONCE: usize = 16;

/// The results, in the order of the futures.
pub(crate) async fn all<T>(futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    stream::iter(futures).buffered(AT_ONCE).collect().await
}
