//! The chart of accounts.

use domain::chart::{ChartAccount, MoneyAccount};
use domain::ids::XeroId;
use domain::invoice_payments::DepositAccount;
use domain::money::Currency;
use serde::Deserialize;
use uuid::Uuid;

use super::queries::read_list;
use crate::error::XeroError;
use crate::json::{lenient_bool, optional_currency, optional_id, optional_text};
use crate::rows::{DecodedRows, UndecodableRow};
use crate::session::{ApiCall, ApiSession};

const ENDPOINT: &str = "/Accounts";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAccount {
    #[serde(default, rename = "AccountID", deserialize_with = "optional_id")]
    id: Option<Uuid>,
    #[serde(default, deserialize_with = "optional_text")]
    code: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    name: Option<String>,
    #[serde(rename = "Type")]
    account_type: String,
    #[serde(default, deserialize_with = "optional_text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    tax_type: Option<String>,
    #[serde(default, deserialize_with = "lenient_bool")]
    enable_payments_to_account: bool,
    /// Only bank accounts have a currency.
    #[serde(default, deserialize_with = "optional_currency")]
    currency_code: Option<Currency>,
}

/// The chart of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartOfAccounts {
    /// Accounts with a code.
    pub with_code: Vec<ChartAccount>,
    /// Accounts that money can be paid to, with or without a code.
    pub for_money: Vec<MoneyAccount>,
    /// Accounts that cannot be read.
    pub undecodable: Vec<UndecodableRow>,
}

/// Reads the chart: every account that has a code, including archived ones. Some bank accounts have
/// no code and cannot be named on a line. Xero returns the whole chart in one answer.
pub async fn list_accounts(session: &ApiSession) -> Result<ChartOfAccounts, XeroError> {
    let call = ApiCall::for_list(ENDPOINT, "Accounts");
    let DecodedRows { rows, undecodable } =
        read_list::<WireAccount, WireAccount>(session, call, "Accounts").await?;
    let for_money = rows.iter().filter_map(for_money).collect();
    let with_code = rows.into_iter().filter_map(with_code).collect();
    Ok(ChartOfAccounts { with_code, for_money, undecodable })
}

fn for_money(wire: &WireAccount) -> Option<MoneyAccount> {
    let is_bank = wire.account_type == "BANK";
    let account = DepositAccount { name: account_name(wire), code: wire.code.clone(), is_bank };
    let id = wire.id.filter(|_| is_bank || wire.enable_payments_to_account)?;
    Some(MoneyAccount { id: XeroId(id), account })
}

/// The account's name, or its code if it has no name.
fn account_name(wire: &WireAccount) -> String {
    wire.name.clone().or_else(|| wire.code.clone()).unwrap_or_default()
}

fn with_code(wire: WireAccount) -> Option<ChartAccount> {
    let name = account_name(&wire);
    Some(ChartAccount {
        code: wire.code?,
        id: wire.id.map(XeroId),
        name,
        is_active: wire.status.is_none_or(|status| status == "ACTIVE"),
        account_type: wire.account_type,
        tax_type: wire.tax_type,
        enables_payments: wire.enable_payments_to_account,
        currency: wire.currency_code,
    })
}
