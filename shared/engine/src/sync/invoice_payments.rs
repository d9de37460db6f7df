//! The payments of invoices: those that the CRM recorded, and people's answers about unclear
//! payments.

use domain::crm::payment::Payment;
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, Ledger, XeroPaymentId};
use domain::invoice_payments::{
    CHANGES_MAX, InvoicePayments, PaymentChanges, PaymentDecision, PaymentNotice, RecordedPayment,
};
use domain::mapping::{Mapping, MappingKey};
use domain::observe::report_payments;
use domain::outbound::{EventContent, OutboundEvent};
use store::{ConflictLimit, InvoicePaymentRows, StoreError, VersionedRecord};

use crate::Engine;
use crate::connection::ledgers::find_records_ledger;

/// Maximum steps, each in its own transaction, that one payment may cause on one invoice. It is far
/// more than the payments of an invoice need, and stops an endless loop if deciding the steps is
/// faulty.
const STEPS_MAX: usize = 200;

/// The result of recording a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecordPaymentOutcome {
    /// The payment is recorded on each of its invoices.
    Done,
    /// The payment was recorded before with other details, and was not changed.
    Contradicts,
    /// The invoice already has the maximum number of payments.
    TooMany(CrmId),
}

/// Records a payment on each of its invoices, so that it is recognised when Xero has it. May be
/// interrupted and repeated.
pub(crate) async fn record_payment(
    engine: &Engine,
    ledger: &Ledger,
    payment: &Payment,
) -> Result<RecordPaymentOutcome, StoreError> {
    for share in &payment.allocations {
        let Some(recorded) = RecordedPayment::from_payment(payment, &share.invoice_id) else {
            continue;
        };
        let invoice = CrmId::from(share.invoice_id.clone());
        let known = engine.store.find_invoice_payments(ledger, &invoice).await?;
        let known = known.map(|rows| rows.record);
        if known.as_ref().is_some_and(|known| known.contradicts_recorded(&recorded)) {
            return Ok(RecordPaymentOutcome::Contradicts);
        }
        if known.as_ref().is_some_and(|known| !known.has_room_for(&recorded.payment)) {
            return Ok(RecordPaymentOutcome::TooMany(invoice));
        }
        for _ in 0..STEPS_MAX {
            let step = change_invoice_payments(engine, ledger, &invoice, |receipts| {
                let before = receipts.clone();
                let changes = receipts.record_payment(recorded.clone());
                (*receipts != before).then_some(changes)
            });
            if step.await?.is_none_or(|is_all| is_all) {
                break;
            }
        }
    }
    Ok(RecordPaymentOutcome::Done)
}

/// Adds the CRM's payments from another ledger.
pub(crate) async fn merge_payments(
    engine: &Engine,
    ledger: &Ledger,
    from: &InvoicePayments,
) -> Result<(), StoreError> {
    for _ in 0..STEPS_MAX {
        let step = change_invoice_payments(engine, ledger, &from.invoice, |receipts| {
            let is_new = |one: &&RecordedPayment| {
                !receipts.recorded.iter().any(|known| known.payment == one.payment)
            };
            let new = from.recorded.iter().filter(is_new).cloned().collect::<Vec<_>>();
            let is_all = new.len() <= CHANGES_MAX;
            receipts.recorded.extend(new.iter().take(CHANGES_MAX).cloned());
            (!new.is_empty()).then_some(PaymentChanges { told: Vec::new(), is_all })
        });
        if step.await?.is_none_or(|is_all| is_all) {
            break;
        }
    }
    Ok(())
}

/// Returns the payments of one invoice, or `None` if none is known.
pub async fn find_invoice_payments(
    engine: &Engine,
    account: &AccountId,
    invoice: &CrmId,
) -> Result<Option<InvoicePayments>, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    Ok(engine.store.find_invoice_payments(&ledger, invoice).await?.map(|row| row.record))
}

/// Records a person's answer about an unclear payment. Returns `false` if the payment is not
/// unclear or the answer is impossible.
pub async fn resolve_payment(
    engine: &Engine,
    account: &AccountId,
    invoice: &CrmId,
    payment: XeroPaymentId,
    answer: PaymentDecision,
) -> Result<bool, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let settled = change_invoice_payments(engine, &ledger, invoice, |receipts| {
        let told = receipts.resolve_payment(payment, answer.clone())?;
        Some(PaymentChanges { told, is_all: true })
    });
    Ok(settled.await?.is_some())
}

/// Changes the payments of an invoice, with the events that follow, in one transaction. Returns
/// whether the change is complete, or `None` if `step` declines it.
async fn change_invoice_payments(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
    step: impl Fn(&mut InvoicePayments) -> Option<PaymentChanges>,
) -> Result<Option<bool>, StoreError> {
    let mut conflicts = ConflictLimit::default();
    loop {
        let rows = engine.store.find_invoice_payments(ledger, invoice).await?;
        let rows = rows.unwrap_or_else(|| {
            InvoicePaymentRows::without_payments(ledger.clone(), invoice.clone())
        });
        let mut receipts = rows.record.clone();
        let Some(PaymentChanges { told, is_all }) = step(&mut receipts) else { return Ok(None) };
        let mapping =
            if told.is_empty() { None } else { find_mapping(engine, ledger, invoice).await? };
        match write_invoice_payments(engine, &rows, receipts, mapping, told).await {
            Ok(()) => return Ok(Some(is_all)),
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

async fn find_mapping(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
) -> Result<Option<VersionedRecord<Mapping>>, StoreError> {
    let key = MappingKey::new(ledger.clone(), EntityKind::Invoice, invoice.clone());
    engine.store.find_mapping(&key).await
}

async fn write_invoice_payments(
    engine: &Engine,
    before: &InvoicePaymentRows,
    receipts: InvoicePayments,
    mapping: Option<VersionedRecord<Mapping>>,
    told: Vec<PaymentNotice>,
) -> Result<(), StoreError> {
    let Some(VersionedRecord { mut record, version }) = mapping else {
        // The CRM receives no events about an invoice that Xero does not have.
        return engine.store.put_invoice_payments(before, receipts, None, &[]).await.map(drop);
    };
    let account = receipts.ledger.account.clone();
    let news = report_payments(&mut record, told, engine.clock.now());
    let events = engine.new_events(&account, news);
    engine.store.put_invoice_payments(before, receipts, Some((&record, version)), &events).await?;
    engine.deliver_committed(&account, &events).await;
    Ok(())
}

impl Engine {
    /// Creates events at the current time, to be committed with their change.
    pub(crate) fn new_events(
        &self,
        account: &AccountId,
        news: Vec<EventContent>,
    ) -> Vec<OutboundEvent> {
        news.into_iter().map(|news| self.new_event(account, news)).collect()
    }
}
