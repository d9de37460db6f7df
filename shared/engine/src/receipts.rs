//! The money on invoices: payments that the CRM recorded, and people's answers about unclear
//! payments.

use domain::crm::payment::Payment;
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, Ledger, XeroPaymentId};
use domain::mapping::{Mapping, MappingKey};
use domain::observe::tell;
use domain::outbound::{Event, News};
use domain::receipts::{Answer, CHANGES_MAX, Changes, Receipts, Recorded, Told};
use store::{ConflictLimit, ReceiptRows, StoreError, Versioned};

use crate::Engine;
use crate::ledgers::records_ledger;

/// Maximum steps, each in its own transaction, that one payment may cause on one invoice. It is far
/// more than the payments of an invoice need, and stops an endless loop if deciding the steps is
/// faulty.
const STEPS_MAX: usize = 200;

/// The result of recording a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Noted {
    /// The payment is recorded on each of its invoices.
    Done,
    /// The payment was recorded before with other details, and was not changed.
    Contradicts,
    /// The invoice already has the maximum number of payments.
    TooMany(CrmId),
}

/// Records a payment on each of its invoices, so that it is recognised when Xero has it. May be
/// interrupted and repeated.
pub(crate) async fn record(
    engine: &Engine,
    ledger: &Ledger,
    payment: &Payment,
) -> Result<Noted, StoreError> {
    for share in &payment.allocations {
        let Some(recorded) = Recorded::of(payment, &share.invoice_id) else { continue };
        let invoice = CrmId::from(share.invoice_id.clone());
        let known = engine.store.receipts(ledger, &invoice).await?;
        let known = known.map(|rows| rows.record);
        if known.as_ref().is_some_and(|known| known.contradicts(&recorded)) {
            return Ok(Noted::Contradicts);
        }
        if known.as_ref().is_some_and(|known| !known.has_room_for(&recorded.payment)) {
            return Ok(Noted::TooMany(invoice));
        }
        for _ in 0..STEPS_MAX {
            let step = change(engine, ledger, &invoice, |receipts| {
                let before = receipts.clone();
                let changes = receipts.record(recorded.clone());
                (*receipts != before).then_some(changes)
            });
            if step.await?.is_none_or(|is_all| is_all) {
                break;
            }
        }
    }
    Ok(Noted::Done)
}

/// Adds the CRM's payments from another ledger.
pub(crate) async fn merge(
    engine: &Engine,
    ledger: &Ledger,
    from: &Receipts,
) -> Result<(), StoreError> {
    for _ in 0..STEPS_MAX {
        let step = change(engine, ledger, &from.invoice, |receipts| {
            let is_new = |one: &&Recorded| {
                !receipts.recorded.iter().any(|known| known.payment == one.payment)
            };
            let new = from.recorded.iter().filter(is_new).cloned().collect::<Vec<_>>();
            let is_all = new.len() <= CHANGES_MAX;
            receipts.recorded.extend(new.iter().take(CHANGES_MAX).cloned());
            (!new.is_empty()).then_some(Changes { told: Vec::new(), is_all })
        });
        if step.await?.is_none_or(|is_all| is_all) {
            break;
        }
    }
    Ok(())
}

/// Returns the money on one invoice, or `None` if nothing is known of it.
pub async fn of(
    engine: &Engine,
    account: &AccountId,
    invoice: &CrmId,
) -> Result<Option<Receipts>, StoreError> {
    let ledger = records_ledger(engine, account).await?;
    Ok(engine.store.receipts(&ledger, invoice).await?.map(|row| row.record))
}

/// Records a person's answer about an unclear payment. Returns `false` if the payment is not
/// unclear or the answer is impossible.
pub async fn settle(
    engine: &Engine,
    account: &AccountId,
    invoice: &CrmId,
    payment: XeroPaymentId,
    answer: Answer,
) -> Result<bool, StoreError> {
    let ledger = records_ledger(engine, account).await?;
    let settled = change(engine, &ledger, invoice, |receipts| {
        let told = receipts.settle(payment, answer.clone())?;
        Some(Changes { told, is_all: true })
    });
    Ok(settled.await?.is_some())
}

/// Changes the money on an invoice, with the events that follow, in one transaction. Returns
/// whether the change is complete, or `None` if `step` declines it.
async fn change(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
    step: impl Fn(&mut Receipts) -> Option<Changes>,
) -> Result<Option<bool>, StoreError> {
    let mut conflicts = ConflictLimit::default();
    loop {
        let rows = engine.store.receipts(ledger, invoice).await?;
        let rows = rows.unwrap_or_else(|| ReceiptRows::none(ledger.clone(), invoice.clone()));
        let mut receipts = rows.record.clone();
        let Some(Changes { told, is_all }) = step(&mut receipts) else { return Ok(None) };
        let mapping = if told.is_empty() { None } else { mapping(engine, ledger, invoice).await? };
        match write(engine, &rows, receipts, mapping, told).await {
            Ok(()) => return Ok(Some(is_all)),
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

async fn mapping(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
) -> Result<Option<Versioned<Mapping>>, StoreError> {
    let key = MappingKey::new(ledger.clone(), EntityKind::Invoice, invoice.clone());
    engine.store.mapping(&key).await
}

async fn write(
    engine: &Engine,
    before: &ReceiptRows,
    receipts: Receipts,
    mapping: Option<Versioned<Mapping>>,
    told: Vec<Told>,
) -> Result<(), StoreError> {
    let Some(Versioned { mut record, version }) = mapping else {
        // The CRM receives no events about an invoice that Xero does not have.
        return engine.store.put_receipts(before, receipts, None, &[]).await.map(drop);
    };
    let account = receipts.ledger.account.clone();
    let news = tell(&mut record, told, engine.clock.now());
    let events = engine.events(&account, news);
    engine.store.put_receipts(before, receipts, Some((&record, version)), &events).await?;
    engine.deliver(&account, &events).await;
    Ok(())
}

impl Engine {
    /// Creates events at the current time, to be committed with their change.
    pub(crate) fn events(&self, account: &AccountId, news: Vec<News>) -> Vec<Event> {
        news.into_iter().map(|news| self.event(account, news)).collect()
    }
}
