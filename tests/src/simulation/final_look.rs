//! The check at the end of a run: every record exists once and is correct.

use std::collections::{BTreeMap, BTreeSet};

use domain::entity::EntityKind;
use domain::mapping::Mapping;
use domain::operation::{OperationState, ParkingReason};
use domain::outbound::OutboundEvent;
use rust_decimal::Decimal;
use secrecy::ExposeSecret;
use store::table::StoredItem;
use xero_sim::InvoiceStatus;

use super::checker::{self, Counts};
use super::script::{Expected, ScriptedEvent};
use super::world::SimWorld;
use crate::ports::locked;

/// Calls that belong to no record and no poll: connects, reads of the chart, jobs and sweeps.
const CALLS: usize = 200;
/// Maximum calls of an attempt at a record: look-ups of documents that may exist, and of its
/// client.
const CALLS_OF_AN_ATTEMPT: usize = 20;
/// Maximum calls of a poll: two lists, page by page, and invoices that are read one by one.
const CALLS_OF_A_POLL: usize = 60;

impl SimWorld {
    /// Whether no work is left.
    pub(super) fn is_work_done(&self) -> bool {
        self.remaining_work().is_empty()
    }

    /// The remaining work.
    pub(super) fn remaining_work(&self) -> String {
        let mut remaining = Vec::new();
        if !self.processes.is_idle() {
            remaining.push("processes run".to_owned());
        }
        if self.unbanked.iter().any(|(account, invoice, _)| !self.is_given_up(account, invoice)) {
            remaining.push("payments wait for their invoice".to_owned());
        }
        if !self.queues.is_empty() {
            remaining.push("messages are in the queues".to_owned());
        }
        for item in self.table.all_items() {
            let place = item.due.as_ref().map(|due| due.pk.as_str()).unwrap_or_default();
            let is_stuck = place.starts_with("PARKED#") && !self.waits_for_a_person(&item);
            if place.starts_with("DUE#") || is_stuck {
                remaining.push(format!("{} in {place}", item.key));
            }
        }
        remaining.join(", ")
    }

    fn is_given_up(&self, account: &str, invoice: &str) -> bool {
        let pk = format!("L#{account}#{}", self.tenant(account));
        let item = self.item(&pk, &format!("MAP#invoice#{invoice}"));
        item.is_some_and(|item| self.is_left_to_a_person(&item))
    }

    /// Whether a record was given up, or waits for one that was.
    fn is_left_to_a_person(&self, item: &StoredItem) -> bool {
        let mapping = serde_json::from_str::<Mapping>(&item.record).ok();
        let is_skipped = mapping.is_some_and(|one| one.operation.state == OperationState::Skipped);
        is_skipped || self.waits_for_a_person(item)
    }

    /// Whether the record for which a parked record waits was given up, so that only a user can
    /// resolve it.
    fn waits_for_a_person(&self, item: &StoredItem) -> bool {
        let Ok(mapping) = serde_json::from_str::<Mapping>(&item.record) else { return false };
        let OperationState::Parked { on: ParkingReason::Prerequisite { kind, crm_id } } =
            mapping.operation.state
        else {
            return false;
        };
        let needed = self.item(&item.key.pk, &format!("MAP#{kind}#{crm_id}"));
        needed.is_some_and(|needed| self.is_left_to_a_person(&needed))
    }

    /// Every sent record exists and is correct.
    pub(super) fn look(&mut self) {
        if !self.outcome.violations.is_empty() {
            return;
        }
        self.check_past_states();
        self.ask_for_what_was_given_up();
        self.poll_to_the_end();
        // An expired connection may be detected only now.
        self.reconnect();
        self.rest();
        self.poll_to_the_end();
        let mut wrong = Vec::new();
        for account in self.script.accounts.clone() {
            wrong.extend(self.connection(&account));
        }
        for expected in self.script.expected.clone() {
            wrong.extend(self.record(&expected));
        }
        wrong.extend(checker::books(&self.simulator(), &self.tenants()));
        wrong.extend(self.numbers_of_documents());
        wrong.extend(self.money());
        wrong.extend(self.credit());
        wrong.extend(self.check_deliveries_and_log());
        wrong.extend(self.leaked());
        wrong.extend(self.grants());
        wrong.extend(self.cost());
        self.outcome.violations.extend(wrong);
    }

