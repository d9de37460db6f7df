//! The events of a run apart from faults: messages of the CRM and actions of users, with their
//! times.

use std::collections::BTreeMap;

use domain::entity::EntityKind;
use jiff::SignedDuration;
use secrecy::SecretString;

use super::credit::Applied;
use super::faults::{Faults, millis};
use super::money::Paid;
use crate::builders::{a_client_of, an_invoice};

/// An event of a run.
#[derive(Debug, Clone)]
pub enum ScriptedEvent {
    /// The CRM sends a message.
    Sends {
        /// The queue.
        kind: EntityKind,
        /// The account.
        account: String,
        /// Its content.
        body: String,
    },
    /// A user syncs one record.
    SyncsOne {
        /// The account.
        account: String,
        /// The kind of record.
        kind: EntityKind,
        /// The id of the record.
        id: String,
    },
    /// A user presses Sync All.
    SyncsAll {
        /// The account.
        account: String,
    },
    /// A user disconnects an account.
    Disconnects {
        /// The account.
        account: String,
    },
    /// A user reconnects an account.
    Connects {
        /// The account.
        account: String,
    },
    /// The browser of a user who has given consent presents the ticket.
    Completes {
        /// The account.
        account: String,
        /// The ticket.
        ticket: SecretString,
        /// How often it may be presented again if there is no answer.
        tries: u32,
    },
    /// A user chooses one of the organisations that a consent offers.
    Chooses {
        /// The account.
        account: String,
        /// How often the choice may be sent again if there is no answer.
        tries: u32,
    },
    /// The subscription of an account's organisation ends, or begins again.
    Closes {
        /// The account.
        account: String,
        /// Whether it ends.
        is_closed: bool,
    },
    /// A bookkeeper records a payment of an invoice in Xero.
    Banked {
        /// The account.
        account: String,
        /// Which invoice.
        invoice: String,
        /// The amount.
        amount: String,
    },
    /// The schedule triggers a poll.
    Polls {
        /// The account.
        account: String,
    },
    /// The schedule triggers a sweep.
    Sweeps,
    /// The schedule triggers another job.
    Comes(Job),
    /// The faults stop.
    FaultsStop,
}

/// A scheduled job.
#[derive(Debug, Clone, Copy)]
pub enum Job {
    /// Renews unused tokens.
    KeepAlive,
    /// Checks given-up and late records.
    HealthCheck,
    /// Removes expired rows.
    LogCleanup,
}

/// The expected state of a record at the end.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The account.
    pub account: String,
    /// The kind of record.
    pub kind: EntityKind,
    /// The id of the record.
    pub id: String,
    /// Its newest revision.
    pub revision: u64,
    /// Its total, unless it is a contact.
    pub total: Option<String>,
    /// Whether it was voided.
    pub voided: bool,
}

/// A complete story.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// The number of accounts, each with its own organisation and all with one Xero user.
    pub accounts: Vec<String>,
    /// Accounts that request the organisation of another account, paired with that account, through
    /// the same Xero user. They receive it when it is free, and lose it when an operator moves it
    /// back.
    pub rivals: BTreeMap<String, String>,
    /// The events, each with its time.
    pub events: Vec<(SignedDuration, ScriptedEvent)>,
    /// The expected end.
    pub expected: Vec<Expected>,
    /// The payments of its invoices.
    pub paid: Vec<Paid>,
    /// The credit that is applied to its invoices.
    pub applied: Vec<Applied>,
    /// Whether Xero keeps numbers unique and remembers keys.
    pub unhelpful: bool,
}

const NAMES: [&str; 2] = ["acc_one", "acc_two"];
/// The account that requests the first account's organisation.
const RIVAL: &str = "acc_rival";
/// Prices and their totals with 20 % tax, by revision.
const PRICES: [(&str, &str); 4] =
    [("95.00", "114.00"), ("100.00", "120.00"), ("10.10", "12.12"), ("55.55", "66.66")];

