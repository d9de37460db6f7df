//! The account codes an account has chosen from its organisation's chart.

use serde::{Deserialize, Serialize};

/// The revenue account of invoice lines unless the customer chooses another.
pub const DEFAULT_SALES_CODE: &str = "200";

/// The five configurable codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountCodes {
    /// Revenue account of invoice lines.
    pub sales: String,
    /// Bank account where Stripe payouts land.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_bank: Option<String>,
    /// Expense account of Stripe's fees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_fee: Option<String>,
    /// Income account of surcharges that customers pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_surcharge: Option<String>,
    /// Account of gift card redemptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift_card: Option<String>,
}

impl Default for AccountCodes {
    fn default() -> Self {
        Self {
            sales: DEFAULT_SALES_CODE.to_owned(),
            stripe_bank: None,
            stripe_fee: None,
            stripe_surcharge: None,
            gift_card: None,
        }
    }
}
