//! The owner's choices on the settings page: the accounts of payments through Stripe, and what is
//! written to Xero.

use super::Story;
use crate::failure::Failure;
use crate::wait::{self, Look, PATIENCE};

/// The code of the Stripe bank account in Xero.
pub(super) const STRIPE_BANK: &str = "092";

const ACCOUNTS: &str = r#"{"sales":"200","stripe_bank":"092","stripe_fee":"405"}"#;
const CAREFUL: &str = r#"{"contacts":"xero","new_invoices":"draft"}"#;
const DEFAULTS: &str = "{}";

/// The wait has a single condition without visible progress.
const NOTHING_TO_SEE: u64 = 0;

impl Story<'_> {
    /// Chooses the accounts of payments through Stripe and of their fees.
    pub(super) async fn choose_accounts(&self) -> Result<(), Failure> {
        self.choose("/v1/account-codes", ACCOUNTS).await
    }

    /// From now on, new invoices are drafts, and corrections of contacts in Xero are kept.
    pub(super) async fn choose_careful_preferences(&self) -> Result<(), Failure> {
        self.choose("/v1/sync-preferences", CAREFUL).await
    }

    /// From now on, new invoices are approved, and the CRM leads on the contacts that it created.
    pub(super) async fn choose_default_preferences(&self) -> Result<(), Failure> {
        self.choose("/v1/sync-preferences", DEFAULTS).await
    }

    async fn choose(&self, path: &str, choices: &'static str) -> Result<(), Failure> {
        let waited = wait::while_moving(PATIENCE, async || {
            self.watch.check().await?;
            let is_chosen = self.api.choose_settings(path, choices).await?;
            Ok::<_, Failure>(if is_chosen {
                Look::Done(())
            } else {
                Look::Pending { state: NOTHING_TO_SEE, quiet: None }
            })
        });
        let chosen: Option<()> = waited.await?;
        chosen.ok_or_else(|| Failure::new(format!("PUT {path} did not respond in time")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{ACCOUNTS, CAREFUL, DEFAULTS, STRIPE_BANK};

    #[test]
    fn the_choices_are_json_and_name_the_account_whose_balance_is_checked() {
        let choices =
            [ACCOUNTS, CAREFUL, DEFAULTS].map(|text| serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(choices[0]["stripe_bank"], STRIPE_BANK);
    }
}
