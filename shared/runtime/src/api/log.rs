//! The sync log, filtered and by pages.

use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::sync_log::LogStatus;
use engine::Engine;
use engine::settings::{self, LogFilter};
use lambda_http::{Request, RequestExt};

use super::{Answer, unavailable};
use crate::http::{Caller, Problem, json};

/// Entries on a page of the sync log, unless asked otherwise.
const PAGE_DEFAULT: NonZeroU16 = NonZeroU16::new(50).expect("fifty is not zero");
const PAGE_MAX: u16 = 200;

pub(super) async fn page(engine: &Engine, caller: &Caller, request: &Request) -> Answer {
    let query = request.query_string_parameters();
    let entity = choice(query.first("entity"), "entity", EntityKind::parse, "contact or invoice")?;
    let statuses = "synced, unchanged, retrying, waiting or skipped";
    let status = choice(query.first("status"), "status", LogStatus::parse, statuses)?;
    let limit = match query.first("limit") {
        None => PAGE_DEFAULT,
        Some(text) => page_size(text)?,
    };
    let cursor = query.first("cursor").filter(|cursor| !cursor.is_empty());
    let cursor = cursor.map(log_cursor).transpose()?;
    let filter = LogFilter { entity, status };
    let view = settings::sync_log(engine, &caller.account, filter, cursor, limit).await;
    Ok(json(200, &view.map_err(|error| unavailable(&error))?))
}

fn choice<T>(
    text: Option<&str>,
    field: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    among: &str,
) -> Result<Option<T>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let wrong = || Problem::bad_field(field, &format!("must be {among}"));
    parse(text).map(Some).ok_or_else(wrong)
}

fn page_size(text: &str) -> Result<NonZeroU16, Problem> {
    let size = text.parse::<NonZeroU16>().ok().filter(|size| size.get() <= PAGE_MAX);
    size.ok_or_else(|| Problem::bad_field("limit", "must be a number from 1 to 200"))
}

/// A cursor is the id of the last entry that was shown.
fn log_cursor(text: &str) -> Result<String, Problem> {
    let shaped = text.len() <= 100
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte));
    if shaped {
        Ok(text.to_owned())
    } else {
        Err(Problem::bad_field("cursor", "must be the `next` of an earlier page"))
    }
}
