//! The connection in responses.

use engine::commands::links::{OrganisationFacts, XeroPages};
use engine::commands::status;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::records::ProblemView;
use super::words::ConnectionWord;

/// A connection attempt that has started.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectView {
    /// The page of Xero on which the person allows access.
    pub(crate) authorize_url: String,
}

/// An organisation to which a person consented.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrganisationView {
    /// The id that chooses it.
    pub(crate) tenant_id: Uuid,
    /// Its name.
    pub(crate) name: String,
}

impl From<status::OrganisationOption> for OrganisationView {
    fn from(option: status::OrganisationOption) -> Self {
        Self { tenant_id: option.tenant_id.0, name: option.name }
    }
}

/// The result of a completion.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CompletionView {
    /// `connected`, `no_organisation`, `other_organisation` or `in_progress`.
    pub(crate) outcome: &'static str,
    /// The connected organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) organisation: Option<String>,
    /// The Xero user who consented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) xero_user: Option<String>,
    /// Organisations from which a person must choose.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) choices: Vec<OrganisationView>,
    /// What else the person should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<&'static str>,
}

impl CompletionView {
    /// A completion with this outcome and nothing else to say.
    pub(crate) const fn with_outcome(outcome: &'static str) -> Self {
        Self { outcome, organisation: None, xero_user: None, choices: Vec::new(), message: None }
    }
}

/// The status of a connection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusView {
    /// The status.
    pub(crate) status: ConnectionWord,
    /// Whether the caller may change settings and records.
    pub(crate) can_change: bool,
    /// The organisation that is or was last connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) organisation: Option<String>,
    /// The page in Xero that opens this organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) organisation_url: Option<String>,
    /// The base currency of its books, such as `GBP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base_currency: Option<String>,
    /// The country whose accounting rules it follows, such as `GB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<String>,
    /// Whether it is one of Xero's demonstration companies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_demo: Option<bool>,
    /// Who connected it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connected_by: Option<String>,
    /// When it was connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connected_at: Option<Timestamp>,
    /// The user who disconnected it here. Absent while it is connected, and if it was disconnected
    /// in Xero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_by: Option<String>,
    /// When it was disconnected. Absent while it is connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_at: Option<Timestamp>,
    /// The connection attempt in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<PendingView>,
    /// When the newest attempt ended, however it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_attempt_at: Option<Timestamp>,
    /// When the newest successful attempt ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_sync_at: Option<Timestamp>,
    /// When Xero was last read for payments. Without an unpaid invoice, that is once a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_payment_check_at: Option<Timestamp>,
    /// Since when every attempt to read payments has failed, if that is an hour or longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_checks_failing_since: Option<Timestamp>,
    /// Records whose last attempt failed and will be repeated.
    pub(crate) failing: u32,
    /// Records that were given up.
    pub(crate) skipped: u32,
    /// Records that wait for a limit, a reconnect or another record. They need no action.
    pub(crate) waiting: u32,
    /// The newest failure among those records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<ProblemView>,
    /// Why the connection itself does not work, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connection_problem: Option<ConnectionProblemView>,
    /// Until when calls pause because Xero throttled them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paused_until: Option<Timestamp>,
    /// When Xero is asked again whether the organisation is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_look_at: Option<Timestamp>,
    /// Problems with the chosen accounts and tax rates, and whether many records were given up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<String>,
    /// Organisations from which people may or must choose. Only for people who may choose.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) choices: Vec<OrganisationView>,
    /// The Xero user who consented to the choices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) choices_by: Option<String>,
}

/// A connection attempt in progress.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PendingView {
    /// The user who began it.
    pub(crate) by: String,
    /// Until when it can be finished.
    pub(crate) until: Timestamp,
}

/// Why a connection does not work.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionProblemView {
    /// A stable name of the cause.
    pub(crate) code: String,
    /// What happened, as a sentence.
    pub(crate) message: String,
    /// What a person can do.
    pub(crate) remedy: String,
}

impl StatusView {
    /// The status as a caller may see it: only people who may choose an organisation see the
    /// choices.
    pub(crate) fn for_caller(
        view: status::StatusView,
        can_change: bool,
        pages: &XeroPages,
        facts: Option<OrganisationFacts>,
    ) -> Self {
        let ended = view.ended.as_ref();
        let name = facts.as_ref().and_then(|facts| facts.name.clone());
        let choices = view.choices.into_iter().filter(|_| can_change);
        Self {
            status: view.status.into(),
            can_change,
            organisation_url: view
                .organisation
                .as_ref()
                .and_then(|_| pages.find_organisation_page()),
            organisation: view.organisation.map(|connected| name.unwrap_or(connected)),
            base_currency: facts.as_ref().map(|facts| facts.base_currency.to_string()),
            is_demo: facts.as_ref().map(|facts| facts.is_demo),
            country: facts.and_then(|facts| facts.country),
            ended_by: ended.and_then(|end| end.by.as_ref()).map(ToString::to_string),
            ended_at: ended.map(|end| end.at),
            connected_by: view.connected_by,
            connected_at: view.connected_at,
            pending: view.pending.map(PendingView::from),
            last_attempt_at: view.last_attempt_at,
            last_sync_at: view.last_sync_at,
            last_payment_check_at: view.last_payment_check_at,
            payment_checks_failing_since: view.payment_checks_failing_since,
            failing: view.failing,
            skipped: view.skipped,
            waiting: view.waiting,
            problem: view.problem.map(|problem| ProblemView::of_problem(problem, pages)),
            connection_problem: view.connection_problem.map(ConnectionProblemView::from),
            paused_until: view.paused_until,
            next_look_at: view.next_look_at,
            warnings: view.warnings,
            choices: choices.map(OrganisationView::from).collect(),
            choices_by: view.choices_by.filter(|_| can_change),
        }
    }
}

impl From<status::PendingView> for PendingView {
    fn from(view: status::PendingView) -> Self {
        Self { by: view.by.to_string(), until: view.until }
    }
}

impl From<status::FailureView> for ConnectionProblemView {
    fn from(view: status::FailureView) -> Self {
        let status::FailureView { code, message, remedy } = view;
        Self { code, message, remedy }
    }
}
