//! The items of an organisation: the goods and services of its price list.

use domain::line_values::ListedItem;
use serde::Deserialize;

use super::queries::read_optional_list;
use crate::error::XeroError;
use crate::json::{lenient_bool, optional_text};
use crate::rows::DecodedRows;
use crate::session::{ApiCall, ApiSession};

const ENDPOINT: &str = "/Items";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireItem {
    code: String,
    #[serde(default, deserialize_with = "optional_text")]
    name: Option<String>,
    #[serde(default = "sold_by_default", deserialize_with = "lenient_bool")]
    is_sold: bool,
}

/// Xero's default of `IsSold` (Xero's `OpenAPI` description, `Item`).
const fn sold_by_default() -> bool {
    true
}

/// Reads every item. Xero documents no pages for items. If the list is too large to be read, it is
/// one unreadable row, which stands for all items.
pub async fn list_items(session: &ApiSession) -> Result<DecodedRows<ListedItem>, XeroError> {
    let call = ApiCall::for_list(ENDPOINT, "Items");
    read_optional_list::<WireItem, _>(session, call, "Items").await
}

impl From<WireItem> for ListedItem {
    fn from(wire: WireItem) -> Self {
        let WireItem { code, name, is_sold } = wire;
        Self { code, name: name.unwrap_or_default(), is_sold }
    }
}
