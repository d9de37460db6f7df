//! Reads the credit notes that changed since the last verification. Once a day is enough: what a
//! note pays shows on its invoices at once.

use std::num::NonZeroU16;

use domain::call_budget::CallPriority;
use domain::document::credit_note::RemoteCreditNote;
use domain::entity::EntityKind;
use domain::ids::Ledger;
use domain::mapping::MappingKey;
use domain::observe_note::{NoteObservation, observe_credit_note};
use domain::paging::PageLimit;
use domain::poll::{ChangeWalk, ReadPage, WalkStep};
use domain::sync_log::{LogStatus, LoggedOperation};
use futures::FutureExt;
use jiff::Timestamp;
use store::table::WriteExpectation;
use store::{ConflictLimit, StoreError};
use xero::api::credit_notes;

use super::unreadable;
use crate::Engine;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::sync::sync_log::{self, LogNotice};

/// Maximum pages per verification. An account changes far fewer notes a day.
const PAGES_MAX: u32 = 10;

/// Observes the credit notes that changed since an instant. Makes no call if the ledger has none.
/// Returns the number of notes with changes.
pub(super) async fn observe_changed_notes(
    tenant_session: &TenantSession<'_>,
    since: Timestamp,
) -> Result<usize, AttemptError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    if !has_credit_notes(engine, ledger).await? {
        return Ok(0);
    }
    let patient = tenant_session.session_with_priority(CallPriority::Verification);
    let (mut walk, mut pages) = (ChangeWalk::from(since), PageLimit::of_pages(PAGES_MAX));
    let mut changed = 0;
    while !pages.is_reached() {
        let page = credit_notes::read_changed_page(&patient, walk.since, walk.at).await?;
        pages.count_page(page.at);
        for remote in &page.rows {
            let observed = observe_note(tenant_session, remote).boxed();
            let observed = engine.skip_failing(&ledger.account, observed).await?;
            changed += usize::from(observed == Some(true));
        }
        unreadable::report_unreadable_rows(tenant_session, &page.undecodable).await?;
        let odd = page.undecodable.iter().filter_map(|odd| odd.changed_at);
        let changed_at = page.rows.iter().filter_map(|one| one.updated_at).chain(odd);
        let changed_at = changed_at.collect::<Vec<_>>();
        let (next, now) = (page.next_position(), engine.clock.now());
        let read = ReadPage { next, changes: &changed_at, answered_at: page.answered_at, now };
        match walk.after_page(read) {
            WalkStep::Done(_) => return Ok(changed),
            WalkStep::Page(next) => walk = next,
        }
    }
    tracing::warn!(account.id = %ledger.account, "not every changed credit note was read");
    Ok(changed)
}

/// Returns whether any credit note of the ledger is known, in Xero or not.
pub(super) async fn has_credit_notes(engine: &Engine, ledger: &Ledger) -> Result<bool, StoreError> {
    let (kind, one) = (EntityKind::CreditNote, NonZeroU16::MIN);
    let page = engine.store.list_mappings(ledger, kind, None, one).await?;
    Ok(!page.rows.is_empty() || !page.unreadable.is_empty())
}

/// Observes a credit note, if it is ours, and starts again after a conflict with another process.
/// Returns whether it had changed.
async fn observe_note(
    tenant_session: &TenantSession<'_>,
    remote: &RemoteCreditNote,
) -> Result<bool, StoreError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let kind = EntityKind::CreditNote;
    let began = engine.clock.now();
    let owner = engine.store.find_linked_record(ledger, kind, remote.id.into()).await?;
    let Some(crm_id) = owner else { return Ok(false) };
    let key = MappingKey::new(ledger.clone(), kind, crm_id);
    let mut conflicts = ConflictLimit::default();
    let NoteObservation { mapping, remarks } = loop {
        let Some(row) = engine.store.find_mapping(&key).await? else { return Ok(false) };
        let observed = observe_credit_note(&row.record, remote, began);
        let Some(observed) = observed else { return Ok(false) };
        let event = observed.to_event();
        let event = event.map(|content| engine.new_event(&ledger.account, content));
        let expect = WriteExpectation::Version(row.version);
        match engine.store.put_mapping(&observed.mapping, expect, event.as_ref()).await {
            Ok(_) => {
                engine.deliver_committed(&ledger.account, event.as_ref()).await;
                break observed;
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
    };
    if !remarks.is_empty() {
        let notice = LogNotice {
            operation: LoggedOperation::Import,
            subject: (kind, key.crm_id, mapping.snapshot.natural_key),
            status: LogStatus::Synced,
            message: remarks.join(" "),
            failure: None,
            began,
        };
        sync_log::log_without_attempt(engine, &ledger.account, notice).await;
    }
    Ok(true)
}
