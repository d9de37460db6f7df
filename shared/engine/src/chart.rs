//! The organisation's chart: read from Xero once a day, kept in the table between.

use domain::chart::Chart;
use jiff::SignedDuration;
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

/// People who look at a page again, or several of them, are shown what was read a minute ago at most.
const RECENT: SignedDuration = SignedDuration::from_secs(60);

/// The chart as Xero had it within the last minute.
pub async fn recent(desk: &Desk<'_>) -> Result<Chart, Trouble> {
    let now = desk.engine.clock.now();
    match desk.engine.store.chart(&desk.ledger).await {
        Ok(Some(chart)) if now.duration_since(chart.read_at) < RECENT => Ok(chart),
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
        tax_rates: tax_rates.rows,
        money_accounts: accounts.for_money,
    };
    desk.engine.store.put_chart(&desk.ledger, &chart).await?;
    Ok(chart)
}
