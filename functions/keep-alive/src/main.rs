//! Renews the tokens of unused connections every day.

use runtime::scheduled;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    scheduled::serve_job(scheduled::keep_alive_job).await
}
