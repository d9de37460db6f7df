//! `GET /Accounts`: the chart of accounts.

use super::RequestContext;
use super::fields::{Fields, Refusal};
use crate::answer::Answer;
use crate::books::Books;
use crate::filter::{Field, Kind, Queried, Value};
use crate::json::{Json, Object};
use crate::listing::{Query, is_recent, modified_since};
use crate::organisation::{Account, AccountKind};
use jiff::tz::TimeZone;

impl RequestContext<'_> {
    pub(super) fn accounts(&mut self, id: Option<&str>) -> Result<Answer, Answer> {
        let query = Query::read::<Row<'_>>(self.incoming)?;
        let since = modified_since(self.incoming);
        let mut rows: Vec<Row<'_>> = self
            .books
            .organisation
            .accounts
            .iter()
            .map(Row)
            .filter(|row| match id {
                Some(id) => {
                    row.0.id.to_string().eq_ignore_ascii_case(id)
                        || row.0.code.as_deref() == Some(id)
                }
                None => is_recent(row.0.updated_at, since, self.unconfirmed) && query.admits(row),
            })
            .collect();
        if id.is_some() && rows.is_empty() {
            return Err(Answer::not_found());
        }
        query.sort(&mut rows);
        let rows = rows.into_iter().map(|row| render(self.books, row.0)).collect();
        Ok(self.envelope("Accounts", rows, None))
    }
}

impl RequestContext<'_> {
    /// The account that an object inside an element names, by id or by code. `None` if there is no
    /// such object or no such account.
    pub(super) fn named_account(
        &self,
        fields: &Fields<'_>,
        key: &str,
    ) -> Result<Option<&Account>, Refusal> {
        let Some(account) = fields.object(key)? else {
            return Ok(None);
        };
        let account = Fields::of(account);
        Ok(match (account.id("AccountID")?, account.text("Code")?) {
            (Some(id), _) => self.books.account(id),
            (None, Some(code)) => self.books.organisation.account(&code),
            (None, None) => None,
        })
    }
}

fn render(books: &Books, account: &Account) -> Json {
    let is_bank = account.kind == AccountKind::Bank;
    let object = Object::new()
        .with("AccountID", account.id)
        .with_some("Code", account.code.as_ref())
        .with("Name", &account.name)
        .with("Status", account.status.as_str())
        .with("Type", account.kind.as_str())
        .with("TaxType", &account.tax_type)
        .with("Class", account.kind.class().as_str())
        .with("EnablePaymentsToAccount", account.takes_payments)
        .with("ShowInExpenseClaims", false)
        .with_some("BankAccountType", is_bank.then_some("BANK"))
        .with_some("CurrencyCode", account.currency.as_ref())
        .with_some("SystemAccount", account.system_account.as_ref())
        .with("HasAttachments", false)
        .with("UpdatedDateUTC", Json::instant(account.updated_at))
        .with("AddToWatchlist", false);
    books.shown(account.id, object).into()
}

#[derive(Debug)]
struct Row<'a>(&'a Account);

impl Queried for Row<'_> {
    const NAME: &'static str = "Account";
    const FIELDS: &'static [Field] = &[
        Field { name: "AccountID", kind: Kind::Guid },
        Field { name: "Code", kind: Kind::Text },
        Field { name: "Name", kind: Kind::FoldedText },
        Field { name: "Type", kind: Kind::Text },
        Field { name: "Class", kind: Kind::Text },
        Field { name: "Status", kind: Kind::Text },
        Field { name: "TaxType", kind: Kind::Text },
        Field { name: "SystemAccount", kind: Kind::Text },
        Field { name: "CurrencyCode", kind: Kind::Text },
        Field { name: "EnablePaymentsToAccount", kind: Kind::Truth },
        Field { name: "UpdatedDateUTC", kind: Kind::Moment },
    ];

    fn value(&self, field: &str) -> Value {
        let account = self.0;
        match field {
            "AccountID" => Value::Guid(account.id),
            "Code" => Value::text(account.code.as_deref()),
            "Name" => Value::text(Some(&account.name)),
            "Type" => Value::text(Some(account.kind.as_str())),
            "Class" => Value::text(Some(account.kind.class().as_str())),
            "Status" => Value::text(Some(account.status.as_str())),
            "TaxType" => Value::text(Some(&account.tax_type)),
            "SystemAccount" => Value::text(account.system_account.as_deref()),
            "CurrencyCode" => Value::text(account.currency.as_deref()),
            "EnablePaymentsToAccount" => Value::Truth(account.takes_payments),
            "UpdatedDateUTC" => {
                Value::Moment(account.updated_at.to_zoned(TimeZone::UTC).datetime())
            }
            _ => Value::Null,
        }
    }
}
