//! Functions, called by hand.

use super::Aws;
use crate::failure::Failure;
use bytes::Bytes;
use http::Request;

/// Names the error, when the function itself failed.
const FUNCTION_ERROR: &str = "x-amz-function-error";

/// The type of the error of a function that did not finish in its time.
pub const TIMED_OUT: &str = "Sandbox.Timedout";

/// How often a function is called that does not finish in its time.
const CALLS_MAX: u32 = 5;

/// How a call ended that did not fail.
enum Called {
    Done,
    TimedOut,
}

impl Aws {
    /// Calls a function as its schedule does, and waits until it has come to its end. One that did not
    /// finish in its time is called again, as the next tick of its schedule would.
    pub async fn call_function(&self, name: &str) -> Result<(), Failure> {
        for _ in 1..CALLS_MAX {
            if let Called::Done = self.call_once(name).await? {
                return Ok(());
            }
        }
        match self.call_once(name).await? {
            Called::Done => Ok(()),
            Called::TimedOut => Err(Failure::new(format!(
                "{name} did not finish in its time, {CALLS_MAX} times in a row"
            ))),
        }
    }

    async fn call_once(&self, name: &str) -> Result<Called, Failure> {
        let path = format!("{}/2015-03-31/functions/{name}/invocations", self.endpoint());
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Bytes::from_static(br#"{"source":"aws.scheduler"}"#));
        let doing = format!("Calling {name}");
        let answer = self.exchange("lambda", &doing, request).await?;
        if answer.headers().contains_key(FUNCTION_ERROR) {
            let said = String::from_utf8_lossy(answer.body()).into_owned();
            if said.contains(TIMED_OUT) {
                return Ok(Called::TimedOut);
            }
            return Err(Failure::new(format!("{doing} ended in an error")).because(said));
        }
        Ok(Called::Done)
    }
}
