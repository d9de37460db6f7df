//! Pages of lists, with the metadata of the answer.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{PAGE_LIMIT, rows};
use crate::date::optional_instant;
use crate::error::XeroError;
use crate::json::told;
use crate::rows::{OddRow, Rows};
use crate::session::{Call, Session};

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// Its readable rows, in Xero's order.
    pub rows: Vec<T>,
    /// Its unreadable rows. They count towards the size of the page.
    pub undecodable: Vec<OddRow>,
    /// The number of rows of a full page, as Xero reports it. It may differ from the requested
    /// number.
    pub full: usize,
    /// When Xero answered, by its own clock.
    pub answered_at: Option<Timestamp>,
}

impl<T> Page<T> {
    /// The number of rows that Xero returned, readable or not. It decides whether the page is full
    /// or the last one.
    pub fn count(&self) -> usize {
        self.rows.len() + self.undecodable.len()
    }
}

#[derive(Debug, Deserialize)]
struct Envelope {
    #[serde(default, rename = "DateTimeUTC", deserialize_with = "optional_instant")]
    answered_at: Option<Timestamp>,
    #[serde(default)]
    pagination: Option<Pagination>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    #[serde(default, deserialize_with = "told")]
    page_size: Option<String>,
}

/// Makes a call for a page whose rows are read as `W`.
pub(super) async fn page<W, T>(
    session: &Session,
    call: Call,
    collection: &str,
) -> Result<Page<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let endpoint = call.endpoint;
    let body = session.call(call).await?;
    let Envelope { answered_at, pagination } =
        serde_json::from_slice(&body).map_err(|error| XeroError::undecodable(endpoint, error))?;
    let Rows { rows, undecodable } = rows::read::<W, T>(session, endpoint, collection, &body)?;
    let full = pagination.and_then(|pagination| pagination.page_size?.trim().parse::<usize>().ok());
    let full = full.filter(|size| *size > 0).unwrap_or(PAGE_LIMIT);
    Ok(Page { rows, undecodable, full, answered_at })
}
