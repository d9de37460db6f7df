//! The accounts, tax rates and tracking options to choose from, in responses.

use std::collections::BTreeMap;

use domain::translate::UsedRate;
use engine::commands::choices;
use engine::commands::links::XeroPages;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::FieldProblem;

/// The accounts, tax rates and tracking options to choose from, as Xero has them now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountChoicesView {
    /// For invoice lines and surcharges.
    pub(crate) income: Vec<AccountView>,
    /// For Stripe's fees.
    pub(crate) expense: Vec<AccountView>,
    /// For the Stripe bank account.
    pub(crate) bank: Vec<AccountView>,
    /// For gift cards, cash, cheques, cards and bank transfers.
    pub(crate) gift_card: Vec<AccountView>,
    /// For tax rates on sales.
    pub(crate) tax: Vec<TaxRateView>,
    /// For default tracking options: the categories in use that have an option in use, as Xero had
    /// them within the last day, or within the last minute after `refresh=true`.
    pub(crate) tracking: Vec<TrackingCategoryView>,
    /// Why choices in use cannot be used at present.
    pub(crate) objections: Vec<FieldProblem>,
    /// The names of bank accounts without a code, which cannot be chosen until they get one in
    /// Xero.
    pub(crate) without_code: Vec<String>,
    /// Accounts for the codes that are not chosen or cannot be used, by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) suggested: BTreeMap<String, String>,
    /// The tax rates of the CRM's documents, of a sample of at most 200 invoices and 200 credit
    /// notes.
    pub(crate) rates_used: Vec<UsedRateView>,
    /// The chart of accounts in Xero.
    pub(crate) chart_url: String,
    /// When the accounts and tax rates were read from Xero.
    pub(crate) read_at: Timestamp,
}

/// An account to choose.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountView {
    /// Its code, which chooses it.
    pub(crate) code: String,
    /// Its name.
    pub(crate) name: String,
    /// Xero's type, such as `REVENUE` or `BANK`.
    #[serde(rename = "type")]
    pub(crate) account_type: String,
}

/// A tax rate of the CRM's documents.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsedRateView {
    /// The rate as a plain percentage, or `none` for lines outside the scope of tax.
    pub(crate) rate: String,
    /// The tax type that it becomes. Without it, no tax rate fits, or a person has to choose one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tax_type: Option<String>,
    /// The tax types for sales that charge this percentage.
    pub(crate) candidates: Vec<String>,
}

/// A tax rate to choose.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaxRateView {
    /// The tax type, which chooses it.
    pub(crate) tax_type: String,
    /// Its name.
    pub(crate) name: String,
    /// The percentage that documents charge, as decimal text; zero under a reverse charge.
    pub(crate) rate: String,
}

/// A tracking category to choose an option of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TrackingCategoryView {
    /// The name of the category.
    pub(crate) category: String,
    /// The names of its options in use.
    pub(crate) options: Vec<String>,
}

impl AccountChoicesView {
    /// The choices of an organisation that has these pages.
    pub(crate) fn of_choices(choices: choices::AccountChoices, pages: &XeroPages) -> Self {
        let accounts = |options: Vec<choices::AccountOption>| {
            options.into_iter().map(AccountView::from).collect()
        };
        let objections = choices
            .objections
            .into_iter()
            .map(|one| FieldProblem { field: one.field, detail: one.problem });
        Self {
            income: accounts(choices.income),
            expense: accounts(choices.expense),
            bank: accounts(choices.bank),
            gift_card: accounts(choices.gift_card),
            tax: choices.tax.into_iter().map(TaxRateView::from).collect(),
            tracking: choices.tracking.into_iter().map(TrackingCategoryView::from).collect(),
            objections: objections.collect(),
            without_code: choices.without_code,
            suggested: choices
                .suggested
                .into_iter()
                .map(|(field, code)| (field.to_owned(), code))
                .collect(),
            rates_used: choices.rates_used.into_iter().map(UsedRateView::from).collect(),
            chart_url: pages.chart_page(),
            read_at: choices.read_at,
        }
    }
}

impl From<choices::AccountOption> for AccountView {
    fn from(option: choices::AccountOption) -> Self {
        Self { code: option.code, name: option.name, account_type: option.account_type }
    }
}

impl From<UsedRate> for UsedRateView {
    fn from(used: UsedRate) -> Self {
        let UsedRate { rate, tax_type, candidates } = used;
        Self { rate, tax_type, candidates }
    }
}

impl From<choices::TaxRateOption> for TaxRateView {
    fn from(option: choices::TaxRateOption) -> Self {
        Self { tax_type: option.tax_type, name: option.name, rate: option.rate }
    }
}

impl From<choices::TrackingChoice> for TrackingCategoryView {
    fn from(choice: choices::TrackingChoice) -> Self {
        let choices::TrackingChoice { category, options } = choice;
        Self { category, options }
    }
}
