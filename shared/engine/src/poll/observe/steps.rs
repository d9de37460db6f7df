//! Observes an invoice in steps, and commits each.

use domain::invoice_payments::InvoicePayments;
use domain::mapping::Mapping;
use domain::observe::{InvoiceObservation, SeenInvoice, observe_invoice};
use store::table::WriteExpectation;
use store::{InvoicePaymentRows, StoreError, VersionedRecord};

use super::ObservedChange;
use crate::connection::tenant_session::TenantSession;
use crate::sync::sync_log;

/// Observes in steps that each fit into a transaction, while there is time.
pub(super) async fn observe_steps(
    tenant_session: &TenantSession<'_>,
    mapping: VersionedRecord<Mapping>,
    rows: InvoicePaymentRows,
    seen: SeenInvoice<'_>,
    change: &mut ObservedChange,
) -> Result<(), StoreError> {
    let (mut mapping, mut rows) = (mapping, rows);
    loop {
        let now = tenant_session.engine.clock.now();
        let observation = observe_invoice(&mapping.record, &rows.record, seen, now);
        let Some(observation) = observation else { return Ok(()) };
        let (is_all, has_events) = (observation.is_all, !observation.events.is_empty());
        let committed = commit_observation(tenant_session, &mapping, &rows, observation).await?;
        change.has_events |= has_events;
        let (mapping_after, rows_after) = &committed;
        let before = (&mapping.record, &rows.record);
        let after = (&mapping_after.record, &rows_after.record);
        change.is_any |= !is_only_touched(before, after);
        change.ended.add_change(before, after);
        if is_all || tenant_session.is_past_last_call() {
            return Ok(());
        }
        // A delivery is limited, and a single invoice may have thousands of payments.
        tenant_session.engine.deliver_outbox(&tenant_session.ledger.account).await;
        change.has_events = false;
        (mapping, rows) = committed;
    }
}

/// Returns whether an observation differs from the rows before it only by the instant of the last
/// change in Xero, or by whether the last read showed the invoice.
fn is_only_touched(
    before: (&Mapping, &InvoicePayments),
    after: (&Mapping, &InvoicePayments),
) -> bool {
    let ((mapping_before, payments_before), (mapping, payments)) = (before, after);
    let (Some(known), Some(link)) = (&mapping_before.link, &mapping.link) else { return false };
    let is_as_seen = known.xero_updated_at.is_some() == link.xero_updated_at.is_some();
    is_as_seen && mapping_before.shows_same_amounts_as(mapping) && payments_before == payments
}

/// Commits a step together with its events, which are still to be delivered. Returns the rows after
/// it.
async fn commit_observation(
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
