//! Account codes, and the accounts to choose from.

use std::collections::BTreeMap;

use domain::account_codes::AccountCodes;
use engine::commands::choices;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::FieldProblem;

/// The account codes and tax types in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct AccountCodesView {
    /// Revenue account of invoice lines.
    pub(crate) sales: String,
    /// Bank account that receives Stripe payouts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stripe_bank: Option<String>,
    /// Expense account of Stripe's fees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stripe_fee: Option<String>,
    /// Income account of surcharges that customers pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stripe_surcharge: Option<String>,
    /// Account of gift card redemptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gift_card: Option<String>,
    /// Xero's tax type for each tax rate of the CRM. A key is the rate as a plain percentage, such
    /// as `20`, or `none` for lines outside the scope of tax. For a rate without an entry, a tax
    /// rate of the same percentage is used.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tax_types: BTreeMap<String, String>,
}

impl From<AccountCodes> for AccountCodesView {
    fn from(codes: AccountCodes) -> Self {
        let AccountCodes { sales, stripe_bank, stripe_fee, stripe_surcharge, gift_card, tax_types } =
            codes;
        Self { sales, stripe_bank, stripe_fee, stripe_surcharge, gift_card, tax_types }
    }
}

impl From<AccountCodesView> for AccountCodes {
    fn from(view: AccountCodesView) -> Self {
        let AccountCodesView {
            sales,
            stripe_bank,
            stripe_fee,
            stripe_surcharge,
            gift_card,
            tax_types,
        } = view;
        Self { sales, stripe_bank, stripe_fee, stripe_surcharge, gift_card, tax_types }
    }
}

/// The accounts and tax rates to choose from, as Xero has them now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountChoicesView {
    /// For invoice lines and surcharges.
    pub(crate) income: Vec<AccountView>,
    /// For Stripe's fees.
    pub(crate) expense: Vec<AccountView>,
    /// For the Stripe bank account.
    pub(crate) bank: Vec<AccountView>,
    /// For gift cards.
    pub(crate) gift_card: Vec<AccountView>,
    /// For tax rates on sales.
    pub(crate) tax: Vec<TaxRateView>,
    /// Why choices in use are not usable now.
    pub(crate) objections: Vec<FieldProblem>,
    /// The names of bank accounts without a code, which cannot be chosen until they get one in
    /// Xero.
    pub(crate) without_code: Vec<String>,
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

impl From<choices::AccountChoices> for AccountChoicesView {
    fn from(choices: choices::AccountChoices) -> Self {
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
            objections: objections.collect(),
            without_code: choices.without_code,
            read_at: choices.read_at,
        }
    }
}

impl From<choices::AccountOption> for AccountView {
    fn from(option: choices::AccountOption) -> Self {
        Self { code: option.code, name: option.name }
    }
}

impl From<choices::TaxRateOption> for TaxRateView {
    fn from(option: choices::TaxRateOption) -> Self {
        Self { tax_type: option.tax_type, name: option.name, rate: option.rate }
    }
}
