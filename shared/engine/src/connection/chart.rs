//! The organisation's chart of accounts and tax rates. It is read from Xero once a day and kept in
//! the table in between, and the account codes in use are checked against it.

use domain::account_codes::{AccountCodes, CodeObjection};
use domain::chart::Chart;
use domain::connection::Connection;
use domain::ids::{AccountId, Ledger};
use futures::FutureExt;
use futures::future::try_join3;
use jiff::{SignedDuration, Timestamp};
use store::{Store, StoreError, VersionedSetting};
use xero::api::{accounts, organisation, tax_rates};

use crate::Engine;
use crate::connection::change_connection;
use crate::connection::line_values::{TrackingAge, check_default_tracking};
use crate::connection::tenant_session::{AttemptError, TenantSession};

/// Returns the stored chart, or the chart as Xero has it now if the stored one is older than a day.
pub(crate) async fn load_chart(tenant_session: &TenantSession<'_>) -> Result<Chart, AttemptError> {
    load_chart_from(tenant_session, &tenant_session.engine.store).await
}

/// Like [`load_chart`], from a store that may have read the chart ahead.
pub(crate) async fn load_chart_from(
    tenant_session: &TenantSession<'_>,
    store: &Store,
) -> Result<Chart, AttemptError> {
    let now = tenant_session.engine.clock.now();
    match store.find_chart(&tenant_session.ledger).await {
        Ok(Some(chart)) if !chart.is_stale(now) => Ok(chart),
        // An unreadable record is replaced with a new read from Xero.
        Ok(_) | Err(StoreError::Undecodable { .. }) => fetch_chart(tenant_session).await,
        Err(error) => Err(error.into()),
    }
}

/// Maximum age of the chart on pages that people open repeatedly.
const RECENT_AGE_MAX: SignedDuration = SignedDuration::from_secs(60);

/// Returns the chart as Xero had it within the last minute.
pub(crate) async fn load_recent_chart(
    tenant_session: &TenantSession<'_>,
) -> Result<Chart, AttemptError> {
    let now = tenant_session.engine.clock.now();
    match tenant_session.engine.store.find_chart(&tenant_session.ledger).await {
        Ok(Some(chart)) if is_recent(&chart, now) => Ok(chart),
        Ok(_) | Err(StoreError::Undecodable { .. }) => fetch_chart(tenant_session).await,
        Err(error) => Err(error.into()),
    }
}

/// Returns whether a chart was read within the last minute, and is not dated in the future.
fn is_recent(chart: &Chart, now: Timestamp) -> bool {
    (SignedDuration::ZERO..RECENT_AGE_MAX).contains(&now.duration_since(chart.read_at))
}

/// Reads the chart from Xero. The three calls are concurrent, so that a person gets an answer in
/// time even if Xero is slow.
pub(crate) async fn fetch_chart(tenant_session: &TenantSession<'_>) -> Result<Chart, AttemptError> {
    let organisation = organisation::get_organisation(&tenant_session.api).boxed();
    let accounts = accounts::list_accounts(&tenant_session.api).boxed();
    let tax_rates = tax_rates::list_tax_rates(&tenant_session.api).boxed();
    let (organisation, accounts, tax_rates) = try_join3(organisation, accounts, tax_rates).await?;
    let chart = Chart {
        tenant: Some(tenant_session.ledger.tenant),
        read_at: tenant_session.engine.clock.now(),
        organisation_name: organisation.name,
        base_currency: organisation.base_currency,
        country: organisation.country_code,
        is_demo: organisation.is_demo,
        short_code: organisation.short_code,
        accounts: accounts.with_code,
        tax_rates: tax_rates.rows,
        money_accounts: accounts.for_money,
        lacks_accounts: !accounts.undecodable.is_empty(),
        lacks_tax_rates: !tax_rates.undecodable.is_empty(),
    };
    tenant_session.engine.store.put_chart(&tenant_session.ledger, &chart).await?;
    Ok(chart)
}

/// Formats objections as sentences.
pub(crate) fn describe_objections(objections: &[CodeObjection]) -> Vec<String> {
    objections.iter().map(|one| format!("{} {}.", one.field, one.problem)).collect()
}

