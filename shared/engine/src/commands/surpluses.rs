//! Overpayments and prepayments that a user must decide about, and the answers.

use std::num::NonZeroU16;

use domain::crm::invoice::Invoice;
use domain::entity::EntityKind;
use domain::ids::{AccountId, Ledger, XeroId};
use domain::mapping::{Mapping, MappingKey};
use domain::money::Currency;
use domain::surplus::{Surplus, SurplusAnswer};
use futures::FutureExt;
use store::table::WriteExpectation;
use store::{ConflictLimit, StoreError};

use crate::connection::ledgers::find_records_ledger;
use crate::{Engine, concurrency};

/// The result of an answer about an overpayment or prepayment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolveSurplusOutcome {
    /// It is closed.
    Done(Box<Surplus>),
    /// It is not open: a user has answered before, or nothing of it is left.
    NotOpen,
    /// The integration has not seen it.
    Unknown,
    /// The integration does not know the named invoice.
    UnknownInvoice,
    /// The named invoice has another currency than the overpayment or prepayment, which has this
    /// one: no amount of it can pay the invoice.
    OtherCurrency(Currency),
}

/// Records a user's answer about an overpayment or prepayment, with the event that closes it.
/// Nothing is written to Xero.
pub async fn resolve_surplus(
    engine: &Engine,
    account: &AccountId,
    id: XeroId,
    answer: SurplusAnswer,
) -> Result<ResolveSurplusOutcome, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let mut invoice_currency = None;
    if let SurplusAnswer::Invoice(invoice) = &answer {
        let key = MappingKey::new(ledger.clone(), EntityKind::Invoice, invoice.clone());
        let Some(row) = engine.store.find_mapping(&key).await? else {
            return Ok(ResolveSurplusOutcome::UnknownInvoice);
        };
        invoice_currency = find_currency(&row.record);
    }
    let mut conflicts = ConflictLimit::default();
    loop {
        let Some(known) = engine.store.find_surplus(&ledger, id).await? else {
            return Ok(ResolveSurplusOutcome::Unknown);
        };
        let currency = known.record.total.currency;
        if known.record.is_open() && invoice_currency.is_some_and(|other| other != currency) {
            return Ok(ResolveSurplusOutcome::OtherCurrency(currency));
        }
        let expect = WriteExpectation::Version(known.version);
        let now = engine.clock.now();
        let Some((resolved, content)) = known.record.resolve(answer.clone(), now) else {
            return Ok(ResolveSurplusOutcome::NotOpen);
        };
        let event = engine.new_event(account, content);
        match engine.store.put_surplus(&resolved, expect, Some(&event)).await {
            Ok(()) => {
                engine.deliver_committed(account, [&event]).await;
                return Ok(ResolveSurplusOutcome::Done(Box::new(resolved)));
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

/// Returns the currency in which the CRM bills an invoice, whether or not Xero has it. If its
/// snapshot cannot be read, that is the currency which it had when it was sent, if it was.
fn find_currency(invoice: &Mapping) -> Option<Currency> {
    let snapshot = serde_json::from_str::<Invoice>(&invoice.snapshot.json).ok();
    let billed = snapshot.map(|snapshot| snapshot.currency);
    billed.or_else(|| invoice.amounts_in_xero().map(|amounts| amounts.crm_total.currency))
}

/// Returns the overpayments and prepayments of a ledger that a user must decide about, the newest
/// first. Rows that cannot be read are reported and left out.
pub(super) async fn list_open_surpluses(
    engine: &Engine,
    ledger: &Ledger,
    limit: NonZeroU16,
) -> Result<Vec<Surplus>, StoreError> {
    let ids = engine.store.list_open_surpluses(ledger, limit).await?;
    let rows = ids.into_iter().map(|id| {
        let row = engine.store.find_surplus(ledger, id);
        engine.skip_failing(&ledger.account, row).boxed()
    });
    let mut open = Vec::new();
    for row in concurrency::map_concurrently(rows.collect()).await {
        let Some(row) = row?.flatten() else { continue };
        if row.record.is_open() {
            open.push(row.record);
        }
    }
    Ok(open)
}
