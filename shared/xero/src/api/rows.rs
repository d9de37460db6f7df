//! Calls that return rows: a list of them, or a single row that is requested by its id.

use serde::de::DeserializeOwned;

use crate::error::XeroError;
use crate::json::elements;
use crate::rows::Rows;
use crate::session::{Call, Session};

/// Makes a call for a list whose rows are read as `W`. Unreadable rows are reported to the session
/// and returned beside the others.
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

/// Makes a call for one record, whose row is alone in the answer. Without such a record in Xero,
/// there is no row.
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

/// Makes a call for one record. Returns `None` if Xero has no such record. A record that cannot be
/// read is an error, because it exists.
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
