//! The organisation's items and tracking categories. They are read from Xero if lines name any, once
//! a day, and kept in the table in between.

use domain::ids::Ledger;
use domain::line_values::{ItemCatalogue, LineValueNeeds, LineValues, TrackingCatalogue};
use store::StoreError;
use xero::api::{items, tracking_categories};

use crate::Engine;
use crate::connection::tenant_session::{AttemptError, TenantSession};

/// Returns the needed lists as stored, or as Xero has them now if they are older than a day.
pub(crate) async fn load_line_values(
    tenant_session: &TenantSession<'_>,
    needs: LineValueNeeds,
) -> Result<LineValues, AttemptError> {
    let mut values = LineValues::default();
    if needs.items {
        values.items = Some(load_items(tenant_session).await?);
    }
    if needs.tracking {
        values.tracking = Some(load_tracking(tenant_session).await?);
    }
    Ok(values)
}

/// Reads again those of the lists that are known and older than this instant. Returns whether any
/// was.
pub(crate) async fn refresh_line_values(
    tenant_session: &TenantSession<'_>,
    values: &mut LineValues,
) -> Result<bool, AttemptError> {
    let now = tenant_session.engine.clock.now();
    let mut is_refreshed = false;
    if values.items.as_ref().is_some_and(|items| items.read_at < now) {
        values.items = Some(fetch_items(tenant_session).await?);
        is_refreshed = true;
    }
    if values.tracking.as_ref().is_some_and(|tracking| tracking.read_at < now) {
        values.tracking = Some(fetch_tracking(tenant_session).await?);
        is_refreshed = true;
    }
    Ok(is_refreshed)
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

async fn load_items(tenant_session: &TenantSession<'_>) -> Result<ItemCatalogue, AttemptError> {
    let now = tenant_session.engine.clock.now();
    match tenant_session.engine.store.find_items(&tenant_session.ledger).await {
        Ok(Some(items)) if !items.is_stale(now) => Ok(items),
        // An unreadable record is replaced with a new read from Xero.
        Ok(_) | Err(StoreError::Undecodable { .. }) => fetch_items(tenant_session).await,
        Err(error) => Err(error.into()),
    }
}

async fn load_tracking(
    tenant_session: &TenantSession<'_>,
) -> Result<TrackingCatalogue, AttemptError> {
    let now = tenant_session.engine.clock.now();
    match tenant_session.engine.store.find_tracking(&tenant_session.ledger).await {
        Ok(Some(tracking)) if !tracking.is_stale(now) => Ok(tracking),
        Ok(_) | Err(StoreError::Undecodable { .. }) => fetch_tracking(tenant_session).await,
        Err(error) => Err(error.into()),
    }
}

async fn fetch_items(tenant_session: &TenantSession<'_>) -> Result<ItemCatalogue, AttemptError> {
    let listed = items::list_items(&tenant_session.api).await?;
    let read_at = tenant_session.engine.clock.now();
    let catalogue = ItemCatalogue::new(read_at, listed.rows);
    tenant_session.engine.store.put_items(&tenant_session.ledger, &catalogue).await?;
    Ok(catalogue)
}

async fn fetch_tracking(
    tenant_session: &TenantSession<'_>,
) -> Result<TrackingCatalogue, AttemptError> {
    let listed = tracking_categories::list_tracking_categories(&tenant_session.api).await?;
    let read_at = tenant_session.engine.clock.now();
    let catalogue = TrackingCatalogue { read_at, categories: listed.rows };
    tenant_session.engine.store.put_tracking(&tenant_session.ledger, &catalogue).await?;
    Ok(catalogue)
}
