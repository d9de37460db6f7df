//! Payments in a run: those made in Xero and in the CRM, and whether each counts once in the end.

use std::collections::{BTreeMap, BTreeSet};

use domain::entity::EntityKind;
use domain::ids::{AccountId, Ledger, TenantId};
use domain::outbound::EventContent;
use engine::Invocation;
use engine::poll::poll_ledgers;
use jiff::civil::date;
use rust_decimal::Decimal;
use uuid::Uuid;
use xero_sim::{PaymentStatus, Receipt};

use super::executor::after;
use super::faults::{Faults, millis};
use super::script::{Script, ScriptedEvent};
use super::world::{Done, SimWorld, TIMEOUT};
use crate::builders::a_payment;
use crate::ports::locked;

/// How an invoice is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaidBy {
    /// By Stripe, in the CRM.
    Stripe,
    /// In two parts through the bank, which only Xero receives.
    Bank,
    /// In cash, which the CRM records and a bookkeeper banks.
    Cash,
}

/// The expected payments of an invoice at the end.
#[derive(Debug, Clone)]
pub struct Paid {
    /// The account.
    pub account: String,
    /// The invoice.
    pub invoice: String,
    /// How it was paid.
    pub by: PaidBy,
}

/// The fee of a Stripe payment, and its surcharge.
const FEE: &str = "3.20";
const SURCHARGE: &str = "2.00";
/// The total of an invoice at its first revision.
const TOTAL: &str = "114.00";
const HALF: &str = "57.00";

impl Script {
    /// Invoices that are sent once and never change may be paid.
    pub(super) fn money(&mut self, account: &str, paid: &[String], faults: &mut Faults) {
        for invoice in paid {
            let by = match faults.below(3) {
                0 => PaidBy::Stripe,
                1 => PaidBy::Bank,
                _ => PaidBy::Cash,
            };
            let at = faults.below(2_400_000);
            let payment = a_payment(&format!("pay_{invoice}"), &[(invoice, TOTAL)]);
            let payment = payment.account(account);
            let message = match by {
                PaidBy::Stripe => Some(payment.fee(FEE).surcharge(SURCHARGE)),
                PaidBy::Cash => Some(payment.method("cash")),
                PaidBy::Bank => None,
            };
            if let Some(message) = message {
                let (kind, account) = (EntityKind::Payment, account.to_owned());
                let event = ScriptedEvent::Sends { kind, account, body: message.body() };
                self.events.push((millis(at), event));
            }
            let parts = match by {
                PaidBy::Stripe => &[][..],
                PaidBy::Bank => &[HALF, HALF][..],
                PaidBy::Cash => &[TOTAL][..],
            };
            for amount in parts {
                let (account, invoice) = (account.to_owned(), invoice.clone());
                let event =
                    ScriptedEvent::Banked { account, invoice, amount: (*amount).to_owned() };
                self.events.push((millis(at + faults.below(1_200_000)), event));
            }
            self.paid.push(Paid { account: account.to_owned(), invoice: invoice.clone(), by });
        }
        if !paid.is_empty() {
            for number in 1..=5 {
                let event = ScriptedEvent::Polls { account: account.to_owned() };
                self.events.push((millis(number * 900_000 + faults.below(200_000)), event));
            }
        }
    }
}

impl SimWorld {
    pub(super) fn ledger(&self, account: &str) -> Ledger {
        let tenant = TenantId(self.tenant(account));
        Ledger { account: AccountId::new(account).expect("an id"), tenant }
    }

    /// The schedule triggers a poll.
    pub(super) fn start_poll(&mut self, account: &str) -> super::executor::Pid {
        let (engine, ledger) = (self.process(), self.ledger(account));
        let until = Invocation::with_deadline(after(self.now(), TIMEOUT));
        self.processes.start(async move {
            poll_ledgers(&engine, &[ledger], until).await;
            Done::Other
        })
    }

    /// Receives the payments whose invoice did not exist before.
    pub(super) fn bank_the_rest(&mut self) {
        for (account, invoice, amount) in std::mem::take(&mut self.unbanked) {
            self.bank(&account, &invoice, &amount);
        }
    }

