//! Invokes functions by hand.

use bytes::Bytes;
use http::Request;

use super::Aws;
use crate::failure::Failure;

/// The header that names the error if the function itself failed.
const FUNCTION_ERROR: &str = "x-amz-function-error";

/// The error type of a function that timed out.
pub const TIMED_OUT: &str = "Sandbox.Timedout";

/// How often a function that times out is invoked.
const CALLS_MAX: u32 = 5;

/// The result of an invocation that did not fail.
enum Called {
    Done,
    TimedOut,
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

    async fn call_once(&self, name: &str) -> Result<Called, Failure> {
        let path = format!("{}/2015-03-31/functions/{name}/invocations", self.endpoint());
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Bytes::from_static(br#"{"source":"aws.scheduler"}"#));
        let doing = format!("Invoking {name}");
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
