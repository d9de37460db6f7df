//! The organisation's chart of accounts and tax rates. It is read from Xero once a day and kept in
//! the table in between.

use domain::chart::Chart;
use futures::FutureExt;
use futures::future::try_join3;
use jiff::SignedDuration;
use store::StoreError;
use xero::api::{accounts, organisation, tax_rates};

use crate::desk::{Desk, Trouble};

/// Returns the stored chart, or the chart as Xero has it now if the stored one is older than a day.
pub async fn known(desk: &Desk<'_>) -> Result<Chart, Trouble> {
    let now = desk.engine.clock.now();
    match desk.engine.store.chart(&desk.ledger).await {
        Ok(Some(chart)) if !chart.is_stale(now) => Ok(chart),
        // An unreadable record is replaced with a new read from Xero.
        Ok(_) | Err(StoreError::Undecodable { .. }) => current(desk).await,
        Err(error) => Err(error.into()),
    }
}

/// Maximum age of the chart on pages that people open repeatedly.
const RECENT: SignedDuration = SignedDuration::from_secs(60);

/// Returns the chart as Xero had it within the last minute.
pub async fn recent(desk: &Desk<'_>) -> Result<Chart, Trouble> {
    let now = desk.engine.clock.now();
    match desk.engine.store.chart(&desk.ledger).await {
        Ok(Some(chart)) if now.duration_since(chart.read_at) < RECENT => Ok(chart),
        Ok(_) | Err(StoreError::Undecodable { .. }) => current(desk).await,
        Err(error) => Err(error.into()),
    }
}

/// Reads the chart from Xero. The three calls are concurrent, so that a person gets an answer in
/// time even if Xero is slow.
pub async fn current(desk: &Desk<'_>) -> Result<Chart, Trouble> {
    let organisation = organisation::organisation(&desk.session).boxed();
    let accounts = accounts::accounts(&desk.session).boxed();
    let tax_rates = tax_rates::tax_rates(&desk.session).boxed();
    let (organisation, accounts, tax_rates) = try_join3(organisation, accounts, tax_rates).await?;
    let chart = Chart {
        read_at: desk.engine.clock.now(),
        organisation_name: organisation.name,
        base_currency: organisation.base_currency,
        accounts: accounts.with_code,
        tax_rates: tax_rates.rows,
        money_accounts: accounts.for_money,
    };
    desk.engine.store.put_chart(&desk.ledger, &chart).await?;
    Ok(chart)
}
