//! Finds which invoices in Xero are the CRM's.

use std::collections::{BTreeMap, BTreeSet};

use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger, XeroInvoiceId};
use futures::FutureExt;
use store::{ReadAheadKeys, StoreError};

use crate::connection::tenant_session::TenantSession;
use crate::{Engine, concurrency};

/// Returns which of these invoices are ours, by their reverse links. An invoice whose link cannot
/// be read is reported and left out.
pub(super) async fn find_own_invoices(
    tenant_session: &TenantSession<'_>,
    ids: BTreeSet<XeroInvoiceId>,
) -> Result<BTreeMap<XeroInvoiceId, CrmId>, StoreError> {
    let mut rows = ReadAheadKeys::default();
    for id in &ids {
        rows.add_linked_record(&tenant_session.ledger, EntityKind::Invoice, (*id).into());
    }
    let engine: &Engine = &*tenant_session.engine.with_rows_read_ahead(rows).await;
    let linked = ids.into_iter().map(|id| find_owner(engine, &tenant_session.ledger, id).boxed());
    let linked = concurrency::map_concurrently(linked.collect()).await;
    let linked = linked.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    Ok(linked.into_iter().flatten().collect())
}

async fn find_owner(
    engine: &Engine,
    ledger: &Ledger,
    id: XeroInvoiceId,
) -> Result<Option<(XeroInvoiceId, CrmId)>, StoreError> {
    let linked = engine.store.find_linked_record(ledger, EntityKind::Invoice, id.into());
    let owner = engine.skip_failing(&ledger.account, linked).await?.flatten();
    Ok(owner.map(|crm_id| (id, crm_id)))
}
