//! Reconciliations in responses.

use domain::matching::{ContactCandidate, ContactMatch};
use domain::reconciliation::{ClientFinding, ContactReconciliation, ReconciliationProgress};
use engine::commands::contacts::reconcile;
use engine::commands::links::XeroPages;
use jiff::Timestamp;
use requests::MatchCriterion;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::contacts::{LinkedContactView, find_contact_page};
use super::words::ProgressWord;

/// The progress of a reconciliation, and the clients by result.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReconciliationView {
    /// Whether one was started, and its progress.
    pub(crate) state: ProgressWord,
    /// Whether it links nothing and proposes certain matches.
    pub(crate) is_preview: bool,
    /// The user who started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_by: Option<String>,
    /// When it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<Timestamp>,
    /// When it finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at: Option<Timestamp>,
    /// Why it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stopped: Option<String>,
    /// The number of pages of findings so far.
    pub(crate) pages: u32,
    /// All known clients.
    pub(crate) clients: u64,
    /// All contacts in Xero, including archived ones.
    pub(crate) contacts: u64,
    /// Clients that already had a contact.
    pub(crate) linked_before: u64,
    /// Clients that this reconciliation linked.
    pub(crate) linked: u64,
    /// Clients with a certain match that was only proposed.
    pub(crate) proposed: u64,
    /// Clients with candidates, among which a person must choose.
    pub(crate) ambiguous: u64,
    /// Clients that match no contact.
    pub(crate) missing: u64,
    /// Clients that are being sent at this moment or are never to be sent.
    pub(crate) left_alone: u64,
}

impl From<Option<ContactReconciliation>> for ReconciliationView {
    fn from(row: Option<ContactReconciliation>) -> Self {
        let (state, finished_at, stopped) = match row.as_ref().map(|row| &row.place) {
            None => (ProgressWord::None, None, None),
            Some(ReconciliationProgress::Comparing { after: _ }) => {
                (ProgressWord::Running, None, None)
            }
            Some(ReconciliationProgress::Done { at }) => (ProgressWord::Done, Some(*at), None),
            Some(ReconciliationProgress::Stopped { failure }) => {
                (ProgressWord::Stopped, None, Some(failure.to_string()))
            }
        };
        let counts = row.as_ref().map(|row| row.counts).unwrap_or_default();
        Self {
            state,
            is_preview: row.as_ref().is_some_and(|row| row.is_preview),
            started_by: row.as_ref().map(|row| row.by.to_string()),
            started_at: row.as_ref().map(|row| row.started_at),
            finished_at,
            stopped,
            pages: row.map_or(0, |row| row.pages),
            clients: counts.clients,
            contacts: counts.contacts,
            linked_before: counts.linked_before,
            linked: counts.linked,
            proposed: counts.proposed,
            ambiguous: counts.ambiguous,
            missing: counts.missing,
            left_alone: counts.left_alone,
        }
    }
}

/// A page of findings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingsView {
    /// The number of the page, from 0.
    pub(crate) page: u32,
    /// The findings, without those of clients that were linked since.
    pub(crate) findings: Vec<FindingView>,
}

impl FindingsView {
    /// A page with these findings, whose contacts have their pages among these.
    pub(crate) fn of_page(
        page: u32,
        findings: Vec<reconcile::OpenFinding>,
        pages: &XeroPages,
    ) -> Self {
        let findings = findings.into_iter().map(|one| FindingView::of_finding(one, pages));
        Self { page, findings: findings.collect() }
    }
}

/// What a reconciliation found about a client: it was `linked`, a certain match is `proposed`, it
/// has `ambiguous` candidates, or its contact is `missing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FindingWord {
    Linked,
    Proposed,
    Ambiguous,
    Missing,
}

impl FindingWord {
    /// The words, in the order of the variants.
    pub(crate) const NAMES: [&'static str; 4] = ["linked", "proposed", "ambiguous", "missing"];

    /// The outcome of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "linked" => Some(Self::Linked),
            "proposed" => Some(Self::Proposed),
            "ambiguous" => Some(Self::Ambiguous),
            "missing" => Some(Self::Missing),
            _ => None,
        }
    }
}

