//! Tells the CRM what was paid in Xero: on its schedule, and as messages on its queue ask for it.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    runtime::poll::serve().await
}
