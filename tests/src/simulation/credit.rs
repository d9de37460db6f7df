//! Credit in a run: notes that the CRM issues, their allocations to invoices, and whether each
//! counts once in the end.

use domain::entity::EntityKind;
use rust_decimal::Decimal;
use xero_sim::Credit;

use super::faults::{Faults, millis};
use super::script::{Expected, Script, ScriptedEvent};
use super::world::SimWorld;
use crate::builders::{a_credit_note, an_allocation};

/// The expected credit on an invoice at the end.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The account.
    pub account: String,
    /// The note.
    pub note: String,
    /// The invoice.
    pub invoice: String,
    /// The number of allocations of 10.00.
    pub times: usize,
}

/// One allocation.
const SHARE: &str = "10.00";
/// The number of invoices that share a note, which suffices for two allocations on each.
const INVOICES_MAX: usize = 5;
/// The total of a note at its only revision.
const TOTAL: &str = "114.00";

impl Script {
    /// Creates notes, some of them voided, and applies credit of the others to invoices that are
    /// sent once and never change.
    pub(super) fn credit(
        &mut self,
        account: &str,
        clients: u64,
        plain: &[String],
        faults: &mut Faults,
    ) {
        for number in 0..faults.below(3) {
            let (id, client) = (format!("cn_{number}"), format!("cli_{}", number % clients));
            let at = faults.below(600_000);
            self.issues(at, account, &id, &client, 1, false);
            let mine = plain.iter().filter(|invoice| is_of(invoice, &client, clients));
            let mine = mine.cloned().collect::<Vec<_>>();
            if mine.is_empty() && faults.chance(40) {
                self.issues(at + faults.below(900_000), account, &id, &client, 2, true);
                self.expect_note(account, &id, 2, true);
                continue;
            }
            self.expect_note(account, &id, 1, false);
            for invoice in mine.into_iter().take(INVOICES_MAX) {
                self.applies(account, &id, &invoice, at, faults);
            }
        }
    }

    /// The same amount once or twice, as separate allocations; one of them may be removed.
    fn applies(&mut self, account: &str, note: &str, invoice: &str, at: u64, faults: &mut Faults) {
        let times = 1 + u64::from(faults.chance(40));
        let mut stand = 0;
        for number in 0..times {
            let id = format!("al_{note}_{invoice}_{number}");
            let allocation = an_allocation(&id, note, invoice, SHARE).account(account);
            let allocation = allocation.note_number(format!("{account}-{note}"));
            let when = at + faults.below(900_000);
            self.sends_credit(when, account, allocation.body());
            let removed = faults.chance(25);
            if removed {
                let when = when + faults.below(1_800_000);
                self.sends_credit(when, account, allocation.removed().body());
            } else {
                stand += 1;
            }
            self.expected.push(Expected {
                account: account.to_owned(),
                kind: EntityKind::Allocation,
                id,
                revision: 1 + u64::from(removed),
                total: None,
                voided: removed,
            });
        }
        self.applied.push(Applied {
            account: account.to_owned(),
            note: note.to_owned(),
            invoice: invoice.to_owned(),
            times: stand,
        });
    }

    /// One invoice, one note, and credit applied.
    pub fn credited() -> Self {
        let mut script = Self::plain(1);
        let Some(account) = script.accounts.first().cloned() else { return script };
        script.issues(0, &account, "cn_0", "cli_0", 1, false);
        script.expect_note(&account, "cn_0", 1, false);
        let mut no_faults = Faults::once(0, 0);
        script.applies(&account, "cn_0", "inv_0", 0, &mut no_faults);
        script
    }

    /// The same, and after some time the credit is removed, whatever its state.
    pub fn taken_back() -> Self {
        let mut script = Self::plain(1);
        let Some(account) = script.accounts.first().cloned() else { return script };
        script.issues(0, &account, "cn_0", "cli_0", 1, false);
        script.expect_note(&account, "cn_0", 1, false);
        let allocation = an_allocation("al_0", "cn_0", "inv_0", SHARE).account(&account);
        let allocation = allocation.note_number(format!("{account}-cn_0"));
        script.sends_credit(180_000, &account, allocation.body());
        script.sends_credit(240_000, &account, allocation.removed().body());
        script.expected.push(Expected {
            account: account.clone(),
            kind: EntityKind::Allocation,
            id: "al_0".to_owned(),
            revision: 2,
            total: None,
            voided: true,
        });
        let (note, invoice) = ("cn_0".to_owned(), "inv_0".to_owned());
        script.applied.push(Applied { account, note, invoice, times: 0 });
        script
    }

    fn issues(
        &mut self,
        at: u64,
        account: &str,
        id: &str,
        client: &str,
        revision: u64,
        voided: bool,
    ) {
        let note = a_credit_note(id, client).account(account).revision(revision);
        let note = note.number(format!("{account}-{id}"));
        let note = if voided { note.voided() } else { note };
        self.sends_credit(at, account, note.body());
    }

    fn sends_credit(&mut self, at: u64, account: &str, body: String) {
        let (kind, account) = (EntityKind::CreditNote, account.to_owned());
        self.events.push((millis(at), ScriptedEvent::Sends { kind, account, body }));
    }

    fn expect_note(&mut self, account: &str, id: &str, revision: u64, voided: bool) {
        self.expected.push(Expected {
            account: account.to_owned(),
            kind: EntityKind::CreditNote,
            id: id.to_owned(),
            revision,
            total: Some(TOTAL.to_owned()),
            voided,
        });
    }
}

/// Invoices are assigned to the clients in turn.
fn is_of(invoice: &str, client: &str, clients: u64) -> bool {
    let number = invoice.strip_prefix("inv_").and_then(|number| number.parse::<u64>().ok());
    number.is_some_and(|number| format!("cli_{}", number % clients) == client)
}

impl SimWorld {
    /// Credit counts exactly as often as the CRM applied it.
    pub(super) fn credit(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let simulator = self.simulator();
        for applied in &self.script.applied {
            let Applied { account, note, invoice, times } = applied;
            let Some(books) = simulator.books(self.tenant(account)) else { continue };
            let note_number = format!("{account}-{note}");
            let notes = books.credit_notes_numbered(&note_number);
            let found = notes.flat_map(|note| books.allocations_of(Credit::CreditNote(note.id)));
            let number = format!("{account}-{invoice}");
            let found = found.filter(|one| {
                let paid = books.invoice(one.invoice).and_then(|one| one.number.as_deref());
                paid == Some(&number)
            });
            let amounts = found.map(|one| one.amount).collect::<Vec<_>>();
            let share: Decimal = SHARE.parse().expect("an amount");
            if amounts != vec![share; *times] {
                wrong
                    .push(format!("{amounts:?} of {note} on {invoice}, not {times} times {share}"));
            }
        }
        for account in &self.script.accounts {
            let books = simulator.books(self.tenant(account)).expect("the organisation has books");
            let expected = self.script.expected.iter().filter(|one| {
                one.kind == EntityKind::CreditNote && !one.voided && one.account == *account
            });
            let live = books.credit_notes().filter(|note| !note.status.is_gone());
            let (live, expected) = (live.count(), expected.count());
            if live != expected {
                wrong.push(format!("{live} credit notes of {account}, not {expected}"));
            }
        }
        wrong
    }
}
