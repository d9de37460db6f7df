//! What people decide about their records and their books: never send this one; these are the codes.

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
use store::table::Expect;

use crate::desk::{Desk, Trouble};
use crate::inbound::{ledger, records_ledger};
use crate::push::Unrecorded;
use crate::views::RecordView;
use crate::{Engine, Invocation, chart, connection, journal, release};

/// A row that somebody else writes at the same moment is read and written again, this many times.
const CONFLICTS_MAX: u32 = 4;

/// What became of a Never send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeverSend {
    /// It is never sent, until somebody syncs it by hand.
    Done(Box<RecordView>),
    /// It is being sent right now, until then at the latest.
    BeingSent {
        /// Until when.
        until: Timestamp,
    },
    /// Nothing is known of such a record.
    Unknown,
}

/// Keeps a record back for good. What Xero has of it stays there.
pub async fn never_send(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    kind: EntityKind,
    crm_id: CrmId,
) -> Result<NeverSend, StoreError> {
    let ledger = records_ledger(engine, account).await?;
    let key = MappingKey { ledger, kind, crm_id };
    for _ in 0..CONFLICTS_MAX {
        let Some(row) = engine.store.mapping(&key).await? else { return Ok(NeverSend::Unknown) };
        let withheld = match row.record.apply(Event::Withheld, engine.clock.now()) {
            Ok(withheld) => withheld,
            Err(Refusal::HeldUntil(until)) => return Ok(NeverSend::BeingSent { until }),
            Err(_) => return Ok(NeverSend::Done(Box::new(RecordView::of(row.record)))),
        };
        match engine.store.put_mapping(&withheld, Expect::Version(row.version), None).await {
            Ok(_) => {
                let subject = (kind, key.crm_id.clone(), withheld.snapshot.natural_key.clone());
                let told = format!("It is never sent to Xero: {by} decided so.");
                journal::idle(engine, account, subject, LogStatus::Skipped, told, None).await;
                return Ok(NeverSend::Done(Box::new(RecordView::of(withheld))));
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}

/// What there is to choose from: the chart and the tax rates as Xero has them now.
#[derive(Debug, Clone, Serialize)]
pub struct AccountChoices {
    /// For invoice lines, surcharges.
    pub income: Vec<Choosable>,
    /// For Stripe's fees.
    pub expense: Vec<Choosable>,
    /// For the Stripe bank account.
    pub bank: Vec<Choosable>,
    /// For gift cards.
    pub gift_card: Vec<Choosable>,
    /// For tax rates on income.
    pub tax: Vec<ChoosableTax>,
    /// What the choices in use have against them now.
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
    /// What to choose it by.
    pub tax_type: String,
    /// Its name.
    pub name: String,
    /// In percent.
    pub rate: String,
}

/// Reads what there is to choose from, with what speaks against the choices in use. `Err` says why Xero
/// could not be asked.
pub async fn account_choices(
    engine: &Engine,
    account: &AccountId,
    invocation: Invocation,
) -> Result<AccountChoices, Trouble> {
    let Some(ledger) = ledger(engine, account).await? else {
        return Err(crate::closed::not_connected().into());
    };
    let desk = Desk::open(engine, &ledger, Urgency::Person, invocation).await?.at(Priority::Lookup);
    let chart = noted(&desk, chart::recent(&desk).await).await?;
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
        objections: told(&codes.objections(&chart)),
    })
}

/// Notes on the connection what an answer says about all of it.
async fn noted<T>(desk: &Desk<'_>, result: Result<T, Trouble>) -> Result<T, Trouble> {
    if let Err(Trouble::Xero(error)) = &result {
        desk.note(error).await;
    }
    result
}

/// Objections in sentences.
pub(crate) fn told(objections: &[Objection]) -> Vec<String> {
    objections.iter().map(|one| format!("{} {}.", one.field, one.problem)).collect()
}

/// Checks the choices in use against the chart as Xero has it now, and notes on the connection what speaks
/// against them, so that people hear of it before a push fails.
pub(crate) async fn check(desk: &Desk<'_>) -> Result<(), Trouble> {
    let account = &desk.ledger.account;
    let chart = noted(desk, chart::current(desk).await).await?;
    let codes = desk.engine.store.account_codes(account).await?;
    let warnings = told(&codes.objections(&chart));
    if !warnings.is_empty() {
        tracing::warn!(account.id = %account, warnings = warnings.len(), "account codes are not usable");
    }
    let noted = connection::change(desk.engine, account, |connection| {
        let is_same = connection.warnings == warnings;
        (!is_same).then(|| Connection { warnings: warnings.clone(), ..connection })
    });
    noted.await?;
    Ok(())
}

/// What became of chosen account codes.
#[derive(Debug)]
pub enum CodesChosen {
    /// They are used from now on, and what only lacked them is on its way.
    Done,
    /// Xero's chart does not have them, or not for this.
    Refused(Vec<Objection>),
    /// Xero's chart could not be read.
    Unread(Box<Trouble>),
}

/// The account codes in use.
pub async fn account_codes(
    engine: &Engine,
    account: &AccountId,
) -> Result<AccountCodes, StoreError> {
    engine.store.account_codes(account).await
}

/// Chooses account codes, checked against the chart as Xero has it now. Records that our own rules
/// refused for want of them are tried again.
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
            noted(&desk, chart::current(&desk).await).await
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
