//! The chart of accounts.

use domain::chart::Account;
use serde::Deserialize;

use crate::error::XeroError;
use crate::json::{all, told};
use crate::session::{Call, Session};

const ENDPOINT: &str = "/Accounts";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAccount {
    #[serde(default, deserialize_with = "told")]
    code: Option<String>,
    name: String,
    #[serde(rename = "Type")]
    account_type: String,
    #[serde(default, deserialize_with = "told")]
    status: Option<String>,
    #[serde(default, deserialize_with = "told")]
    tax_type: Option<String>,
}

/// Every account that has a code, archived ones included. Some bank accounts have none and cannot
/// be named on a line. Xero gives the whole chart in one answer.
pub async fn accounts(session: &Session) -> Result<Vec<Account>, XeroError> {
    let body = session.call(Call::list(ENDPOINT, "Accounts")).await?;
    let accounts = all::<WireAccount>(ENDPOINT, "Accounts", &body)?;
    Ok(accounts.into_iter().filter_map(with_code).collect())
}

fn with_code(wire: WireAccount) -> Option<Account> {
    Some(Account {
        code: wire.code?,
        name: wire.name,
        is_active: wire.status.is_none_or(|status| status == "ACTIVE"),
        account_type: wire.account_type,
        tax_type: wire.tax_type,
    })
}