    pub(super) fn rest(&mut self) {
        for _ in 0..40 {
            if self.is_work_done() {
                return;
            }
            self.start(ScriptedEvent::Sweeps);
            self.go_on(None);
        }
    }

    /// A record that was given up after six failures is not lost: a user syncs it, and it reaches
    /// Xero.
    fn ask_for_what_was_given_up(&mut self) {
        for kind in EntityKind::ALL {
            for (account, id) in self.given_up(kind) {
                self.outcome.given_up += 1;
                self.start(ScriptedEvent::SyncsOne { account, kind, id });
                self.go_on(None);
            }
            self.rest();
            self.bank_the_rest();
        }
    }

    fn given_up(&self, kind: EntityKind) -> Vec<(String, String)> {
        let items = self.table.all_items().into_iter();
        let rows = items.filter(|item| item.key.sk.starts_with(&format!("MAP#{kind}#")));
        let rows = rows.filter_map(|item| serde_json::from_str::<Mapping>(&item.record).ok());
        let skipped = rows.filter(|mapping| mapping.operation.state == OperationState::Skipped);
        let name = |mapping: Mapping| {
            (mapping.key.ledger.account.to_string(), mapping.key.crm_id.to_string())
        };
        skipped.map(name).collect()
    }

    pub(super) fn item(&self, pk: &str, sk: &str) -> Option<StoredItem> {
        self.table.all_items().into_iter().find(|item| item.key.pk == pk && item.key.sk == sk)
    }

    /// Faults cost a limited number of calls.
    fn cost(&self) -> Option<String> {
        let Counts { calls, attempts } = self.observations.counts();
        let most = CALLS + attempts * CALLS_OF_AN_ATTEMPT + self.polls * CALLS_OF_A_POLL;
        (calls > most).then(|| format!("{calls} calls for {attempts} attempts"))
    }

    fn mapping(&self, expected: &Expected) -> Option<Mapping> {
        let pk = format!("L#{}#{}", expected.account, self.tenant(&expected.account));
        let item = self.item(&pk, &format!("MAP#{}#{}", expected.kind, expected.id))?;
        serde_json::from_str(&item.record).ok()
    }

    fn record(&self, expected: &Expected) -> Option<String> {
        let name = format!("{} {} of {}", expected.kind, expected.id, expected.account);
        let Some(mapping) = self.mapping(expected) else { return Some(format!("{name} is lost")) };
        if mapping.snapshot.revision < expected.revision {
            return Some(format!("{name} is at revision {}", mapping.snapshot.revision));
        }
        // A client whose only invoice was never in Xero need not exist there.
        let is_idle =
            expected.kind == EntityKind::Contact && mapping.operation.state == OperationState::Due;
        if mapping.operation.state != OperationState::Synced && !is_idle {
            return Some(format!("{name} is not synced: {:?}", mapping.operation));
        }
        let simulator = self.simulator();
        let books = simulator.books(self.tenant(&expected.account))?;
        let Some(link) = &mapping.link else {
            return (!expected.voided && !is_idle).then(|| format!("{name} has no counterpart"));
        };
        match expected.kind {
            EntityKind::Contact => {
                books.contact(link.xero_id.0).is_none().then(|| format!("{name} is not in Xero"))
            }
            // Credit and payments are checked together.
            EntityKind::Allocation | EntityKind::Payment => None,
            EntityKind::Invoice => {
                let invoice = books.invoice(link.xero_id.0);
                let found = invoice.map(|invoice| (invoice.status, invoice.total));
                as_expected(&name, expected, found)
            }
            EntityKind::CreditNote => {
                let note = books.credit_note(link.xero_id.0);
                as_expected(&name, expected, note.map(|note| (note.status, note.total)))
            }
        }
    }

