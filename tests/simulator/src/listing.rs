//! The common parts of all lists: paging, `If-Modified-Since`, comma-separated parameters.

use crate::answer::Answer;
use crate::filter::{Condition, Order, Queried, Unparsable, parse};
use crate::gateway::internal_error;
use crate::incoming::Incoming;
use crate::json::{Json, Object};
use crate::settings::Unconfirmed;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use uuid::Uuid;

/// Xero: pages have 100 rows by default.
const DEFAULT_PAGE_SIZE: usize = 100;

/// One page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    number: usize,
    size: usize,
}

impl Page {
    /// The page that a call requests; `forced` is for the parameters that imply paging.
    pub(crate) fn asked(
        incoming: &Incoming<'_>,
        forced: bool,
        unconfirmed: &Unconfirmed,
    ) -> Option<Self> {
        let number = incoming.parameter("page");
        let size = incoming.parameter("pageSize");
        let by_size = size.is_some() && unconfirmed.page_size_alone_pages;
        if number.is_none() && !by_size && !forced {
            return None;
        }
        let number = number.and_then(|number| number.trim().parse().ok()).unwrap_or(1_i64);
        let size = size.and_then(|size| size.trim().parse::<i64>().ok());
        let clamped = size.map(|size| usize::try_from(size.max(1)).unwrap_or(usize::MAX));
        Some(Self {
            number: usize::try_from(number.max(1)).unwrap_or(1),
            size: clamped.unwrap_or(DEFAULT_PAGE_SIZE).min(unconfirmed.page_size_max),
        })
    }

    /// The rows of this page.
    fn cut<T>(self, rows: Vec<T>) -> Vec<T> {
        rows.into_iter().skip((self.number - 1).saturating_mul(self.size)).take(self.size).collect()
    }

    /// The `pagination` member of the envelope.
    fn describe(self, rows: usize) -> Object {
        let whole = |number: usize| Json::Number(number.to_string());
        Object::new()
            .with("page", whole(self.number))
            .with("pageSize", whole(self.size))
            .with("pageCount", whole(rows.div_ceil(self.size)))
            .with("itemCount", whole(rows))
    }
}

/// The condition and the order of a call.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) condition: Option<Condition>,
    order: Option<Order>,
}

impl Query {
    /// Parses `where` and `order`; refuses invalid ones.
    pub(crate) fn read<Q: Queried>(incoming: &Incoming<'_>) -> Result<Self, Answer> {
        let condition =
            stated(incoming, "where").map(parse::<Q>).transpose().map_err(unreadable)?;
        let order =
            stated(incoming, "order").map(Order::parse::<Q>).transpose().map_err(unreadable)?;
        Ok(Self { condition, order })
    }

    pub(crate) fn admits<Q: Queried>(&self, row: &Q) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds(row))
    }

    /// Whether Xero fails on the row, instead of answering.
    fn fails_on<Q: Queried>(&self, row: &Q) -> bool {
        self.condition.as_ref().is_some_and(|condition| condition.fails_on(row))
    }

    /// Sorts rows that are already in the default order.
    pub(crate) fn sort<Q: Queried>(&self, rows: &mut [Q]) {
        if let Some(order) = &self.order {
            rows.sort_by(|left, right| order.compare(left, right));
        }
    }
}

/// A row of a list that can be filtered by the time of its last change.
pub(crate) trait Listed: Queried {
    /// When the row last changed, and its id, which together are the default order.
    fn changed(&self) -> (Timestamp, Uuid);
}

/// The rows of one response.
#[derive(Debug)]
pub(crate) struct SelectedRows<Q> {
    pub(crate) rows: Vec<Q>,
    pub(crate) pagination: Option<Object>,
}

impl<Q: Listed> SelectedRows<Q> {
    /// Selects from `all` those that changed in time and meet the condition, in order, and cuts
    /// them to the page. The refusal is 304, if that is the response for no changes.
    pub(crate) fn select(
        incoming: &Incoming<'_>,
        unconfirmed: &Unconfirmed,
        query: &Query,
        page: Option<Page>,
        all: impl Iterator<Item = Q>,
    ) -> Result<Self, Answer> {
        let since = modified_since(incoming);
        let mut rows = Vec::new();
        for row in all.filter(|row| is_recent(row.changed().0, since, unconfirmed)) {
            if query.fails_on(&row) {
                return Err(internal_error());
            }
            if query.admits(&row) {
                rows.push(row);
            }
        }
        if since.is_some() && rows.is_empty() && unconfirmed.nothing_modified_is_304 {
            return Err(Answer::empty(304));
        }
        rows.sort_by_key(Listed::changed);
        query.sort(&mut rows);
        let pagination = page.map(|page| page.describe(rows.len()));
        let rows = match page {
            Some(page) => page.cut(rows),
            None => rows,
        };
        Ok(Self { rows, pagination })
    }
}

fn stated<'a>(incoming: &'a Incoming<'_>, name: &str) -> Option<&'a str> {
    incoming.parameter(name).filter(|text| !text.trim().is_empty())
}

#[expect(clippy::needless_pass_by_value, reason = "it is a map_err function")]
fn unreadable(error: Unparsable) -> Answer {
    Answer::exception(16, "QueryParseException", error.to_string())
}

/// The instant of `If-Modified-Since`, truncated to the second. Xero ignores invalid values, such
/// as an HTTP date, and then returns everything.
pub(crate) fn modified_since(incoming: &Incoming<'_>) -> Option<Timestamp> {
    let text = incoming.header("if-modified-since")?.trim();
    let at = text.parse::<Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })?;
    Timestamp::from_second(at.as_second()).ok()
}

/// Whether a row changed since the instant of the header, if there is one.
pub(crate) fn is_recent(
    updated_at: Timestamp,
    since: Option<Timestamp>,
    unconfirmed: &Unconfirmed,
) -> bool {
    since.is_none_or(|since| {
        if unconfirmed.modified_since_inclusive { updated_at >= since } else { updated_at > since }
    })
}

/// The search term of a list, in lower case; Xero's documentation also shows it in quotation marks.
pub(crate) fn search_term(incoming: &Incoming<'_>) -> Option<String> {
    let term = incoming.parameter("searchTerm")?.trim();
    let bare = term.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Some(bare.unwrap_or(term).trim().to_lowercase())
}

/// The parts of a comma-separated list; none if the parameter is missing or empty.
pub(crate) fn comma_list(incoming: &Incoming<'_>, name: &str) -> Option<Vec<String>> {
    let text = stated(incoming, name)?;
    Some(text.split(',').map(|part| part.trim().to_owned()).collect())
}

/// The parts of a comma-separated list of ids; an invalid id refuses the call.
pub(crate) fn id_list(incoming: &Incoming<'_>, name: &str) -> Result<Option<Vec<Uuid>>, Answer> {
    let Some(parts) = comma_list(incoming, name) else {
        return Ok(None);
    };
    let ids: Result<Vec<Uuid>, uuid::Error> =
        parts.iter().map(|part| Uuid::parse_str(part)).collect();
    ids.map(Some).map_err(|_| {
        Answer::exception(16, "QueryParseException", format!("'{name}' must be a list of ids"))
    })
}
