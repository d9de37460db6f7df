//! Checks invoices one by one: once a day all open invoices, because Xero's lists of changes miss
//! some edits, and in every poll the invoices on which a write or a read has shown a change.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU16;

use domain::call_budget::CallPriority;
use domain::document::invoice::RemoteInvoice;
use domain::entity::EntityKind;
use domain::ids::{CrmId, XeroInvoiceId};
use domain::mapping::MappingKey;
use domain::poll::PollProgress;
use futures::FutureExt;
use store::ReadAheadKeys;
use xero::api::invoices::{self, IDS_LIMIT};
use xero::{DecodedRows, XeroError};

use super::isolation::{is_about_one_document, isolate_invoice};
use super::list_failures::ListFailures;
use super::read_by_ids::{find_invoices, read_by_ids};
use super::{credit_notes, observe, open_notes, removed_refunds, stopped_payments, unreadable};
use crate::connection::chart;
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::error_chain::ErrorChain;
use crate::errors::PersistError;
use crate::sync::surplus_clients;

/// Maximum calls per poll. The next poll continues.
const CALLS_MAX: usize = 10;

/// Performs what is due of the daily verification: checks open invoices, then reads the refunds and
/// the credit notes that changed, and checks the credit notes with credit left, then assigns
/// overpayments to their clients, then asks about the records that were given up, then checks the
/// account codes. Records the progress after each part, so that a failure repeats none
/// that is complete, and a list that Xero fails to show delays none of the other parts. Returns the
/// number of documents with changes.
pub(super) async fn verify_ledger(
    tenant_session: &TenantSession<'_>,
    progress: &mut PollProgress,
    is_idle: bool,
) -> Result<usize, AttemptError> {
    let mut changed = 0;
    if is_idle || progress.is_verification_due(tenant_session.engine.clock.now()) {
        changed += verify_open_invoices(tenant_session, progress).boxed().await?;
    }
    let mut failures = ListFailures::new(&tenant_session.ledger);
    let seen = observe_refunds_and_notes(tenant_session, progress, &mut failures).boxed().await;
    let checked = if seen.is_ok() {
        check_stopped_records(tenant_session, progress).boxed().await
    } else {
        Ok(())
    };
    // A failing list of credit notes must not prevent the check.
    if progress.codes_due_since.is_some() {
        chart::check_account_codes(tenant_session).boxed().await?;
        progress.codes_due_since = None;
    }
    match (checked, seen) {
        (Err(error), _) | (_, Err(error)) if !error.is_not_permitted() => Err(error),
        (_, seen) => failures.into_result(changed + seen.unwrap_or(0)),
    }
}

/// Reads the refunds and the credit notes that changed, then the notes that Xero did not show before,
/// then those with credit left. The next poll reads a list again that Xero fails to show. Returns the
/// number of notes with changes, or the error after which the poll must stop.
async fn observe_refunds_and_notes(
    tenant_session: &TenantSession<'_>,
    progress: &mut PollProgress,
    failures: &mut ListFailures<'_>,
) -> Result<usize, AttemptError> {
    const REFUNDS: &str = "/Payments";
    const NOTES: &str = "/CreditNotes";
    let refunds = removed_refunds::observe_changed_refunds(tenant_session, progress).boxed().await;
    failures.keep_failure(REFUNDS, refunds)?;
    let notes = credit_notes::observe_changed_notes(tenant_session, progress).boxed().await;
    let are_shown = notes.is_ok();
    let mut changed = failures.keep_failure(NOTES, notes)?;
    let absent = open_notes::confirm_absent_notes(tenant_session, progress, are_shown).boxed();
    changed += failures.keep_failure(NOTES, absent.await)?;
    let open = open_notes::verify_open_notes(tenant_session, progress, are_shown).boxed();
    changed += failures.keep_failure(NOTES, open.await)?;
    Ok(changed)
}

/// Assigns overpayments to their clients, and asks about the records that were given up, if that is
/// due. If the remaining calls are reserved for more urgent work, the next poll repeats it.
async fn check_stopped_records(
    tenant_session: &TenantSession<'_>,
    progress: &mut PollProgress,
) -> Result<(), AttemptError> {
    if progress.stopped_check_due_since.is_none() {
        return Ok(());
    }
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    let after = progress.surpluses_assigned_after.take();
    progress.surpluses_assigned_after =
        surplus_clients::try_assign_surpluses(engine, ledger, after.as_deref()).await;
    let asked = stopped_payments::check_stopped_records(tenant_session, progress).boxed().await;
    if !asked.as_ref().is_err_and(AttemptError::is_not_permitted) {
        progress.stopped_check_due_since = None;
    }
    asked
}

