//! Reconciliation: the comparison of all clients of an account with all contacts of its
//! organisation, while users see its progress. Certain matches are linked; the rest are listed for
//! a person.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, FailureClass};
use crate::ids::{CrmId, Ledger, UserId};
use crate::matching::ContactMatch;
use crate::retry;

/// The maximum size of a page of findings, in bytes of JSON: well below DynamoDB's limit of 400 KB
/// for a row.
const PAGE_BYTES_MAX: usize = 200 * 1024;

/// How long findings are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A comparison. Its row is rewritten with every step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactReconciliation {
    /// The account and the organisation.
    pub ledger: Ledger,
    /// The user who asked for it.
    pub by: UserId,
    /// Whether it links nothing and lists certain matches as proposals.
    #[serde(default)]
    pub is_preview: bool,
    /// When it was started. This also distinguishes its findings from those of an earlier
    /// comparison.
    pub started_at: Timestamp,
    /// The progress.
    pub place: ReconciliationProgress,
    /// The counts so far.
    pub counts: ReconciliationCounts,
    /// The number of pages of findings.
    pub pages: u32,
    /// The number of consecutive interruptions by Xero.
    pub interruptions: u8,
    /// When the row was last written.
    pub updated_at: Timestamp,
}

/// The progress of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "place")]
pub enum ReconciliationProgress {
    /// Comparing, after the client with this sort key.
    Comparing {
        /// The last sort key that was processed; `None` at the beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// The comparison is complete.
    Done {
        /// When it was completed.
        at: Timestamp,
    },
    /// The comparison was given up. Findings made before that stay.
    Stopped {
        /// The reason.
        failure: Failure,
    },
}

/// The counts of clients by result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconciliationCounts {
    /// All known clients.
    pub clients: u64,
    /// All contacts in Xero, including archived ones.
    pub contacts: u64,
    /// Clients that already had a contact.
    pub linked_before: u64,
    /// Clients that this comparison linked.
    pub linked: u64,
    /// Clients with a certain match that was only proposed.
    #[serde(default)]
    pub proposed: u64,
    /// Clients with candidates, among which a person must choose.
    pub ambiguous: u64,
    /// Clients that match no contact.
    pub missing: u64,
    /// Clients that were skipped because they are being sent at this moment or are never to be
    /// sent.
    pub left_alone: u64,
}

/// The finding for one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientFinding {
    /// The client.
    pub client_id: CrmId,
    /// The client's name in Xero.
    pub name: String,
    /// The name of the contact of a certain match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_name: Option<String>,
    /// Whether a certain match was only proposed.
    #[serde(default)]
    pub is_proposal: bool,
    /// The result of matching it.
    #[serde(flatten)]
    pub found: ContactMatch,
}

/// A page of findings. Its row is written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingsPage {
    /// The account and the organisation.
    pub ledger: Ledger,
    /// The start of the comparison that it belongs to.
    pub started_at: Timestamp,
    /// The page's number, from 0.
    pub page: u32,
    /// The findings, in the order of the clients' ids.
    pub findings: Vec<ClientFinding>,
}

impl FindingsPage {
    /// Divides findings into pages, numbered from `first` on, each small enough for a row: names
    /// and addresses in Xero may be very long. No page is empty.
    pub fn split_into_pages(
        ledger: &Ledger,
        started_at: Timestamp,
        first: u32,
        findings: Vec<ClientFinding>,
    ) -> Vec<Self> {
        let mut pages: Vec<Self> = Vec::new();
        let (mut number, mut room) = (first, 0_usize);
        for finding in findings {
            let bytes = serde_json::to_string(&finding).map_or(0, |json| json.len());
            match pages.last_mut() {
                Some(page) if bytes <= room => {
                    page.findings.push(finding);
                    room -= bytes;
                }
                Some(_) | None => {
                    let (ledger, findings) = (ledger.clone(), vec![finding]);
                    pages.push(Self { ledger, started_at, page: number, findings });
                    number = number.saturating_add(1);
                    room = PAGE_BYTES_MAX.saturating_sub(bytes);
                }
            }
        }
        pages
    }

    /// When the page expires.
    pub fn expires_at(&self) -> Timestamp {
        self.started_at.saturating_add(KEPT).unwrap_or(Timestamp::MAX)
    }
}

impl ContactReconciliation {
    /// A comparison that starts now.
    pub fn new(ledger: Ledger, by: UserId, now: Timestamp) -> Self {
        Self {
            ledger,
            by,
            is_preview: false,
            started_at: now,
            place: ReconciliationProgress::Comparing { after: None },
            counts: ReconciliationCounts::default(),
            pages: 0,
            interruptions: 0,
            updated_at: now,
        }
    }

    /// Whether it is in progress.
    pub const fn is_comparing(&self) -> bool {
        matches!(self.place, ReconciliationProgress::Comparing { .. })
    }

    /// The comparison after a step that added these findings. The next step begins after the client
    /// with the sort key `last`; if there is none, the comparison is complete.
    #[must_use]
    pub fn after_step(
        &self,
        counts: ReconciliationCounts,
        findings: &[FindingsPage],
        last: Option<String>,
        now: Timestamp,
    ) -> Self {
        let place = match last {
            Some(last) => ReconciliationProgress::Comparing { after: Some(last) },
            None => ReconciliationProgress::Done { at: now },
        };
        let added = u32::try_from(findings.len()).unwrap_or(u32::MAX);
        Self {
            place,
            counts,
            pages: self.pages.saturating_add(added),
            interruptions: 0,
            updated_at: now,
            ..self.clone()
        }
    }

    /// The comparison after Xero interrupted it, and the instant at which it continues. It is given
    /// up if a person must act, or after as many interruptions as a record has attempts.
    #[must_use]
    pub fn after_interruption(self, failure: Failure, now: Timestamp) -> (Self, Option<Timestamp>) {
        let interruptions = self.interruptions.saturating_add(1);
        let wait = retry::LADDER_MINUTES.get(usize::from(self.interruptions));
        let later = wait.map(|minutes| SignedDuration::from_mins(*minutes));
        let later = later.and_then(|wait| now.checked_add(wait).ok());
        let needs_a_person = failure.class == FailureClass::Unauthorized;
        let at = later
            .filter(|_| !needs_a_person)
            .map(|at| failure.not_before.map_or(at, |not_before| not_before.max(now)));
        let place = match at {
            Some(_) => self.place.clone(),
            None => ReconciliationProgress::Stopped { failure: failure.without_next_attempt() },
        };
        (Self { interruptions, place, updated_at: now, ..self }, at)
    }
}

impl ReconciliationCounts {
    /// Adds the given number of skipped clients to the counts.
    #[must_use]
    pub fn with_left_alone(self, clients: usize) -> Self {
        let clients = u64::try_from(clients).unwrap_or(u64::MAX);
        Self { left_alone: self.left_alone.saturating_add(clients), ..self }
    }

    /// Adds the client of this finding to the counts.
    #[must_use]
    pub const fn with_finding(self, finding: &ClientFinding) -> Self {
        match &finding.found {
            ContactMatch::Confident { contact: _, by: _ } if finding.is_proposal => {
                Self { proposed: self.proposed + 1, ..self }
            }
            ContactMatch::Confident { contact: _, by: _ } => {
                Self { linked: self.linked + 1, ..self }
            }
            ContactMatch::Ambiguous { candidates: _, why: _ } => {
                Self { ambiguous: self.ambiguous + 1, ..self }
            }
            ContactMatch::Missing => Self { missing: self.missing + 1, ..self },
        }
    }
}

#[cfg(test)]
mod tests;
