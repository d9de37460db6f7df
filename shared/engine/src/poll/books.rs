//! Compares the books once a day, after the verification of all open invoices: the open balances in
//! the CRM with those that were observed in Xero. It reads only the table, a limited number of
//! records per poll, and makes no call to Xero.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use domain::books::{
    BooksComparison, ComparedRecord, RunningComparison, compare_allocation, compare_credit_note,
    compare_invoice,
};
use domain::crm::allocation::Allocation;
use domain::entity::EntityKind;
use domain::ids::{Ledger, PaymentId, XeroId};
use domain::invoice_payments::{InvoicePayments, PaymentMatch, ReceivedPayment};
use domain::mapping::{CreditUse, CreditUser, Mapping};
use domain::outbound::{EventContent, EventMessage, OutboundEvent};
use domain::poll::PollProgress;
use futures::FutureExt;
use jiff::Timestamp;
use store::table::{PageCursor, WriteExpectation};
use store::{StoreError, VersionedRecord};

use crate::error_chain::ErrorChain;
use crate::ports::Metric;
use crate::sync::list_documents;
use crate::sync::outbox::derive_event_id;
use crate::{Engine, Invocation, concurrency};

/// Records per page. With the longest snapshots, a page takes 13 MB of memory.
const PAGE: NonZeroU16 = NonZeroU16::new(50).expect("not zero");
/// Maximum pages per poll: 4,000 records. The next poll continues.
const PAGES_MAX: u32 = 80;

/// Maximum payments of one invoice whose parts are looked up. Further ones count as not yet banked.
const WRITTEN_MAX: usize = 40;

