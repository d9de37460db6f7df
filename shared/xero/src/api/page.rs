//! Pages of lists, with the metadata of the answer.
//!
//! A look-up that decides whether something exists reads its list with [`read_every_row`], to the
//! end: rows that were not read must not count as missing. [`read_first_rows`] is for lists of
//! which people see a part.

use domain::paging::{PageLimit, PagePosition};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::queries;
use crate::date::optional_instant;
use crate::error::XeroError;
use crate::json::optional_text;
use crate::rows::{DecodedRows, UndecodableRow};
use crate::session::{ApiCall, ApiSession};

/// The maximum number of pages of the largest size that are read of one list. Xero allows 60 calls
/// in a minute, so a longer reading could never finish within a minute.
const PAGES_MAX: u32 = 30;
/// The number of rows of a page by default, according to Xero's documentation of `pageSize`.
const DEFAULT_SIZE: u32 = 100;

/// A page of a list.
#[derive(Debug, Clone)]
pub struct RowPage<T> {
    /// Its readable rows, in Xero's order.
    pub rows: Vec<T>,
    /// Its unreadable rows. They count towards the size of the page.
    pub undecodable: Vec<UndecodableRow>,
    /// The position at which it was read. It has fewer rows than requested if an answer was too
    /// large.
    pub at: PagePosition,
    /// The number of rows of a full page, as Xero reports it. It may differ from the requested
    /// number.
    pub full: u32,
    /// When Xero answered, by its own clock.
    pub answered_at: Option<Timestamp>,
    /// Whether Xero reports further pages.
    is_followed: bool,
}

impl<T> RowPage<T> {
    /// The number of rows that Xero returned, readable or not. It decides whether the page is full
    /// or the last one.
    pub fn row_count(&self) -> usize {
        self.rows.len() + self.undecodable.len()
    }

    /// The position of the page behind this one, or `None` if this is the last one: an empty page,
    /// or one that is not full and after which Xero reports no other.
    pub fn next_position(&self) -> Option<PagePosition> {
        let count = u32::try_from(self.row_count()).unwrap_or(u32::MAX);
        let is_last = count == 0 || (count < self.full && !self.is_followed);
        (!is_last).then(|| self.at.after_full_page(self.full))
    }

    /// A page of a single row.
    fn from_single_row(row: DecodedRows<T>, at: PagePosition) -> Self {
        let DecodedRows { rows, undecodable } = row;
        Self { rows, undecodable, at, full: at.page_size(), answered_at: None, is_followed: false }
    }
}

#[derive(Debug, Deserialize)]
struct WireEnvelope {
    #[serde(default, rename = "DateTimeUTC", deserialize_with = "optional_instant")]
    answered_at: Option<Timestamp>,
    #[serde(default)]
    pagination: Option<WirePagination>,
}

/// What a paged answer says about its list. Other answers do not have this member.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePagination {
    #[serde(default, deserialize_with = "optional_text")]
    page_size: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    page_count: Option<String>,
}

impl WirePagination {
    /// The number of rows of a full page. An answer that does not state it, and that has exactly as
    /// many rows as Xero's pages have by default, may be such a page.
    fn full_size(&self, at: PagePosition, count: usize) -> u32 {
        let is_default = at.page_size() > DEFAULT_SIZE && u32::try_from(count) == Ok(DEFAULT_SIZE);
        let unstated = if is_default { DEFAULT_SIZE } else { at.page_size() };
        parse_number(self.page_size.as_deref()).filter(|size| *size > 0).unwrap_or(unstated)
    }

    /// Whether Xero reports pages after the page with this number.
    fn has_page_after(&self, page: u32) -> bool {
        parse_number(self.page_count.as_deref()).is_some_and(|count| count > page)
    }
}

fn parse_number(text: Option<&str>) -> Option<u32> {
    text?.trim().parse().ok()
}

/// Whether an answer to a call without pages is one page of several nevertheless.
pub(super) fn is_one_of_several(body: &[u8]) -> bool {
    let envelope = serde_json::from_slice::<WireEnvelope>(body).ok();
    let pagination = envelope.and_then(|envelope| envelope.pagination);
    pagination.is_some_and(|pagination| pagination.has_page_after(1))
}

