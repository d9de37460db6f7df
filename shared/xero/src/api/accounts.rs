//! The chart of accounts.

use domain::chart::{Account, MoneyAccount};
use domain::ids::XeroId;
use domain::receipts::BankedTo;
use serde::Deserialize;
use uuid::Uuid;

use super::rows::list;
use crate::error::XeroError;
use crate::json::{lenient_bool, optional_id, told};
use crate::rows::{OddRow, Rows};
use crate::session::{Call, Session};

const ENDPOINT: &str = "/Accounts";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAccount {
    #[serde(default, rename = "AccountID", deserialize_with = "optional_id")]
    id: Option<Uuid>,
    #[serde(default, deserialize_with = "told")]
    code: Option<String>,
    #[serde(default, deserialize_with = "told")]
    name: Option<String>,
    #[serde(rename = "Type")]
    account_type: String,
    #[serde(default, deserialize_with = "told")]
    status: Option<String>,
    #[serde(default, deserialize_with = "told")]
    tax_type: Option<String>,
    #[serde(default, deserialize_with = "lenient_bool")]
    enable_payments_to_account: bool,
}

/// The chart of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// Accounts with a code.
    pub with_code: Vec<Account>,
    /// Accounts that money can be paid to, with or without a code.
    pub for_money: Vec<MoneyAccount>,
    /// Accounts that cannot be read.
    pub undecodable: Vec<OddRow>,
}

/// Reads the chart: every account that has a code, including archived ones. Some bank accounts have
/// no code and cannot be named on a line. Xero returns the whole chart in one answer.
pub async fn accounts(session: &Session) -> Result<Accounts, XeroError> {
    let call = Call::list(ENDPOINT, "Accounts");
    let Rows { rows, undecodable } =
        list::<WireAccount, WireAccount>(session, call, "Accounts").await?;
    let for_money = rows.iter().filter_map(for_money).collect();
    let with_code = rows.into_iter().filter_map(with_code).collect();
    Ok(Accounts { with_code, for_money, undecodable })
}

fn for_money(wire: &WireAccount) -> Option<MoneyAccount> {
    let is_bank = wire.account_type == "BANK";
    let account = BankedTo { name: name(wire), code: wire.code.clone(), is_bank };
    let id = wire.id.filter(|_| is_bank || wire.enable_payments_to_account)?;
    Some(MoneyAccount { id: XeroId(id), account })
}

/// The account's name, or its code if it has no name.
fn name(wire: &WireAccount) -> String {
    wire.name.clone().or_else(|| wire.code.clone()).unwrap_or_default()
}

fn with_code(wire: WireAccount) -> Option<Account> {
    let name = name(&wire);
    Some(Account {
        code: wire.code?,
        name,
        is_active: wire.status.is_none_or(|status| status == "ACTIVE"),
        account_type: wire.account_type,
        tax_type: wire.tax_type,
        enables_payments: wire.enable_payments_to_account,
    })
}
