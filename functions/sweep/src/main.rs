//! Looks, every few minutes, for records and events whose hint was lost.

use runtime::scheduled;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    scheduled::serve(scheduled::sweeping).await
}