/// Makes a call for the page at a position, whose rows are read as `W`. If the answer is too large,
/// a smaller page is requested that begins with the same row; [`RowPage::at`] says which one was
/// read. A row that is too large by itself is a page of one unreadable row, `too_large`.
pub(super) async fn read_page<W, T>(
    session: &ApiSession,
    call: &ApiCall,
    collection: &str,
    at: PagePosition,
    too_large: UndecodableRow,
) -> Result<RowPage<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let mut at = at;
    loop {
        match read_whole_page::<W, T>(session, call, collection, at).await {
            Err(XeroError::AnswerTooLarge { .. }) => match at.with_smaller_pages() {
                Some(smaller) => at = smaller,
                None => {
                    return Ok(RowPage::from_single_row(
                        queries::leave_out(session, too_large),
                        at,
                    ));
                }
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
pub(super) async fn read_whole_page<W, T>(
    session: &ApiSession,
    call: &ApiCall,
    collection: &str,
    at: PagePosition,
) -> Result<RowPage<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let endpoint = call.endpoint;
    let body = session.make_call(call.clone().at_page(at)).await?;
    let WireEnvelope { answered_at, pagination } = serde_json::from_slice(&body)
        .map_err(|error| XeroError::undecodable_json(endpoint, error))?;
    let DecodedRows { rows, undecodable } =
        queries::decode_rows::<W, T>(session, endpoint, collection, &body)?;
    let pagination = pagination.unwrap_or_default();
    let full = pagination.full_size(at, rows.len() + undecodable.len());
    let is_followed = pagination.has_page_after(at.page_number());
    Ok(RowPage { rows, undecodable, at, full, answered_at, is_followed })
}

/// Reads every row of a list, page by page, for a look-up that decides whether something exists.
///
/// The rows are read in the order of their ids, which never change: in Xero's default order, by
/// `UpdatedDateUTC`, an edit between two calls would move a row that has not been read to a page
/// that has. If the list has more pages than one reading may request, `unread` stands for its other
/// rows: an unreadable row that may be any of them.
pub(super) async fn read_every_row<W, T>(
    session: &ApiSession,
    call: &ApiCall,
    collection: &str,
    unread: UndecodableRow,
) -> Result<DecodedRows<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let call = match call.row_id {
        Some(id) => call.clone().with_query("order", format!("{id} ASC")),
        None => call.clone(),
    };
    let mut found = DecodedRows::default();
    let (mut at, mut pages) = (PagePosition::FIRST, PageLimit::of_pages(PAGES_MAX));
    while !pages.is_reached() {
        let read = read_page::<W, T>(session, &call, collection, at, unread.clone()).await?;
        pages.count_page(read.at);
        let next = read.next_position();
        found.append_rows(DecodedRows { rows: read.rows, undecodable: read.undecodable });
        match next {
            Some(next) => at = next,
            None => return Ok(found),
        }
    }
    let reason = "it is behind more pages than one look-up reads".to_owned();
    found.append_rows(queries::leave_out(session, UndecodableRow { reason, ..unread }));
    Ok(found)
}

/// Reads the first rows of a list, to show them: up to `limit`, and fewer if they would take more
/// pages than one reading may request. They are read in one page, or in several if the limit or an
/// answer is too large for one. Never decide by them that something does not exist: see
/// [`read_every_row`].
pub(super) async fn read_first_rows<W, T>(
    session: &ApiSession,
    call: &ApiCall,
    collection: &str,
    limit: u32,
    too_large: UndecodableRow,
) -> Result<DecodedRows<T>, XeroError>
where
    W: DeserializeOwned + Into<T>,
{
    let mut found = DecodedRows::default();
    let (mut at, mut pages) = (PagePosition::first_of(limit), PageLimit::of_pages(PAGES_MAX));
    while !pages.is_reached() {
        let read = read_page::<W, T>(session, call, collection, at, too_large.clone()).await?;
        pages.count_page(read.at);
        let next = read.next_position().filter(|next| next.rows_before() < limit);
        found.append_rows(DecodedRows { rows: read.rows, undecodable: read.undecodable });
        match next {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(found)
}
