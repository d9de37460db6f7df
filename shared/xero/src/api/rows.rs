//! Rows of an answer that are wanted as they are: all of them, or the one that was asked for by its id.

use serde::de::DeserializeOwned;

use crate::error::XeroError;
use crate::json::all;
use crate::session::{Call, Session};

/// Reads rows that come as `W`.
pub(super) fn rows<W, T>(
    endpoint: &'static str,
    collection: &str,
    body: &[u8],
) -> Result<Vec<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    Ok(all::<W>(endpoint, collection, body)?.into_iter().map(Into::into).collect())
}

/// Makes a call for one thing; `None` where Xero has no such thing.
pub(super) async fn one<W, T>(
    session: &Session,
    call: Call,
    endpoint: &'static str,
    collection: &str,
) -> Result<Option<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    match session.call(call).await {
        Ok(body) => Ok(rows::<W, T>(endpoint, collection, &body)?.pop()),
        Err(XeroError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
