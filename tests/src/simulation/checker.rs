//! What must never happen, and what must have happened in the end. It shares nothing with what it
//! checks: it looks at what is sent to Xero, at what is written to the table, and at the books.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use domain::entity::EntityKind;
use domain::failure::FailureClass;
use domain::mapping::Mapping;
use domain::operation::State;
use http::{Method, Request};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;
use store::table::{Item, Write};
use xero_sim::{InvoiceStatus, PaymentStatus, Simulator, TransactionStatus};

use super::executor::{Pid, after};
use super::faults::millis;
use super::ports::locked;

/// An unanswered write may arrive for this long.
const IN_FLIGHT: u64 = 60_000;

/// Watches a run.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    violations: Vec<String>,
    /// Writes that may be under way at Xero, until when, by what they write.
    under_way: BTreeMap<String, Timestamp>,
    /// Keys whose answers a process has heard.
    heard: BTreeMap<String, Vec<Pid>>,
    /// Keys whose answers are recorded.
    spent: BTreeSet<String>,
    /// Tenants of accounts that were disconnected.
    closed: BTreeSet<String>,
    /// The newest of each mapping.
    mappings: BTreeMap<String, Mapping>,
    /// Events that were committed, by their ids.
    committed: BTreeSet<String>,
}

impl Watch {
    /// What was seen that must not be, since this was last asked.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut locked(&self.0).violations)
    }

    /// Something that must not happen has happened.
    pub fn violated(&self, what: String) {
        locked(&self.0).violations.push(what);
    }

    /// A call begins.
    pub fn begins(&self, now: Timestamp, request: &Request<Bytes>) {
        let mut seen = locked(&self.0);
        let tenant = header(request, "xero-tenant-id");
        if let Some(tenant) = &tenant
            && seen.closed.contains(tenant)
        {
            let what = format!("{} {} after a disconnect", request.method(), request.uri());
            seen.violations.push(what);
        }
        if let Some(key) = header(request, "idempotency-key")
            && seen.spent.contains(&key)
        {
            let what = format!(
                "{} {} repeats a key whose answer is known",
                request.method(),
                request.uri()
            );
            seen.violations.push(what);
        }
        for document in documents(request) {
            let name = format!("{} {document}", tenant.clone().unwrap_or_default());
            let until = seen.under_way.get(&name).copied();
            if until.is_some_and(|until| until > now) {
                seen.violations.push(format!("two writes of {document} at once"));
            }
            seen.under_way.insert(name, after(now, millis(IN_FLIGHT)));
        }
    }

    /// It is known when a call is over.
    pub fn ends(&self, at: Timestamp, request: &Request<Bytes>) {
        let mut seen = locked(&self.0);
        let tenant = header(request, "xero-tenant-id").unwrap_or_default();
        for document in documents(request) {
            seen.under_way.insert(format!("{tenant} {document}"), at);
        }
    }

    /// A process has read an answer.
    pub fn heard(&self, pid: Option<Pid>, request: &Request<Bytes>) {
        let mut seen = locked(&self.0);
        if let (Some(key), Some(pid)) = (header(request, "idempotency-key"), pid) {
            seen.heard.entry(key).or_default().push(pid);
        }
    }

    /// A process has recorded everything it heard.
    pub fn recorded(&self, pid: Pid) {
        let mut seen = locked(&self.0);
        let heard = seen.heard.iter().filter(|(_, pids)| pids.contains(&pid));
        let keys = heard.map(|(key, _)| key.clone()).collect::<Vec<_>>();
        seen.spent.extend(keys);
    }

    /// An account's organisation was disconnected, or is about to be connected.
    pub fn closed(&self, tenant: &str, is_closed: bool) {
        let mut seen = locked(&self.0);
        if is_closed {
            seen.closed.insert(tenant.to_owned());
        } else {
            seen.closed.remove(tenant);
        }
    }

    /// Events that were committed, by their ids.
    pub fn committed(&self) -> BTreeSet<String> {
        locked(&self.0).committed.clone()
    }

    /// Rows were written.
    pub fn written(&self, writes: &[Write], simulator: &Simulator) {
        let mut seen = locked(&self.0);
        let tells = writes.iter().any(|write| write.key().sk.starts_with("OUT#"));
        for write in writes {
            let Write::Put { item, expect: _ } = write else { continue };
            if let Some((_, id)) =
                item.key.sk.strip_prefix("OUT#").and_then(|sk| sk.split_once('#'))
            {
                seen.committed.insert(id.to_owned());
            }
            if !item.key.sk.starts_with("MAP#") {
                continue;
            }
            let next: Mapping = serde_json::from_str(&item.record).expect("mappings are JSON");
            let name = item.key.to_string();
            let before = seen.mappings.get(&name).cloned();
            let mut wrong = transition(before.as_ref(), &next, tells);
            wrong.extend(synced(&next, simulator));
            wrong.extend(shared(&seen.mappings, &name, &next));
            seen.violations.extend(wrong.into_iter().map(|what| format!("{name}: {what}")));
            seen.mappings.insert(name, next);
        }
    }
}

