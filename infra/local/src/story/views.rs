//! The responses of the product's API, with the fields that the story uses.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// The start of a connection attempt.
#[derive(Debug, Deserialize)]
pub(super) struct Started {
    /// The URL of Xero's consent page, with all parameters.
    pub(super) authorize_url: String,
}

/// The state of the connection.
#[derive(Debug, Deserialize)]
pub(super) struct Connection {
    /// `active` if everything works.
    pub(super) status: String,
    /// The number of given-up records.
    #[serde(default)]
    pub(super) skipped: usize,
    /// The problem, as text or as fields.
    #[serde(default)]
    problem: Value,
    /// Warnings for the user.
    #[serde(default)]
    pub(super) warnings: Vec<String>,
}

impl Connection {
    /// Why no call can reach Xero, if that is so. `error` is about records, which are checked
    /// separately.
    pub(super) fn obstacle(&self) -> Option<String> {
        if matches!(self.status.as_str(), "active" | "error") {
            return None;
        }
        let said = self.problem.get("message").unwrap_or(&self.problem);
        let words = said.as_str();
        let why = words.map(|words| format!(": {words}")).unwrap_or_default();
        Some(format!("The connection to Xero is {}{why}", self.status.replace('_', " ")))
    }
}

/// A page of the sync log.
#[derive(Debug, Deserialize)]
pub(super) struct SyncLog {
    /// The newest entry first.
    pub(super) entries: Vec<LogEntry>,
}

/// An entry of the sync log.
#[derive(Debug, Deserialize)]
pub(super) struct LogEntry {
    /// When the attempt ended.
    pub(super) at: Timestamp,
    /// The operation: `create`, `update` and so on.
    pub(super) operation: String,
    /// `contact`, `invoice`, `credit_note` and so on.
    pub(super) entity: String,
    /// The record's number for users.
    #[serde(default)]
    pub(super) number: Option<String>,
    /// The outcome.
    pub(super) status: String,
    /// A description of what happened.
    pub(super) message: String,
}

/// A client, an invoice, a credit note or an allocation, as the API returns it.
#[derive(Debug, Clone, Hash, Deserialize)]
pub(super) struct Record {
    /// The state of its sync; `synced` when Xero has the CRM's version.
    pub(super) state: String,
    /// When it is retried, if that is known.
    #[serde(default)]
    pub(super) next_attempt_at: Option<Timestamp>,
    /// Its last failure, while it matters.
    #[serde(default)]
    failure: Option<Failure>,
    /// Its status in Xero, for an invoice that is there.
    #[serde(default)]
    amounts: Option<Amounts>,
}

/// The status of an invoice in Xero.
#[derive(Debug, Clone, Hash, Deserialize)]
struct Amounts {
    /// `DRAFT`, `AUTHORISED`, `PAID` and so on.
    status: String,
}

/// A failure as the API returns it.
#[derive(Debug, Clone, Hash, Deserialize)]
struct Failure {
    /// Its class: `rejected`, `untranslatable`, `throttled` and so on.
    class: String,
    /// A stable name of its cause.
    #[serde(default)]
    code: String,
    /// What happened.
    message: String,
    /// What the user can do about it.
    #[serde(default)]
    remedy: String,
}

/// The progress and the results of a comparison of all clients with all contacts.
#[derive(Debug, Clone, Hash, Deserialize)]
pub(super) struct Reconciliation {
    /// When it finished.
    #[serde(default)]
    pub(super) finished_at: Option<Timestamp>,
    /// Why it was given up.
    #[serde(default)]
    pub(super) stopped: Option<String>,
    /// Pages of findings.
    pub(super) pages: u32,
    /// The number of known clients.
    pub(super) clients: u64,
    /// The number of contacts in Xero.
    pub(super) contacts: u64,
    /// Clients that were already linked.
    pub(super) linked_before: u64,
    /// Clients that were linked now.
    pub(super) linked: u64,
    /// Clients that the user has to decide about.
    pub(super) ambiguous: u64,
    /// Clients without a similar contact.
    pub(super) missing: u64,
}

/// A page of findings.
#[derive(Debug, Deserialize)]
pub(super) struct Findings {
    /// In the order of the clients' ids.
    pub(super) findings: Vec<Finding>,
}

/// The finding of one client.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Finding {
    /// The client.
    pub(super) client_id: String,
    /// The client's name.
    pub(super) name: String,
    /// The relation of the client to the contacts.
    pub(super) outcome: Verdict,
    /// The contact that it was linked to.
    #[serde(default)]
    pub(super) contact_id: Option<Uuid>,
    /// The matching criteria: `email`, `name` and so on.
    #[serde(default)]
    pub(super) by: Option<String>,
    /// The candidates.
    #[serde(default)]
    pub(super) candidates: Vec<Candidate>,
    /// A description of the finding.
    pub(super) message: String,
    /// What the user can do about it.
    pub(super) remedy: String,
}

