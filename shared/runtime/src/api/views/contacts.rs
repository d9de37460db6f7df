//! Contacts and reconciliations in responses.

use domain::matching::{ContactCandidate, ContactMatch};
use domain::reconciliation::{
    ClientFinding, ContactReconciliation, ReconciliationProgress, describe_link,
};
use engine::commands::contacts;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::{MatchCriterion, ProgressWord};

/// The contacts that a search found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactsView {
    /// At most 50 contacts.
    pub(crate) contacts: Vec<ContactView>,
}

/// A contact in Xero.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactView {
    /// Its id in Xero.
    pub(crate) contact_id: Uuid,
    /// Its name.
    pub(crate) name: String,
    /// Its contact number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<String>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// Its VAT, GST or tax number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vat_number: Option<String>,
    /// Its company number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) company_number: Option<String>,
    /// Whether it must be restored in Xero before it can be used.
    pub(crate) is_archived: bool,
    /// The client that is linked to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
}

impl From<Vec<contacts::ContactView>> for ContactsView {
    fn from(found: Vec<contacts::ContactView>) -> Self {
        Self { contacts: found.into_iter().map(ContactView::from).collect() }
    }
}

impl From<contacts::ContactView> for ContactView {
    fn from(view: contacts::ContactView) -> Self {
        Self {
            contact_id: view.contact_id.0,
            name: view.name,
            number: view.number,
            email: view.email,
            vat_number: view.vat_number,
            company_number: view.company_number,
            is_archived: view.is_archived,
            client_id: view.client_id.map(|id| id.to_string()),
        }
    }
}

/// The progress of a reconciliation, and the clients by result.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReconciliationView {
    /// Whether one was started, and its progress.
    pub(crate) state: ProgressWord,
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
            started_by: row.as_ref().map(|row| row.by.to_string()),
            started_at: row.as_ref().map(|row| row.started_at),
            finished_at,
            stopped,
            pages: row.map_or(0, |row| row.pages),
            clients: counts.clients,
            contacts: counts.contacts,
            linked_before: counts.linked_before,
            linked: counts.linked,
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
    /// A page with these findings.
    pub(crate) fn of_page(page: u32, findings: Vec<ClientFinding>) -> Self {
        Self { page, findings: findings.into_iter().map(FindingView::from).collect() }
    }
}

/// What a reconciliation found about a client: it was `linked`, it has `ambiguous` candidates, or
/// its contact is `missing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FindingWord {
    Linked,
    Ambiguous,
    Missing,
}

impl FindingWord {
    /// The words, in the order of the variants.
    pub(crate) const NAMES: [&'static str; 3] = ["linked", "ambiguous", "missing"];

    /// The outcome of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "linked" => Some(Self::Linked),
            "ambiguous" => Some(Self::Ambiguous),
            "missing" => Some(Self::Missing),
            _ => None,
        }
    }
}

impl From<&ContactMatch> for FindingWord {
    fn from(found: &ContactMatch) -> Self {
        match found {
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
    /// The contact to which the client was linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact_id: Option<Uuid>,
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
}

impl From<ContactCandidate> for CandidateView {
    fn from(candidate: ContactCandidate) -> Self {
        Self {
            id: candidate.id.0,
            name: candidate.name,
            by: candidate.by.into_iter().map(MatchCriterion::from).collect(),
            email: candidate.email,
            is_archived: candidate.is_archived,
        }
    }
}

impl From<ClientFinding> for FindingView {
    fn from(finding: ClientFinding) -> Self {
        let ClientFinding { client_id, name, found } = finding;
        let (client_id, name) = (client_id.to_string(), name);
        let outcome = FindingWord::from(&found);
        let view = |message: String, remedy: &str| Self {
            client_id,
            name,
            outcome,
            contact_id: None,
            by: None,
            candidates: Vec::new(),
            message,
            remedy: remedy.to_owned(),
        };
        match found {
            ContactMatch::Confident { contact, by } => {
                let remedy = "If this is the wrong contact, unlink the client.";
                let view = view(describe_link(by), remedy);
                Self { contact_id: Some(contact.0), by: Some(by.into()), ..view }
            }
            ContactMatch::Ambiguous { candidates, why } => {
                let candidates = candidates.into_iter().map(CandidateView::from).collect();
                let view = view(why.doubt_message(), why.doubt_remedy());
                Self { candidates, ..view }
            }
            ContactMatch::Missing => view(
                "No contact in Xero resembles this client.".to_owned(),
                "No action is needed: the contact is created with the client's first invoice. You can also search for a contact and link it.",
            ),
        }
    }
}
