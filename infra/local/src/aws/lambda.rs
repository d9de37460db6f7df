//! Functions, called by hand.

use super::Aws;
use crate::failure::Failure;
use bytes::Bytes;
use http::Request;

/// Names the error, when the function itself failed.
const FUNCTION_ERROR: &str = "x-amz-function-error";

impl Aws {
    /// Calls a function as its schedule does, and waits until it has come to its end.
    pub async fn call_function(&self, name: &str) -> Result<(), Failure> {
        let path = format!("{}/2015-03-31/functions/{name}/invocations", self.endpoint());
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Bytes::from_static(br#"{"source":"aws.scheduler"}"#));
        let doing = format!("Calling {name}");
        let answer = self.exchange("lambda", &doing, request).await?;
        if answer.headers().contains_key(FUNCTION_ERROR) {
            let said = String::from_utf8_lossy(answer.body()).into_owned();
            return Err(Failure::new(format!("{doing} ended in an error")).because(said));
        }
        Ok(())
    }
}
