//! Checks every hour which records were given up, what is late, and which connections were ended
//! inside Xero.

use runtime::scheduled;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    scheduled::serve_job(scheduled::health_check_job).await
}
