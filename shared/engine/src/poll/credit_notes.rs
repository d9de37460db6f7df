//! Reads the credit notes that changed since the verification before. Once a day is enough: what a
//! note pays shows on its invoices at once.

use std::num::NonZeroU16;

use domain::call_budget::CallPriority;
use domain::document::credit_note::RemoteCreditNote;
use domain::entity::EntityKind;
use domain::ids::{Ledger, XeroCreditNoteId};
use domain::mapping::{DocumentAmounts, Mapping, MappingKey};
use domain::observe_note::{NoteObservation, observe_credit_note, observe_missing_note};
use domain::paging::PageLimit;
use domain::poll::{ChangeWalk, ListPosition, PollProgress, WalkStep};
use domain::sync_log::{LogStatus, LoggedOperation};
use futures::FutureExt;
use store::table::WriteExpectation;
use store::{ConflictLimit, ReadAheadKeys, Store, StoreError, VersionedRecord};
use xero::api::credit_notes;

use super::changes::step_after_page;
use super::unreadable;
use crate::Engine;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::errors::PersistError;
use crate::sync::release::{ChangedDocument, KnownDocument, release_changed_documents};
use crate::sync::sync_log::{self, LogNotice};

/// Maximum pages per poll. The next poll continues.
const PAGES_MAX: u32 = 10;

/// What observing a credit note found.
#[derive(Debug, Default)]
struct ObservedNote {
    /// Whether a change was recorded.
    is_changed: bool,
    /// The note, if its state no longer prevents what was given up because of it.
    document: Option<ChangedDocument>,
}

/// Observes changed credit notes from the recorded position on, if there is one, and records the
/// progress after each page. Makes no call if the ledger has no credit notes. Returns the number of
/// notes with changes.
pub(super) async fn observe_changed_notes(
    tenant_session: &TenantSession<'_>,
    progress: &mut PollProgress,
) -> Result<usize, AttemptError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let Some(position) = progress.credit_notes else { return Ok(0) };
    if !has_credit_notes(engine, ledger).await? {
        *progress = progress.clone().with_verified_credit_notes();
        return Ok(0);
    }
    let patient = tenant_session.session_with_priority(CallPriority::Verification);
    let mut walk = ChangeWalk::resume_after_rows(position.from, position.rows_read);
    let (mut pages, mut changed) = (PageLimit::of_pages(PAGES_MAX), 0);
    while !pages.is_reached() {
        let page = credit_notes::read_changed_page(&patient, walk.since, walk.at).await?;
        pages.count_page(page.at);
        changed += observe_notes(tenant_session, &page.rows).await?;
        unreadable::report_unreadable_rows(tenant_session, &page.undecodable).await?;
        match step_after_page(walk, &page, engine.clock.now(), |one| one.updated_at) {
            WalkStep::Done(_) => {
                *progress = progress.clone().with_verified_credit_notes();
                return Ok(changed);
            }
            WalkStep::Page(next) => walk = next,
        }
        let position = ListPosition { from: walk.since, rows_read: walk.at.rows_before() };
        progress.credit_notes = Some(position);
    }
    Ok(changed)
}

/// Returns whether any credit note of the ledger is known, in Xero or not.
pub(super) async fn has_credit_notes(engine: &Engine, ledger: &Ledger) -> Result<bool, StoreError> {
    let (kind, one) = (EntityKind::CreditNote, NonZeroU16::MIN);
    let page = engine.store.list_mappings(ledger, kind, None, one).await?;
    Ok(!page.rows.is_empty() || !page.unreadable.is_empty())
}

