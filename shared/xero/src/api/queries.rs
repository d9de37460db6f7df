//! Calls that return rows: a list of them, the rows that keys select, or a single row that is
//! requested by its id.

use domain::failure::FailureClass;
use domain::paging::PagePosition;
use serde::de::DeserializeOwned;

use super::page::{is_one_of_several, read_every_row, read_whole_page};
use crate::error::{CallTarget, XeroError};
use crate::json::parse_elements;
use crate::rows::{DecodedRows, UndecodableRow};
use crate::session::{ApiCall, ApiSession};

/// Makes a call for a list whose rows are read as `W`. Unreadable rows are reported to the session
/// and returned beside the others.
///
/// Xero documents no pages for these lists. If its answer is one page of several nevertheless, the
/// list is read page by page, so that no row counts as missing.
pub(super) async fn read_list<W, T>(
    session: &ApiSession,
    call: ApiCall,
    collection: &str,
) -> Result<DecodedRows<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let endpoint = call.endpoint;
    let body = session.make_call(call.clone()).await?;
    if is_one_of_several(&body) {
        return read_every_row::<W, T>(
            session,
            &call,
            collection,
            UndecodableRow::too_large(endpoint),
        )
        .await;
    }
    decode_rows::<W, T>(session, endpoint, collection, &body)
}

/// Like [`read_list`], for a list that is only used to check what is sent. A list that is too large
/// to be read is one unreadable row, which stands for all its rows.
pub(super) async fn read_optional_list<W, T>(
    session: &ApiSession,
    call: ApiCall,
    collection: &str,
) -> Result<DecodedRows<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let endpoint = call.endpoint;
    match read_list::<W, T>(session, call, collection).await {
        Err(XeroError::AnswerTooLarge { .. }) => {
            Ok(leave_out(session, UndecodableRow::too_large(endpoint)))
        }
        listed => listed,
    }
}

/// Reads the answer to a call for a list.
pub(super) fn decode_rows<W, T>(
    session: &ApiSession,
    endpoint: &'static str,
    collection: &str,
    body: &[u8],
) -> Result<DecodedRows<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let rows =
        DecodedRows::decode_elements::<W>(endpoint, &parse_elements(endpoint, collection, body)?);
    session.report_undecodable_rows(&rows.undecodable);
    Ok(rows)
}

/// A way to read the rows that keys select: ids or numbers.
pub(super) struct KeySelection<K> {
    /// The call for the rows of these keys, at least one.
    pub(super) call: fn(&[K]) -> ApiCall,
    /// The row of a key, if it is too large to be read or was not read, with what the key says
    /// about it.
    pub(super) too_large: fn(&K) -> UndecodableRow,
}

/// Reads every row that the keys select, with one call for all keys. If the answer is too large, or
/// there are more rows than a page has, the keys are divided among two calls; the rows of a single
/// key are read page by page. A record that is too large by itself is an unreadable row, and so are
/// the rows of a single key after the last page that one look-up reads.
pub(super) async fn select_rows<K, W, T>(
    session: &ApiSession,
    keys: &[K],
    collection: &str,
    selection: &KeySelection<K>,
) -> Result<DecodedRows<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let mut found = DecodedRows::default();
    let mut waiting = vec![keys];
    while let Some(keys) = waiting.pop() {
        let call = match keys {
            [] => continue,
            [_, ..] => (selection.call)(keys),
        };
        if let [key] = keys {
            let too_large = (selection.too_large)(key);
            let rows = match call.target {
                CallTarget::One => {
                    read_single_row::<W, T>(session, call, collection, too_large).await?
                }
                CallTarget::Collection => {
                    read_every_row::<W, T>(session, &call, collection, too_large).await?
                }
            };
            found.append_rows(rows);
            continue;
        }
        match read_whole_page::<W, T>(session, &call, collection, PagePosition::FIRST).await {
            Ok(page) if page.next_position().is_none() => {
                found.append_rows(DecodedRows { rows: page.rows, undecodable: page.undecodable });
            }
            Ok(_) | Err(XeroError::AnswerTooLarge { .. }) => {
                let (first, second) = keys.split_at(keys.len() / 2);
                waiting.extend([second, first]);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Makes a call for one record, whose row is alone in the answer. Without such a record in Xero,
/// there is no row. If it is too large, `too_large` is the unreadable row.
pub(super) async fn read_single_row<W, T>(
    session: &ApiSession,
    call: ApiCall,
    collection: &str,
    too_large: UndecodableRow,
) -> Result<DecodedRows<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    match read_list::<W, T>(session, call, collection).await {
        Err(XeroError::NotFound { .. }) => Ok(DecodedRows::default()),
        Err(XeroError::AnswerTooLarge { .. }) => Ok(leave_out(session, too_large)),
        found => found,
    }
}

/// The result of a look-up that concerns a single key. If Xero would answer the same call the same
/// way again, the key's row counts as unreadable: `unread` holds the known facts about it.
/// Otherwise a single key that cannot be looked up would prevent the look-up of all others.
pub(super) fn confine_failure<T>(
    session: &ApiSession,
    looked_up: Result<DecodedRows<T>, XeroError>,
    unread: UndecodableRow,
) -> Result<DecodedRows<T>, XeroError> {
    match looked_up {
        Err(error) if error.failure_class() == FailureClass::Defect => {
            Ok(leave_out(session, UndecodableRow { reason: error.to_string(), ..unread }))
        }
        looked_up => looked_up,
    }
}

/// Makes a call for one record. Returns `None` if Xero has no such record. A record that cannot be
/// read, or that is too large to be read, is an error, because it exists.
pub(super) async fn read_record<W, T>(
    session: &ApiSession,
    call: ApiCall,
    collection: &str,
) -> Result<Option<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let endpoint = call.endpoint;
    let DecodedRows { mut rows, undecodable } =
        match read_list::<W, T>(session, call, collection).await {
            Err(XeroError::NotFound { .. }) => return Ok(None),
            Err(error @ XeroError::AnswerTooLarge { .. }) => {
                leave_out::<T>(session, UndecodableRow::too_large(endpoint));
                return Err(error);
            }
            found => found?,
        };
    match (rows.pop(), undecodable.first()) {
        (Some(row), _) => Ok(Some(row)),
        (None, Some(odd)) => Err(odd.into()),
        (None, None) => Ok(None),
    }
}

/// Leaves out a row that is too large by itself, or that cannot be looked up: it is logged,
/// counted, and returned as unreadable.
pub(super) fn leave_out<T>(session: &ApiSession, odd: UndecodableRow) -> DecodedRows<T> {
    let rows = DecodedRows::from_unread(odd);
    session.report_undecodable_rows(&rows.undecodable);
    rows
}
