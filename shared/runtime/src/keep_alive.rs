//! Keep-alive, as a schedule asks for it.

use engine::Invocation;
use engine::chain::Chain;
use engine::keep_alive::keep_alive;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

use crate::boot::boot;
use crate::queue::deadline;

/// Visits every connection on every event, until Lambda stops the process.
pub async fn serve() -> Result<(), Error> {
    let booted = boot().await.inspect_err(|error| {
        tracing::error!(error = %Chain(error), "the function cannot start");
    })?;
    let engine = &booted.engine;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<IgnoredAny>| async move {
        let kept = keep_alive(engine, Invocation::until(deadline(&event.context))).await;
        let kept = kept.inspect_err(|error| {
            tracing::error!(error = %Chain(error), "the connections could not be listed");
        })?;
        tracing::info!(
            renewed = kept.renewed,
            in_use = kept.in_use,
            expired = kept.expired,
            failed = kept.failed,
            is_cut_short = kept.is_cut_short,
            "kept alive"
        );
        Ok::<_, Error>(())
    }))
    .await
}