/// Compares the books if a verification was completed since the last comparison.
pub(super) async fn compare_after_verification(
    engine: &Engine,
    row: VersionedRecord<PollProgress>,
    invocation: Invocation,
) -> Result<(), StoreError> {
    let VersionedRecord { record: progress, version } = row;
    if !progress.is_comparing {
        return Ok(());
    }
    let ledger = &progress.ledger;
    let compared = continue_comparison(engine, ledger, progress.verified_at, invocation).await;
    let is_complete = match compared {
        Ok(is_complete) => is_complete,
        // Another poll compares the same books.
        Err(StoreError::Conflict) => return Ok(()),
        // The comparison will fail again. It must not stop the polls.
        Err(error) if error.is_about_the_record() => {
            engine.metrics.record_metric(Metric::Defect);
            tracing::error!(
                error = %ErrorChain(&error),
                account.id = %ledger.account,
                "the books could not be compared"
            );
            true
        }
        Err(error) => return Err(error),
    };
    if !is_complete {
        return Ok(());
    }
    let progress = PollProgress { is_comparing: false, ..progress };
    match engine.store.put_poll_progress(&progress, WriteExpectation::Version(version)).await {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Compares the books of a ledger without invoices and credit notes, which has nothing to verify.
pub(super) async fn compare_without_verification(
    engine: &Engine,
    row: VersionedRecord<PollProgress>,
    invocation: Invocation,
) -> Result<(), StoreError> {
    let now = engine.clock.now();
    let record = row.record.with_completed_verification(now).with_completed_poll();
    let expect = WriteExpectation::Version(row.version);
    match engine.store.put_poll_progress(&record, expect).await {
        Ok(version) => {
            let row = VersionedRecord { record, version };
            compare_after_verification(engine, row, invocation).await
        }
        Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Compares records until the comparison is complete or the poll has no time left. Returns whether
/// it is complete.
async fn continue_comparison(
    engine: &Engine,
    ledger: &Ledger,
    verified_at: Timestamp,
    invocation: Invocation,
) -> Result<bool, StoreError> {
    let (books, expect) = match engine.store.find_books_comparison(ledger).await? {
        Some(VersionedRecord { record, version }) => (record, WriteExpectation::Version(version)),
        None => (BooksComparison::new(ledger.clone()), WriteExpectation::Absent),
    };
    let Some(mut running) = books.resume_after(verified_at) else { return Ok(true) };
    for _ in 0..PAGES_MAX {
        if compare_page(engine, ledger, &mut running).await? {
            complete_comparison(engine, books, expect, running).await?;
            return Ok(true);
        }
        if invocation.is_past_last_call(engine.clock.now()) {
            break;
        }
    }
    engine.store.put_books_comparison(&books.with_running(running), expect, None).await?;
    Ok(false)
}

/// Compares a page of records. Returns whether the comparison is complete.
async fn compare_page(
    engine: &Engine,
    ledger: &Ledger,
    running: &mut RunningComparison,
) -> Result<bool, StoreError> {
    let (kind, after) = (running.kind, running.after.clone().map(PageCursor::at_sort_key));
    let page = engine.store.list_mappings(ledger, kind, after, PAGE).await?;
    engine.report_unreadable(&ledger.account, &page.unreadable);
    running.tally.count_uncompared(page.unreadable.len());
    let compared = page.rows.into_iter().map(|row| {
        let compared = compare_record(engine, row.record);
        engine.skip_failing(&ledger.account, compared).boxed()
    });
    for compared in concurrency::map_concurrently(compared.collect()).await {
        running.tally.add_record(kind, compared?.flatten());
    }
    Ok(running.advance_after(page.next.map(|cursor| cursor.sort_key().to_owned())))
}

/// Compares one record. Returns `None` if it cannot be compared.
async fn compare_record(
    engine: &Engine,
    mapping: Mapping,
) -> Result<Option<ComparedRecord>, StoreError> {
    let key = &mapping.key;
    Ok(match key.kind {
        EntityKind::Allocation => {
            let compared = compare_allocation(&mapping);
            let is_pending = compared.as_ref().is_some_and(|one| one.difference.is_some());
            if is_pending && is_of_unsent_note(engine, &mapping).await? {
                return Ok(compared.map(ComparedRecord::without_difference));
            }
            compared
        }
        EntityKind::CreditNote => {
            let only_in_xero = list_uses_in_xero(engine, &mapping).await?;
            compare_credit_note(&mapping, &only_in_xero)
        }
        EntityKind::Invoice | EntityKind::Contact | EntityKind::Payment => {
            let rows = engine.store.find_invoice_payments(&key.ledger, &key.crm_id).await?;
            let payments = rows.map(|rows| rows.record);
            let written = match &payments {
                Some(payments) => find_written_payments(engine, payments).await?,
                None => BTreeSet::new(),
            };
            compare_invoice(&mapping, payments.as_ref(), &written)
        }
    })
}

/// Returns the uses of a note's credit in Xero that the CRM does not have: on invoices of others,
/// or refunded by hand.
async fn list_uses_in_xero(engine: &Engine, note: &Mapping) -> Result<Vec<CreditUse>, StoreError> {
    let amounts = note.amounts_in_xero();
    let mut only_in_xero = Vec::new();
    for one in amounts.into_iter().flat_map(|amounts| &amounts.credit_uses) {
        let (kind, id): (EntityKind, XeroId) = match one.by {
            CreditUser::Invoice(id) => (EntityKind::Invoice, id.into()),
            CreditUser::Refund(id) => (EntityKind::Payment, id.into()),
        };
        if engine.store.find_linked_record(&note.key.ledger, kind, id).await?.is_none() {
            only_in_xero.push(*one);
        }
    }
    Ok(only_in_xero)
}

/// Returns the payments of the CRM that are not in Xero although the integration writes them there,
/// by a method that is not always written.
async fn find_written_payments(
    engine: &Engine,
    payments: &InvoicePayments,
) -> Result<BTreeSet<PaymentId>, StoreError> {
    let mut written = BTreeSet::new();
    let missing = payments.recorded.iter().filter(|one| {
        let is_there = payments.received.iter().any(|received| is_same(received, &one.payment));
        one.is_in_effect() && !one.method.is_always_pushed() && !is_there
    });
    let missing = missing.take(WRITTEN_MAX).collect::<Vec<_>>();
    if missing.is_empty() {
        return Ok(written);
    }
    let ledger = &payments.ledger;
    let codes = engine.store.read_account_codes(&ledger.account).await?;
    for one in missing.into_iter().filter(|one| codes.is_pushed(one.method)) {
        let parts = engine.store.list_payment_parts(ledger, &one.payment).await?;
        if !(parts.rows.is_empty() && parts.unreadable.is_empty()) {
            written.insert(one.payment.clone());
        }
    }
    Ok(written)
}

/// Returns whether a payment in Xero is this payment of the CRM.
fn is_same(received: &ReceivedPayment, recorded: &PaymentId) -> bool {
    match &received.is {
        PaymentMatch::Same { payment } => payment == recorded,
        PaymentMatch::Imported | PaymentMatch::Unclear { .. } | PaymentMatch::Removed => false,
    }
}

/// Returns whether an allocation applies credit of a note that is not in Xero. Its amount is then a
/// part of the note's difference.
async fn is_of_unsent_note(engine: &Engine, mapping: &Mapping) -> Result<bool, StoreError> {
    let Ok(allocation) = mapping.snapshot.parse_text::<Allocation>() else {
        return Ok(false);
    };
    let documents = list_documents(&mapping.key.ledger, &allocation).into_iter();
    for key in documents.filter(|key| key.kind == EntityKind::CreditNote) {
        if let Some(note) = engine.store.find_mapping(&key).await? {
            return Ok(note.record.link.is_none());
        }
    }
    Ok(false)
}

/// Commits the result together with its event. Without any record there is no event.
async fn complete_comparison(
    engine: &Engine,
    books: BooksComparison,
    expect: WriteExpectation,
    running: RunningComparison,
) -> Result<(), StoreError> {
    let (account, verified_at) = (books.ledger.account.clone(), running.verified_at);
    let now = engine.clock.now();
    let books = books.with_completed(running, now);
    let completed = books.newest.clone().filter(|newest| !newest.tally.is_empty());
    let event = completed.map(|completed| {
        let id = derive_event_id(&account, &format!("books {} {verified_at}", books.ledger.tenant));
        let content = EventContent::from(completed);
        EventMessage::from(&OutboundEvent::new(id, account.clone(), content, now))
    });
    engine.store.put_books_comparison(&books, expect, event.as_ref()).await?;
    engine.deliver_committed(&account, &event).await;
    Ok(())
}
