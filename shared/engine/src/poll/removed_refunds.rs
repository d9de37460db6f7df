//! Observes refunds that were deleted in Xero. A refund pays back a credit note, so neither an
//! invoice nor the list of payments on invoices shows its deletion. It is read once a day.

use std::num::NonZeroU16;

use domain::call_budget::CallPriority;
use domain::crm::payment::{PartRole, PaymentPart, RefundSource};
use domain::document::payment::{MoneyStatus, RemotePayment};
use domain::entity::EntityKind;
use domain::ids::{CrmId, Ledger};
use domain::mapping::MappingKey;
use domain::observe_refund::observe_removed_refund;
use domain::paging::PageLimit;
use domain::poll::{ChangeWalk, ListPosition, PollProgress, WalkStep};
use domain::sync_log::{LogStatus, LoggedOperation};
use futures::FutureExt;
use store::table::WriteExpectation;
use store::{ConflictLimit, ReadAheadKeys, StoreError, VersionedRecord};
use xero::api::payments;

use super::changes::step_after_page;
use crate::Engine;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::errors::PersistError;
use crate::sync::invoice_payments::forget_refund;
use crate::sync::release::{ChangedDocument, release_changed_documents};
use crate::sync::sync_log::{self, LogNotice};

/// Maximum pages of refunds per poll. The next poll continues.
const PAGES_MAX: u32 = 10;

/// Observes the refunds that changed since the verification before, at the same time as the first
/// credit notes, or continues where the last poll stopped. Records the position before the first page
/// and after each.
/// Makes no call if the ledger has no payments. Repeating it does no harm.
pub(super) async fn observe_changed_refunds(
    tenant_session: &TenantSession<'_>,
    progress: &mut PollProgress,
) -> Result<(), AttemptError> {
    let first = progress.credit_notes.filter(|position| position.rows_read == 0);
    let Some(position) = progress.refunds.or(first) else { return Ok(()) };
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let (kind, one) = (EntityKind::Payment, NonZeroU16::MIN);
    let known = engine.store.list_mappings(ledger, kind, None, one).await?;
    if known.rows.is_empty() && known.unreadable.is_empty() {
        progress.refunds = None;
        return Ok(());
    }
    // The credit notes may be read to their end although this list cannot be read.
    progress.refunds = Some(position);
    let patient = tenant_session.session_with_priority(CallPriority::Verification);
    let mut walk = ChangeWalk::resume_after_rows(position.from, position.rows_read);
    let mut pages = PageLimit::of_pages(PAGES_MAX);
    while !pages.is_reached() {
        let page = payments::read_changed_refunds_page(&patient, walk.since, walk.at).await?;
        pages.count_page(page.at);
        observe_removed_refunds(tenant_session, &page.rows).await?;
        match step_after_page(walk, &page, engine.clock.now(), |one| one.updated_at) {
            WalkStep::Done(_) => {
                progress.refunds = None;
                return Ok(());
            }
            WalkStep::Page(next) => walk = next,
        }
        let position = ListPosition { from: walk.since, rows_read: walk.at.rows_before() };
        progress.refunds = Some(position);
    }
    Ok(())
}

/// Records which of these payments are refunds of the CRM that were deleted, with an event for
/// each, and releases the refunds that were refused because of them.
async fn observe_removed_refunds(
    tenant_session: &TenantSession<'_>,
    refunds: &[RemotePayment],
) -> Result<(), PersistError> {
    let removed = refunds.iter().filter(|one| one.status == MoneyStatus::Deleted);
    let removed = removed.collect::<Vec<_>>();
    if removed.is_empty() {
        return Ok(());
    }
    let ledger = &tenant_session.ledger;
    let mut rows = ReadAheadKeys::default();
    for remote in &removed {
        rows.add_linked_record(ledger, EntityKind::Payment, remote.id.into());
    }
    let ahead = tenant_session.engine.with_rows_read_ahead(rows).await;
    for remote in removed {
        let observed = observe_payment(tenant_session, &ahead, remote).boxed();
        tenant_session.engine.skip_failing(&ledger.account, observed).await?;
    }
    Ok(())
}

/// Observes one deleted payment. If it was a refund of the CRM whose deletion was not known, the
/// refunds that were refused because of it are released, and its deletion is recorded.
async fn observe_payment(
    tenant_session: &TenantSession<'_>,
    ahead: &Engine,
    remote: &RemotePayment,
) -> Result<(), PersistError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let owner = ahead.store.find_linked_record(ledger, EntityKind::Payment, remote.id.into());
    let Some(crm_id) = owner.await? else { return Ok(()) };
    let key = MappingKey::new(ledger.clone(), EntityKind::Payment, crm_id);
    let (account, began) = (&ledger.account, engine.clock.now());
    let mut conflicts = ConflictLimit::default();
    loop {
        let Some(VersionedRecord { record, version }) = engine.store.find_mapping(&key).await?
        else {
            return Ok(());
        };
        let Some(removed) = observe_removed_refund(&record, remote, began) else {
            return Ok(());
        };
        // This comes first: once the deletion is recorded, it is not found again, and the sweep sees
        // no change of the invoice.
        if let Some(invoice) = find_refunded_invoice(engine, ledger, &removed.part).await? {
            forget_refund(engine, ledger, &invoice.crm_id, &removed.part.payment).await?;
            let documents = [ChangedDocument::with_room_for_refunds(invoice)];
            release_changed_documents(engine, ledger, &documents).boxed().await?;
        }
        let sentences = sync_log::describe_event(&removed.event);
        let event = Some(engine.new_event(account, removed.event));
        let expect = WriteExpectation::Version(version);
        match engine.store.put_mapping(&removed.mapping, expect, event.as_ref()).await {
            Ok(_) => {
                engine.deliver_committed(account, event.as_ref()).await;
                let notice = LogNotice {
                    operation: LoggedOperation::Import,
                    subject: (key.kind, key.crm_id, removed.mapping.snapshot.natural_key),
                    status: LogStatus::Synced,
                    message: sentences.join(" "),
                    failure: None,
                    began,
                };
                sync_log::log_without_attempt(engine, account, notice).await;
                return Ok(());
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

/// Returns the invoice whose money a refund returns. `None` if it pays back a credit note of the
/// CRM.
async fn find_refunded_invoice(
    engine: &Engine,
    ledger: &Ledger,
    refund: &PaymentPart,
) -> Result<Option<MappingKey>, StoreError> {
    let PartRole::Refund(RefundSource::Part(note)) = &refund.role else { return Ok(None) };
    let key = MappingKey::new(ledger.clone(), EntityKind::Payment, note.clone());
    let Some(row) = engine.store.find_mapping(&key).await? else { return Ok(None) };
    let note = row.record.snapshot.parse_text::<PaymentPart>();
    let Some(PartRole::RefundNote(invoice)) = note.ok().map(|note| note.role) else {
        return Ok(None);
    };
    Ok(Some(MappingKey::new(ledger.clone(), EntityKind::Invoice, CrmId::from(invoice))))
}
