//! Reads the invoices whose money is returned, as the CRM sent them.

use std::collections::BTreeMap;

use domain::crm::invoice::Invoice as InvoiceSnapshot;
use domain::crm::payment::PartRole;
use domain::entity::EntityKind;
use domain::ids::InvoiceId;

use super::invoice_client::read_invoice_snapshot;
use super::prerequisites::PartWithPrerequisite;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::prerequisite::read_prerequisite;

/// Returns the invoices whose money these parts return, as the CRM sent them.
pub(super) async fn read_refunded_invoices(
    tenant_session: &TenantSession<'_>,
    parts: &[PartWithPrerequisite<'_>],
) -> Result<BTreeMap<InvoiceId, InvoiceSnapshot>, AttemptError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let mut invoices = BTreeMap::new();
    for part in parts {
        let PartRole::RefundNote(id) = &part.task.snapshot.role else { continue };
        let known = read_prerequisite(engine, ledger, EntityKind::Invoice, id.clone().into());
        let snapshot = known.await?.as_ref().and_then(read_invoice_snapshot);
        invoices.extend(snapshot.map(|snapshot| (id.clone(), snapshot)));
    }
    Ok(invoices)
}
