//! The state of the set-up, derived from what is stored. Nothing is read from Xero.

use domain::connection::Connection;
use domain::ids::{AccountId, Ledger};
use domain::line_values::LineValueNeeds;
use domain::reconciliation::ReconciliationProgress;
use store::{StoreError, VersionedSetting};

use crate::Engine;
use crate::commands::links::find_stored_chart;
use crate::commands::tax_rates;
use crate::connection::ledgers::ledger_of;
use crate::connection::line_values::find_line_values;

/// A task of the set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupTask {
    /// Connect an organisation.
    Organisation,
    /// Choose the accounts.
    Accounts,
    /// Choose a tax rate for each rate of the CRM's documents.
    TaxRates,
    /// Compare the clients with the contacts in Xero.
    Clients,
    /// Sync the first records.
    FirstSync,
}

/// The state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetupState {
    /// Nothing is left to do.
    Done,
    /// A person has to do it.
    ToDo,
    /// It cannot be done before the organisation is connected and read.
    Blocked,
}

/// A task with its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetupStep {
    /// The task.
    pub task: SetupTask,
    /// Its state.
    pub state: SetupState,
    /// The number of decisions that are left: codes that cannot be used, rates without a tax type,
    /// or clients with several candidates when they were last compared.
    pub open: u64,
}

/// Returns the tasks of the set-up in their usual order.
pub async fn read_setup(
    engine: &Engine,
    account: &AccountId,
) -> Result<Vec<SetupStep>, StoreError> {
    let connection = engine.store.find_connection(account).await?.map(|row| row.record);
    let ledger = ledger_of(connection.as_ref(), account);
    let is_connected =
        connection.as_ref().is_some_and(|connection: &Connection| connection.state.is_connected());
    let (accounts, tax_rates) = check_choices(engine, account, &ledger).await?;
    let steps = [
        (SetupTask::Organisation, done_if(true)),
        (SetupTask::Accounts, accounts),
        (SetupTask::TaxRates, tax_rates),
        (SetupTask::Clients, check_clients(engine, &ledger).await?),
        (SetupTask::FirstSync, done_if(has_synced(engine, account, &ledger).await?)),
    ];
    let steps = steps.into_iter().map(|(task, (state, open))| {
        let is_first = task == SetupTask::Organisation;
        let state = match (is_connected, is_first) {
            (true, _) => state,
            (false, true) => SetupState::ToDo,
            (false, false) => SetupState::Blocked,
        };
        SetupStep { task, state, open }
    });
    Ok(steps.collect())
}

/// A state, and the number of decisions that are left.
type OpenState = (SetupState, u64);

const fn done_if(is_done: bool) -> OpenState {
    (if is_done { SetupState::Done } else { SetupState::ToDo }, 0)
}

/// Checks the account codes, the tax rates and the default tracking options against what was last
/// read from Xero.
async fn check_choices(
    engine: &Engine,
    account: &AccountId,
    ledger: &Ledger,
) -> Result<(OpenState, OpenState), StoreError> {
    let Some(chart) = find_stored_chart(engine, ledger).await? else {
        return Ok(((SetupState::Blocked, 0), (SetupState::Blocked, 0)));
    };
    let VersionedSetting { value: codes, version } =
        engine.store.find_account_codes(account).await?;
    let mut objections = codes.find_objections(&chart);
    let needs = LineValueNeeds { items: false, tracking: !codes.tracking.is_empty() };
    let known = find_line_values(engine, ledger, needs).await?.tracking;
    objections.extend(known.iter().flat_map(|known| codes.find_tracking_objections(known)));
    let of_tax = objections.iter().filter(|one| one.field.starts_with("tax_types.")).count();
    let of_accounts = objections.len().saturating_sub(of_tax);
    let rates = tax_rates::list_rates_used(engine, ledger, &codes, &chart).await?;
    let unresolved = rates.iter().filter(|rate| rate.tax_type.is_none()).count();
    let are_codes_chosen = version > 0 && codes.find_other_organisation(ledger.tenant).is_none();
    let accounts = if are_codes_chosen && of_accounts == 0 {
        done_if(true)
    } else {
        (SetupState::ToDo, to_u64(of_accounts))
    };
    let of_tax = of_tax.max(unresolved);
    let tax = if of_tax == 0 { done_if(true) } else { (SetupState::ToDo, to_u64(of_tax)) };
    Ok((accounts, tax))
}

/// Whether the clients were compared, and how many were left to people.
async fn check_clients(engine: &Engine, ledger: &Ledger) -> Result<OpenState, StoreError> {
    let row = engine.store.find_reconciliation(ledger).await?.map(|row| row.record);
    let Some(row) = row.filter(|row| !row.is_preview) else { return Ok(done_if(false)) };
    let open = row.counts.ambiguous;
    Ok(match row.place {
        ReconciliationProgress::Done { at: _ } if open == 0 => done_if(true),
        ReconciliationProgress::Done { at: _ }
        | ReconciliationProgress::Comparing { after: _ }
        | ReconciliationProgress::Stopped { failure: _ } => (SetupState::ToDo, open),
    })
}

/// Whether a record of the account was ever synced, or all were.
async fn has_synced(
    engine: &Engine,
    account: &AccountId,
    ledger: &Ledger,
) -> Result<bool, StoreError> {
    let activity = engine.store.find_activity(account).await?;
    if activity.is_some_and(|row| row.record.last_success_at.is_some()) {
        return Ok(true);
    }
    let walk = engine.store.find_sync_all(ledger).await?;
    Ok(walk.is_some_and(|row| !row.record.is_in_progress()))
}

fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
