//! The tracking categories of an organisation, with their options.

use domain::line_values::{TrackingCategory, TrackingOption};
use serde::Deserialize;

use super::queries::read_list;
use crate::error::XeroError;
use crate::json::optional_text;
use crate::rows::DecodedRows;
use crate::session::{ApiCall, ApiSession};

const ENDPOINT: &str = "/TrackingCategories";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireCategory {
    name: String,
    #[serde(default, deserialize_with = "optional_text")]
    status: Option<String>,
    #[serde(default)]
    options: Vec<WireOption>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireOption {
    name: String,
    #[serde(default, deserialize_with = "optional_text")]
    status: Option<String>,
}

/// Reads every tracking category and option, including archived ones, which Xero returns only on
/// request (developer.xero.com, Tracking Categories).
pub async fn list_tracking_categories(
    session: &ApiSession,
) -> Result<DecodedRows<TrackingCategory>, XeroError> {
    let call = ApiCall::for_list(ENDPOINT, "TrackingCategories");
    let call = call.with_query("includeArchived", "true");
    read_list::<WireCategory, _>(session, call, "TrackingCategories").await
}

fn is_active(status: Option<String>) -> bool {
    status.is_none_or(|status| status == "ACTIVE")
}

impl From<WireCategory> for TrackingCategory {
    fn from(wire: WireCategory) -> Self {
        let WireCategory { name, status, options } = wire;
        let option =
            |WireOption { name, status }| TrackingOption { name, is_active: is_active(status) };
        let options = options.into_iter().map(option).collect();
        Self { name, is_active: is_active(status), options }
    }
}
