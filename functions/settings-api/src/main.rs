//! Serves the API behind the CRM's Xero pages.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    runtime::api::serve_api().await
}