    /// A bookkeeper records a payment in Xero, as soon as the invoice exists.
    pub(super) fn bank(&mut self, account: &str, invoice: &str, amount: &str) {
        let (tenant, now) = (self.tenant(account), self.now());
        let number = format!("{account}-{invoice}");
        let mut simulator = locked(&self.simulator);
        let found = simulator.books(tenant).and_then(|books| {
            let live = books.invoices_numbered(&number).find(|one| !one.status.is_gone())?;
            Some(live.id)
        });
        let amount_paid: Decimal = amount.parse().expect("an amount");
        let paid = found.and_then(|id| {
            let receipt = Receipt::on(date(2026, 11, 3));
            simulator.bookkeeper(now, tenant)?.pay(id, amount_paid, &receipt).ok()
        });
        drop(simulator);
        if paid.is_none() {
            self.unbanked.push((account.to_owned(), invoice.to_owned(), amount.to_owned()));
        }
    }

    /// Late payments are detected, too.
    pub(super) fn poll_to_the_end(&mut self) {
        for account in self.script.accounts.clone() {
            for _ in 0..2 {
                self.start(ScriptedEvent::Polls { account: account.clone() });
                self.go_on(None);
            }
        }
        self.rest();
    }

    /// Each payment counts once: in Xero, and in the events for the CRM.
    pub(super) fn money(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let imported = self.imported();
        let mut stripe: BTreeMap<String, Decimal> = BTreeMap::new();
        for paid in &self.script.paid {
            let tenant = self.tenant(&paid.account);
            let payments = self.payments(tenant, &format!("{}-{}", paid.account, paid.invoice));
            let (in_xero, reported) = match paid.by {
                PaidBy::Stripe | PaidBy::Cash => (1, 0),
                PaidBy::Bank => (2, 2),
            };
            let name = format!("{} of {}", paid.invoice, paid.account);
            if payments.len() != in_xero {
                wrong.push(format!("{name} has {} payments, not {in_xero}", payments.len()));
            }
            let known = payments.iter().filter(|id| imported.contains(id)).count();
            if known != reported {
                wrong.push(format!("{name}: {known} payments were imported, not {reported}"));
            }
            if paid.by == PaidBy::Stripe {
                let left = ["114.00", SURCHARGE, "-3.20"];
                let left = left.iter().map(|text| text.parse::<Decimal>().expect("an amount"));
                *stripe.entry(paid.account.clone()).or_default() += left.sum::<Decimal>();
            }
        }
        for account in &self.script.accounts {
            let simulator = self.simulator();
            let books = simulator.books(self.tenant(account)).expect("the organisation has books");
            let balance = books.balance_of("092").unwrap_or_default();
            let expected = stripe.get(account).copied().unwrap_or_default();
            if balance != expected {
                wrong.push(format!("{account}: {balance} in the Stripe account, not {expected}"));
            }
        }
        wrong
    }

    /// The payments of an invoice that are in effect.
    fn payments(&self, tenant: Uuid, number: &str) -> Vec<Uuid> {
        let simulator = self.simulator();
        let Some(books) = simulator.books(tenant) else { return Vec::new() };
        let invoices = books.invoices_numbered(number).map(|one| one.id).collect::<BTreeSet<_>>();
        let standing = books.payments().filter(|one| {
            one.status == PaymentStatus::Authorised
                && one.invoice().is_some_and(|id| invoices.contains(&id))
        });
        standing.map(|one| one.id).collect()
    }

    /// Payments that the CRM stores because of events, each event counted once.
    fn imported(&self) -> BTreeSet<Uuid> {
        let mut contents = BTreeMap::new();
        for event in locked(&self.events.deliveries).iter() {
            contents.insert(event.event_id, event.content.clone());
        }
        let mut counts: BTreeMap<Uuid, i32> = BTreeMap::new();
        for content in contents.into_values() {
            match content {
                EventContent::PaymentImported(one) => {
                    *counts.entry(one.xero_payment_id.0).or_default() += 1;
                }
                EventContent::PaymentRemoved { payment, .. } => {
                    *counts.entry(payment.xero_payment_id.0).or_default() -= 1;
                }
                EventContent::Skipped { .. }
                | EventContent::PaymentUnclear { .. }
                | EventContent::RefundRemoved(_)
                | EventContent::PaymentOverpaid(_)
                | EventContent::RecordSynced(_)
                | EventContent::MessageRefused { .. }
                | EventContent::CreditNoteStatus { .. }
                | EventContent::BooksCompared { .. }
                | EventContent::PaymentStatus { .. }
                | EventContent::XeroStatus { .. }
                | EventContent::Connection { .. } => {}
            }
        }
        // A duplicate is as wrong as a missing payment: it is left out, so that the count differs.
        counts.into_iter().filter(|(_, count)| *count == 1).map(|(id, _)| id).collect()
    }
}
