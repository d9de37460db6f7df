//! The payments of invoices: those that the CRM recorded, and users' decisions about unclear
//! payments.

mod deletions;
mod paid_invoices;
mod recording;
mod refunds;

use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, Ledger, UserId, XeroPaymentId};
use domain::invoice_payments::{
    InvoicePayments, PaymentChanges, PaymentDecision, PaymentNotice, RecordedPayment,
};
use domain::mapping::{Mapping, MappingKey};
use domain::observe::report_payments;
use domain::outbound::{EventContent, EventMessage};
use store::{ConflictLimit, InvoicePaymentRows, StoreError, VersionedRecord};

pub(crate) use self::deletions::record_deletion;
pub(crate) use self::paid_invoices::{find_earlier_invoices, keep_paid_invoices};
pub(crate) use self::recording::{FailedShare, RecordPaymentOutcome, record_payment};
pub(crate) use self::refunds::{forget_refund, try_free_withheld_refund};
use crate::Engine;
use crate::connection::ledgers::find_records_ledger;
use crate::sync::release::{
    DecidedPayment, list_decided_payments, try_release_decided_payments,
    try_release_refused_refunds,
};
use crate::sync::sync_log;

/// Maximum steps, each in its own transaction, that one payment may cause on one invoice. The
/// payments of an invoice need far fewer; the limit stops an endless loop in case of a defect.
const STEPS_MAX: usize = 200;

/// Changes the payments of an invoice until the change is complete, and releases the payments of
/// the CRM that no longer wait for a decision because of it, and the refunds that it allows.
async fn change_in_steps(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
    step: impl Fn(&mut InvoicePayments) -> Option<PaymentChanges>,
) -> Result<(), StoreError> {
    let (mut decided, mut admits_refunds) = (Vec::new(), false);
    for _ in 0..STEPS_MAX {
        let changed = change_invoice_payments(engine, ledger, invoice, None, &step).await?;
        let Some(change) = changed else { break };
        decided.extend(change.decided);
        admits_refunds |= change.admits_refunds;
        if change.is_all {
            break;
        }
    }
    try_release_decided_payments(engine, ledger, &decided).await;
    if admits_refunds {
        try_release_refused_refunds(engine, find_invoice_key(ledger, invoice)).await;
    }
    Ok(())
}

/// Adds the CRM's payments from another ledger, as far as the invoice has room for them. Returns
/// those for which it has none.
pub(crate) async fn merge_payments(
    engine: &Engine,
    ledger: &Ledger,
    from: &InvoicePayments,
) -> Result<Vec<RecordedPayment>, StoreError> {
    let changed = change_in_steps(engine, ledger, &from.invoice, |payments| {
        payments.add_recorded(&from.recorded)
    });
    changed.await?;
    let rows = engine.store.find_invoice_payments(ledger, &from.invoice).await?;
    Ok(match rows {
        Some(rows) => from.recorded_beyond(&rows.record),
        None => Vec::new(),
    })
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

/// Records a user's decision about an unclear payment, and releases the payments of the CRM that
/// waited for it, and the refunds that it allows. Returns `false` if the payment is not unclear or
/// the decision is impossible.
pub async fn resolve_payment(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    invoice: &CrmId,
    payment: XeroPaymentId,
    answer: PaymentDecision,
) -> Result<bool, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let resolved = change_invoice_payments(engine, &ledger, invoice, Some(by), |payments| {
        let notices = payments.resolve_payment(payment, answer.clone())?;
        Some(PaymentChanges { notices, is_all: true })
    });
    let Some(change) = resolved.await? else { return Ok(false) };
    try_release_decided_payments(engine, &ledger, &change.decided).await;
    if change.admits_refunds {
        try_release_refused_refunds(engine, find_invoice_key(&ledger, invoice)).await;
    }
    Ok(true)
}

/// A change of the payments of an invoice that was written.
struct AppliedChange {
    /// Whether the change is complete.
    is_all: bool,
    /// The payments of the CRM that no longer wait for a decision.
    decided: Vec<DecidedPayment>,
    /// Whether refunds may be admitted that were refused before.
    admits_refunds: bool,
}

/// Changes the payments of an invoice, with the events that follow, in one transaction. Returns
/// `None` if `step` rejects the change.
async fn change_invoice_payments(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
    by: Option<&UserId>,
    step: impl Fn(&mut InvoicePayments) -> Option<PaymentChanges>,
) -> Result<Option<AppliedChange>, StoreError> {
    let mut conflicts = ConflictLimit::default();
    loop {
        let rows = engine.store.find_invoice_payments(ledger, invoice).await?;
        let rows = rows.unwrap_or_else(|| {
            InvoicePaymentRows::without_payments(ledger.clone(), invoice.clone())
        });
        let mut payments = rows.record.clone();
        let Some(PaymentChanges { notices, is_all }) = step(&mut payments) else {
            return Ok(None);
        };
        let payments = payments.with_decisions_since(&rows.record, engine.clock.now());
        let decided = list_decided_payments(&rows.record, &payments);
        let admits_refunds = payments.admits_more_refunds_than(&rows.record);
        let mapping =
            if notices.is_empty() { None } else { find_mapping(engine, ledger, invoice).await? };
        match write_invoice_payments(engine, &rows, payments, mapping, notices, by).await {
            Ok(()) => return Ok(Some(AppliedChange { is_all, decided, admits_refunds })),
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

async fn find_mapping(
    engine: &Engine,
    ledger: &Ledger,
    invoice: &CrmId,
) -> Result<Option<VersionedRecord<Mapping>>, StoreError> {
    engine.store.find_mapping(&find_invoice_key(ledger, invoice)).await
}

fn find_invoice_key(ledger: &Ledger, invoice: &CrmId) -> MappingKey {
    MappingKey::new(ledger.clone(), EntityKind::Invoice, invoice.clone())
}

async fn write_invoice_payments(
    engine: &Engine,
    before: &InvoicePaymentRows,
    payments: InvoicePayments,
    mapping: Option<VersionedRecord<Mapping>>,
    notices: Vec<PaymentNotice>,
    by: Option<&UserId>,
) -> Result<(), StoreError> {
    let Some(VersionedRecord { mut record, version }) = mapping else {
        // The CRM receives no events about an invoice that Xero does not have.
        return engine.store.put_invoice_payments(before, payments, None, &[]).await.map(drop);
    };
    let (account, began) = (payments.ledger.account.clone(), engine.clock.now());
    let events = report_payments(&mut record, notices, began);
    let remarks = events.iter().flat_map(sync_log::describe_event).collect::<Vec<_>>();
    let events = engine.new_events(&account, events);
    engine.store.put_invoice_payments(before, payments, Some((&record, version)), &events).await?;
    engine.deliver_committed(&account, &events).await;
    sync_log::log_import(engine, &record, by, &remarks, began).await;
    Ok(())
}

impl Engine {
    /// Creates events at the current time, to be committed with their change.
    pub(crate) fn new_events(
        &self,
        account: &AccountId,
        contents: Vec<EventContent>,
    ) -> Vec<EventMessage> {
        contents.into_iter().map(|content| self.new_event(account, content)).collect()
    }
}
