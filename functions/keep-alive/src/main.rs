//! Renews, every day, the tokens of connections that nobody uses.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    runtime::keep_alive::serve().await
}
