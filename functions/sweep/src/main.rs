//! Finds, every few minutes, records and events whose wake-up was lost.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    runtime::scheduled::serve_sweep().await
}