/// Returns the warning that the choices in use were made for another organisation.
fn describe_other_organisation(organisation: &str) -> String {
    format!(
        "The account codes, tax rates and tracking options were chosen for {organisation}. Check them for this organisation in Settings > Billing > Payment Settings and save them."
    )
}

/// Stores what the chosen codes mean in the organisation that is about to be replaced, if an earlier
/// release stored the codes without it. Without a chart of that organisation, no user can have
/// chosen codes for it.
pub(crate) async fn record_code_meanings(
    engine: &Engine,
    account: &AccountId,
) -> Result<(), StoreError> {
    let setting = engine.store.find_account_codes(account).await?;
    if !lacks_meanings(&setting.value) {
        return Ok(());
    }
    let connection = engine.store.find_connection(account).await?;
    let Some(ledger) = connection.and_then(|row| row.record.current_ledger()) else {
        return Ok(());
    };
    let chart = match engine.store.find_chart(&ledger).await {
        Err(error) if error.is_about_the_record() => None,
        found => found?,
    };
    let Some(chart) = chart else { return Ok(()) };
    store_meanings(engine, &ledger, setting, &chart).await
}

/// Returns whether a user chose the codes and an earlier release stored them without what they mean.
fn lacks_meanings(codes: &AccountCodes) -> bool {
    codes.meanings.is_none() && !codes.are_defaults()
}

/// Stores what codes mean in the organisation of this chart. A user who chooses codes at the same
/// time stores their meanings, too.
async fn store_meanings(
    engine: &Engine,
    ledger: &Ledger,
    setting: VersionedSetting<AccountCodes>,
    chart: &Chart,
) -> Result<(), StoreError> {
    let VersionedSetting { value: codes, version } = setting;
    let codes = codes.with_meanings(ledger.tenant, chart);
    engine.store.replace_account_codes(&ledger.account, codes, Some(version)).await.map(drop)
}

/// Checks the choices in use against the chart as Xero has it now, and records objections on the
/// connection, so that people see them before a push fails. Choices that were made for another
/// organisation cause a warning until a user confirms them. Codes that an earlier release stored get
/// their meanings, so that a later change in Xero is noticed.
pub(crate) async fn check_account_codes(
    tenant_session: &TenantSession<'_>,
) -> Result<(), AttemptError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let chart =
        tenant_session.record_error_on_connection(fetch_chart(tenant_session).await).await?;
    let setting = engine.store.find_account_codes(&ledger.account).await?;
    let codes = &setting.value;
    let tracking = check_default_tracking(tenant_session, codes, TrackingAge::Stored).await;
    let mut objections = codes.find_objections(&chart);
    objections.extend(tenant_session.record_error_on_connection(tracking).await?);
    let other = codes.find_other_organisation(ledger.tenant);
    let other = other.map(describe_other_organisation);
    let warnings = other.into_iter().chain(describe_objections(&objections)).collect::<Vec<_>>();
    record_warnings(engine, ledger, &warnings).await?;
    if !warnings.is_empty() {
        tracing::warn!(
            account.id = %ledger.account,
            warnings = warnings.len(),
            "account codes are not usable"
        );
        // A user who saved the settings meanwhile has removed the warnings, perhaps before they were
        // recorded.
        if engine.store.read_account_codes(&ledger.account).await? != *codes {
            record_warnings(engine, ledger, &[]).await?;
        }
    }
    if lacks_meanings(codes) {
        store_meanings(engine, ledger, setting, &chart).await?;
    }
    Ok(())
}

/// Replaces the warnings about the settings, unless the account uses another organisation by now.
pub(crate) async fn record_warnings(
    engine: &Engine,
    ledger: &Ledger,
    warnings: &[String],
) -> Result<(), StoreError> {
    let recorded = change_connection(engine, &ledger.account, |connection| {
        let is_current = connection.current_ledger().as_ref() == Some(ledger);
        let is_new = is_current && connection.warnings != warnings;
        is_new.then(|| Connection { warnings: warnings.to_vec(), ..connection })
    });
    recorded.await.map(drop)
}
