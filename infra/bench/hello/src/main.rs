//! A function that does nothing. The benchmark compares every other function with it.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    serve_events().await
}

#[expect(clippy::disallowed_methods, reason = "the benchmark measures Lambda alone")]
async fn serve_events() -> Result<(), Error> {
    lambda_runtime::run(service_fn(answer_event)).await
}

async fn answer_event(_: LambdaEvent<IgnoredAny>) -> Result<&'static str, Error> {
    std::future::ready(Ok("hello")).await
}
