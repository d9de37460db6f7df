//! Renews, every day, the tokens of connections that nobody uses.

use runtime::scheduled;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    scheduled::serve(scheduled::keeping_alive).await
}
