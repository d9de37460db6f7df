//! Pages of lists: their rows, and what the envelope says beside them.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::PAGE_LIMIT;
use crate::date::optional_instant;
use crate::error::XeroError;
use crate::json::all;

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// Its rows, in Xero's order.
    pub rows: Vec<T>,
    /// How many rows a full page has: what Xero says it took, which need not be what was asked for.
    pub full: usize,
    /// When Xero answered, by its own clock.
    pub answered_at: Option<Timestamp>,
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
    #[serde(default)]
    page_size: Option<usize>,
}

/// Reads a page whose rows come as `W`.
pub(super) fn page<W, T>(
    endpoint: &'static str,
    collection: &str,
    body: &[u8],
) -> Result<Page<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let Envelope { answered_at, pagination } =
        serde_json::from_slice(body).map_err(|error| XeroError::undecodable(endpoint, error))?;
    let rows = all::<W>(endpoint, collection, body)?.into_iter().map(Into::into).collect();
    let full = pagination.and_then(|pagination| pagination.page_size);
    Ok(Page { rows, full: full.filter(|size| *size > 0).unwrap_or(PAGE_LIMIT), answered_at })
}
