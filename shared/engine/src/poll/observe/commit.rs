//! Commits what was observed on an invoice.

use domain::invoice_payments::InvoicePayments;
use domain::mapping::Mapping;
use domain::observe::InvoiceObservation;
use store::table::WriteExpectation;
use store::{InvoicePaymentRows, StoreError, VersionedRecord};

use crate::connection::tenant_session::TenantSession;
use crate::sync::sync_log;

/// Returns whether an observation differs from the rows before it only by the instant of the last
/// change in Xero.
pub(super) fn is_only_touched(
    before: (&Mapping, &InvoicePayments),
    after: (&Mapping, &InvoicePayments),
) -> bool {
    let ((mapping_before, payments_before), (mapping, payments)) = (before, after);
    let (Some(known), Some(link)) = (&mapping_before.link, &mapping.link) else { return false };
    let was_seen = known.xero_updated_at.is_some() && link.xero_updated_at.is_some();
    was_seen && known.amounts == link.amounts && payments_before == payments
}

/// Commits a step together with its events, which are still to be delivered. Returns the rows after
/// it.
pub(super) async fn commit_observation(
    tenant_session: &TenantSession<'_>,
    before: &VersionedRecord<Mapping>,
    rows: &InvoicePaymentRows,
    observation: InvoiceObservation,
) -> Result<(VersionedRecord<Mapping>, InvoicePaymentRows), StoreError> {
    let InvoiceObservation { mapping, payments, events, is_all: _ } = observation;
    let engine = tenant_session.engine;
    if events.is_empty() && is_only_touched((&before.record, &rows.record), (&mapping, &payments)) {
        let expect = WriteExpectation::Version(before.version);
        let version = engine.store.put_mapping(&mapping, expect, None).await?;
        return Ok((VersionedRecord { record: mapping, version }, rows.clone()));
    }
    let began = engine.clock.now();
    let remarks = events.iter().flat_map(sync_log::describe_event).collect::<Vec<_>>();
    let events = engine.new_events(&tenant_session.ledger.account, events);
    let row = Some((&mapping, before.version));
    let rows = engine.store.put_invoice_payments(rows, payments, row, &events).await?;
    sync_log::log_import(engine, &mapping, None, &remarks, began).await;
    Ok((VersionedRecord { record: mapping, version: before.version.next() }, rows))
}
