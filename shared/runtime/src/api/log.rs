//! The sync log, filtered and in pages.

use std::num::NonZeroU16;

use axum::extract::State;
use domain::entity::EntityKind;
use domain::ids::CrmId;
use domain::sync_log::{LogStatus, RETENTION_DAYS};
use engine::Engine;
use engine::commands::activity;
use engine::commands::records::{self, LogFilter};
use jiff::Timestamp;
use requests::RecordKind;
use serde::Deserialize;
use store::LogSpan;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{AnyCaller, Parameters};
use super::views::{ActivityView, LogOutcome, LogPageView};
use super::{RouteResult, find_pages, log_unavailable};
use crate::http::{FieldProblem, ProblemDetails, json_response};

/// The default number of entries per page.
const PAGE_DEFAULT: NonZeroU16 = NonZeroU16::new(50).expect("fifty is not zero");
const PAGE_MAX: u16 = 200;
/// The maximum length of a text to search for, in characters.
const TEXT_MAX: usize = 100;
/// Entries are kept for this long.
const DAYS_MAX: i64 = RETENTION_DAYS;

/// Declares the routes of this module.
pub(super) fn declare_log_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new().routes(routes!(read_sync_log)).routes(routes!(read_activity))
}

/// The parameters of the sync log.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct LogParameters {
    /// Only entries about records of this kind.
    #[param(value_type = RecordKind, required = false)]
    entity: Option<String>,
    /// Only entries with this outcome.
    #[param(value_type = LogOutcome, required = false)]
    status: Option<String>,
    /// Only entries about the record with this id. The id of a payment also names its parts.
    #[param(value_type = String, required = false)]
    crm_id: Option<String>,
    /// Only entries with this code of a failure.
    #[param(value_type = String, required = false)]
    code: Option<String>,
    /// Only entries about records whose number or id contains this text, in any case; at most 100
    /// characters.
    #[param(value_type = String, required = false, max_length = 100)]
    q: Option<String>,
    /// Only entries from this instant on, such as `2026-11-02T09:00:00Z`.
    #[param(value_type = Timestamp, required = false)]
    from: Option<String>,
    /// Only entries before this instant.
    #[param(value_type = Timestamp, required = false)]
    before: Option<String>,
    /// The maximum number of entries, from 1 to 200; 50 if absent.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// The `next` of the previous page.
    #[param(value_type = String, required = false)]
    cursor: Option<String>,
}

/// Reads a page of the sync log, newest first.
///
/// Entries are kept for 30 days.
#[utoipa::path(
    get,
    path = "/v1/sync-log",
    tag = "log",
    params(LogParameters),
    responses(
        (status = 200, description = "A page of the log.", body = LogPageView),
        (status = 400, description = "A parameter is not valid."),
    ),
)]
async fn read_sync_log(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
    Parameters(asked): Parameters<LogParameters>,
) -> RouteResult {
    let kinds = EntityKind::ALL.map(EntityKind::as_str);
    let entity = parse_choice(asked.entity.as_deref(), "entity", EntityKind::from_name, &kinds)?;
    let statuses = LogStatus::ALL.map(LogStatus::as_str);
    let status = parse_choice(asked.status.as_deref(), "status", LogStatus::from_name, &statuses)?;
    let limit = asked.limit.as_deref().map_or(Ok(PAGE_DEFAULT), parse_page_size)?;
    let cursor = parse_cursor(asked.cursor.as_deref())?;
    let filter = LogFilter {
        entity,
        status,
        crm_id: find_text(asked.crm_id.as_deref()).map(parse_record_id).transpose()?,
        code: find_text(asked.code.as_deref()).map(str::to_owned),
        text: parse_search_text(asked.q.as_deref())?,
        span: parse_span(asked.from.as_deref(), asked.before.as_deref())?,
    };
    let view = records::read_sync_log(&engine, &caller.account, &filter, cursor, limit).await;
    let view = view.map_err(|error| log_unavailable(&error))?;
    let pages = find_pages(&engine, &caller.account).await?;
    Ok(json_response(200, &LogPageView::of_page(view, &pages)))
}

/// The parameters of the activity.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ActivityParameters {
    /// How many days back, from 1 to 30; 30 if absent.
    #[param(value_type = u16, required = false, minimum = 1, maximum = 30)]
    days: Option<String>,
}

/// Counts the attempts of every hour.
#[utoipa::path(
    get,
    path = "/v1/activity",
    tag = "log",
    params(ActivityParameters),
    responses(
        (status = 200, description = "The hours with attempts, the oldest first.", body = ActivityView),
        (status = 400, description = "A parameter is not valid."),
    ),
)]
async fn read_activity(
    State(engine): State<Engine>,
    AnyCaller(caller): AnyCaller,
    Parameters(asked): Parameters<ActivityParameters>,
) -> RouteResult {
    let wrong = || ProblemDetails::bad_field("days", "must be a whole number from 1 to 30");
    let days = match find_text(asked.days.as_deref()) {
        None => DAYS_MAX,
        Some(text) => text
            .parse::<i64>()
            .ok()
            .filter(|days| (1..=DAYS_MAX).contains(days))
            .ok_or_else(wrong)?,
    };
    let activity = activity::read_activity(&engine, &caller.account, days).await;
    let activity = activity.map_err(|error| log_unavailable(&error))?;
    Ok(json_response(200, &ActivityView::from(activity)))
}

