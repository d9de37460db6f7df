//! The money on invoices: what the CRM records of it, and what a person says of what is unclear.

use domain::crm::payment::Payment;
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, Ledger, XeroPaymentId};
use domain::mapping::{Mapping, MappingKey};
use domain::observe::tell;
use domain::outbound::{Event, News};
use domain::receipts::{Answer, Receipts, Recorded, Told};
use store::table::Expect;
use store::{StoreError, Versioned};

use crate::Engine;
use crate::inbound::ledger;

/// A row that somebody else writes at the same moment is read and written again, this many times.
const CONFLICTS_MAX: u32 = 6;

/// Notes a payment on each of its invoices, so that the same money is recognised when Xero has it.
/// Repeating it, or being interrupted, does no harm. `false` when it was recorded before as something else:
/// then it stays as it was.
pub(crate) async fn record(
    engine: &Engine,
    ledger: &Ledger,
    payment: &Payment,
) -> Result<bool, StoreError> {
    for share in &payment.allocations {
        let Some(recorded) = Recorded::of(payment, &share.invoice_id) else { continue };
        let invoice = CrmId::from(share.invoice_id.clone());
        let known = engine.store.receipts(ledger, &invoice).await?;
        if known.is_some_and(|known| known.record.contradicts(&recorded)) {
            return Ok(false);
        }
        let noted = change(engine, ledger, &invoice, |receipts| {
            let before = receipts.clone();
            let told = receipts.record(recorded.clone());
            (*receipts != before).then_some(told)
        });
        noted.await?;
    }
    Ok(true)
}

/// The money on one invoice, or `None` when nothing is known of it.
pub async fn of(
    engine: &Engine,
    account: &AccountId,
    invoice: &CrmId,
) -> Result<Option<Receipts>, StoreError> {
    let Some(ledger) = ledger(engine, account).await? else { return Ok(None) };
    Ok(engine.store.receipts(&ledger, invoice).await?.map(|row| row.record))
}

/// A person says what an unclear payment is. `false` when it is not unclear, or cannot be that.
pub async fn settle(
    engine: &Engine,
    account: &AccountId,
    invoice: &CrmId,
    payment: XeroPaymentId,
    answer: Answer,
) -> Result<bool, StoreError> {
    let Some(ledger) = ledger(engine, account).await? else { return Ok(false) };
    let settled =
        change(engine, &ledger, invoice, |receipts| receipts.settle(payment, answer.clone()));
    Ok(settled.await?.is_some())
}

/// Changes the money on an invoice, and tells the CRM what follows: both or neither. `None` when the change
/// declines.
async fn change(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
    step: impl Fn(&mut Receipts) -> Option<Vec<Told>>,
) -> Result<Option<()>, StoreError> {
    for _ in 0..CONFLICTS_MAX {
        let row = engine.store.receipts(ledger, invoice).await?;
        let expect = row.as_ref().map_or(Expect::Absent, |row| Expect::Version(row.version));
        let empty = || Receipts::new(ledger.clone(), invoice.clone());
        let mut receipts = row.map_or_else(empty, |row| row.record);
        let Some(told) = step(&mut receipts) else { return Ok(None) };
        let mapping = if told.is_empty() { None } else { mapping(engine, ledger, invoice).await? };
        match write(engine, &receipts, expect, mapping, told).await {
            Err(StoreError::Conflict) => {}
            result => return result.map(Some),
        }
    }
    Err(StoreError::Conflict)
}

async fn mapping(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
) -> Result<Option<Versioned<Mapping>>, StoreError> {
    let (ledger, crm_id) = (ledger.clone(), invoice.clone());
    engine.store.mapping(&MappingKey { ledger, kind: EntityKind::Invoice, crm_id }).await
}

async fn write(
    engine: &Engine,
    receipts: &Receipts,
    expect: Expect,
    mapping: Option<Versioned<Mapping>>,
    told: Vec<Told>,
) -> Result<(), StoreError> {
    let Some(Versioned { mut record, version }) = mapping else {
        // Nothing is told of an invoice that Xero does not have.
        return engine.store.put_receipts(receipts, expect, None, &[]).await;
    };
    let news = tell(&mut record, told, engine.clock.now());
    let events = engine.events(&receipts.ledger.account, news);
    let mapping = Some((&record, version));
    engine.store.put_receipts(receipts, expect, mapping, &events).await?;
    engine.deliver(&receipts.ledger.account, &events).await;
    Ok(())
}

impl Engine {
    /// Events of now, to be committed with their change.
    pub(crate) fn events(&self, account: &AccountId, news: Vec<News>) -> Vec<Event> {
        news.into_iter().map(|news| self.event(account, news)).collect()
    }
}
