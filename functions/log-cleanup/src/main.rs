//! Removes, every day, sync log entries past their 30 days and authorisations that are over.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    runtime::scheduled::serve_cleanup().await
}
