//! The story's data: the CRM's records and messages, and the expected result of each.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::crm_queues::CrmQueue;
use crate::failure::Failure;
use crate::project::Project;

/// Everything the story sends.
#[derive(Debug)]
pub(super) struct Material {
    /// The clients, in the order they were entered.
    pub(super) clients: Vec<Client>,
    /// The invoices, in the order they were sent.
    pub(super) invoices: Vec<Entry>,
    /// The later changes to some of them.
    pub(super) edits: Vec<Entry>,
    /// Messages that cannot be read.
    pub(super) malformed: Vec<Malformed>,
}

/// A client, with its snapshot in the contract's format.
#[derive(Debug)]
pub(super) struct Client {
    /// Its id in the CRM.
    pub(super) id: String,
    /// Its display name.
    pub(super) name: String,
    /// The snapshot.
    pub(super) snapshot: Value,
}

/// The data of an invoice message.
#[derive(Debug)]
pub(super) struct Entry {
    /// `invoice.sent`, `invoice.updated` or `invoice.voided`.
    pub(super) kind: String,
    /// The client's id.
    pub(super) client_id: String,
    /// The fields of the snapshot that the runner uses.
    pub(super) invoice: Invoice,
    /// The snapshot.
    pub(super) snapshot: Value,
    /// The expected result.
    pub(super) expect: Expect,
}

/// The fields of an invoice that the runner uses.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Invoice {
    /// Its id in the CRM.
    pub(super) id: String,
    /// Its number.
    pub(super) number: String,
    /// Three letters.
    pub(super) currency: String,
    /// What the customer was billed.
    #[serde(deserialize_with = "decimal")]
    pub(super) total: Decimal,
}

/// The expected result of a message.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Expect {
    /// The outcome.
    pub(super) outcome: Outcome,
    /// A part of the reason, if it must fail.
    pub(super) reason_contains: Option<String>,
    /// The total in Xero.
    #[serde(deserialize_with = "decimal")]
    pub(super) total: Decimal,
    /// The absolute difference between the CRM's total and Xero's.
    #[serde(default, deserialize_with = "decimal_if_any")]
    pub(super) difference: Option<Decimal>,
}

/// The expected outcome of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// In Xero, as billed.
    Synced,
    /// In Xero as a credit note, because it is negative.
    Credited,
    /// Not in Xero, with a reason.
    Failed,
    /// Unchanged by the message.
    Unchanged,
    /// Voided in Xero.
    Voided,
}

/// A message that must end in a dead-letter queue.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Malformed {
    /// The queue that it is sent to.
    pub(super) queue: CrmQueue,
    /// The account, which is its message group.
    pub(super) group: String,
    /// The body, unless only its length matters.
    body: Option<String>,
    /// The length of a body that is too large.
    oversized_bytes: Option<usize>,
    /// A part of the reason with which it is moved.
    pub(super) reason_contains: String,
}

impl Malformed {
    /// The body as it is sent.
    pub(super) fn body(&self) -> String {
        let padding = || "x".repeat(self.oversized_bytes.unwrap_or_default());
        self.body.clone().unwrap_or_else(padding)
    }
}

#[derive(Deserialize)]
struct RawEntry {
    #[serde(rename = "type", default = "first_kind")]
    kind: String,
    client_id: String,
    invoice: Value,
    expect: Expect,
}

fn first_kind() -> String {
    "invoice.sent".to_owned()
}

impl Material {
    /// Reads the story's files.
    pub(super) fn read(project: &Project) -> Result<Self, Failure> {
        let clients = read::<Vec<Value>>(project, "clients.json")?;
        Ok(Self {
            clients: clients.into_iter().map(client).collect::<Result<_, _>>()?,
            invoices: entries(project, "invoices.json")?,
            edits: entries(project, "edits.json")?,
            malformed: read(project, "malformed.json")?,
        })
    }

    /// The client with this id.
    pub(super) fn client(&self, id: &str) -> Result<&Client, Failure> {
        let found = self.clients.iter().find(|client| client.id == id);
        found.ok_or_else(|| Failure::new(format!("The story's clients.json has no {id}")))
    }

