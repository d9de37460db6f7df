//! Invokes functions by hand, and starts and stops their event sources.

use bytes::Bytes;
use http::{Request, Response};
use serde::Deserialize;

use super::Aws;
use crate::failure::Failure;

/// The header that names the error if the function itself failed.
const FUNCTION_ERROR: &str = "x-amz-function-error";

/// The error type of a function that timed out.
pub const TIMED_OUT: &str = "Sandbox.Timedout";

/// The event of a schedule.
const SCHEDULED: &str = r#"{"source":"aws.scheduler"}"#;

/// How often a function that times out is invoked.
const CALLS_MAX: u32 = 5;

/// The result of an invocation that did not fail.
enum Called {
    Done,
    TimedOut,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EventSources {
    event_source_mappings: Vec<EventSource>,
}

#[derive(Deserialize)]
struct EventSource {
    #[serde(rename = "UUID")]
    id: String,
}

impl Aws {
    /// Invokes a function as its schedule does, and waits for its result. A function that timed out
    /// is invoked again, as by the next tick of its schedule.
    pub async fn call_function(&self, name: &str) -> Result<(), Failure> {
        for _ in 1..CALLS_MAX {
            if let Called::Done = self.call_once(name).await? {
                return Ok(());
            }
        }
        match self.call_once(name).await? {
            Called::Done => Ok(()),
            Called::TimedOut => {
                Err(Failure::new(format!("{name} timed out {CALLS_MAX} times in a row")))
            }
        }
    }

    /// Invokes a function with an operator's command, and returns its answer.
    pub async fn send_command(&self, name: &str, command: &str) -> Result<Bytes, Failure> {
        let answer = self.invoke(name, command).await?;
        if answer.headers().contains_key(FUNCTION_ERROR) {
            let said = String::from_utf8_lossy(answer.body()).into_owned();
            return Err(Failure::new(format!("Invoking {name} ended in an error")).because(said));
        }
        Ok(answer.into_body())
    }

    /// Enables or disables the event sources of all functions. Returns their number.
    pub async fn switch_event_sources(&self, is_enabled: bool) -> Result<usize, Failure> {
        let path = format!("{}/2015-03-31/event-source-mappings/", self.endpoint());
        let doing = "Lambda ListEventSourceMappings";
        let request = Request::get(&path).body(Bytes::new());
        let answer = self.exchange("lambda", doing, request).await?;
        let listed = serde_json::from_slice::<EventSources>(answer.body()).map_err(|error| {
            Failure::new(format!("{doing} returned an unexpected response")).because(error)
        })?;
        for source in &listed.event_source_mappings {
            let request = Request::put(format!("{path}{}", source.id))
                .header("content-type", "application/json")
                .body(Bytes::from(format!(r#"{{"Enabled":{is_enabled}}}"#)));
            self.exchange("lambda", "Lambda UpdateEventSourceMapping", request).await?;
        }
        Ok(listed.event_source_mappings.len())
    }

    async fn invoke(&self, name: &str, event: &str) -> Result<Response<Bytes>, Failure> {
        let path = format!("{}/2015-03-31/functions/{name}/invocations", self.endpoint());
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Bytes::copy_from_slice(event.as_bytes()));
        self.exchange("lambda", &format!("Invoking {name}"), request).await
    }

    async fn call_once(&self, name: &str) -> Result<Called, Failure> {
        let answer = self.invoke(name, SCHEDULED).await?;
        if answer.headers().contains_key(FUNCTION_ERROR) {
            let said = String::from_utf8_lossy(answer.body()).into_owned();
            if said.contains(TIMED_OUT) {
                return Ok(Called::TimedOut);
            }
            return Err(Failure::new(format!("Invoking {name} ended in an error")).because(said));
        }
        Ok(Called::Done)
    }
}
