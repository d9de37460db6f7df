//! Brings credit notes and their allocations to Xero, as messages on their queue ask for it.

use runtime::EntityKind;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    runtime::queue::serve(EntityKind::CreditNote).await
}
