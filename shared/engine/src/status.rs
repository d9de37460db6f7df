//! How an account's connection stands: stored facts, and what is failing now.

use domain::connection::{Connection, PinnedOrganisation, Status};
use domain::failure::Failure;
use domain::health::{WARN_FROM, warning};
use domain::ids::{AccountId, TenantId, UserId};
use domain::operation::Attention;
use jiff::Timestamp;
use serde::Serialize;
use store::{AttentionCount, StoreError};

use crate::Engine;
use crate::inbound::records_ledger;
use crate::views::RecordView;

/// The status page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusView {
    /// The status.
    pub status: Status,
    /// The organisation that is or was last connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// Who connected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_by: Option<String>,
    /// When it was connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<Timestamp>,
    /// The connect that somebody has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<PendingView>,
    /// When the newest attempt ended, however it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempt_at: Option<Timestamp>,
    /// When the newest attempt ended that brought a record to Xero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_at: Option<Timestamp>,
    /// When Xero was last read for payments. It moves while invoices are unpaid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_payment_check_at: Option<Timestamp>,
    /// Records whose last attempt failed and will be repeated.
    pub failing: u32,
    /// Records that were given up.
    pub skipped: u32,
    /// The newest failure of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ProblemView>,
    /// Why the connection itself does not work, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_problem: Option<FailureView>,
    /// Until when Xero asked us to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
    /// When Xero is asked again whether the organisation is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_look_at: Option<Timestamp>,
    /// What speaks against the account codes and tax types in use, before a push fails for it; and that many
    /// records were given up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Organisations that may be chosen instead, or have to be chosen from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Who consented to the choices, as Xero names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choices_by: Option<String>,
}

/// A connect that somebody has begun and not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PendingView {
    /// Who began it.
    pub by: UserId,
    /// Until when it can be finished.
    pub until: Timestamp,
}

/// A failure, in words for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureView {
    /// A stable name of the cause.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do; empty when only time is needed.
    pub remedy: String,
}

/// The newest failure of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemView {
    /// The record, with its kind, its state and the next attempt.
    pub record: RecordView,
    /// What failed.
    #[serde(flatten)]
    pub failure: FailureView,
    /// When it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    /// The document in Xero, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xero_url: Option<String>,
}

/// An organisation that a person consented to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What to choose it by.
    pub tenant_id: TenantId,
    /// Its name.
    pub name: String,
}

impl From<PinnedOrganisation> for Choice {
    fn from(one: PinnedOrganisation) -> Self {
        Self { tenant_id: one.tenant, name: one.name }
    }
}

impl From<Failure> for FailureView {
    fn from(failure: Failure) -> Self {
        let Failure { class: _, code, message, remedy, not_before: _ } = failure;
        Self { code: code.into_owned(), message, remedy }
    }
}

/// What is failing and what was given up, now.
struct Attentions {
    failing: AttentionCount,
    given_up: AttentionCount,
}

/// The status of an account's connection.
pub async fn status(engine: &Engine, account: &AccountId) -> Result<StatusView, StoreError> {
    let now = engine.clock.now();
    let connection = engine.store.connection(account).await?.map(|row| row.record);
    let connection = connection.unwrap_or_else(|| Connection::never(account.clone()));
    let attentions = find_attentions(engine, account).await?;
    let is_failing = attentions.failing.count > 0 || attentions.given_up.count > 0;
    let activity = engine.store.activity(account).await?.map(|row| row.record);
    let checked_at = match connection.ledger() {
        Some(ledger) => engine.store.progress(&ledger).await?.and_then(|row| row.record.checked_at),
        None => None,
    };
    let used = connection.organisation.as_ref().map(|used| used.tenant);
    let status = connection.status(is_failing, now);
    let problem = find_problem(engine, &attentions).await?;
    let skipped = attentions.given_up.count;
    let mut warnings = connection.warnings.clone();
    warnings.extend((skipped >= WARN_FROM).then(|| warning(skipped)));
    let offered = connection
        .offered
        .iter()
        .filter(|one| Some(one.tenant) != used || !connection.state.is_connected());
    let choices: Vec<Choice> = offered.cloned().map(Choice::from).collect();
    Ok(StatusView {
        status,
        pending: connection
            .pending_connect(now)
            .map(|pending| PendingView { by: pending.by.clone(), until: pending.until }),
        last_attempt_at: activity.as_ref().map(|activity| activity.last_attempt_at),
        last_sync_at: activity.and_then(|activity| activity.last_success_at),
        last_payment_check_at: checked_at,
        failing: attentions.failing.count,
        skipped,
        problem,
        connection_problem: connection_problem(status),
        paused_until: connection.paused_until.filter(|until| *until > now),
        next_look_at: connection.unavailable.map(|unavailable| unavailable.look_at),
        warnings,
        choices_by: connection.offered_by.filter(|_| !choices.is_empty()),
        choices,
        organisation: connection.organisation.map(|organisation| organisation.name),
        connected_by: connection.connected_by,
        connected_at: connection.connected_at,
    })
}

async fn find_attentions(engine: &Engine, account: &AccountId) -> Result<Attentions, StoreError> {
    let ledger = records_ledger(engine, account).await?;
    let failing = engine.store.count_attention(&ledger, Attention::Failing).await?;
    let given_up = engine.store.count_attention(&ledger, Attention::GivenUp).await?;
    Ok(Attentions { failing, given_up })
}

/// The newest failure, as its record has it now.
async fn find_problem(
    engine: &Engine,
    attentions: &Attentions,
) -> Result<Option<ProblemView>, StoreError> {
    let newest = [&attentions.failing, &attentions.given_up];
    let newest = newest.into_iter().filter_map(|one| one.newest.as_ref());
    let Some(newest) = newest.max_by_key(|one| one.failed_at) else { return Ok(None) };
    let Some(row) = engine.store.mapping(&newest.key).await? else { return Ok(None) };
    let mapping = row.record;
    let Some(failure) = mapping.operation.failure.clone() else { return Ok(None) };
    let failed_at = mapping.operation.failed_at;
    let xero_url = xero_url(&mapping);
    let record = RecordView::of(mapping);
    Ok(Some(ProblemView { record, failure: failure.into(), failed_at, xero_url }))
}

/// Where the document is shown in Xero.
fn xero_url(mapping: &domain::mapping::Mapping) -> Option<String> {
    use domain::entity::EntityKind;
    let id = mapping.link.as_ref()?.xero_id;
    let page = match mapping.key.kind {
        EntityKind::Contact => "Contacts/View/",
        EntityKind::Invoice => "AccountsReceivable/View.aspx?InvoiceID=",
        EntityKind::CreditNote => "AccountsReceivable/ViewCreditNote.aspx?creditNoteID=",
        EntityKind::Payment | EntityKind::Allocation => return None,
    };
    Some(format!("https://go.xero.com/{page}{id}"))
}

fn connection_problem(status: Status) -> Option<FailureView> {
    match status {
        Status::TokenExpired => Some(crate::token::reconnect().into()),
        Status::OrganisationUnavailable => Some(crate::closed::unavailable().into()),
        Status::Active | Status::Error | Status::Pending | Status::Disconnected => None,
    }
}
