//! The sweep, as a schedule asks for it.

use engine::Invocation;
use engine::chain::Chain;
use engine::sweep::sweep;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

use crate::boot::boot;
use crate::queue::deadline;

/// Sweeps on every event, until Lambda stops the process.
pub async fn serve() -> Result<(), Error> {
    let booted = boot().await.inspect_err(|error| {
        tracing::error!(error = %Chain(error), "the function cannot start");
    })?;
    let engine = &booted.engine;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<IgnoredAny>| async move {
        let swept = sweep(engine, Invocation::until(deadline(&event.context))).await;
        tracing::info!(
            overdue = swept.overdue,
            parked = swept.parked,
            events = swept.events,
            removed = swept.removed,
            grants = swept.grants,
            failed = swept.failed,
            "swept"
        );
        Ok::<_, Error>(())
    }))
    .await
}