/// Checks open invoices, those unchanged for longest first, and records the progress. If the
/// remaining calls are reserved for more urgent work, the next poll continues. Returns the number
/// of invoices with changes.
async fn verify_open_invoices(
    tenant_session: &TenantSession<'_>,
    progress: &mut PollProgress,
) -> Result<usize, AttemptError> {
    let limit = ids_limit();
    let store = &tenant_session.engine.store;
    let mut changed = 0;
    for _ in 0..CALLS_MAX {
        let after = progress.verifying_after.clone();
        let page =
            store.list_open_invoices(&tenant_session.ledger, after.as_deref(), limit).await?;
        match verify_invoices(tenant_session, &page.documents, CallPriority::Verification).await {
            Ok(seen) => changed += seen,
            Err(error) if error.is_not_permitted() => return Ok(changed),
            Err(error) => return Err(error),
        }
        progress.verifying_after = page.next;
        if progress.verifying_after.is_none() {
            let now = tenant_session.engine.clock.now();
            *progress = progress.clone().with_verified_invoices(now);
            break;
        }
    }
    Ok(changed)
}

/// Checks invoices with unobserved changes, as many as one call takes. Returns the number of
/// invoices with changes.
pub(super) async fn verify_unseen_invoices(
    tenant_session: &TenantSession<'_>,
) -> Result<usize, AttemptError> {
    let unseen = tenant_session
        .engine
        .store
        .list_unseen_invoices(&tenant_session.ledger, ids_limit())
        .await?;
    if unseen.is_empty() {
        return Ok(0);
    }
    verify_invoices(tenant_session, &unseen, CallPriority::Poll).await
}

fn ids_limit() -> NonZeroU16 {
    u16::try_from(IDS_LIMIT).ok().and_then(NonZeroU16::new).unwrap_or(NonZeroU16::MIN)
}

/// Returns those of the invoices that are in Xero, by their ids there. An invoice whose row cannot
/// be read is reported and left out.
async fn list_linked_invoices(
    tenant_session: &TenantSession<'_>,
    invoices: &[CrmId],
) -> Result<BTreeMap<XeroInvoiceId, CrmId>, PersistError> {
    let ledger = &tenant_session.ledger;
    let key = |id: &CrmId| MappingKey::new(ledger.clone(), EntityKind::Invoice, id.clone());
    let mut rows = ReadAheadKeys::default();
    for crm_id in invoices {
        rows.add_mapping(&key(crm_id));
    }
    let ahead = tenant_session.engine.with_rows_read_ahead(rows).await;
    let mut linked: BTreeMap<XeroInvoiceId, CrmId> = BTreeMap::new();
    for crm_id in invoices {
        let key = key(crm_id);
        let read = async { ahead.store.find_mapping(&key).await.map_err(PersistError::from) };
        let row = isolate_invoice(tenant_session, crm_id, read).await?.flatten();
        if let Some(link) = row.and_then(|row| row.record.link) {
            linked.insert(XeroInvoiceId(link.xero_id.0), crm_id.clone());
        }
    }
    Ok(linked)
}

/// Reads invoices from Xero and records their changes. Returns the number of invoices with changes.
async fn verify_invoices(
    tenant_session: &TenantSession<'_>,
    invoices: &[CrmId],
    priority: CallPriority,
) -> Result<usize, AttemptError> {
    let linked = list_linked_invoices(tenant_session, invoices).await?;
    let ids = linked.keys().copied().collect::<Vec<_>>();
    let patient = tenant_session.session_with_priority(priority);
    let DecodedRows { rows: found, undecodable } =
        read_by_ids(&patient, &ids, find_invoices).await?;
    // Unseen invoices are checked in every poll, which would report the same row each time.
    if priority == CallPriority::Verification {
        unreadable::report_unreadable_rows(tenant_session, &undecodable).await?;
    }
    let mut seen: BTreeMap<XeroInvoiceId, RemoteInvoice> =
        found.into_iter().map(|one| (one.id, one)).collect();
    let mut changed = 0;
    for (id, crm_id) in &linked {
        let is_listed = seen.contains_key(id) || undecodable.iter().any(|odd| odd.id == Some(id.0));
        if is_listed {
            continue;
        }
        // A list may omit an invoice, so a missing one is read by itself. An unreadable invoice is
        // not missing.
        match invoices::get(&patient, *id).await {
            Ok(Some(one)) => drop(seen.insert(*id, one)),
            Err(XeroError::Undecodable { .. } | XeroError::AnswerTooLarge { .. }) => {}
            Ok(None) => {
                let missing = observe::observe_missing(tenant_session, (*id, crm_id));
                changed += usize::from(missing.await?);
            }
            // The next check asks for it again.
            Err(error) if is_about_one_document(&error) => {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    account.id = %tenant_session.ledger.account,
                    crm.id = %crm_id,
                    "Xero did not show an invoice; the others are checked"
                );
            }
            Err(error) => return Err(error.into()),
        }
    }
    changed +=
        observe::observe_changes(tenant_session, seen, BTreeMap::new(), &BTreeSet::new()).await?;
    Ok(changed)
}
