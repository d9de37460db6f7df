//! Calls for rows as they are: a list of them, or the one that is asked for by its id.

use serde::de::DeserializeOwned;

use crate::error::XeroError;
use crate::json::elements;
use crate::rows::Rows;
use crate::session::{Call, Session};

/// Makes a call for a list whose rows come as `W`. Rows that cannot be read are counted and stand beside the others.
pub(super) async fn list<W, T>(
    session: &Session,
    call: Call,
    collection: &str,
) -> Result<Rows<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let endpoint = call.endpoint;
    let body = session.call(call).await?;
    read::<W, T>(session, endpoint, collection, &body)
}

/// Reads the answer to a call for a list.
pub(super) fn read<W, T>(
    session: &Session,
    endpoint: &'static str,
    collection: &str,
    body: &[u8],
) -> Result<Rows<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let rows = Rows::read::<W>(endpoint, &elements(endpoint, collection, body)?);
    session.note_odd_rows(&rows.undecodable);
    Ok(rows)
}

/// Makes a call for one thing, whose row stands alone in the answer; no row where Xero has no such thing.
pub(super) async fn sole<W, T>(
    session: &Session,
    call: Call,
    collection: &str,
) -> Result<Rows<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    match list::<W, T>(session, call, collection).await {
        Err(XeroError::NotFound { .. }) => Ok(Rows::default()),
        found => found,
    }
}

/// Makes a call for one thing; `None` where Xero has no such thing. One that cannot be read is an error: it is there.
pub(super) async fn one<W, T>(
    session: &Session,
    call: Call,
    collection: &str,
) -> Result<Option<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let Rows { mut rows, undecodable } = sole::<W, T>(session, call, collection).await?;
    match (rows.pop(), undecodable.first()) {
        (Some(row), _) => Ok(Some(row)),
        (None, Some(odd)) => Err(odd.into()),
        (None, None) => Ok(None),
    }
}