    /// No document exists that was not sent.
    fn numbers_of_documents(&self) -> Option<String> {
        let simulator = self.simulator();
        let mut counts = (0, 0);
        for tenant in self.tenants() {
            let books = simulator.books(tenant)?;
            // Xero creates the contact to which fees are paid, without a number of ours.
            counts.0 += books.contacts().filter(|one| one.number.is_some()).count();
            let live = books.invoices().filter(|one| !one.status.is_gone());
            counts.1 += live.filter(|one| one.created_by.is_some()).count();
        }
        let of = |kind| self.script.expected.iter().filter(move |one| one.kind == kind);
        let clients = of(EntityKind::Contact).count();
        let invoices = of(EntityKind::Invoice).filter(|one| !one.voided).count();
        let right = counts.0 <= clients && counts.1 == invoices;
        (!right).then(|| format!("{counts:?} documents for {clients} clients, {invoices} invoices"))
    }

    /// Every committed event was delivered; every record has an entry in the log.
    fn check_deliveries_and_log(&self) -> Vec<String> {
        let deliveries = locked(&self.events.deliveries).clone();
        let mut wrong = Vec::new();
        let delivered =
            deliveries.iter().map(|event| event.event_id.to_string()).collect::<BTreeSet<_>>();
        let missing =
            self.observations.committed().into_iter().filter(|id| !delivered.contains(id));
        wrong.extend(missing.map(|id| format!("the event {id} was not delivered")));
        wrong.extend(out_of_order(&deliveries));
        let mut logged = BTreeSet::new();
        for item in self.table.all_items() {
            if let Some(account) = item.key.pk.strip_prefix("LOG#") {
                let entry: domain::sync_log::LogEntry =
                    serde_json::from_str(&item.record).expect("log entries are JSON");
                logged.insert((account.to_owned(), entry.crm_id.to_string()));
            }
        }
        // The entry about an attempt is missing only if the process died.
        let is_without_faults = locked(&self.shared.faults).injected.is_empty();
        for expected in &self.script.expected {
            let name = (expected.account.clone(), expected.id.clone());
            let is_silent = expected.kind == EntityKind::Invoice && !logged.contains(&name);
            if is_without_faults && is_silent {
                wrong.push(format!("the log has no entry about {}", expected.id));
            }
        }
        wrong
    }

    fn leaked(&self) -> Vec<String> {
        let kept = locked(&self.secrets.kept);
        let secrets = kept.values().flat_map(|secret| {
            let text = secret.expose_secret().to_owned();
            text.split('"').filter(|word| word.len() > 40).map(str::to_owned).collect::<Vec<_>>()
        });
        let secrets = secrets.collect::<Vec<_>>();
        checker::leaked(&self.table.all_items(), &secrets)
    }
}

fn as_expected(
    name: &str,
    expected: &Expected,
    found: Option<(InvoiceStatus, Decimal)>,
) -> Option<String> {
    let Some((status, total)) = found else { return Some(format!("{name} is not in Xero")) };
    let right = if expected.voided {
        status.is_gone()
    } else {
        Some(total.to_string()) == expected.total && !status.is_gone()
    };
    (!right).then(|| format!("{name} is {status:?} over {total}, not {expected:?}"))
}

/// Events about an invoice that were delivered after a newer one. Only the first delivery counts:
/// the CRM drops an event that it has seen.
fn out_of_order(deliveries: &[OutboundEvent]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut newest: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    for event in deliveries.iter().filter(|event| seen.insert(event.event_id)) {
        let Some((invoice, sequence)) = event.content.invoice_sequence() else { continue };
        let name = (event.account_id.to_string(), invoice.to_string());
        let before = newest.insert(name, sequence).unwrap_or(0);
        if sequence <= before {
            wrong.push(format!("{invoice}: event {sequence} was delivered after {before}"));
        }
    }
    wrong
}