fn header(request: &Request<Bytes>, name: &str) -> Option<String> {
    request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// What a write is about: each document by its id, else by what will be its only name.
fn documents(request: &Request<Bytes>) -> Vec<String> {
    let is_write = matches!(*request.method(), Method::PUT | Method::POST);
    if !is_write || !request.uri().path().starts_with("/api.xro") {
        return Vec::new();
    }
    let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
    let elements = body.as_object().into_iter().flat_map(|object| object.values());
    let elements = elements.filter_map(Value::as_array).flatten();
    let name = |element: &Value| {
        let fields = [
            "InvoiceID",
            "ContactID",
            "CreditNoteID",
            "Url",
            "ContactNumber",
            "CreditNoteNumber",
            "Reference",
        ];
        let found = fields.iter().find_map(|name| Some((name, element.get(name)?.as_str()?)));
        found.map(|(name, value)| format!("{name} {value}"))
    };
    elements.filter_map(name).collect()
}

/// How one row may follow another.
fn transition(before: Option<&Mapping>, next: &Mapping, tells: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let (operation, failure) = (&next.operation, next.operation.failure.as_ref());
    if operation.failures > 6 {
        wrong.push(format!("{} counted failures", operation.failures));
    }
    let was_skipped = before.is_some_and(|before| before.operation.state == State::Skipped);
    if operation.state == State::Skipped && !was_skipped {
        let untranslatable =
            failure.is_some_and(|failure| failure.class == FailureClass::Untranslatable);
        if operation.failures < 6 && !untranslatable {
            wrong.push(format!("given up after {} failures: {failure:?}", operation.failures));
        }
        if !tells {
            wrong.push("given up, and the CRM is not told".to_owned());
        }
    }
    let Some(before) = before else { return wrong };
    let was_claimed = matches!(before.operation.state, State::Claimed { .. });
    let uncounted = failure.is_some_and(|failure| !failure.class.is_counted());
    let stopped = matches!(operation.state, State::Waiting { .. } | State::Parked { .. });
    if was_claimed && stopped && uncounted && operation.failures != before.operation.failures {
        wrong.push(format!("a wait cost an attempt: {failure:?}"));
    }
    if next.snapshot.revision < before.snapshot.revision {
        wrong.push("an older snapshot replaced a newer one".to_owned());
    }
    if next.operation.key_serial < before.operation.key_serial {
        wrong.push("the key serial fell".to_owned());
    }
    wrong
}

/// What is called synced is in the books, and as the CRM has it.
fn synced(mapping: &Mapping, simulator: &Simulator) -> Option<String> {
    if mapping.operation.state != State::Synced {
        return None;
    }
    let link = mapping.link.as_ref()?;
    let books = simulator.books(mapping.key.ledger.tenant.0)?;
    match mapping.key.kind {
        EntityKind::Payment => {
            let is_payment = books.payment(link.xero_id.0).is_some();
            let is_known = is_payment || books.transaction(link.xero_id.0).is_some();
            (!is_known).then(|| "synced, and Xero has no such money".to_owned())
        }
        EntityKind::Allocation => {
            let snapshot: Value = serde_json::from_str(&mapping.snapshot.json).ok()?;
            let is_removed = snapshot.get("standing").and_then(Value::as_str) == Some("removed");
            let stands = books.allocation(link.xero_id.0).is_some();
            (is_removed == stands).then(|| format!("synced, and in the books: {stands}"))
        }
        EntityKind::Contact => {
            let missing = books.contact(link.xero_id.0).is_none();
            missing.then(|| "synced, and there is no such contact".to_owned())
        }
        EntityKind::Invoice => match books.invoice(link.xero_id.0) {
            Some(invoice) => as_sent(mapping, invoice.status, invoice.total),
            None => Some("synced, and there is no such invoice".to_owned()),
        },
        EntityKind::CreditNote => match books.credit_note(link.xero_id.0) {
            Some(note) => as_sent(mapping, note.status, note.total),
            None => Some("synced, and there is no such credit note".to_owned()),
        },
    }
}

/// A document stands as its snapshot says.
fn as_sent(mapping: &Mapping, status: InvoiceStatus, in_xero: Decimal) -> Option<String> {
    let snapshot: Value = serde_json::from_str(&mapping.snapshot.json).ok()?;
    let is_void = snapshot.get("standing").and_then(Value::as_str) == Some("voided");
    if is_void != status.is_gone() {
        return Some(format!("synced, and its status is {status:?}"));
    }
    let total = snapshot.get("total").and_then(Value::as_str)?;
    let differs = !is_void && in_xero.to_string() != total;
    differs.then(|| format!("synced at {total}, and Xero has {in_xero}"))
}

/// A document belongs to one record.
fn shared(known: &BTreeMap<String, Mapping>, name: &str, next: &Mapping) -> Option<String> {
    let id = next.link.as_ref()?.xero_id;
    let other = known.iter().find(|(other, mapping)| {
        *other != name
            && mapping.key.kind == next.key.kind
            && mapping.link.as_ref().is_some_and(|link| link.xero_id == id)
    });
    other.map(|(other, _)| format!("its document already belongs to {other}"))
}

/// Two live documents of one record, or a limit that was exceeded.
pub fn books(simulator: &Simulator, tenants: &[uuid::Uuid]) -> Vec<String> {
    let mut wrong = Vec::new();
    for tenant in tenants {
        let Some(books) = simulator.books(*tenant) else { continue };
        let mut invoices = BTreeSet::new();
        for invoice in books.invoices().filter(|invoice| !invoice.status.is_gone()) {
            if let Some(url) = &invoice.url
                && !invoices.insert(url.clone())
            {
                wrong.push(format!("two invoices for {url}"));
            }
        }
        let mut contacts = BTreeSet::new();
        for contact in books.contacts() {
            if let Some(number) = &contact.number
                && !contacts.insert(number.clone())
            {
                wrong.push(format!("two contacts with the number {number}"));
            }
        }
    }
    wrong.extend(tenants.iter().flat_map(|tenant| credit_notes(simulator, *tenant)));
    wrong.extend(tenants.iter().flat_map(|tenant| money(simulator, *tenant)));
    let violations = simulator.violations();
    if !violations.is_empty() || violations.max_concurrent > 5 {
        wrong.push(format!("limits exceeded: {violations:?}"));
    }
    wrong
}

/// Two live credit notes of one record: only their numbers say so.
fn credit_notes(simulator: &Simulator, tenant: uuid::Uuid) -> Vec<String> {
    let Some(books) = simulator.books(tenant) else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let live = books.credit_notes().filter(|note| !note.status.is_gone());
    let numbers = live.filter_map(|note| note.number.clone());
    let twice = numbers.filter(|number| !seen.insert(number.clone())).collect::<Vec<_>>();
    twice.into_iter().map(|number| format!("two credit notes {number}")).collect()
}

/// Money of ours that is there twice: its reference names the part of the payment it is.
fn money(simulator: &Simulator, tenant: uuid::Uuid) -> Vec<String> {
    let Some(books) = simulator.books(tenant) else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let paid = books.payments().filter(|one| one.status == PaymentStatus::Authorised);
    let paid = paid.filter_map(|one| Some((one.invoice(), one.reference.clone()?)));
    let moved = books.transactions().filter(|one| one.status == TransactionStatus::Authorised);
    let moved = moved.filter_map(|one| Some((None, one.reference.clone()?)));
    let ours = paid.chain(moved).filter(|(_, reference)| reference.contains("(SC-"));
    let twice = ours.filter(|one| !seen.insert(one.clone())).collect::<Vec<_>>();
    twice.into_iter().map(|(_, reference)| format!("twice in Xero: {reference}")).collect()
}

/// Secrets that stand where everybody who reads the table sees them.
pub fn leaked(items: &[Item], secrets: &[String]) -> Vec<String> {
    let leak = |item: &Item| secrets.iter().any(|secret| item.record.contains(secret.as_str()));
    items
        .iter()
        .filter(|item| leak(item))
        .map(|item| format!("a token is in {}", item.key))
        .collect()
}
