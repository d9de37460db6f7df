//! Decisions of people about their records and books: Never send, and the account codes.

use domain::account_codes::{AccountCodes, Objection};
use domain::chart::{Account, TaxRate};
use domain::connection::Connection;
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, UserId};
use domain::mapping::MappingKey;
use domain::meter::Priority;
use domain::operation::{Event, Refusal, Urgency};
use domain::sync_log::LogStatus;
use jiff::Timestamp;
use serde::Serialize;
use store::StoreError;

use crate::desk::{Desk, Trouble};
use crate::errors::Unrecorded;
use crate::ledgers::{ledger, records_ledger};
use crate::views::RecordView;
use crate::{Engine, Invocation, chart, connection, journal, release};

/// The result of a Never send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeverSend {
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
pub async fn never_send(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    kind: EntityKind,
    crm_id: CrmId,
) -> Result<NeverSend, StoreError> {
    let ledger = records_ledger(engine, account).await?;
    let key = MappingKey::new(ledger, kind, crm_id);
    let updated = engine.store.update_mapping(&key, |known| {
        let Some(known) = known else { return Err(NeverSend::Unknown) };
        match known.apply(Event::Withheld, engine.clock.now()) {
            Ok(withheld) => Ok(withheld),
            Err(Refusal::HeldUntil(until)) => Err(NeverSend::BeingSent { until }),
            Err(_) => Err(NeverSend::Done(Box::new(RecordView::of(known)))),
        }
    });
    let withheld = match updated.await? {
        Ok(withheld) => withheld,
        Err(result) => return Ok(result),
    };
    let subject = (kind, key.crm_id.clone(), withheld.snapshot.natural_key.clone());
    let told = format!("Marked as Never send by {by}. It is not sent to Xero.");
    journal::idle(engine, account, subject, LogStatus::Skipped, told, None).await;
    Ok(NeverSend::Done(Box::new(RecordView::of(withheld))))
}

/// The accounts and tax rates to choose from, as Xero has them now.
#[derive(Debug, Clone, Serialize)]
pub struct AccountChoices {
    /// For invoice lines and surcharges.
    pub income: Vec<Choosable>,
    /// For Stripe's fees.
    pub expense: Vec<Choosable>,
    /// For the Stripe bank account.
    pub bank: Vec<Choosable>,
    /// For gift cards.
    pub gift_card: Vec<Choosable>,
    /// For tax rates on income.
    pub tax: Vec<ChoosableTax>,
    /// Why choices in use are not usable now.
    pub objections: Vec<String>,
}

/// An account to choose.
#[derive(Debug, Clone, Serialize)]
pub struct Choosable {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// A tax rate to choose.
#[derive(Debug, Clone, Serialize)]
pub struct ChoosableTax {
    /// The tax type that identifies it.
    pub tax_type: String,
    /// Its name.
    pub name: String,
    /// The rate in percent.
    pub rate: String,
}

/// Reads the accounts and tax rates to choose from, and checks the choices in use against them.
/// `Err` says why Xero could not be read.
pub async fn account_choices(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<AccountChoices, Trouble> {
    let Some(ledger) = ledger(engine, account).await? else {
        return Err(crate::closed::not_connected().into());
    };
    let desk = Desk::open(engine, &ledger, Urgency::Person, invocation).await?.at(Priority::Lookup);
    let chart = desk.noted(chart::recent(&desk).await).await?;
    let codes = engine.store.account_codes(account).await?;
    let accounts = |wanted: &dyn Fn(&Account) -> bool| {
        let active = chart.accounts.iter().filter(|one| one.is_active && wanted(one));
        active.map(|one| Choosable { code: one.code.clone(), name: one.name.clone() }).collect()
    };
    let taxes = chart.tax_rates.iter().filter(|tax| tax.is_active && tax.can_apply_to_revenue);
    let tax = |tax: &TaxRate| ChoosableTax {
        tax_type: tax.tax_type.clone(),
        name: tax.name.clone(),
        rate: tax.effective_rate.normalize().to_string(),
    };
    let is = |one: &Account, types: &[&str]| types.contains(&one.account_type.as_str());
    Ok(AccountChoices {
        income: accounts(&|one| is(one, &["REVENUE", "SALES", "OTHERINCOME"])),
        expense: accounts(&|one| is(one, &["EXPENSE", "OVERHEADS", "DIRECTCOSTS"])),
        bank: accounts(&Account::is_bank),
        gift_card: accounts(&Account::takes_payments),
        tax: taxes.map(tax).collect(),
        objections: chart::describe_objections(&codes.objections(&chart)),
    })
}

/// The result of choosing account codes.
#[derive(Debug)]
pub enum CodesChosen {
    /// The codes are in use from now on. Records that only lacked them are released.
    Done,
    /// Xero's chart does not contain the codes, or not for this use.
    Refused(Vec<Objection>),
    /// Xero's chart could not be read.
    Unread(Box<Trouble>),
}

/// Returns the account codes in use.
pub async fn account_codes(
    engine: &Engine,
    account: &AccountId,
) -> Result<AccountCodes, StoreError> {
    engine.store.account_codes(account).await
}

/// Chooses account codes after checking them against the chart as Xero has it now. Records that
/// were refused because a code was missing are tried again.
pub async fn choose_account_codes(
    engine: &Engine,
    account: &AccountId,
    codes: AccountCodes,
    invocation: Invocation,
) -> Result<CodesChosen, Unrecorded> {
    let Some(ledger) = ledger(engine, account).await? else {
        return Ok(CodesChosen::Unread(Box::new(crate::closed::not_connected().into())));
    };
    let chart = match Desk::open(engine, &ledger, Urgency::Person, invocation).await {
        Ok(desk) => {
            let desk = desk.at(Priority::Lookup);
            desk.noted(chart::current(&desk).await).await
        }
        Err(trouble) => Err(trouble),
    };
    let chart = match chart {
        Ok(chart) => chart,
        Err(trouble) => return Ok(CodesChosen::Unread(Box::new(trouble))),
    };
    let objections = codes.objections(&chart);
    if !objections.is_empty() {
        return Ok(CodesChosen::Refused(objections));
    }
    engine.store.put_account_codes(account, codes).await?;
    let cured = |connection: Connection| {
        let had = !connection.warnings.is_empty();
        had.then(|| Connection { warnings: Vec::new(), ..connection })
    };
    connection::change(engine, account, cured).await?;
    release::untranslatable(engine, &ledger).await?;
    Ok(CodesChosen::Done)
}