impl Script {
    /// This number of invoices of as many clients, all at once, and nothing else.
    pub fn plain(invoices: u64) -> Self {
        let mut script = Self { accounts: vec![NAMES[0].to_owned()], ..Self::default() };
        for number in 0..invoices {
            let (id, client) = (format!("inv_{number}"), format!("cli_{number}"));
            script.sends(millis(0), NAMES[0], &id, &client, 1, false);
            script.expect_client(NAMES[0], &client);
            script.expect_invoice(NAMES[0], &id, 1, false);
        }
        script
    }

    /// A story drawn from a seed.
    pub fn drawn(faults: &mut Faults) -> Self {
        let accounts = if faults.chance(25) { 2 } else { 1 };
        let accounts = NAMES.iter().take(accounts).map(|name| (*name).to_owned()).collect();
        let mut script = Self { accounts, unhelpful: faults.chance(40), ..Self::default() };
        for account in script.accounts.clone() {
            script.business(&account, faults);
        }
        script.people(faults);
        script.jobs();
        let stop = millis(3_600_000 + faults.below(3_600_000));
        script.events.push((stop, ScriptedEvent::FaultsStop));
        // Drawn last, so that the other parts of a seed's story do not depend on it.
        script.rival(faults);
        script.subscriptions(faults);
        script
    }

    fn business(&mut self, account: &str, faults: &mut Faults) {
        let clients = 1 + faults.below(3);
        let is_burst = faults.chance(15);
        let invoices = if is_burst { 10 + faults.below(14) } else { 1 + faults.below(6) };
        let window = if is_burst { 1 } else { 480_000 };
        let (mut paid, mut plain) = (Vec::new(), Vec::new());
        for client in 0..clients {
            self.expect_client(account, &format!("cli_{client}"));
        }
        for number in 0..invoices {
            let (id, client) = (format!("inv_{number}"), format!("cli_{}", number % clients));
            let mut at = faults.below(window);
            let mut revision = 1;
            self.sends(millis(at), account, &id, &client, revision, false);
            while revision < 4 && faults.chance(30) {
                at += faults.below(1_200_000);
                revision += 1;
                let voided = faults.chance(15);
                self.sends(millis(at), account, &id, &client, revision, voided);
                if voided {
                    self.expect_invoice(account, &id, revision, true);
                    break;
                }
            }
            if !self.expected.iter().any(|one| one.account == account && one.id == id) {
                self.expect_invoice(account, &id, revision, false);
                // Xero does not change an invoice with payments, so only invoices that never change
                // are paid.
                if revision == 1 && faults.chance(40) {
                    paid.push(id);
                } else if revision == 1 && faults.chance(50) {
                    plain.push(id);
                }
            }
        }
        self.money(account, &paid, faults);
        self.credit(account, clients, &plain, faults);
        // A client without an invoice is sent in its own message.
        for client in 0..clients {
            if client >= invoices || faults.chance(30) {
                let (id, at) = (format!("cli_{client}"), millis(faults.below(600_000)));
                let body = a_client_of(account, &id, 1);
                let account = account.to_owned();
                self.events
                    .push((at, ScriptedEvent::Sends { kind: EntityKind::Contact, account, body }));
            }
        }
        // The CRM also sends at least once.
        let repeated = self.events.clone();
        for (at, event) in repeated {
            if matches!(event, ScriptedEvent::Sends { .. }) && faults.chance(8) {
                let again = at.checked_add(millis(faults.below(900_000))).unwrap_or(at);
                self.events.push((again, event));
            }
        }
    }

    /// Scheduled jobs besides polls and sweeps: each among the other events, and the renewal of
    /// tokens just after the end of a month.
    fn jobs(&mut self) {
        let minutes = |count| SignedDuration::from_mins(count);
        self.events.extend([
            (minutes(12), ScriptedEvent::Comes(Job::LogCleanup)),
            (minutes(20), ScriptedEvent::Comes(Job::HealthCheck)),
            (minutes(41), ScriptedEvent::Comes(Job::KeepAlive)),
            (minutes(44), ScriptedEvent::Comes(Job::HealthCheck)),
        ]);
    }

