//! Reads payments from Xero and reports them to the CRM, on a schedule and for the messages of its
//! queue.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    runtime::poll::serve_poll().await
}
