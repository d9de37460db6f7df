//! Whether the books agree.

use axum::extract::State;
use engine::Engine;
use engine::commands::books;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::AnyCaller;
use super::views::BooksView;
use super::{RouteResult, log_unavailable};
use crate::http::json_response;

/// Declares the routes of this module.
pub(super) fn declare_books_routes() -> OpenApiRouter<Engine> {
    OpenApiRouter::new().routes(routes!(read_books))
}

/// Reads the newest comparison of the books.
///
/// Once a day, the open balances of the CRM's invoices are compared with those in Xero.
#[utoipa::path(
    get,
    path = "/v1/books",
    tag = "books",
    responses(
        (status = 200, description = "The comparison. It is absent before the first one.", body = BooksView),
    ),
)]
async fn read_books(State(engine): State<Engine>, AnyCaller(caller): AnyCaller) -> RouteResult {
    let found = books::find_comparison(&engine, &caller.account).await;
    let found = found.map_err(|error| log_unavailable(&error))?;
    Ok(json_response(200, &BooksView::from(found)))
}