    fn people(&mut self, faults: &mut Faults) {
        for account in self.accounts.clone() {
            let mut at = |most: u64| millis(faults.below(most));
            let times = [at(1_500_000), at(2_400_000), at(1_800_000), at(2_000_000)];
            if faults.chance(30) {
                let id = "inv_0".to_owned();
                let kind = EntityKind::Invoice;
                let account = account.clone();
                self.events.push((times[0], ScriptedEvent::SyncsOne { account, kind, id }));
            }
            if faults.chance(15) {
                self.events.push((times[1], ScriptedEvent::SyncsAll { account: account.clone() }));
            }
            if faults.chance(12) {
                let again = times[2].checked_add(millis(faults.below(1_200_000)));
                self.events
                    .push((times[2], ScriptedEvent::Disconnects { account: account.clone() }));
                let again = again.unwrap_or(times[2]);
                self.events.push((again, ScriptedEvent::Connects { account: account.clone() }));
            }
        }
        // Often enough for every deadline, such as the time for which Xero accepts a previous
        // token.
        for number in 1..=11 {
            self.events.push((millis(number * 600_000), ScriptedEvent::Sweeps));
        }
    }

    /// A user with the same Xero login repeatedly connects another account to the first account's
    /// organisation, and may disconnect it.
    fn rival(&mut self, faults: &mut Faults) {
        if !faults.chance(20) {
            return;
        }
        let account = || RIVAL.to_owned();
        self.rivals.insert(account(), NAMES[0].to_owned());
        for _ in 0..=faults.below(3) {
            let at = millis(faults.below(3_000_000));
            self.events.push((at, ScriptedEvent::Connects { account: account() }));
        }
        if faults.chance(40) {
            let at = millis(faults.below(3_200_000));
            self.events.push((at, ScriptedEvent::Disconnects { account: account() }));
        }
    }

    /// An organisation is closed for a while, and opened again.
    fn subscriptions(&mut self, faults: &mut Faults) {
        for account in self.accounts.clone() {
            if !faults.chance(8) {
                continue;
            }
            let (at, wait) = (faults.below(2_400_000), 300_000 + faults.below(1_200_000));
            let closes = |is_closed| ScriptedEvent::Closes { account: account.clone(), is_closed };
            self.events.push((millis(at), closes(true)));
            self.events.push((millis(at + wait), closes(false)));
        }
    }

    fn sends(
        &mut self,
        at: SignedDuration,
        account: &str,
        id: &str,
        client: &str,
        revision: u64,
        voided: bool,
    ) {
        let (price, total) = price(revision);
        let message = an_invoice(id, client).account(account).revision(revision);
        let message = message.price(price, total).number(format!("{account}-{id}"));
        let message = if voided { message.voided() } else { message };
        let (kind, account) = (EntityKind::Invoice, account.to_owned());
        self.events.push((at, ScriptedEvent::Sends { kind, account, body: message.body() }));
    }

    fn expect_client(&mut self, account: &str, id: &str) {
        self.expected.push(Expected {
            account: account.to_owned(),
            kind: EntityKind::Contact,
            id: id.to_owned(),
            revision: 1,
            total: None,
            voided: false,
        });
    }

    fn expect_invoice(&mut self, account: &str, id: &str, revision: u64, voided: bool) {
        self.expected.push(Expected {
            account: account.to_owned(),
            kind: EntityKind::Invoice,
            id: id.to_owned(),
            revision,
            total: Some(price(revision).1.to_owned()),
            voided,
        });
    }
}

/// The price of a revision and its total.
fn price(revision: u64) -> (&'static str, &'static str) {
    let index = usize::try_from(revision.saturating_sub(1)).unwrap_or(0);
    PRICES.get(index).copied().unwrap_or(PRICES[0])
}
