//! The tax rates of an organisation.

use domain::chart::TaxRate;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::queries::read_list;
use crate::error::XeroError;
use crate::json::{lenient_bool, optional_text};
use crate::json_number;
use crate::rows::DecodedRows;
use crate::session::{ApiCall, ApiSession};

const ENDPOINT: &str = "/TaxRates";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireTaxRate {
    #[serde(default, deserialize_with = "optional_text")]
    name: Option<String>,
    tax_type: String,
    #[serde(with = "json_number")]
    effective_rate: Decimal,
    #[serde(default, deserialize_with = "optional_text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "lenient_bool")]
    can_apply_to_revenue: bool,
}

/// Reads every tax rate, including those no longer in use. Xero returns all of them in one answer.
pub async fn list_tax_rates(session: &ApiSession) -> Result<DecodedRows<TaxRate>, XeroError> {
    read_list::<WireTaxRate, _>(session, ApiCall::for_list(ENDPOINT, "TaxRates"), "TaxRates").await
}

impl From<WireTaxRate> for TaxRate {
    /// A rate without a name takes its code as its name.
    fn from(wire: WireTaxRate) -> Self {
        Self {
            name: wire.name.unwrap_or_else(|| wire.tax_type.clone()),
            tax_type: wire.tax_type,
            effective_rate: wire.effective_rate,
            is_active: wire.status.is_none_or(|status| status == "ACTIVE"),
            can_apply_to_revenue: wire.can_apply_to_revenue,
        }
    }
}
