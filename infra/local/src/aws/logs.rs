//! The functions' log lines, from the log groups of the template.

use bytes::Bytes;
use http::Request;
use serde::{Deserialize, Serialize};

use super::Aws;
use crate::failure::Failure;

/// The call, as failures name it.
const CALL: &str = "CloudWatch Logs FilterLogEvents";

/// The maximum number of pages read of one group: far more than a story writes.
const PAGES_MAX: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Filter<'a> {
    log_group_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filtered {
    #[serde(default)]
    events: Vec<Written>,
    #[serde(default)]
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    message: String,
}

impl Aws {
    /// Every line of a log group, oldest first.
    pub async fn log_lines(&self, group: &str) -> Result<Vec<String>, Failure> {
        let (mut lines, mut next_token) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let filter = Filter { log_group_name: group, next_token };
            let page = self.filter_events(&filter).await?;
            let messages = page.events.into_iter().map(|event| event.message);
            lines.extend(
                messages.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()),
            );
            next_token = page.next_token;
            if next_token.is_none() {
                return Ok(lines);
            }
        }
        Err(Failure::new(format!(
            "The log group {group} has more than the maximum number of pages"
        )))
    }

    async fn filter_events(&self, filter: &Filter<'_>) -> Result<Filtered, Failure> {
        let body = serde_json::to_vec(filter)
            .map_err(|error| Failure::new(format!("Cannot serialise {CALL}")).because(error))?;
        let request = Request::post(format!("{}/", self.endpoint()))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", "Logs_20140328.FilterLogEvents")
            .body(Bytes::from(body));
        let answer = self.exchange("logs", CALL, request).await?;
        serde_json::from_slice(answer.body()).map_err(|error| {
            Failure::new(format!("{CALL} returned an unexpected response")).because(error)
        })
    }
}
