//! The invariants of a run, and the conditions that hold at its end. The checker shares no code
//! with the product: it observes requests to Xero, writes to the table, and the books.

mod end_state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use domain::connection::Connection;
use domain::entity::EntityKind;
use domain::failure::FailureClass;
use domain::ids::TenantId;
use domain::mapping::Mapping;
use domain::operation::{OperationState, ParkingReason};
use http::{Method, Request};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;
use store::table::ItemWrite;
use xero_sim::{InvoiceStatus, Simulator};

use super::executor::{Pid, after};
use super::faults::millis;
use crate::ports::locked;

pub use self::end_state::{books, leaked};

/// How long an unanswered write may still arrive.
const IN_FLIGHT: u64 = 60_000;
/// Maximum attempts at a record in a run: its ladder for each version and each request of a user,
/// and the waits that cost no attempt.
const CLAIMS_MAX: u32 = 80;

/// What is observed in a run, checked as it is recorded.
#[derive(Debug, Clone, Default)]
pub struct Observations(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    violations: Vec<String>,
    /// Writes that may still be in progress at Xero, with the end of that period, by document.
    under_way: BTreeMap<String, Timestamp>,
    /// Keys whose answers a process has received.
    answered: BTreeMap<String, Vec<Pid>>,
    /// Keys whose answers are recorded.
    spent: BTreeSet<String>,
    /// Tenants of accounts that were disconnected.
    closed: BTreeSet<String>,
    /// The newest version of each mapping.
    mappings: BTreeMap<String, Mapping>,
    /// Events that were committed, by their ids.
    committed: BTreeSet<String>,
    /// The newest version of each connection, by account.
    connections: BTreeMap<String, Connection>,
    /// The only organisation that each account requests.
    wanted: BTreeMap<String, TenantId>,
    /// How often each record was claimed.
    claims: BTreeMap<String, u32>,
    /// Calls of the Accounting API and of the list of connections.
    calls: usize,
}

/// The cost of a run.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    /// Calls of the Accounting API and of the list of connections.
    pub calls: usize,
    /// Attempts at records.
    pub attempts: usize,
}

