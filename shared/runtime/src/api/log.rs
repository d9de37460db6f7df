//! The sync log, filtered and in pages.

use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::sync_log::LogStatus;
use engine::Engine;
use engine::commands::settings::{self, LogFilter};
use lambda_http::{Request, RequestExt};

use super::{RouteResult, log_unavailable};
use crate::http::{ApiCaller, ProblemDetails, json_response};

/// The default number of entries per page.
const PAGE_DEFAULT: NonZeroU16 = NonZeroU16::new(50).expect("fifty is not zero");
const PAGE_MAX: u16 = 200;

pub(super) async fn read_log_page(
    engine: &Engine,
    caller: &ApiCaller,
    request: &Request,
) -> RouteResult {
    let query = request.query_string_parameters();
    let kinds = EntityKind::ALL.map(EntityKind::as_str);
    let entity = parse_choice(query.first("entity"), "entity", EntityKind::parse, &kinds)?;
    let statuses = LogStatus::ALL.map(LogStatus::as_str);
    let status = parse_choice(query.first("status"), "status", LogStatus::parse, &statuses)?;
    let limit = match query.first("limit") {
        None => PAGE_DEFAULT,
        Some(text) => parse_page_size(text)?,
    };
    let cursor = query.first("cursor").filter(|cursor| !cursor.is_empty());
    let cursor = cursor.map(parse_log_cursor).transpose()?;
    let filter = LogFilter { entity, status };
    let view = settings::read_sync_log(engine, &caller.account, filter, cursor, limit).await;
    Ok(json_response(200, &view.map_err(|error| log_unavailable(&error))?))
}

fn parse_choice<T>(
    text: Option<&str>,
    field: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    words: &[&str],
) -> Result<Option<T>, ProblemDetails> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let wrong =
        || ProblemDetails::bad_field(field, &format!("must be one of {}", words.join(", ")));
    parse(text).map(Some).ok_or_else(wrong)
}

fn parse_page_size(text: &str) -> Result<NonZeroU16, ProblemDetails> {
    let size = text.parse::<NonZeroU16>().ok().filter(|size| size.get() <= PAGE_MAX);
    size.ok_or_else(|| ProblemDetails::bad_field("limit", "must be a whole number from 1 to 200"))
}

/// Parses a cursor: the id of the last entry of the previous page.
fn parse_log_cursor(text: &str) -> Result<String, ProblemDetails> {
    let shaped = text.len() <= 100
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte));
    if shaped {
        Ok(text.to_owned())
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
    fn an_unknown_kind_is_answered_with_all_that_are_known() {
        let kinds = EntityKind::ALL.map(EntityKind::as_str);
        let chosen = |text| parse_choice(Some(text), "entity", EntityKind::parse, &kinds);
        let refused = chosen("quote").unwrap_err().into_detail();
        for kind in EntityKind::ALL {
            assert_eq!(chosen(kind.as_str()), Ok(Some(kind)));
            assert!(refused.contains(kind.as_str()), "{refused}");
        }
    }
}
