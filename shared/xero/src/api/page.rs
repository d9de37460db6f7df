//! Pages of lists, with the metadata of the answer.

use domain::paging::{PageLimit, Position};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::rows;
use crate::date::optional_instant;
use crate::error::XeroError;
use crate::json::told;
use crate::rows::{OddRow, Rows};
use crate::session::{Call, Session};

/// The maximum number of pages of the largest size that are read for the first rows of a list.
const PAGES_MAX: u32 = 20;

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// Its readable rows, in Xero's order.
    pub rows: Vec<T>,
    /// Its unreadable rows. They count towards the size of the page.
    pub undecodable: Vec<OddRow>,
    /// The position at which it was read. It has fewer rows than requested if an answer was too
    /// large.
    pub at: Position,
    /// The number of rows of a full page, as Xero reports it. It may differ from the requested
    /// number.
    pub full: u32,
    /// When Xero answered, by its own clock.
    pub answered_at: Option<Timestamp>,
}

impl<T> Page<T> {
    /// The number of rows that Xero returned, readable or not. It decides whether the page is full
    /// or the last one.
    pub fn count(&self) -> usize {
        self.rows.len() + self.undecodable.len()
    }

    /// The position of the page behind this one, or `None` if this is the last one.
    pub fn next_position(&self) -> Option<Position> {
        let is_full = u32::try_from(self.count()).is_ok_and(|count| count >= self.full);
        is_full.then(|| self.at.after_full_page(self.full))
    }

    /// A page of a single row.
    fn of_one(row: Rows<T>, at: Position) -> Self {
        let Rows { rows, undecodable } = row;
        Self { rows, undecodable, at, full: at.size(), answered_at: None }
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

/// Makes a call for the page at a position, whose rows are read as `W`. If the answer is too large,
/// a smaller page is requested that begins with the same row; [`Page::at`] says which one was read.
/// A row that is too large by itself is a page of one unreadable row, `too_large`.
pub(super) async fn page<W, T>(
    session: &Session,
    call: &Call,
    collection: &str,
    at: Position,
    too_large: OddRow,
) -> Result<Page<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let mut at = at;
    loop {
        match whole_page::<W, T>(session, call, collection, at).await {
            Err(XeroError::AnswerTooLarge { .. }) => match at.smaller() {
                Some(smaller) => at = smaller,
                None => return Ok(Page::of_one(rows::leave_out(session, too_large), at)),
            },
            read => return read,
        }
    }
}

/// Makes a call for the page at a position and of its size.
///
/// # Errors
///
/// [`XeroError::AnswerTooLarge`] among others.
pub(super) async fn whole_page<W, T>(
    session: &Session,
    call: &Call,
    collection: &str,
    at: Position,
) -> Result<Page<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let endpoint = call.endpoint;
    let body = session.call(call.clone().at_page(at)).await?;
    let Envelope { answered_at, pagination } =
        serde_json::from_slice(&body).map_err(|error| XeroError::undecodable(endpoint, error))?;
    let Rows { rows, undecodable } = rows::read::<W, T>(session, endpoint, collection, &body)?;
    let full = pagination.and_then(|pagination| pagination.page_size?.trim().parse::<u32>().ok());
    let full = full.filter(|size| *size > 0).unwrap_or(at.size());
    Ok(Page { rows, undecodable, at, full, answered_at })
}

/// Reads the first rows of a list, up to `limit`: in one page, or in several if the limit or an
/// answer is too large for one.
///
/// # Errors
///
/// [`XeroError::Unsendable`] if this takes more pages than one reading may request.
pub(super) async fn first_rows<W, T>(
    session: &Session,
    call: &Call,
    collection: &str,
    limit: u32,
    too_large: OddRow,
) -> Result<Rows<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let mut found = Rows::default();
    let (mut at, mut pages) = (Position::first_of(limit), PageLimit::of_pages(PAGES_MAX));
    while !pages.is_reached() {
        let read = page::<W, T>(session, call, collection, at, too_large.clone()).await?;
        pages.count_page(read.at);
        let next = read.next_position().filter(|next| next.rows_before() < limit);
        found.append(Rows { rows: read.rows, undecodable: read.undecodable });
        match next {
            Some(next) => at = next,
            None => return Ok(found),
        }
    }
    Err(XeroError::Unsendable { reason: "more rows than one reading may request" })
}
