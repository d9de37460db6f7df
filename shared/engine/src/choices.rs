//! What people decide about their records and their books: never send this one; these are the codes.

use domain::account_codes::{AccountCodes, Objection};
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, UserId};
use domain::mapping::MappingKey;
use domain::operation::{Event, Refusal, Urgency};
use domain::sync_log::LogStatus;
use jiff::Timestamp;
use store::StoreError;
use store::table::Expect;

use crate::desk::{Desk, Trouble};
use crate::inbound::ledger;
use crate::push::Unrecorded;
use crate::views::RecordView;
use crate::{Engine, Invocation, chart, journal, release};

/// A row that somebody else writes at the same moment is read and written again, this many times.
const CONFLICTS_MAX: u32 = 4;

/// What became of a Never send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeverSend {
    /// It is never sent, until somebody syncs it by hand.
    Done(Box<RecordView>),
    /// It is being sent right now, until then at the latest.
    BeingSent {
        /// Until when.
        until: Timestamp,
    },
    /// Nothing is known of such a record.
    Unknown,
}

/// Keeps a record back for good. What Xero has of it stays there.
pub async fn never_send(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    kind: EntityKind,
    crm_id: CrmId,
) -> Result<NeverSend, StoreError> {
    let Some(ledger) = ledger(engine, account).await? else { return Ok(NeverSend::Unknown) };
    let key = MappingKey { ledger, kind, crm_id };
    for _ in 0..CONFLICTS_MAX {
        let Some(row) = engine.store.mapping(&key).await? else { return Ok(NeverSend::Unknown) };
        let withheld = match row.record.apply(Event::Withheld, engine.clock.now()) {
            Ok(withheld) => withheld,
            Err(Refusal::HeldUntil(until)) => return Ok(NeverSend::BeingSent { until }),
            Err(_) => return Ok(NeverSend::Done(Box::new(RecordView::of(row.record)))),
        };
        match engine.store.put_mapping(&withheld, Expect::Version(row.version), None).await {
            Ok(_) => {
                let subject = (kind, key.crm_id.clone(), withheld.snapshot.natural_key.clone());
                let told = format!("It is never sent to Xero: {by} decided so.");
                journal::idle(engine, account, subject, LogStatus::Skipped, told, None).await;
                return Ok(NeverSend::Done(Box::new(RecordView::of(withheld))));
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}

/// What became of chosen account codes.
#[derive(Debug)]
pub enum CodesChosen {
    /// They are used from now on, and what only lacked them is on its way.
    Done,
    /// Xero's chart does not have them, or not for this.
    Refused(Vec<Objection>),
    /// Xero's chart could not be read.
    Unread(Box<Trouble>),
}

/// The account codes in use.
pub async fn account_codes(
    engine: &Engine,
    account: &AccountId,
) -> Result<AccountCodes, StoreError> {
    engine.store.account_codes(account).await
}

/// Chooses account codes, checked against the chart as Xero has it now. Records that our own rules
/// refused for want of them are tried again.
pub async fn choose_account_codes(
    engine: &Engine,
    account: &AccountId,
    codes: AccountCodes,
    invocation: Invocation,
) -> Result<CodesChosen, Unrecorded> {
    let Some(ledger) = ledger(engine, account).await? else {
        return Ok(CodesChosen::Unread(Box::new(crate::desk::not_connected().into())));
    };
    let chart = match Desk::open(engine, &ledger, Urgency::Person, invocation).await {
        Ok(desk) => chart::current(&desk).await,
        Err(trouble) => Err(trouble),
    };
    let chart = match chart {
        Ok(chart) => chart,
        Err(trouble) => return Ok(CodesChosen::Unread(Box::new(trouble))),
    };
    let objections = codes.objections(&chart);
    if !objections.is_empty() {
        return Ok(CodesChosen::Refused(objections));
    }
    engine.store.put_account_codes(account, codes).await?;
    release::untranslatable(engine, &ledger).await?;
    Ok(CodesChosen::Done)
}
