//! The daily verification of ledgers without open invoices. No other poll reads their lists of
//! changes, which show that a payment was removed in Xero and the invoice is open again.

use std::num::NonZeroU16;

use domain::entity::EntityKind;
use domain::ids::Ledger;
use domain::poll::PollProgress;
use futures::FutureExt;
use store::{StoreError, VersionedRecord};

use super::{books, credit_notes, is_connected};
use crate::{Engine, Invocation};

/// Returns the progress of a ledger without open invoices if it is to be verified now. Otherwise,
/// the books are compared if that is all there is to do.
pub(super) async fn find_due_ledger(
    engine: &Engine,
    row: Option<VersionedRecord<PollProgress>>,
    invocation: Invocation,
) -> Result<Option<VersionedRecord<PollProgress>>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let is_due = row.record.is_idle_verification_due(engine.clock.now());
    if !is_due && !row.record.is_comparing {
        return Ok(None);
    }
    let ledger = &row.record.ledger;
    let connection = engine.store.find_connection(&ledger.account).await?;
    if !connection.is_some_and(|row| is_connected(&row.record, ledger)) {
        return Ok(None);
    }
    if is_due
        && (has_invoices(engine, ledger).await?
            || credit_notes::has_credit_notes(engine, ledger).await?)
    {
        return Ok(Some(row));
    }
    if row.record.is_comparing {
        books::compare_after_verification(engine, row, invocation).boxed().await?;
    } else {
        books::compare_without_verification(engine, row, invocation).boxed().await?;
    }
    Ok(None)
}

/// Returns whether any invoice of the ledger is known, in Xero or not.
async fn has_invoices(engine: &Engine, ledger: &Ledger) -> Result<bool, StoreError> {
    let page =
        engine.store.list_mappings(ledger, EntityKind::Invoice, None, NonZeroU16::MIN).await?;
    Ok(!page.rows.is_empty() || !page.unreadable.is_empty())
}
