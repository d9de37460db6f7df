//! User decisions about records and books: Never send, and the account codes.

mod available;

use domain::account_codes::{AccountCodes, CodeObjection};
use domain::entity::EntityKind;
use domain::ids::{AccountId, CrmId, UserId};
use domain::mapping::{Mapping, MappingKey, WithheldMark};
use domain::operation::{EventRefusal, OperationEvent};
use domain::sync_log::{LogStatus, LoggedOperation};
use jiff::Timestamp;
use store::table::WriteExpectation;
use store::{ConflictLimit, StoreError, VersionedRecord, VersionedSetting};

use crate::commands::records::find_named_mapping;
use crate::commands::views::RecordView;
use crate::connection::ledgers::{find_connected_ledger, find_records_ledger};
use crate::connection::line_values::{TrackingAge, check_default_tracking};
use crate::connection::tenant_session::{AttemptError, TenantSession};
use crate::connection::{self, chart};
use crate::errors::PersistError;
use crate::sync::invoice_payments::try_free_withheld_refund;
use crate::sync::push::report_withheld_skip;
use crate::sync::{release, sync_log};
use crate::{Engine, Invocation};

pub use self::available::{
    AccountChoices, AccountOption, TaxRateOption, TrackingChoice, read_account_choices,
    read_stored_account_choices, refresh_account_choices,
};

/// The result of a Never send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeverSendOutcome {
    /// The record is not sent again unless a user syncs it.
    Done(Box<RecordView>),
    /// The record is currently being sent.
    BeingSent {
        /// When the claim ends at the latest.
        until: Timestamp,
    },
    /// The record is unknown.
    Unknown,
}

/// Marks a record as never to be sent. Its document in Xero stays. An invoice with a negative total
/// is marked as the credit note that it is in Xero. Another refund may return the money of a refund
/// that is marked before its credit note is in Xero.
pub async fn never_send_record(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    kind: EntityKind,
    crm_id: CrmId,
) -> Result<NeverSendOutcome, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    withhold_named_record(engine, by, &MappingKey::new(ledger, kind, crm_id)).await
}

/// Marks a record of the list of records that need attention as never to be sent. The list has a
/// row for each of the two documents of an invoice whose total has changed its sign, so the voided
/// one is marked if it is the one that needs attention. Any other record is marked as by
/// [`never_send_record`].
pub(super) async fn never_send_listed_record(
    engine: &Engine,
    account: &AccountId,
    by: &UserId,
    kind: EntityKind,
    crm_id: CrmId,
) -> Result<NeverSendOutcome, StoreError> {
    let ledger = find_records_ledger(engine, account).await?;
    let key = MappingKey::new(ledger, kind, crm_id);
    match engine.store.find_mapping(&key).await? {
        Some(row) if row.record.operation.attention_reason().is_some() => {
            withhold_record(engine, by, &row.record.key).await
        }
        Some(_) | None => withhold_named_record(engine, by, &key).await,
    }
}

async fn withhold_named_record(
    engine: &Engine,
    by: &UserId,
    key: &MappingKey,
) -> Result<NeverSendOutcome, StoreError> {
    match find_named_mapping(engine, key).await? {
        Some(named) => withhold_record(engine, by, &named.key).await,
        None => Ok(NeverSendOutcome::Unknown),
    }
}

async fn withhold_record(
    engine: &Engine,
    by: &UserId,
    key: &MappingKey,
) -> Result<NeverSendOutcome, StoreError> {
    let began = engine.clock.now();
    let (account, kind) = (&key.ledger.account, key.kind);
    let withheld = match mark_withheld(engine, by, key).await? {
        Ok(withheld) => withheld,
        Err(result) => return Ok(result),
    };
    let subject = (kind, key.crm_id.clone(), withheld.snapshot.natural_key.clone());
    tracing::info!(
        account.id = %account,
        user.id = %by,
        entity = %kind,
        crm.id = %key.crm_id,
        "a user marked a record as Never send"
    );
    let message = match try_free_withheld_refund(engine, &withheld).await {
        None => "Marked as Never send, so it is not sent to Xero.".to_owned(),
        Some(remark) => {
            format!("Marked as Never send, so it is not sent to Xero. {remark}")
        }
    };
    let notice = sync_log::LogNotice {
        operation: LoggedOperation::Withhold,
        subject,
        status: LogStatus::Skipped,
        message,
        failure: None,
        began,
    };
    sync_log::log_decision(engine, account, by, notice).await;
    Ok(NeverSendOutcome::Done(Box::new(RecordView::from_mapping(withheld))))
}

