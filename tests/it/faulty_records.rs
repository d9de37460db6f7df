//! Records of every kind for tests of isolation: a bad one, and good ones of the same account and
//! of another.

use domain::entity::EntityKind;
use domain::entity::EntityKind::{Allocation, Contact, CreditNote, Invoice, Payment};
use domain::ids::{AccountId, CrmId};
use engine::sync::invoice_payments;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_client_of, a_credit_note, a_payment, an_allocation, an_invoice};
use tests::io_monitor::run;
use tests::kinds::assert_every_kind;
use tests::world::ACCOUNT;
use uuid::Uuid;

use crate::faulty_messages::{GOOD, OTHER};

/// A text in every message and every request to Xero about a bad record, and in no other.
pub const FAULTY: &str = "faulty";
/// The amount of a bad allocation: a request to Xero does not name the allocation otherwise.
pub const FAULTY_AMOUNT: &str = "7.77";

/// Records of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Records {
    /// The kind.
    pub kind: EntityKind,
    /// The id of the bad record.
    pub bad: &'static str,
    /// The message of a record, by the account and the end of the record's id.
    pub message: fn(account: &str, id: &str) -> String,
    /// The number of an account's records that took effect.
    pub count: fn(world: &World, account: &str) -> usize,
}

/// Records of every kind.
pub const EVERY_KIND: [Records; 5] = [
    Records { kind: Contact, bad: "cli_faulty", message: client, count: contacts },
    Records { kind: Invoice, bad: "inv_faulty", message: invoice, count: invoices },
    Records { kind: CreditNote, bad: "cn_faulty", message: note, count: notes },
    Records { kind: Allocation, bad: "al_faulty", message: allocation, count: allocations },
    Records { kind: Payment, bad: "pay_faulty.1", message: payment, count: payments },
];

impl Records {
    /// The message of the bad record.
    pub fn bad_message(&self) -> String {
        (self.message)(ACCOUNT, FAULTY)
    }

    /// The messages of an account's good records.
    pub fn good_messages(&self, account: &str) -> Vec<String> {
        (0..GOOD).map(|number| (self.message)(account, &format!("{number:02}"))).collect()
    }

    /// The ids of the good records.
    pub fn good_ids(&self) -> Vec<CrmId> {
        let id = |number: usize| self.bad.replace(FAULTY, &format!("{number:02}"));
        (0..GOOD).map(|number| CrmId::new(id(number)).unwrap()).collect()
    }

    /// The sort key of the bad record's row.
    pub fn bad_row(&self) -> String {
        format!("MAP#{}#{}", self.kind, self.bad)
    }

    /// The numbers of records of both accounts that took effect.
    pub fn counts(&self, world: &World) -> [usize; 2] {
        [ACCOUNT, OTHER].map(|account| (self.count)(world, account))
    }
}

/// Two accounts, each with a client, an invoice and a credit note in its own organisation.
pub fn two_accounts_with_documents() -> World {
    assert_every_kind(EVERY_KIND.map(|records| records.kind));
    let world = World::with(|settings| settings.unconfirmed.allocation_answer_has_id = true);
    world.connect();
    let second = tenant_of(&world, OTHER);
    world.connect_account(&AccountId::new(OTHER).unwrap(), &[second]);
    world.choose_accounts();
    for account in [ACCOUNT, OTHER] {
        world.receive(Invoice, &invoice(account, "1"));
        world.receive(CreditNote, &note(account, "1"));
    }
    while world.wake_ups.take_first().is_some() {}
    // The calls of the next minute are unused.
    world.clock.advance(SignedDuration::from_mins(2));
    world
}

pub fn tenant_of(world: &World, account: &str) -> Uuid {
    let place = usize::from(account != ACCOUNT);
    world.xero().settings().organisations[place].id
}

fn client(account: &str, id: &str) -> String {
    a_client_of(account, &format!("cli_{id}"), 1)
}

fn contacts(world: &World, account: &str) -> usize {
    let tenant = tenant_of(world, account);
    world.xero().books(tenant).unwrap().contacts().count()
}

fn invoice(account: &str, id: &str) -> String {
    let invoice = an_invoice(&format!("inv_{id}"), "cli_1").account(account);
    if account == ACCOUNT {
        return invoice.body();
    }
    invoice.currency("NZD").tax_rate("15").price("100.00", "115.00").body()
}

/// The message of the bad invoice, to a client whose id is bad as well.
pub fn invoice_of_bad_client() -> String {
    an_invoice("inv_faulty", "cli_faulty").body()
}

fn invoices(world: &World, account: &str) -> usize {
    let tenant = tenant_of(world, account);
    world.xero().books(tenant).unwrap().invoices().count()
}

fn note(account: &str, id: &str) -> String {
    let note = a_credit_note(&format!("cn_{id}"), "cli_1").account(account);
    if account == ACCOUNT {
        return note.body();
    }
    let note = note.currency("NZD").price("100.00", "115.00").body();
    note.replace(r#""tax_rate":"20""#, r#""tax_rate":"15""#)
}

fn notes(world: &World, account: &str) -> usize {
    let tenant = tenant_of(world, account);
    world.xero().books(tenant).unwrap().credit_notes().count()
}

/// An allocation of the credit note. Each has a different amount.
fn allocation(account: &str, id: &str) -> String {
    let cents = id.parse::<u32>().ok();
    let amount = cents.map(|cents| format!("0.{:02}", cents + 1));
    let amount = amount.unwrap_or_else(|| FAULTY_AMOUNT.to_owned());
    let allocation = an_allocation(&format!("al_{id}"), "cn_1", "inv_1", &amount);
    let body = allocation.account(account).body();
    if account == ACCOUNT {
        return body;
    }
    body.replace(r#""currency":"GBP""#, r#""currency":"NZD""#)
}

fn allocations(world: &World, account: &str) -> usize {
    let tenant = tenant_of(world, account);
    world.xero().books(tenant).unwrap().allocations().count()
}

/// A payment of the invoice: by Stripe, and in the second account, which has chosen no bank
/// accounts, in cash.
fn payment(account: &str, id: &str) -> String {
    let payment = a_payment(&format!("pay_{id}"), &[("inv_1", "0.05")]).account(account);
    if account == ACCOUNT { payment.body() } else { payment.method("cash").body() }
}

/// The message of a cash payment of a separate invoice.
pub fn bad_cash() -> String {
    a_payment("pay_faulty", &[("inv_faulty", "0.05")]).method("cash").body()
}

fn payments(world: &World, account: &str) -> usize {
    if account == ACCOUNT {
        return world.books(|books| books.payments().count());
    }
    let (account, invoice) = (AccountId::new(account).unwrap(), CrmId::new("inv_1").unwrap());
    let known = run(invoice_payments::find_invoice_payments(&world.engine, &account, &invoice))
        .unwrap()
        .unwrap();
    known.map_or(0, |known| known.recorded.len())
}