/// The relation of a client to the contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It was linked.
    Linked,
    /// The user has to decide.
    Ambiguous,
    /// No contact is similar.
    Missing,
}

/// A contact that may belong to the client.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Candidate {
    /// Its name in Xero.
    pub(super) name: String,
    /// Whether it has to be restored before it can be used.
    pub(super) is_archived: bool,
}

impl Verdict {
    /// The word for it in reports.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Ambiguous => "ambiguous",
            Self::Missing => "missing",
        }
    }
}

impl Record {
    /// Whether it is in Xero.
    pub(super) fn is_synced(&self) -> bool {
        self.state == "synced"
    }

    /// Whether it waits until its invoice is approved in Xero.
    pub(super) fn awaits_approval(&self) -> bool {
        let code = self.failure.as_ref().map(|failure| failure.code.as_str());
        self.state == "parked" && code == Some("prerequisite_not_approved")
    }

    /// Whether it is an invoice that the product knows to be approved in Xero.
    pub(super) fn is_approved(&self) -> bool {
        self.amounts.as_ref().is_some_and(|amounts| amounts.status == "AUTHORISED")
    }

    /// The reason and the remedy, if only the user can resolve it.
    pub(super) fn needs_a_person(&self) -> Option<String> {
        let failure = self.failure.as_ref().filter(|_| !self.is_synced())?;
        let a_persons = matches!(failure.class.as_str(), "rejected" | "untranslatable");
        (a_persons || self.state == "skipped")
            .then(|| format!("{} {}", failure.message, failure.remedy).trim_end().to_owned())
    }

    /// Why it is not in Xero: the reason and the remedy, or at least its state.
    pub(super) fn obstacle(&self) -> Option<String> {
        let stands = || self.needs_a_person().unwrap_or_else(|| self.state.clone());
        (!self.is_synced()).then(stands)
    }

    /// Its state, with the failure that causes it.
    pub(super) fn described(&self) -> String {
        match &self.failure {
            Some(failure) => format!("{}: {}", self.state, failure.message),
            None => self.state.clone(),
        }
    }

    /// Whether it will not change by itself, for now.
    pub(super) fn is_settled(&self) -> bool {
        self.is_synced() || self.needs_a_person().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{Connection, Record};

    #[test]
    fn an_unusable_connection_has_a_reason() {
        let read = |json: &str| serde_json::from_str::<Connection>(json).unwrap().obstacle();
        assert_eq!(read(r#"{"status":"active"}"#), None);
        assert_eq!(read(r#"{"status":"error","problem":"A record was refused."}"#), None);
        assert_eq!(
            read(r#"{"status":"token_expired","problem":"Xero refused."}"#).unwrap(),
            "The connection to Xero is token expired: Xero refused."
        );
        assert_eq!(
            read(r#"{"status":"disconnected","problem":{"message":"Ended in Xero."}}"#).unwrap(),
            "The connection to Xero is disconnected: Ended in Xero."
        );
        assert_eq!(read(r#"{"status":"pending"}"#).unwrap(), "The connection to Xero is pending");
    }

    #[test]
    fn a_record_is_described_with_its_failure() {
        let waiting = r#"{"state":"waiting","next_attempt_at":"2026-11-02T09:00:00Z",
            "failure":{"class":"transient","message":"Xero did not respond.","remedy":""}}"#;
        let record: Record = serde_json::from_str(waiting).unwrap();
        assert_eq!(record.described(), "waiting: Xero did not respond.");
        assert!(record.next_attempt_at.is_some() && !record.is_settled());
    }

    #[test]
    fn a_payment_of_a_draft_waits_for_its_approval() {
        let parked = |code: &str| -> Record {
            let json = format!(
                r#"{{"state":"parked","failure":{{"class":"blocked","code":"{code}",
                "message":"It waits.","remedy":""}}}}"#
            );
            serde_json::from_str(&json).unwrap()
        };
        assert!(parked("prerequisite_not_approved").awaits_approval());
        assert!(!parked("prerequisite_not_in_xero").awaits_approval());
        assert!(!parked("prerequisite_not_approved").is_settled());
        let invoice = |status: &str| -> Record {
            let json = format!(r#"{{"state":"synced","amounts":{{"status":"{status}"}}}}"#);
            serde_json::from_str(&json).unwrap()
        };
        assert!(invoice("AUTHORISED").is_approved());
        assert!(!invoice("DRAFT").is_approved());
    }
}