/// Observes credit notes, and releases the records that were given up because of their state.
/// Returns the number of notes with changes.
pub(super) async fn observe_notes(
    tenant_session: &TenantSession<'_>,
    notes: &[RemoteCreditNote],
) -> Result<usize, PersistError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let (mut changed, mut documents, mut failed) = (0, Vec::new(), None);
    let mut rows = ReadAheadKeys::default();
    for remote in notes {
        rows.add_linked_record(ledger, EntityKind::CreditNote, remote.id.into());
    }
    let ahead = engine.with_rows_read_ahead(rows).await;
    for remote in notes {
        let observed = observe_note(tenant_session, &ahead.store, remote).boxed();
        match engine.skip_failing(&ledger.account, observed).await {
            Ok(observed) => {
                let ObservedNote { is_changed, document } = observed.unwrap_or_default();
                changed += usize::from(is_changed);
                documents.extend(document);
            }
            Err(error) => {
                failed = Some(PersistError::from(error));
                break;
            }
        }
    }
    // What is recorded is not found again, so its dependants are released after an error, too.
    let released = release_changed_documents(engine, ledger, &documents).boxed().await;
    match failed.or(released.err()) {
        Some(error) => Err(error),
        None => Ok(changed),
    }
}

/// Observes a credit note, if it is ours. `links` has read its link ahead.
async fn observe_note(
    tenant_session: &TenantSession<'_>,
    links: &Store,
    remote: &RemoteCreditNote,
) -> Result<ObservedNote, StoreError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let kind = EntityKind::CreditNote;
    let owner = links.find_linked_record(ledger, kind, remote.id.into()).await?;
    let Some(crm_id) = owner else { return Ok(ObservedNote::default()) };
    let key = MappingKey::new(ledger.clone(), kind, crm_id);
    let row = engine.store.find_mapping(&key).await?;
    let Some(row) = row else { return Ok(ObservedNote::default()) };
    let known = KnownDocument::from_mapping(&row.record);
    let is_changed = record_note_changes(tenant_session, row, remote.id, Some(remote)).await?;
    let document = known.and_then(|known| {
        let after = DocumentAmounts::of_credit_note(known.crm_total(), remote);
        known.find_change(remote, &after, remote.updated_at, engine.clock.now())
    });
    Ok(ObservedNote { is_changed, document })
}

/// Records what has changed on a credit note, with the event for the CRM, and starts again after a
/// conflict with another process. `remote` is the note with this id in Xero; `None` if Xero did not
/// show it.
/// Returns whether more has changed than the instant of the last change.
pub(super) async fn record_note_changes(
    tenant_session: &TenantSession<'_>,
    row: VersionedRecord<Mapping>,
    id: XeroCreditNoteId,
    remote: Option<&RemoteCreditNote>,
) -> Result<bool, StoreError> {
    let (engine, account) = (tenant_session.engine, &tenant_session.ledger.account);
    let began = engine.clock.now();
    let (mut row, mut conflicts) = (row, ConflictLimit::default());
    let NoteObservation { mapping, remarks } = loop {
        let observed = match remote {
            Some(remote) => observe_credit_note(&row.record, remote, began),
            None => observe_missing_note(&row.record, id, began),
        };
        let Some(observed) = observed else { return Ok(false) };
        let event = observed.to_event();
        let event = event.map(|content| engine.new_event(account, content));
        let expect = WriteExpectation::Version(row.version);
        match engine.store.put_mapping(&observed.mapping, expect, event.as_ref()).await {
            Ok(_) => {
                engine.deliver_committed(account, event.as_ref()).await;
                break observed;
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
        let again = engine.store.find_mapping(&row.record.key).await?;
        let Some(again) = again else { return Ok(false) };
        row = again;
    };
    let is_changed = !row.record.shows_same_amounts_as(&mapping);
    if !remarks.is_empty() {
        let notice = LogNotice {
            operation: LoggedOperation::Import,
            subject: (mapping.key.kind, mapping.key.crm_id, mapping.snapshot.natural_key),
            status: LogStatus::Synced,
            message: remarks.join(" "),
            failure: None,
            began,
        };
        sync_log::log_without_attempt(engine, account, notice).await;
    }
    Ok(is_changed)
}