    /// Clients that send their own message: every second one, and those without a valid invoice.
    /// The others reach Xero with their first invoice.
    pub(super) fn clients_of_their_own(&self) -> Vec<&Client> {
        let brought: BTreeSet<&str> = self
            .invoices
            .iter()
            .filter(|entry| entry.expect.outcome == Outcome::Synced)
            .map(|entry| entry.client_id.as_str())
            .collect();
        let every_second = self.clients.iter().step_by(2).map(|client| client.id.as_str());
        let chosen: BTreeSet<&str> = every_second.collect();
        self.clients
            .iter()
            .filter(|client| {
                chosen.contains(client.id.as_str()) || !brought.contains(client.id.as_str())
            })
            .collect()
    }

    /// The expected final result of each invoice, by its id: an edit's expectation replaces the one
    /// before it.
    pub(super) fn final_entries(&self) -> BTreeMap<&str, &Entry> {
        let all = self.invoices.iter().chain(&self.edits);
        all.map(|entry| (entry.invoice.id.as_str(), entry)).collect()
    }
}

fn client(snapshot: Value) -> Result<Client, Failure> {
    let text = |name: &str| snapshot.get(name).and_then(Value::as_str).map(str::to_owned);
    let missing = || Failure::new("A client in the story's clients.json has no id or no name");
    let (id, name) = (text("id").ok_or_else(missing)?, text("name").ok_or_else(missing)?);
    let shown = text("company").unwrap_or(name);
    let name = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(Client { id, name, snapshot })
}

fn entries(project: &Project, file: &str) -> Result<Vec<Entry>, Failure> {
    let raw: Vec<RawEntry> = read(project, file)?;
    raw.into_iter()
        .map(|raw| {
            let RawEntry { kind, client_id, invoice: snapshot, expect } = raw;
            let invoice = Invoice::deserialize(&snapshot).map_err(|error| {
                Failure::new(format!("The story's {file} has an invalid invoice")).because(error)
            })?;
            Ok(Entry { kind, client_id, invoice, snapshot, expect })
        })
        .collect()
}

fn read<T: DeserializeOwned>(project: &Project, file: &str) -> Result<T, Failure> {
    let path = project.story().join(file);
    let cannot = || Failure::new(format!("Cannot read the story's {file}"));
    let text = std::fs::read_to_string(path).map_err(|error| cannot().because(error))?;
    serde_json::from_str(&text).map_err(|error| cannot().because(error))
}

pub(super) fn decimal<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Decimal, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(serde::de::Error::custom)
}

fn decimal_if_any<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Decimal>, D::Error> {
    decimal(from).map(Some)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::{Material, Outcome};
    use crate::project::Project;

    /// The material of this project.
    pub(in crate::story) fn material() -> Material {
        Material::read(&Project::here().unwrap()).unwrap()
    }

    #[test]
    fn every_invoice_and_edit_refers_to_a_known_client_and_invoice() {
        let material = material();
        let known: BTreeSet<&str> =
            material.invoices.iter().map(|entry| entry.invoice.id.as_str()).collect();
        assert_eq!(known.len(), material.invoices.len(), "an invoice is sent once");
        for entry in material.invoices.iter().chain(&material.edits) {
            material.client(&entry.client_id).unwrap();
        }
        for edit in &material.edits {
            assert!(known.contains(edit.invoice.id.as_str()), "{}", edit.invoice.id);
        }
    }

    #[test]
    fn the_crm_and_xero_agree_on_every_total_unless_a_difference_is_expected() {
        for (id, entry) in material().final_entries() {
            // An unchanged invoice keeps its total, whatever the stale message contains.
            if entry.expect.outcome != Outcome::Unchanged {
                let apart = (entry.invoice.total - entry.expect.total).abs();
                assert_eq!(apart, entry.expect.difference.unwrap_or_default(), "{id}");
            }
        }
    }

    #[test]
    fn some_clients_send_messages_and_others_are_pushed_with_their_invoices() {
        let material = material();
        let own = material.clients_of_their_own().len();
        assert!(own >= material.clients.len() / 2 && own < material.clients.len(), "{own}");
    }
}
