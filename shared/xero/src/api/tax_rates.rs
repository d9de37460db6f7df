//! The tax rates of an organisation.

use domain::chart::TaxRate;
use domain::json_number;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::error::XeroError;
use crate::json::{all, lenient_bool, told};
use crate::session::{Call, Session};

const ENDPOINT: &str = "/TaxRates";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireTaxRate {
    name: String,
    tax_type: String,
    #[serde(with = "json_number")]
    effective_rate: Decimal,
    #[serde(default, deserialize_with = "told")]
    status: Option<String>,
    #[serde(default, deserialize_with = "lenient_bool")]
    can_apply_to_revenue: bool,
}

/// Every tax rate, those no longer in use included. Xero gives all of them in one answer.
pub async fn tax_rates(session: &Session) -> Result<Vec<TaxRate>, XeroError> {
    let body = session.call(Call::list(ENDPOINT, "TaxRates")).await?;
    let rates = all::<WireTaxRate>(ENDPOINT, "TaxRates", &body)?;
    Ok(rates.into_iter().map(tax_rate).collect())
}

fn tax_rate(wire: WireTaxRate) -> TaxRate {
    TaxRate {
        name: wire.name,
        tax_type: wire.tax_type,
        effective_rate: wire.effective_rate,
        is_active: wire.status.is_none_or(|status| status == "ACTIVE"),
        can_apply_to_revenue: wire.can_apply_to_revenue,
    }
}