impl From<&ClientFinding> for FindingWord {
    fn from(finding: &ClientFinding) -> Self {
        match &finding.found {
            ContactMatch::Confident { contact: _, by: _ } if finding.is_proposal => Self::Proposed,
            ContactMatch::Confident { contact: _, by: _ } => Self::Linked,
            ContactMatch::Ambiguous { candidates: _, why: _ } => Self::Ambiguous,
            ContactMatch::Missing => Self::Missing,
        }
    }
}

/// The finding about one client.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingView {
    /// The client.
    pub(crate) client_id: String,
    /// The client's name.
    pub(crate) name: String,
    /// The outcome.
    pub(crate) outcome: FindingWord,
    /// The contact to which the client was linked, or that is proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact_id: Option<Uuid>,
    /// The name that this contact had then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact_name: Option<String>,
    /// The page in Xero that shows this contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) xero_url: Option<String>,
    /// The contact to which the client is linked now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<LinkedContactView>,
    /// The evidence for the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<MatchCriterion>,
    /// The contacts among which a person must choose, the most likely first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) candidates: Vec<CandidateView>,
    /// What was found, as a sentence.
    pub(crate) message: String,
    /// What a person can do.
    pub(crate) remedy: String,
}

/// A contact that may be the client's.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CandidateView {
    /// Its id in Xero.
    pub(crate) id: Uuid,
    /// Its name.
    pub(crate) name: String,
    /// What it has in common with the client.
    pub(crate) by: Vec<MatchCriterion>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// Whether it must be restored in Xero before it can be used.
    pub(crate) is_archived: bool,
    /// The page in Xero that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) xero_url: Option<String>,
}

impl CandidateView {
    fn of_candidate(candidate: ContactCandidate, pages: &XeroPages) -> Self {
        Self {
            xero_url: find_contact_page(candidate.id, pages),
            id: candidate.id.0,
            name: candidate.name,
            by: candidate.by.into_iter().map(MatchCriterion::from).collect(),
            email: candidate.email,
            is_archived: candidate.is_archived,
        }
    }
}

impl FindingView {
    fn of_finding(open: reconcile::OpenFinding, pages: &XeroPages) -> Self {
        let reconcile::OpenFinding { finding, contact } = open;
        let outcome = FindingWord::from(&finding);
        let ClientFinding { client_id, name, contact_name, is_proposal, found } = finding;
        let view = Self {
            client_id: client_id.to_string(),
            name,
            outcome,
            contact_id: None,
            contact_name,
            xero_url: None,
            contact: contact.map(|contact| LinkedContactView::of_contact(contact, pages)),
            by: None,
            candidates: Vec::new(),
            message: String::new(),
            remedy: String::new(),
        };
        match found {
            ContactMatch::Confident { contact, by } => Self {
                contact_id: Some(contact.0),
                xero_url: find_contact_page(contact, pages),
                by: Some(by.into()),
                message: if is_proposal { by.describe_proposal() } else { by.describe_link() },
                remedy: describe_remedy(is_proposal).to_owned(),
                ..view
            },
            ContactMatch::Ambiguous { candidates, why } => {
                let candidates = candidates.into_iter();
                let candidates = candidates.map(|one| CandidateView::of_candidate(one, pages));
                Self {
                    candidates: candidates.collect(),
                    message: why.doubt_message(),
                    remedy: why.doubt_remedy().to_owned(),
                    ..view
                }
            }
            ContactMatch::Missing => Self {
                message: "No contact in Xero resembles this client.".to_owned(),
                remedy: "No action is needed: the contact is created with the client's first invoice. You can also search for a contact and link it.".to_owned(),
                ..view
            },
        }
    }
}

const fn describe_remedy(is_proposal: bool) -> &'static str {
    if is_proposal {
        "Link the client to this contact, or start a reconciliation that links all certain matches."
    } else {
        "If this is the wrong contact, unlink the client."
    }
}
