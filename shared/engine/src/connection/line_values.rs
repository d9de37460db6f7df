//! The organisation's items and tracking categories. They are read from Xero if lines name any, once
//! a day, and kept in the table in between.

use domain::account_codes::{AccountCodes, CodeObjection};
use domain::ids::Ledger;
use domain::line_values::{ItemCatalogue, LineValueNeeds, LineValues, TrackingCatalogue};
use domain::list_age::may_reread;
use domain::operation::Trigger;
use futures::FutureExt;
use jiff::Timestamp;
use store::StoreError;
use xero::api::items;
use xero::api::tracking_categories::{self, TrackingCategories};

use crate::Engine;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::error_chain::ErrorChain;

/// The needed lists as far as they could be read, and why the others could not.
#[derive(Debug, Default)]
pub(crate) struct LoadedLineValues {
    pub(crate) values: LineValues,
    pub(crate) items_error: Option<AttemptError>,
    pub(crate) tracking_error: Option<AttemptError>,
}

impl LoadedLineValues {
    /// Returns why a list that these lines need could not be read, if one could not.
    pub(crate) fn find_error(&self, needs: LineValueNeeds) -> Option<&AttemptError> {
        let items_error = self.items_error.as_ref().filter(|_| needs.items);
        items_error.or_else(|| self.tracking_error.as_ref().filter(|_| needs.tracking))
    }
}

/// Returns the needed lists as stored, or as Xero has them now if they are older than a day. A list
/// that cannot be read does not affect the other one.
pub(crate) async fn load_line_values(
    tenant_session: &TenantSession<'_>,
    needs: LineValueNeeds,
) -> LoadedLineValues {
    let mut loaded = LoadedLineValues::default();
    if needs.items {
        match load_items(tenant_session).await {
            Ok(items) => loaded.values.items = Some(items),
            Err(error) => loaded.items_error = Some(error),
        }
    }
    if needs.tracking {
        match load_tracking(tenant_session).await {
            Ok(tracking) => loaded.values.tracking = Some(tracking),
            Err(error) => loaded.tracking_error = Some(error),
        }
    }
    loaded
}

