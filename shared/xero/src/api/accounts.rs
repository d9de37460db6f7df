//! The chart of accounts.

use domain::chart::{Account, MoneyAccount};
use domain::ids::XeroId;
use domain::receipts::BankedTo;
use serde::Deserialize;
use uuid::Uuid;

use crate::error::XeroError;
use crate::json::{all, lenient_bool, told};
use crate::session::{Call, Session};

const ENDPOINT: &str = "/Accounts";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAccount {
    #[serde(default, rename = "AccountID")]
    id: Option<Uuid>,
    #[serde(default, deserialize_with = "told")]
    code: Option<String>,
    name: String,
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
    /// Those with a code.
    pub with_code: Vec<Account>,
    /// Those that money can be paid to, with a code or without.
    pub for_money: Vec<MoneyAccount>,
}

/// The chart: every account that has a code, archived ones included. Some bank accounts have none and cannot
/// be named on a line. Xero gives the whole chart in one answer.
pub async fn accounts(session: &Session) -> Result<Accounts, XeroError> {
    let body = session.call(Call::list(ENDPOINT, "Accounts")).await?;
    let accounts = all::<WireAccount>(ENDPOINT, "Accounts", &body)?;
    let for_money = accounts.iter().filter_map(for_money).collect();
    Ok(Accounts { with_code: accounts.into_iter().filter_map(with_code).collect(), for_money })
}

fn for_money(wire: &WireAccount) -> Option<MoneyAccount> {
    let is_bank = wire.account_type == "BANK";
    let account = BankedTo { name: wire.name.clone(), code: wire.code.clone(), is_bank };
    let id = wire.id.filter(|_| is_bank || wire.enable_payments_to_account)?;
    Some(MoneyAccount { id: XeroId(id), account })
}

fn with_code(wire: WireAccount) -> Option<Account> {
    Some(Account {
        code: wire.code?,
        name: wire.name,
        is_active: wire.status.is_none_or(|status| status == "ACTIVE"),
        account_type: wire.account_type,
        tax_type: wire.tax_type,
        enables_payments: wire.enable_payments_to_account,
    })
}
