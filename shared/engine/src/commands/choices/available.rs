//! The accounts, tax rates and tracking options among which people choose.

use std::collections::BTreeMap;

use domain::account_codes::{AccountCodes, CodeObjection};
use domain::chart::{Chart, ChartAccount};
use domain::ids::AccountId;
use domain::line_values::TrackingCatalogue;
use domain::translate::UsedRate;
use futures::FutureExt;
use futures::future::join;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::tax_rates;
use crate::connection::chart;
use crate::connection::connection_failures::not_connected_failure;
use crate::connection::ledgers::find_connected_ledger;
use crate::connection::line_values::{TrackingAge, load_tracking_of_age};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::error_chain::ErrorChain;
use crate::{Engine, Invocation};

/// The accounts, tax rates and tracking options that Xero currently offers for selection.
#[derive(Debug, Clone)]
pub struct AccountChoices {
    /// For invoice lines and surcharges.
    pub income: Vec<AccountOption>,
    /// For Stripe's fees.
    pub expense: Vec<AccountOption>,
    /// For the Stripe bank account.
    pub bank: Vec<AccountOption>,
    /// For gift cards, cash, cheques, cards and bank transfers.
    pub gift_card: Vec<AccountOption>,
    /// For tax rates on sales.
    pub tax: Vec<TaxRateOption>,
    /// For default tracking options: the categories in use that have an option in use, as Xero had
    /// them within the last day, or within the last minute if everything is read again. Empty if
    /// they cannot be read and none is chosen.
    pub tracking: Vec<TrackingChoice>,
    /// Why choices in use cannot be used now.
    pub objections: Vec<CodeObjection>,
    /// The names of bank accounts without a code, which cannot be chosen until they get one in
    /// Xero.
    pub without_code: Vec<String>,
    /// Accounts for the codes that are not chosen or cannot be used, by field: the only
    /// accounts whose names say what they are for.
    pub suggested: BTreeMap<&'static str, String>,
    /// The tax rates of the CRM's documents.
    pub rates_used: Vec<UsedRate>,
    /// When the accounts and tax rates were read from Xero.
    pub read_at: Timestamp,
}

/// An account to choose.
#[derive(Debug, Clone, Serialize)]
pub struct AccountOption {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Xero's type, such as `REVENUE` or `BANK`.
    pub account_type: String,
}

/// A tax rate to choose.
#[derive(Debug, Clone, Serialize)]
pub struct TaxRateOption {
    /// The tax type that identifies it.
    pub tax_type: String,
    /// Its name.
    pub name: String,
    /// The percentage that documents charge; zero under a reverse charge.
    pub rate: String,
}

/// A tracking category to choose an option of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrackingChoice {
    /// The name of the category.
    pub category: String,
    /// The names of its options in use.
    pub options: Vec<String>,
}

/// How old the chart may be from which people choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChartAge {
    /// As Xero had it within the last day.
    Stored,
    /// As Xero had it within the last minute.
    Recent,
    /// As Xero has it now.
    Current,
}