/// Reads again those of the lists that are known and that may be read again now. A list that cannot
/// be read stays as it was. Returns whether any was read, and the first error.
pub(crate) async fn refresh_line_values(
    tenant_session: &TenantSession<'_>,
    values: &mut LineValues,
) -> (bool, Option<AttemptError>) {
    let (now, trigger) = (tenant_session.engine.clock.now(), tenant_session.trigger);
    let is_due = |read_at: Timestamp| may_reread(read_at, now, trigger);
    let (mut is_refreshed, mut failed) = (false, None);
    if values.items.as_ref().is_some_and(|items| is_due(items.read_at)) {
        match fetch_items(tenant_session).await {
            Ok(items) => {
                values.items = Some(items);
                is_refreshed = true;
            }
            Err(error) => failed = Some(error),
        }
    }
    if values.tracking.as_ref().is_some_and(|tracking| is_due(tracking.read_at)) {
        match fetch_tracking(tenant_session).await {
            Ok(tracking) => {
                values.tracking = Some(tracking);
                is_refreshed = true;
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    (is_refreshed, failed)
}

/// Returns the needed lists as stored, whatever their age.
pub(crate) async fn find_line_values(
    engine: &Engine,
    ledger: &Ledger,
    needs: LineValueNeeds,
) -> Result<LineValues, StoreError> {
    let mut values = LineValues::default();
    if needs.items {
        values.items = engine.store.find_items(ledger).await?;
    }
    if needs.tracking {
        values.tracking = engine.store.find_tracking(ledger).await?;
    }
    Ok(values)
}

/// How old the tracking categories may be that people choose from, and against which the defaults
/// are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrackingAge {
    /// As Xero had them within the last day.
    Stored,
    /// As Xero had them within the last minute.
    Recent,
}

/// Checks the default tracking options. The tracking categories are read only if there are any.
pub(crate) async fn check_default_tracking(
    tenant_session: &TenantSession<'_>,
    codes: &AccountCodes,
    age: TrackingAge,
) -> Result<Vec<CodeObjection>, AttemptError> {
    if codes.tracking.is_empty() {
        return Ok(Vec::new());
    }
    let known = load_tracking_of_age(tenant_session, age).await?;
    Ok(codes.find_tracking_objections(&known))
}

/// Returns the tracking categories as stored, or as Xero has them now if the stored ones are older.
pub(crate) async fn load_tracking_of_age(
    tenant_session: &TenantSession<'_>,
    age: TrackingAge,
) -> Result<TrackingCatalogue, AttemptError> {
    let stored = load_tracking(tenant_session).boxed().await?;
    let now = tenant_session.engine.clock.now();
    let is_old = age == TrackingAge::Recent && may_reread(stored.read_at, now, Trigger::Person);
    if is_old { fetch_tracking(tenant_session).boxed().await } else { Ok(stored) }
}

/// Marks the stored tracking categories as stale after Xero dropped an option that they have, so that
/// the next push that needs them reads them again. A list that was read less than five minutes ago
/// is not marked: then a document on which Xero drops options every time does not cause a read each
/// time. A failure is logged only, because the document was written.
pub(crate) async fn mark_tracking_stale(tenant_session: &TenantSession<'_>) {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    if let Err(error) = write_stale_tracking(engine, ledger).boxed().await {
        tracing::warn!(
            error = %ErrorChain(&error),
            account.id = %ledger.account,
            "the tracking categories could not be marked as stale"
        );
    }
}

async fn write_stale_tracking(engine: &Engine, ledger: &Ledger) -> Result<(), StoreError> {
    let Some(known) = engine.store.find_tracking(ledger).await? else { return Ok(()) };
    if !may_reread(known.read_at, engine.clock.now(), Trigger::Routine) {
        return Ok(());
    }
    let stale = TrackingCatalogue { read_at: Timestamp::UNIX_EPOCH, ..known };
    engine.store.put_tracking(ledger, &stale).await
}

async fn load_items(tenant_session: &TenantSession<'_>) -> Result<ItemCatalogue, AttemptError> {
    let now = tenant_session.engine.clock.now();
    match tenant_session.engine.store.find_items(&tenant_session.ledger).await? {
        Some(items) if !items.is_stale(now) => Ok(items),
        Some(_) | None => fetch_items(tenant_session).await,
    }
}

async fn load_tracking(
    tenant_session: &TenantSession<'_>,
) -> Result<TrackingCatalogue, AttemptError> {
    let now = tenant_session.engine.clock.now();
    match tenant_session.engine.store.find_tracking(&tenant_session.ledger).await? {
        Some(tracking) if !tracking.is_stale(now) => Ok(tracking),
        Some(_) | None => fetch_tracking(tenant_session).await,
    }
}

async fn fetch_items(tenant_session: &TenantSession<'_>) -> Result<ItemCatalogue, AttemptError> {
    let listed = items::list_items(&tenant_session.api).await?;
    let read_at = tenant_session.engine.clock.now();
    let catalogue = ItemCatalogue::new(read_at, listed.rows);
    let is_partial = catalogue.is_partial || !listed.undecodable.is_empty();
    let catalogue = ItemCatalogue { is_partial, ..catalogue };
    tenant_session.engine.store.put_items(&tenant_session.ledger, &catalogue).await?;
    Ok(catalogue)
}

async fn fetch_tracking(
    tenant_session: &TenantSession<'_>,
) -> Result<TrackingCatalogue, AttemptError> {
    let listed = tracking_categories::list_tracking_categories(&tenant_session.api).await?;
    let read_at = tenant_session.engine.clock.now();
    let TrackingCategories { rows: categories, is_partial } = listed;
    let catalogue = TrackingCatalogue { read_at, categories, is_partial };
    tenant_session.engine.store.put_tracking(&tenant_session.ledger, &catalogue).await?;
    Ok(catalogue)
}
