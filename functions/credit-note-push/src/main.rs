//! Pushes credit notes and their allocations to Xero for the messages of their queues.

use runtime::EntityKind;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    runtime::queue::serve_queues(EntityKind::CreditNote).await
}