impl Observations {
    /// The violations since the last call.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut locked(&self.0).violations)
    }

    /// Records a violation.
    pub fn violated(&self, what: String) {
        locked(&self.0).violations.push(what);
    }

    /// A call begins.
    pub fn begins(&self, now: Timestamp, request: &Request<Bytes>) {
        let mut seen = locked(&self.0);
        let tenant = header(request, "xero-tenant-id");
        let path = request.uri().path();
        seen.calls +=
            usize::from(path.starts_with("/api.xro/") || path.starts_with("/connections"));
        let user = seen.connections.values().find(|one| one.state.is_connected());
        if let Some(user) = user.filter(|_| path == "/connect/revocation") {
            let what = format!("the grant is revoked while {} uses it", user.account);
            seen.violations.push(what);
        }
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

    /// The end of a call is known.
    pub fn ends(&self, at: Timestamp, request: &Request<Bytes>) {
        let mut seen = locked(&self.0);
        let tenant = header(request, "xero-tenant-id").unwrap_or_default();
        for document in documents(request) {
            seen.under_way.insert(format!("{tenant} {document}"), at);
        }
    }

    /// A process has read an answer.
    pub fn record_answer(&self, pid: Option<Pid>, request: &Request<Bytes>) {
        let mut seen = locked(&self.0);
        if let (Some(key), Some(pid)) = (header(request, "idempotency-key"), pid) {
            seen.answered.entry(key).or_default().push(pid);
        }
    }

    /// A process has recorded all answers that it received.
    pub fn recorded(&self, pid: Pid) {
        let mut seen = locked(&self.0);
        let answered = seen.answered.iter().filter(|(_, pids)| pids.contains(&pid));
        let keys = answered.map(|(key, _)| key.clone()).collect::<Vec<_>>();
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

    /// Users who connect this account give consent to, and choose, only this organisation.
    pub fn wants(&self, account: &str, tenant: uuid::Uuid) {
        locked(&self.0).wanted.insert(account.to_owned(), TenantId(tenant));
    }

    /// Whether any account is connected to an organisation.
    pub fn is_in_use(&self, tenant: uuid::Uuid) -> bool {
        let seen = locked(&self.0);
        seen.connections.values().any(|one| in_use(one) == Some(TenantId(tenant)))
    }

    /// The cost of the run so far.
    pub fn counts(&self) -> Counts {
        let seen = locked(&self.0);
        let attempts = seen.claims.values().map(|claims| usize::try_from(*claims).unwrap_or(0));
        Counts { calls: seen.calls, attempts: attempts.sum() }
    }

    /// Events that were committed, by their ids.
    pub fn committed(&self) -> BTreeSet<String> {
        locked(&self.0).committed.clone()
    }

    /// Rows were written.
    pub fn written(&self, writes: &[ItemWrite], simulator: &Simulator) {
        let mut seen = locked(&self.0);
        let tells = writes.iter().any(|write| write.item_key().sk.starts_with("OUT#"));
        for write in writes {
            let ItemWrite::Put { item, expect: _ } = write else { continue };
            if let Some((_, id)) =
                item.key.sk.strip_prefix("OUT#").and_then(|sk| sk.split_once('#'))
            {
                seen.committed.insert(id.to_owned());
            }
            if item.key.sk == "CONNECTION" {
                let next: Connection =
                    serde_json::from_str(&item.record).expect("a connection that can be read");
                let wrong = shared_organisation(&seen.connections, &next);
                seen.violations.extend(wrong);
                let wrong = unwanted_organisation(&seen.wanted, &next);
                seen.violations.extend(wrong);
                // An account that is connected to an organisation may call it, even after another
                // account was disconnected from it.
                if let Some(tenant) = in_use(&next) {
                    seen.closed.remove(&tenant.to_string());
                }
                seen.connections.insert(next.account.to_string(), next);
            }
            if !item.key.sk.starts_with("MAP#") {
                continue;
            }
            let next = store::read_mapping(&item.record, item.snapshot.as_deref());
            let next = next.expect("a mapping that can be read");
            let name = item.key.to_string();
            let before = seen.mappings.get(&name).cloned();
            let mut wrong = transition(before.as_ref(), &next, tells);
            let connection = seen.connections.get(next.key.ledger.account.as_str());
            let epoch = connection.map(|connection| connection.epoch);
            wrong.extend(released(before.as_ref(), &next, epoch));
            if is_claimed_anew(before.as_ref(), &next) {
                let claims = seen.claims.entry(name.clone()).or_default();
                *claims += 1;
                wrong.extend((*claims == CLAIMS_MAX).then(|| format!("attempted {claims} times")));
            }
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

/// The documents of a write: each by its id, otherwise by its unique name.
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

/// Checks whether one version of a row may follow another.
fn transition(before: Option<&Mapping>, next: &Mapping, tells: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let (operation, failure) = (&next.operation, next.operation.failure.as_ref());
    if operation.failures > 6 {
        wrong.push(format!("{} counted failures", operation.failures));
    }
    let was_skipped =
        before.is_some_and(|before| before.operation.state == OperationState::Skipped);
    if operation.state == OperationState::Skipped && !was_skipped {
        let untranslatable =
            failure.is_some_and(|failure| failure.class == FailureClass::Untranslatable);
        if operation.failures < 6 && !untranslatable {
            wrong.push(format!("given up after {} failures: {failure:?}", operation.failures));
        }
        if !tells {
            wrong.push("given up, and no event reports it".to_owned());
        }
    }
    let Some(before) = before else { return wrong };
    let was_claimed = matches!(before.operation.state, OperationState::Claimed { .. });
    let uncounted = failure.is_some_and(|failure| !failure.class.is_counted());
    let stopped =
        matches!(operation.state, OperationState::Waiting { .. } | OperationState::Parked { .. });
    if was_claimed && stopped && uncounted && operation.failures != before.operation.failures {
        wrong.push(format!("a wait cost an attempt: {failure:?}"));
    }
    if next.snapshot.revision < before.snapshot.revision {
        wrong.push("an older snapshot replaced a newer one".to_owned());
    }
    if next.operation.key_serial < before.operation.key_serial {
        wrong.push("the key serial decreased".to_owned());
    }
    wrong
}

/// A record that waits for a connection is released only if the connection has started to work
/// since.
fn released(before: Option<&Mapping>, next: &Mapping, epoch: Option<u64>) -> Option<String> {
    let before = before?;
    let was_parked =
        before.operation.state == OperationState::Parked { on: ParkingReason::Reconnect };
    let waits = matches!(next.operation.state, OperationState::Waiting { .. });
    let is_same = before.snapshot.revision == next.snapshot.revision;
    let failed_on = before.operation.failed_epoch?;
    let is_released = was_parked && waits && is_same && epoch == Some(failed_on);
    is_released.then(|| "released although nothing has changed since it was parked".to_owned())
}

/// Whether a process has just begun an attempt.
fn is_claimed_anew(before: Option<&Mapping>, next: &Mapping) -> bool {
    let claim = |mapping: &Mapping| match mapping.operation.state {
        OperationState::Claimed { by, until: _ } => Some(by),
        OperationState::Due
        | OperationState::Waiting { until: _ }
        | OperationState::Parked { on: _ }
        | OperationState::Synced
        | OperationState::Skipped
        | OperationState::Withheld => None,
    };
    let next = claim(next);
    next.is_some() && before.and_then(claim) != next
}

/// The organisation that an account is connected to.
fn in_use(connection: &Connection) -> Option<TenantId> {
    let organisation = connection.organisation.as_ref();
    organisation.filter(|_| connection.state.is_connected()).map(|one| one.tenant)
}

/// An organisation belongs to one account.
fn shared_organisation(known: &BTreeMap<String, Connection>, next: &Connection) -> Option<String> {
    let tenant = in_use(next)?;
    let is_other =
        |other: &&Connection| other.account != next.account && in_use(other) == Some(tenant);
    let other = known.values().find(is_other)?;
    Some(format!("{} and {} are connected to one organisation", other.account, next.account))
}

/// An account is connected only to an organisation for which its user gave consent.
fn unwanted_organisation(wanted: &BTreeMap<String, TenantId>, next: &Connection) -> Option<String> {
    let (tenant, wanted) = (in_use(next)?, wanted.get(next.account.as_str())?);
    (tenant != *wanted).then(|| format!("{} is connected to {tenant}, not {wanted}", next.account))
}

/// A synced record is in the books and agrees with the CRM.
fn synced(mapping: &Mapping, simulator: &Simulator) -> Option<String> {
    if mapping.operation.state != OperationState::Synced {
        return None;
    }
    let link = mapping.link.as_ref()?;
    let books = simulator.books(mapping.key.ledger.tenant.0)?;
    match mapping.key.kind {
        EntityKind::Payment => {
            let is_payment = books.payment(link.xero_id.0).is_some();
            let is_known = is_payment || books.transaction(link.xero_id.0).is_some();
            (!is_known).then(|| "synced, but Xero has no such payment".to_owned())
        }
        EntityKind::Allocation => {
            let snapshot: Value = serde_json::from_str(&mapping.snapshot.json).ok()?;
            let is_removed = snapshot.get("standing").and_then(Value::as_str) == Some("removed");
            let stands = books.allocation(link.xero_id.0).is_some();
            (is_removed == stands).then(|| format!("synced, but in the books: {stands}"))
        }
        EntityKind::Contact => {
            let missing = books.contact(link.xero_id.0).is_none();
            missing.then(|| "synced, but there is no such contact".to_owned())
        }
        EntityKind::Invoice => match books.invoice(link.xero_id.0) {
            Some(invoice) => as_sent(mapping, invoice.status, invoice.total),
            None => Some("synced, but there is no such invoice".to_owned()),
        },
        EntityKind::CreditNote => match books.credit_note(link.xero_id.0) {
            Some(note) => as_sent(mapping, note.status, note.total),
            None => Some("synced, but there is no such credit note".to_owned()),
        },
    }
}

/// A document agrees with its snapshot.
fn as_sent(mapping: &Mapping, status: InvoiceStatus, in_xero: Decimal) -> Option<String> {
    let snapshot: Value = serde_json::from_str(&mapping.snapshot.json).ok()?;
    let is_void = snapshot.get("standing").and_then(Value::as_str) == Some("voided");
    if is_void != status.is_gone() {
        return Some(format!("synced, but its status is {status:?}"));
    }
    let total = snapshot.get("total").and_then(Value::as_str)?;
    let differs = !is_void && in_xero.to_string() != total;
    differs.then(|| format!("synced at {total}, but Xero has {in_xero}"))
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
