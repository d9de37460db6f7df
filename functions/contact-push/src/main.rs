//! Pushes clients to Xero for the messages of their queues.

use runtime::queue::PushFunction;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    runtime::queue::serve_queues(PushFunction::CONTACTS).await
}
