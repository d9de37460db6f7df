//! Verifies credit notes with credit left one by one, once a day: a note that Xero no longer has is
//! in no list of changes.

use std::num::NonZeroU16;

use domain::call_budget::CallPriority;
use domain::document::credit_note::RemoteCreditNote;
use domain::entity::EntityKind;
use domain::ids::{CrmId, XeroCreditNoteId};
use domain::mapping::{Mapping, MappingKey};
use domain::poll::PollProgress;
use futures::FutureExt;
use futures::future::BoxFuture;
use store::{ReadAheadKeys, StoreError, VersionedRecord};
use xero::api::credit_notes::{find_by_ids, get};
use xero::{ApiSession, DecodedRows, UndecodableRow, XeroError};

use super::credit_notes::{observe_notes, record_note_changes};
use super::isolation::is_about_one_document;
use super::read_by_ids::read_by_ids;
use super::unreadable;
use crate::Engine;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::error_chain::ErrorChain;

/// Credit notes per page, which one call of Xero reads. With the longest snapshots, a page takes 10 MB
/// of memory.
const PAGE: NonZeroU16 = NonZeroU16::new(40).expect("not zero");
/// Maximum pages per poll. The next poll continues.
const PAGES_MAX: usize = 10;

/// Credit notes with credit left, by their ids in Xero.
type OpenNotes = Vec<(XeroCreditNoteId, VersionedRecord<Mapping>)>;

/// What a verification of credit notes has found.
#[derive(Debug, Default)]
struct VerifiedNotes {
    /// The number of notes with changes.
    changed: usize,
    /// The notes that Xero did not show, and of which no earlier read has said so.
    absent: Vec<CrmId>,
}

/// Verifies credit notes from the recorded position on, if that is due, and records the progress
/// after each page. `are_shown` says whether Xero has shown the list of changed notes in this poll: if
/// it has not, a page of which it shows no note either is a failure. Returns the number of notes with
/// changes.
pub(super) async fn verify_open_notes(
    tenant_session: &TenantSession<'_>,
    progress: &mut PollProgress,
    are_shown: bool,
) -> Result<usize, AttemptError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let mut changed = 0;
    for _ in 0..PAGES_MAX {
        let Some(verification) = &progress.open_notes else { break };
        let after = verification.after.as_deref();
        let page = engine.store.list_open_notes(ledger, after, PAGE).await?;
        let open = read_open_notes(tenant_session, page.documents).await?;
        let verified = verify_notes(tenant_session, open, are_shown).boxed().await?;
        changed += verified.changed;
        let next = progress.clone().with_absent_notes(verified.absent);
        *progress = next.with_verified_notes(page.next);
    }
    Ok(changed)
}

/// Reads the credit notes again that Xero did not show to the poll before. Those that are still
/// missing count as deleted. `are_shown` is as in [`verify_open_notes`]. Returns the number of notes
/// with changes.
pub(super) async fn confirm_absent_notes(
    tenant_session: &TenantSession<'_>,
    progress: &mut PollProgress,
    are_shown: bool,
) -> Result<usize, AttemptError> {
    if progress.absent_notes.is_empty() {
        return Ok(0);
    }
    let open = read_open_notes(tenant_session, progress.absent_notes.clone()).await?;
    let verified = verify_notes(tenant_session, open, are_shown).boxed().await?;
    let VerifiedNotes { changed, absent } = verified;
    *progress = PollProgress { absent_notes: Vec::new(), ..progress.clone() };
    *progress = progress.clone().with_absent_notes(absent);
    Ok(changed)
}

/// Reads the mappings of credit notes. The list may be outdated, so notes without credit left are
/// left out; so is a note whose row cannot be read, which is reported.
async fn read_open_notes(
    tenant_session: &TenantSession<'_>,
    notes: Vec<CrmId>,
) -> Result<OpenNotes, StoreError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let key = |id| MappingKey::new(ledger.clone(), EntityKind::CreditNote, id);
    let keys = notes.into_iter().map(key).collect::<Vec<_>>();
    let mut rows = ReadAheadKeys::default();
    for key in &keys {
        rows.add_mapping(key);
    }
    let ahead = engine.with_rows_read_ahead(rows).await;
    let mut open = OpenNotes::with_capacity(keys.len());
    for key in &keys {
        let read = ahead.store.find_mapping(key).boxed();
        let row = engine.skip_failing(&ledger.account, read).await?.flatten();
        open.extend(row.and_then(|row| Some((row.record.open_note_id()?, row))));
    }
    Ok(open)
}

fn find_notes<'s>(
    session: &'s ApiSession,
    ids: &'s [XeroCreditNoteId],
) -> BoxFuture<'s, Result<DecodedRows<RemoteCreditNote>, XeroError>> {
    find_by_ids(session, ids).boxed()
}

/// Reads credit notes from Xero and records their changes. If Xero shows none of them, and has not
/// shown another list either (`are_shown`), the failure is probably not about one note, and is
/// returned.
async fn verify_notes(
    tenant_session: &TenantSession<'_>,
    open: OpenNotes,
    are_shown: bool,
) -> Result<VerifiedNotes, AttemptError> {
    let mut verified = VerifiedNotes::default();
    if open.is_empty() {
        return Ok(verified);
    }
    let patient = tenant_session.session_with_priority(CallPriority::Verification);
    let ids = open.iter().map(|(id, _)| *id).collect::<Vec<_>>();
    let DecodedRows { rows: mut found, undecodable } =
        read_by_ids(&patient, &ids, find_notes).await?;
    unreadable::report_unreadable_rows(tenant_session, &undecodable).await?;
    for (id, row) in list_missing(open, &found, &undecodable) {
        // A list may omit a note, so a missing one is read by itself.
        match get(&patient, id).await {
            Ok(Some(remote)) => found.push(remote),
            Ok(None) => {
                let (engine, account) = (tenant_session.engine, &tenant_session.ledger.account);
                let (note, was_absent) = (row.record.key.crm_id.clone(), was_absent(engine, &row));
                let recorded = record_note_changes(tenant_session, row, id, None).boxed();
                let is_changed = engine.skip_failing(account, recorded).await?;
                verified.changed += usize::from(is_changed == Some(true));
                verified.absent.extend((!was_absent).then_some(note));
            }
            Err(XeroError::Undecodable { .. } | XeroError::AnswerTooLarge { .. }) => {}
            // It is asked again with the next verification.
            Err(error) if is_about_one_document(&error) && (are_shown || !found.is_empty()) => {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    account.id = %tenant_session.ledger.account,
                    crm.id = %row.record.key.crm_id,
                    "Xero did not show a credit note; the others are verified"
                );
            }
            Err(error) => return Err(error.into()),
        }
    }
    verified.changed += observe_notes(tenant_session, &found).await?;
    Ok(verified)
}

/// Returns whether an earlier read did not show a note either, so that its absence now is
/// confirmed.
fn was_absent(engine: &Engine, row: &VersionedRecord<Mapping>) -> bool {
    let known = row.record.amounts_in_xero();
    known.is_some_and(|known| known.after_absence(engine.clock.now()).status.is_gone())
}

/// Returns the notes that Xero's answer does not contain. An unreadable note is not missing.
fn list_missing(
    open: OpenNotes,
    found: &[RemoteCreditNote],
    undecodable: &[UndecodableRow],
) -> OpenNotes {
    let missing = open.into_iter().filter(|(id, _)| {
        let is_found = found.iter().any(|one| one.id == *id);
        !is_found && !undecodable.iter().any(|odd| odd.may_be(id.0))
    });
    missing.collect()
}
