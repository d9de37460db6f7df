//! Removes sync log entries older than 30 days and expired authorisations every day.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    runtime::scheduled::serve_cleanup().await
}
