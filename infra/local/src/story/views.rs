//! What the product's API answers, as far as the story reads it.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// Where connecting begins.
#[derive(Debug, Deserialize)]
pub(super) struct Started {
    /// Xero's consent page, with everything it needs to know.
    pub(super) authorize_url: String,
}

/// The state of the connection.
#[derive(Debug, Deserialize)]
pub(super) struct Connection {
    /// `active` once everything is as it should be.
    pub(super) status: String,
    /// Records that were given up.
    #[serde(default)]
    pub(super) skipped: usize,
    /// What is wrong, in words or as fields.
    #[serde(default)]
    problem: Value,
    /// What a person should look at.
    #[serde(default)]
    pub(super) warnings: Vec<String>,
}

impl Connection {
    /// Why nothing can reach Xero any more, while that is so. `error` is about records, and each of
    /// those is looked at by itself.
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
    /// What was tried: `create`, `update` and so on.
    pub(super) operation: String,
    /// `contact`, `invoice`, `credit_note` and so on.
    pub(super) entity: String,
    /// The number people know the record by.
    #[serde(default)]
    pub(super) number: Option<String>,
    /// How it ended.
    pub(super) status: String,
    /// What happened, in plain words.
    pub(super) message: String,
}

/// A client, an invoice, a credit note or an allocation, as the API shows it.
#[derive(Debug, Clone, Hash, Deserialize)]
pub(super) struct Record {
    /// Where its sync stands; `synced` when Xero has what the CRM has.
    pub(super) state: String,
    /// When it is tried again, if that is known.
    #[serde(default)]
    pub(super) next_attempt_at: Option<Timestamp>,
    /// What went wrong last, while it matters.
    #[serde(default)]
    failure: Option<Trouble>,
}

/// A failure as the API tells it.
#[derive(Debug, Clone, Hash, Deserialize)]
struct Trouble {
    /// What kind it is: `rejected`, `untranslatable`, `throttled` and so on.
    class: String,
    /// What happened.
    message: String,
    /// What a person can do about it.
    #[serde(default)]
    remedy: String,
}

/// How far a comparison of all clients with all contacts is, and what it came to.
#[derive(Debug, Clone, Hash, Deserialize)]
pub(super) struct Reconciliation {
    /// When it came to its end.
    #[serde(default)]
    pub(super) finished_at: Option<Timestamp>,
    /// Why it was given up.
    #[serde(default)]
    pub(super) stopped: Option<String>,
    /// Pages of findings.
    pub(super) pages: u32,
    /// All clients that are known.
    pub(super) clients: u64,
    /// All contacts in Xero.
    pub(super) contacts: u64,
    /// Clients that had their contact before.
    pub(super) linked_before: u64,
    /// Clients that were linked now.
    pub(super) linked: u64,
    /// Clients that a person has to decide about.
    pub(super) ambiguous: u64,
    /// Clients that no contact resembles.
    pub(super) missing: u64,
}

/// A page of findings.
#[derive(Debug, Deserialize)]
pub(super) struct Findings {
    /// In the order of the clients' ids.
    pub(super) findings: Vec<Finding>,
}

/// What was found of one client.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Finding {
    /// The client.
    pub(super) client_id: String,
    /// Its name in Xero.
    pub(super) name: String,
    /// What it is to the contacts.
    pub(super) outcome: Verdict,
    /// The contact that it was linked to.
    #[serde(default)]
    pub(super) contact_id: Option<Uuid>,
    /// What they have in common: `email`, `name` and so on.
    #[serde(default)]
    pub(super) by: Option<String>,
    /// The contacts that it may be.
    #[serde(default)]
    pub(super) candidates: Vec<Candidate>,
    /// What was found, in words.
    pub(super) message: String,
    /// What a person can do about it.
    pub(super) remedy: String,
}

/// What a client is to the contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// It was linked.
    Linked,
    /// A person has to say.
    Ambiguous,
    /// No contact resembles it.
    Missing,
}

/// A contact that may be a client's.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Candidate {
    /// Its name in Xero.
    pub(super) name: String,
    /// Whether it has to be restored before it can be used.
    pub(super) is_archived: bool,
}

impl Verdict {
    /// As it is called.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Ambiguous => "ambiguous",
            Self::Missing => "missing",
        }
    }
}

impl Record {
    /// Whether Xero has it.
    pub(super) fn is_synced(&self) -> bool {
        self.state == "synced"
    }

    /// The reason and the remedy, when only a person can bring it further.
    pub(super) fn needs_a_person(&self) -> Option<String> {
        let failure = self.failure.as_ref().filter(|_| !self.is_synced())?;
        let a_persons = matches!(failure.class.as_str(), "rejected" | "untranslatable");
        (a_persons || self.state == "skipped")
            .then(|| format!("{} {}", failure.message, failure.remedy).trim_end().to_owned())
    }

    /// What keeps it from Xero: the reason and the remedy, or at least where it stands.
    pub(super) fn obstacle(&self) -> Option<String> {
        let stands = || self.needs_a_person().unwrap_or_else(|| self.state.clone());
        (!self.is_synced()).then(stands)
    }

    /// Where it stands, with the failure that keeps it there.
    pub(super) fn described(&self) -> String {
        match &self.failure {
            Some(failure) => format!("{}: {}", self.state, failure.message),
            None => self.state.clone(),
        }
    }

    /// Whether nothing more will happen by itself, for now.
    pub(super) fn is_settled(&self) -> bool {
        self.is_synced() || self.needs_a_person().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{Connection, Record};

    #[test]
    fn a_connection_that_cannot_be_used_says_why() {
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
            "failure":{"class":"transient","message":"Xero did not answer.","remedy":""}}"#;
        let record: Record = serde_json::from_str(waiting).unwrap();
        assert_eq!(record.described(), "waiting: Xero did not answer.");
        assert!(record.next_attempt_at.is_some() && !record.is_settled());
    }
}