/// Parses a text to search for. An empty one counts as absent.
fn parse_search_text(text: Option<&str>) -> Result<Option<String>, ProblemDetails> {
    let text = find_text(text.map(str::trim));
    if text.is_some_and(|text| text.chars().count() > TEXT_MAX) {
        return Err(ProblemDetails::bad_field("q", "must have at most 100 characters"));
    }
    Ok(text.map(str::to_owned))
}

fn parse_record_id(text: &str) -> Result<CrmId, ProblemDetails> {
    CrmId::new(text).map_err(|error| ProblemDetails::bad_field("crm_id", &error.to_string()))
}

/// Returns a parameter that is not empty.
fn find_text(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// Parses the span of the entries. One that ends before it begins is refused: an empty page would
/// say that nothing happened.
fn parse_span(from: Option<&str>, before: Option<&str>) -> Result<LogSpan, ProblemDetails> {
    let span =
        LogSpan { from: parse_instant(from, "from")?, before: parse_instant(before, "before")? };
    let is_reversed = span.from.zip(span.before).is_some_and(|(from, before)| from > before);
    if !is_reversed {
        return Ok(span);
    }
    let problem = |field: &str, detail: &str| FieldProblem {
        field: field.to_owned(),
        detail: detail.to_owned(),
    };
    Err(ProblemDetails::bad_fields(vec![
        problem("from", "must not be later than before; exchange the two, or leave one out"),
        problem("before", "must not be earlier than from; exchange the two, or leave one out"),
    ]))
}

/// Parses an instant. An empty one counts as absent.
fn parse_instant(
    text: Option<&str>,
    field: &'static str,
) -> Result<Option<Timestamp>, ProblemDetails> {
    let wrong =
        |_| ProblemDetails::bad_field(field, "must be an instant such as 2026-11-02T09:00:00Z");
    find_text(text).map(str::parse::<Timestamp>).transpose().map_err(wrong)
}

/// Parses a parameter that takes one of several words. An empty one counts as absent.
pub(super) fn parse_choice<T>(
    text: Option<&str>,
    field: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    words: &[&str],
) -> Result<Option<T>, ProblemDetails> {
    let Some(text) = find_text(text) else { return Ok(None) };
    let wrong =
        || ProblemDetails::bad_field(field, &format!("must be one of {}", words.join(", ")));
    parse(text).map(Some).ok_or_else(wrong)
}

/// Parses a parameter that is `true` or `false`. An empty one counts as absent.
pub(super) fn parse_flag(
    text: Option<&str>,
    field: &'static str,
) -> Result<Option<bool>, ProblemDetails> {
    parse_choice(text, field, |text| text.parse().ok(), &["true", "false"])
}

/// Parses the maximum number of rows of a page.
pub(super) fn parse_page_size(text: &str) -> Result<NonZeroU16, ProblemDetails> {
    let size = text.parse::<NonZeroU16>().ok().filter(|size| size.get() <= PAGE_MAX);
    size.ok_or_else(|| ProblemDetails::bad_field("limit", "must be a whole number from 1 to 200"))
}

/// Parses a cursor, which names the last row of the previous page. An empty one counts as absent.
pub(super) fn parse_cursor(text: Option<&str>) -> Result<Option<String>, ProblemDetails> {
    let Some(text) = find_text(text) else { return Ok(None) };
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-:.!_~ ".contains(&byte);
    if text.len() <= 200 && text.bytes().all(is_sign) {
        Ok(Some(text.to_owned()))
    } else {
        Err(ProblemDetails::bad_field("cursor", "must be the `next` of an earlier page"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_at_most_two_hundred_entries() {
        for (text, is_read) in [
            ("1", true),
            ("200", true),
            ("201", false),
            ("20000", false),
            ("99999999999999999999", false),
            ("0", false),
            ("-1", false),
            ("many", false),
        ] {
            assert_eq!(parse_page_size(text).is_ok(), is_read, "{text}");
        }
    }

    #[test]
    fn a_cursor_is_a_short_text_without_the_separator_of_keys() {
        let read = |text: &str| parse_cursor(Some(text));
        assert_eq!(read(""), Ok(None));
        for cursor in ["2026-11-02T09:00:00.5Z-0123", "GIVEN_UP!inv_1~credit", &"x".repeat(200)] {
            assert_eq!(read(cursor), Ok(Some(cursor.to_owned())), "{cursor}");
        }
        for odd in ["MAP#invoice", "a/b", "a\nb", "\u{e9}", &"x".repeat(201)] {
            assert!(read(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn a_text_to_search_for_has_at_most_a_hundred_characters() {
        let read = |text: &str| parse_search_text(Some(text));
        assert_eq!(read("  "), Ok(None));
        let longest = "\u{e9}".repeat(100);
        assert_eq!(read(&format!(" {longest} ")), Ok(Some(longest.clone())));
        assert!(read(&format!("{longest}x")).is_err());
    }

    #[test]
    fn an_unknown_kind_is_answered_with_all_that_are_known() {
        let kinds = EntityKind::ALL.map(EntityKind::as_str);
        let chosen = |text| parse_choice(Some(text), "entity", EntityKind::from_name, &kinds);
        let refused = chosen("quote").unwrap_err().into_detail();
        for kind in EntityKind::ALL {
            assert_eq!(chosen(kind.as_str()), Ok(Some(kind)));
            assert!(refused.contains(kind.as_str()), "{refused}");
        }
    }
}