/// Writes the mark, with an event if the CRM shows the record as given up. The inner result is `Err`
/// if the record cannot be marked, or is already.
async fn mark_withheld(
    engine: &Engine,
    by: &UserId,
    key: &MappingKey,
) -> Result<Result<Mapping, NeverSendOutcome>, StoreError> {
    let mut conflicts = ConflictLimit::default();
    loop {
        let Some(known) = engine.store.find_mapping(key).await? else {
            return Ok(Err(NeverSendOutcome::Unknown));
        };
        let VersionedRecord { record: known, version } = known;
        let now = engine.clock.now();
        let withheld = match known.apply_event(OperationEvent::Withheld, now) {
            Ok(withheld) => withheld,
            Err(EventRefusal::HeldUntil(until)) => {
                return Ok(Err(NeverSendOutcome::BeingSent { until }));
            }
            // It is marked already. No state refuses the mark for another reason.
            Err(
                EventRefusal::Withheld
                | EventRefusal::AlreadySynced
                | EventRefusal::NotBefore(_)
                | EventRefusal::Parked
                | EventRefusal::Skipped
                | EventRefusal::NotTheHolder,
            ) => {
                let view = RecordView::from_mapping(known);
                return Ok(Err(NeverSendOutcome::Done(Box::new(view))));
            }
        };
        let mark = WithheldMark { by: by.clone(), at: now };
        let mut next = Mapping { withheld: Some(mark), ..withheld };
        let event = report_withheld_skip(engine, &known, &mut next);
        let (event, expect) = (event.as_ref(), WriteExpectation::Version(version));
        match engine.store.put_mapping(&next, expect, event).await {
            Ok(_) => {
                engine.deliver_committed(&key.ledger.account, event).await;
                return Ok(Ok(next));
            }
            Err(error) => conflicts.allow_retry(error)?,
        }
    }
}

/// The result of choosing account codes.
#[derive(Debug)]
pub enum CodeChoiceOutcome {
    /// The codes are in use from now on. Records that failed only because a code was missing are
    /// released.
    Done,
    /// Xero does not have the codes or the tracking options, or does not allow this use of them.
    Refused(Vec<CodeObjection>),
    /// Xero's chart or its tracking categories could not be read.
    Unread(Box<AttemptError>),
    /// Another person has changed the codes since the expected version.
    Changed,
}

/// Returns the account codes in use, or the defaults, with the version that
/// [`replace_account_codes`] compares.
pub async fn read_account_codes(
    engine: &Engine,
    account: &AccountId,
) -> Result<VersionedSetting<AccountCodes>, StoreError> {
    engine.store.find_account_codes(account).await
}

/// Chooses account codes, whatever the ones in use are. See [`replace_account_codes`].
pub async fn choose_account_codes(
    engine: &Engine,
    account: &AccountId,
    codes: AccountCodes,
    invocation: Invocation,
) -> Result<CodeChoiceOutcome, PersistError> {
    replace_account_codes(engine, account, codes, None, invocation).await
}

/// Chooses account codes after checking them against the chart as Xero has it now, and stores what
/// they mean there: a choice of the codes in use confirms them for the organisation. Records that
/// were refused because a code was missing are tried again. If a version is expected and another
/// one is in use, nothing changes.
pub async fn replace_account_codes(
    engine: &Engine,
    account: &AccountId,
    codes: AccountCodes,
    expected: Option<u64>,
    invocation: Invocation,
) -> Result<CodeChoiceOutcome, PersistError> {
    if let Some(expected) = expected
        && read_account_codes(engine, account).await?.version != expected
    {
        return Ok(CodeChoiceOutcome::Changed);
    }
    let Some(ledger) = find_connected_ledger(engine, account).await? else {
        return Ok(CodeChoiceOutcome::Unread(Box::new(
            connection::connection_failures::not_connected_failure().into(),
        )));
    };
    let checked = match TenantSession::open_for_lookup(engine, &ledger, invocation).await {
        Ok(tenant_session) => {
            let checked = check_codes(&tenant_session, codes).await;
            tenant_session.record_error_on_connection(checked).await
        }
        Err(error) => Err(error),
    };
    let (codes, objections) = match checked {
        Ok(checked) => checked,
        Err(error) => return Ok(CodeChoiceOutcome::Unread(Box::new(error))),
    };
    if !objections.is_empty() {
        return Ok(CodeChoiceOutcome::Refused(objections));
    }
    if !engine.store.replace_account_codes(account, codes, expected).await? {
        return Ok(CodeChoiceOutcome::Changed);
    }
    chart::record_warnings(engine, &ledger, &[]).await?;
    release::release_failed_for_settings(engine, &ledger, invocation).await?;
    Ok(CodeChoiceOutcome::Done)
}

/// Checks account codes against the chart as Xero has it now, and default tracking options against
/// the tracking categories as Xero had them within the last minute. Returns the codes with what they
/// mean in this organisation now: whatever they meant before, the user has chosen this.
async fn check_codes(
    tenant_session: &TenantSession<'_>,
    codes: AccountCodes,
) -> Result<(AccountCodes, Vec<CodeObjection>), AttemptError> {
    let chart = chart::fetch_chart(tenant_session).await?;
    let codes = codes.with_meanings(tenant_session.ledger.tenant, &chart);
    let mut objections = codes.find_objections(&chart);
    objections.extend(check_default_tracking(tenant_session, &codes, TrackingAge::Recent).await?);
    Ok((codes, objections))
}
