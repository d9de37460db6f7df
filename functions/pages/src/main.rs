//! Serves the elements and framed pages that the CRM shows to its users.

mod files;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    runtime::pages::serve_pages(&files::FILES).await
}
