//! The organisation's chart: read from Xero once a day, kept in the table between.

use domain::chart::Chart;
use store::StoreError;
use xero::api::{accounts, organisation, tax_rates};

use crate::desk::{Desk, Trouble};

/// The chart as last read, or as Xero has it now when that is more than a day ago.
pub async fn known(desk: &Desk<'_>) -> Result<Chart, Trouble> {
    let now = desk.engine.clock.now();
    match desk.engine.store.chart(&desk.ledger).await {
        Ok(Some(chart)) if !chart.is_stale(now) => Ok(chart),
        // A record that cannot be read is read again at its source.
        Ok(_) | Err(StoreError::Undecodable { .. }) => current(desk).await,
        Err(error) => Err(error.into()),
    }
}

/// The chart as Xero has it now: three calls.
pub async fn current(desk: &Desk<'_>) -> Result<Chart, Trouble> {
    let organisation = organisation::organisation(&desk.session).await?;
    let accounts = accounts::accounts(&desk.session).await?;
    let tax_rates = tax_rates::tax_rates(&desk.session).await?;
    let chart = Chart {
        read_at: desk.engine.clock.now(),
        organisation_name: organisation.name,
        base_currency: organisation.base_currency,
        accounts: accounts.with_code,
        tax_rates,
        money_accounts: accounts.for_money,
    };
    desk.engine.store.put_chart(&desk.ledger, chart.clone()).await?;
    Ok(chart)
}