/// Reads the accounts and tax rates to choose from, as Xero had them within the last minute, and
/// checks the choices in use against them. `Err` says why Xero could not be read.
pub async fn read_account_choices(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<AccountChoices, AttemptError> {
    list_account_choices(engine, account, ChartAge::Recent, invocation).await
}

/// Like [`read_account_choices`], as Xero had them within the last day: for people who may not
/// choose, and who therefore must not use up the organisation's calls.
pub async fn read_stored_account_choices(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<AccountChoices, AttemptError> {
    list_account_choices(engine, account, ChartAge::Stored, invocation).await
}

/// Like [`read_account_choices`], as Xero has them now.
pub async fn refresh_account_choices(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<AccountChoices, AttemptError> {
    list_account_choices(engine, account, ChartAge::Current, invocation).await
}

async fn list_account_choices(
    engine: &Engine,
    account: &AccountId,
    age: ChartAge,
    invocation: Invocation,
) -> Result<AccountChoices, AttemptError> {
    let Some(ledger) = find_connected_ledger(engine, account).await? else {
        return Err(not_connected_failure().into());
    };
    let tenant_session = TenantSession::open_for_lookup(engine, &ledger, invocation).await?;
    let codes = engine.store.read_account_codes(account).await?;
    let (chart, tracking) = read_lists(&tenant_session, &codes, age).await?;
    let mut objections = codes.find_objections(&chart);
    objections.extend(tracking.iter().flat_map(|known| codes.find_tracking_objections(known)));
    let mut choices = AccountChoices {
        income: list_account_options(&chart, ChartAccount::is_income),
        expense: list_account_options(&chart, ChartAccount::is_expense),
        bank: list_account_options(&chart, ChartAccount::is_bank),
        gift_card: list_account_options(&chart, ChartAccount::takes_payments),
        tax: list_tax_rate_options(&chart),
        tracking: tracking.iter().flat_map(list_tracking_choices).collect(),
        objections,
        without_code: list_banks_without_code(&chart),
        suggested: BTreeMap::new(),
        rates_used: tax_rates::list_rates_used(engine, &ledger, &codes, &chart).await?,
        read_at: chart.read_at,
    };
    choices.suggested = suggest_accounts(&codes, &choices);
    Ok(choices)
}

/// Reads the chart and the tracking categories: together, because a slow Xero leaves time for one
/// call after the other in no request.
async fn read_lists(
    tenant_session: &TenantSession<'_>,
    codes: &AccountCodes,
    age: ChartAge,
) -> Result<(Chart, Option<TrackingCatalogue>), AttemptError> {
    let chart = async {
        match age {
            ChartAge::Stored => chart::load_chart(tenant_session).await,
            ChartAge::Recent => chart::load_recent_chart(tenant_session).await,
            ChartAge::Current => chart::fetch_chart(tenant_session).await,
        }
    };
    let tracking_age = match age {
        ChartAge::Stored | ChartAge::Recent => TrackingAge::Stored,
        ChartAge::Current => TrackingAge::Recent,
    };
    let tracking = load_tracking_of_age(tenant_session, tracking_age);
    let (chart, tracking) = join(chart.boxed(), tracking.boxed()).await;
    let chart = tenant_session.record_error_on_connection(chart).await?;
    let tracking = accept_tracking(tenant_session, codes, tracking).await?;
    Ok((chart, tracking))
}

/// Returns the tracking categories that were read. `None` if Xero did not return them and the account
/// uses none: the accounts and tax rates can be chosen without them.
async fn accept_tracking(
    tenant_session: &TenantSession<'_>,
    codes: &AccountCodes,
    tracking: Result<TrackingCatalogue, AttemptError>,
) -> Result<Option<TrackingCatalogue>, AttemptError> {
    match tenant_session.record_error_on_connection(tracking).await {
        Ok(tracking) => Ok(Some(tracking)),
        Err(AttemptError::Xero(error)) if codes.tracking.is_empty() => {
            tracing::warn!(
                error = %ErrorChain(&*error),
                account.id = %tenant_session.ledger.account,
                "the tracking categories could not be read"
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Returns the active accounts of one purpose.
fn list_account_options(
    chart: &Chart,
    is_wanted: impl Fn(&ChartAccount) -> bool,
) -> Vec<AccountOption> {
    let active = chart.accounts.iter().filter(|one| one.is_active && is_wanted(one));
    let options = active.map(|one| AccountOption {
        code: one.code.clone(),
        name: one.name.clone(),
        account_type: one.account_type.clone(),
    });
    options.collect()
}

fn list_tax_rate_options(chart: &Chart) -> Vec<TaxRateOption> {
    let for_sales = chart.tax_rates.iter().filter(|tax| tax.is_for_sales());
    let options = for_sales.map(|tax| TaxRateOption {
        tax_type: tax.tax_type.clone(),
        name: tax.name.clone(),
        rate: tax.charged_rate().normalize().to_string(),
    });
    options.collect()
}

fn list_tracking_choices(known: &TrackingCatalogue) -> Vec<TrackingChoice> {
    let active = known.categories.iter().filter(|category| category.is_active);
    let choices = active.map(|category| {
        let options = category.options.iter().filter(|option| option.is_active);
        let options = options.map(|option| option.name.clone()).collect();
        TrackingChoice { category: category.name.clone(), options }
    });
    choices.filter(|choice: &TrackingChoice| !choice.options.is_empty()).collect()
}

/// Suggests an account for each field without a usable one: the account with the usual name, or
/// the only one whose name contains it. None is suggested for methods of payment that are written to
/// Xero only if a user chooses an account for them.
fn suggest_accounts(
    codes: &AccountCodes,
    choices: &AccountChoices,
) -> BTreeMap<&'static str, String> {
    let fields = [
        ("sales", Some(&codes.sales), &choices.income, "sales"),
        ("stripe_bank", codes.stripe_bank.as_ref(), &choices.bank, "stripe"),
        ("stripe_fee", codes.stripe_fee.as_ref(), &choices.expense, "bank fees"),
        ("stripe_surcharge", codes.stripe_surcharge.as_ref(), &choices.income, "surcharge"),
        ("gift_card", codes.gift_card.as_ref(), &choices.gift_card, "gift card"),
    ];
    let mut suggested = BTreeMap::new();
    for (field, chosen, accounts, name) in fields {
        let is_usable =
            chosen.is_some() && !choices.objections.iter().any(|one| one.field == field);
        if let Some(account) = find_named_account(accounts, name).filter(|_| !is_usable) {
            suggested.insert(field, account.code.clone());
        }
    }
    suggested
}

fn find_named_account<'a>(accounts: &'a [AccountOption], name: &str) -> Option<&'a AccountOption> {
    let exact = accounts.iter().find(|one| one.name.to_lowercase() == name);
    let mut similar = accounts.iter().filter(|one| one.name.to_lowercase().contains(name));
    let first = similar.next();
    exact.or_else(|| first.filter(|_| similar.next().is_none()))
}

fn list_banks_without_code(chart: &Chart) -> Vec<String> {
    let accounts = chart.money_accounts.iter().map(|one| &one.account);
    let without = accounts.filter(|account| account.is_bank && account.code.is_none());
    without.map(|account| account.name.clone()).collect()
}
