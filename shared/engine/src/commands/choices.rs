//! Decisions of people about their records and books: Never send, and the account codes.

use domain::account_codes::{AccountCodes, CodeObjection};
use domain::call_budget::CallPriority;
use domain::chart::{ChartAccount, TaxRate};
use domain::connection::Connection;
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, UserId};
use domain::mapping::MappingKey;
use domain::operation::{EventRefusal, OperationEvent, Trigger};
use domain::sync_log::LogStatus;
use jiff::Timestamp;
use serde::Serialize;
use store::StoreError;

use crate::commands::views::RecordView;
use crate::connection::ledgers::{find_connected_ledger, find_records_ledger};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::connection::{self, chart};
use crate::errors::PersistError;
use crate::sync::{release, sync_log};
use crate::{Engine, Invocation};

/// The result of a Never send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeverSendOutcome {
    /// The record is not sent any more, until a person syncs it.
    Done(Box<RecordView>),
    /// The record is being sent at this moment.
    BeingSent {
        /// When the claim ends at the latest.
        until: Timestamp,
    },
    /// The record is unknown.
    Unknown,
}

/// Marks a record as never to be sent. Its document in Xero stays.
pub async fn never_send_record(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    kind: EntityKind,
    crm_id: CrmId,
) -> Result<NeverSendOutcome, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let key = MappingKey::new(ledger, kind, crm_id);
    let updated = engine.store.update_mapping(&key, |known| {
        let Some(known) = known else { return Err(NeverSendOutcome::Unknown) };
        match known.apply_event(OperationEvent::Withheld, engine.clock.now()) {
            Ok(withheld) => Ok(withheld),
            Err(EventRefusal::HeldUntil(until)) => Err(NeverSendOutcome::BeingSent { until }),
            Err(_) => Err(NeverSendOutcome::Done(Box::new(RecordView::from_mapping(known)))),
        }
    });
    let withheld = match updated.await? {
        Ok(withheld) => withheld,
        Err(result) => return Ok(result),
    };
    let subject = (kind, key.crm_id.clone(), withheld.snapshot.natural_key.clone());
    let told = format!("Marked as Never send by {by}. It is not sent to Xero.");
    sync_log::log_idle(engine, account, subject, LogStatus::Skipped, told, None).await;
    Ok(NeverSendOutcome::Done(Box::new(RecordView::from_mapping(withheld))))
}

/// The accounts and tax rates to choose from, as Xero has them now.
#[derive(Debug, Clone, Serialize)]
pub struct AccountChoices {
    /// For invoice lines and surcharges.
    pub income: Vec<AccountOption>,
    /// For Stripe's fees.
    pub expense: Vec<AccountOption>,
    /// For the Stripe bank account.
    pub bank: Vec<AccountOption>,
    /// For gift cards.
    pub gift_card: Vec<AccountOption>,
    /// For tax rates on sales.
    pub tax: Vec<TaxRateOption>,
    /// Why choices in use are not usable now.
    pub objections: Vec<String>,
}

/// An account to choose.
#[derive(Debug, Clone, Serialize)]
pub struct AccountOption {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
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

/// Reads the accounts and tax rates to choose from, and checks the choices in use against them.
/// `Err` says why Xero could not be read.
pub async fn account_choices(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<AccountChoices, AttemptError> {
    let Some(ledger) = find_connected_ledger(engine, account).await? else {
        return Err(connection::connection_failures::not_connected_failure().into());
    };
    let desk = TenantSession::open(engine, &ledger, Trigger::Person, invocation)
        .await?
        .with_priority(CallPriority::Lookup);
    let chart = desk.record_result(chart::load_recent_chart(&desk).await).await?;
    let codes = engine.store.read_account_codes(account).await?;
    let accounts = |wanted: &dyn Fn(&ChartAccount) -> bool| {
        let active = chart.accounts.iter().filter(|one| one.is_active && wanted(one));
        active.map(|one| AccountOption { code: one.code.clone(), name: one.name.clone() }).collect()
    };
    let taxes = chart.tax_rates.iter().filter(|tax| tax.is_for_sales());
    let tax = |tax: &TaxRate| TaxRateOption {
        tax_type: tax.tax_type.clone(),
        name: tax.name.clone(),
        rate: tax.charged_rate().normalize().to_string(),
    };
    let is = |one: &ChartAccount, types: &[&str]| types.contains(&one.account_type.as_str());
    Ok(AccountChoices {
        income: accounts(&|one| is(one, &["REVENUE", "SALES", "OTHERINCOME"])),
        expense: accounts(&|one| is(one, &["EXPENSE", "OVERHEADS", "DIRECTCOSTS"])),
        bank: accounts(&ChartAccount::is_bank),
        gift_card: accounts(&ChartAccount::takes_payments),
        tax: taxes.map(tax).collect(),
        objections: chart::describe_objections(&codes.find_objections(&chart)),
    })
}

/// The result of choosing account codes.
#[derive(Debug)]
pub enum CodeChoiceOutcome {
    /// The codes are in use from now on. Records that only lacked them are released.
    Done,
    /// Xero's chart does not contain the codes, or not for this use.
    Refused(Vec<CodeObjection>),
    /// Xero's chart could not be read.
    Unread(Box<AttemptError>),
}

/// Returns the account codes in use.
pub async fn account_codes(
    engine: &Engine,
    account: &AccountId,
) -> Result<AccountCodes, StoreError> {
    engine.store.read_account_codes(account).await
}

/// Chooses account codes after checking them against the chart as Xero has it now. Records that
/// were refused because a code was missing are tried again.
pub async fn choose_account_codes(
    engine: &Engine,
    account: &AccountId,
    codes: AccountCodes,
    invocation: Invocation,
) -> Result<CodeChoiceOutcome, PersistError> {
    let Some(ledger) = find_connected_ledger(engine, account).await? else {
        return Ok(CodeChoiceOutcome::Unread(Box::new(
            connection::connection_failures::not_connected_failure().into(),
        )));
    };
    let chart = match TenantSession::open(engine, &ledger, Trigger::Person, invocation).await {
        Ok(desk) => {
            let desk = desk.with_priority(CallPriority::Lookup);
            desk.record_result(chart::fetch_chart(&desk).await).await
        }
        Err(trouble) => Err(trouble),
    };
    let chart = match chart {
        Ok(chart) => chart,
        Err(trouble) => return Ok(CodeChoiceOutcome::Unread(Box::new(trouble))),
    };
    let objections = codes.find_objections(&chart);
    if !objections.is_empty() {
        return Ok(CodeChoiceOutcome::Refused(objections));
    }
    engine.store.put_account_codes(account, codes).await?;
    let cured = |connection: Connection| {
        let had = !connection.warnings.is_empty();
        had.then(|| Connection { warnings: Vec::new(), ..connection })
    };
    connection::change_connection(engine, account, cured).await?;
    release::release_untranslatable(engine, &ledger).await?;
    Ok(CodeChoiceOutcome::Done)
}
