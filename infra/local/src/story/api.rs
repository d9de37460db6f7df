//! The product's API, as the CRM's pages call it.

use crate::crm::STORY_ACCOUNT;
use crate::failure::Failure;
use crate::http_client::refused;
use crate::stack::Stack;
use crate::token::User;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// The API, in the name of one user.
#[derive(Debug, Clone)]
pub(super) struct Api<'a> {
    stack: &'a Stack,
    token: String,
}

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
    pub(super) skipped: usize,
    /// What a person should look at.
    #[serde(default)]
    pub(super) warnings: Vec<String>,
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
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Record {
    /// Where its sync stands; `synced` when Xero has what the CRM has.
    pub(super) state: String,
    /// What went wrong last, while it matters.
    #[serde(default)]
    failure: Option<Trouble>,
}

/// A failure as the API tells it.
#[derive(Debug, Clone, Deserialize)]
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
#[derive(Debug, Clone, Deserialize)]
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

    /// Whether nothing more will happen by itself, for now.
    pub(super) fn is_settled(&self) -> bool {
        self.is_synced() || self.needs_a_person().is_some()
    }
}

impl<'a> Api<'a> {
    /// The API in the name of the story's owner.
    pub(super) fn of_the_owner(stack: &'a Stack) -> Result<Self, Failure> {
        let owner = User {
            sub: "usr_owner".to_owned(),
            account_id: STORY_ACCOUNT.to_owned(),
            role: "Owner".to_owned(),
            name: "Rowan Ridgeway".to_owned(),
        };
        Ok(Self { stack, token: stack.crm().token(&owner)? })
    }

    /// Begins to connect.
    pub(super) async fn start_connecting(&self) -> Result<Started, Failure> {
        let answer = self.call(Method::POST, "/v1/connection").await?;
        read("POST /v1/connection", &answer)
    }

    /// How the connection stands.
    pub(super) async fn connection(&self) -> Result<Connection, Failure> {
        let answer = self.call(Method::GET, "/v1/connection").await?;
        read("GET /v1/connection", &answer)
    }

    /// The newest entries of the sync log.
    pub(super) async fn sync_log(&self, limit: u16) -> Result<SyncLog, Failure> {
        let answer = self.call(Method::GET, &format!("/v1/sync-log?limit={limit}")).await?;
        read("GET /v1/sync-log", &answer)
    }

    /// Begins to compare all clients with all contacts.
    pub(super) async fn start_reconciliation(&self) -> Result<(), Failure> {
        let answer = self.call(Method::POST, "/v1/reconciliation").await?;
        read::<Reconciliation>("POST /v1/reconciliation", &answer).map(|_| ())
    }

    /// How the comparison stands.
    pub(super) async fn reconciliation(&self) -> Result<Reconciliation, Failure> {
        let answer = self.call(Method::GET, "/v1/reconciliation").await?;
        read("GET /v1/reconciliation", &answer)
    }

    /// A page of what it found.
    pub(super) async fn findings(&self, page: u32) -> Result<Findings, Failure> {
        let path = format!("/v1/reconciliation/findings?page={page}");
        let answer = self.call(Method::GET, &path).await?;
        read("GET /v1/reconciliation/findings", &answer)
    }

    /// An invoice; nothing while the product has not heard of it.
    pub(super) async fn invoice(&self, id: &str) -> Result<Option<Record>, Failure> {
        self.record(&format!("/v1/invoices/{id}")).await
    }

    /// A client; nothing while the product has not heard of it.
    pub(super) async fn client(&self, id: &str) -> Result<Option<Record>, Failure> {
        self.record(&format!("/v1/clients/{id}")).await
    }

    /// A credit note; nothing while the product has not heard of it.
    pub(super) async fn credit_note(&self, id: &str) -> Result<Option<Record>, Failure> {
        self.record(&format!("/v1/credit-notes/{id}")).await
    }

    /// An allocation; nothing while the product has not heard of it.
    pub(super) async fn allocation(&self, id: &str) -> Result<Option<Record>, Failure> {
        self.record(&format!("/v1/allocations/{id}")).await
    }

    async fn record(&self, path: &str) -> Result<Option<Record>, Failure> {
        let answer = self.call(Method::GET, path).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        read(&format!("GET {path}"), &answer).map(Some)
    }

    async fn call(&self, method: Method, path: &str) -> Result<Response<Bytes>, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.stack.addresses().api))
            .header("authorization", format!("Bearer {}", self.token))
            .body(Bytes::new())
            .map_err(|error| Failure::new(format!("{path} cannot be asked")).because(error))?;
        self.stack.http.send(request).await
    }
}

fn read<T: DeserializeOwned>(asked: &str, answer: &Response<Bytes>) -> Result<T, Failure> {
    if !answer.status().is_success() {
        return Err(refused(asked, answer));
    }
    serde_json::from_slice(answer.body())
        .map_err(|error| Failure::new(format!("{asked} answered strangely")).because(error))
}
