//! The tracking categories of an organisation, with their options.

use domain::line_values::{TrackingCategory, TrackingOption};
use serde::Deserialize;

use super::queries::read_optional_list;
use crate::error::XeroError;
use crate::json::{optional_text, readable_elements};
use crate::session::{ApiCall, ApiSession};

const ENDPOINT: &str = "/TrackingCategories";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireCategory {
    name: String,
    #[serde(default, deserialize_with = "optional_text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "readable_elements")]
    options: Vec<WireOption>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireOption {
    #[serde(default, deserialize_with = "optional_text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    status: Option<String>,
}

/// The tracking categories of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingCategories {
    /// The readable categories, each with its readable options.
    pub rows: Vec<TrackingCategory>,
    /// Whether a category or an option could not be read, or the list is too large to be read.
    pub is_partial: bool,
}

/// Reads every tracking category and option, including archived ones, which Xero returns only on
/// request (developer.xero.com, Tracking Categories).
pub async fn list_tracking_categories(
    session: &ApiSession,
) -> Result<TrackingCategories, XeroError> {
    let call = ApiCall::for_list(ENDPOINT, "TrackingCategories");
    let call = call.with_query("includeArchived", "true");
    let listed =
        read_optional_list::<WireCategory, WireCategory>(session, call, "TrackingCategories")
            .await?;
    let is_unnamed =
        |category: &WireCategory| category.options.iter().any(|one| one.name.is_none());
    let is_partial = !listed.undecodable.is_empty() || listed.rows.iter().any(is_unnamed);
    let rows = listed.rows.into_iter().map(TrackingCategory::from).collect();
    Ok(TrackingCategories { rows, is_partial })
}

fn is_active(status: Option<String>) -> bool {
    status.is_none_or(|status| status == "ACTIVE")
}

impl From<WireCategory> for TrackingCategory {
    fn from(wire: WireCategory) -> Self {
        let WireCategory { name, status, options } = wire;
        let option = |WireOption { name, status }| {
            Some(TrackingOption { name: name?, is_active: is_active(status) })
        };
        let options = options.into_iter().filter_map(option).collect();
        Self { name, is_active: is_active(status), options }
    }
}
