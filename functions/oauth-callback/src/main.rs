//! Serves the address to which Xero redirects the browser after the consent.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    runtime::callback::serve_callback().await
}
