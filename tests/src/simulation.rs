//! Runs the engine with injected faults: many processes, a Xero, a table, queues, wake-ups and
//! secrets, in virtual time, with every possible fault at every step. Accounts share a Xero user,
//! one may want the organisation of another, and subscriptions end. Then the faults stop, all work
//! must finish, and the books must be correct.
//!
//! The seed determines a run. Reading order: [`run`], [`script`] (the events), [`faults`] (the
//! faults), [`ports`] and [`queue`] (where they occur), [`executor`] (when), [`questions`]
//! (undocumented behaviour of Xero), [`checker`] (the invariants), [`mutation`] (the protocol
//! without one of its parts).

pub mod checker;
mod connection_checks;
pub mod credit;
pub mod executor;
pub mod faults;
mod final_look;
pub mod many;
pub mod money;
pub mod mutation;
mod occurrences;
mod past_states;
pub mod ports;
pub mod questions;
pub mod queue;
pub mod script;
pub mod trace;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use engine::connection::token::TokenPlace;
use jiff::SignedDuration;

pub use faults::{Fault, Faults, Port};
pub use mutation::Mutation;
pub use questions::Answers;
use script::Script;
use world::SimWorld;

use crate::access::{Access, Function};

/// Maximum time until all work is finished after the faults stop: the ladder, with its jitter and
/// the bundling of wake-ups.
const HORIZON: SignedDuration = SignedDuration::from_hours(26);

/// The parameters of a run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The seed, which determines all choices.
    pub seed: u64,
    /// Whether to record every step.
    pub traced: bool,
    /// The part that is removed from the protocol.
    pub mutation: Option<Mutation>,
    /// How the open questions about Xero are answered.
    pub answers: Answers,
    /// Where tokens are moved: processes of the former release write to the other place until the
    /// faults stop. `None` if all tokens are in Secrets Manager.
    pub moves_tokens_to: Option<TokenPlace>,
}

impl Options {
    /// A run of this seed, which also draws how the open questions about Xero are answered.
    pub const fn seed(seed: u64) -> Self {
        let answers = Answers::Drawn;
        Self { seed, traced: false, mutation: None, answers, moves_tokens_to: None }
    }

    /// A run of this seed with a Xero as its documents show it.
    pub const fn documented(seed: u64) -> Self {
        Self { answers: Answers::DOCUMENTED, ..Self::seed(seed) }
    }
}

/// The result of a run.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The violations; empty if the run succeeded.
    pub violations: Vec<String>,
    /// IO steps.
    pub steps: u64,
    /// Faults by port and kind.
    pub injected: BTreeMap<(Port, Fault), u64>,
    /// Writes of a secret that later reads did not return.
    pub lagging_secrets: u64,
    /// Calls of Xero.
    pub calls: u64,
    /// Records that were given up and then synced at a user's request.
    pub given_up: u64,
    /// Connections that a user had to renew.
    pub expired: u64,
    /// The AWS accesses of the functions.
    pub used: BTreeSet<(Function, Access)>,
    /// Every step, if steps were recorded.
    pub trace: Vec<String>,
}

/// Runs a seed, which also determines the frequency of faults.
pub fn run(options: Options) -> Outcome {
    let mut draw = Faults::random(options.seed ^ 0x5eed, 0);
    let script = Script::drawn(&mut draw);
    let rates = [0, 20, 60, 150];
    let rate = draw.one_of(&rates).unwrap_or_default();
    SimWorld::new(script, Faults::random(options.seed, rate), options).run_to_end()
}

/// A small story that runs completely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Small {
    /// This number of invoices of as many clients, at once.
    Invoices(u64),
    /// An invoice, a credit note, and credit applied.
    Credit,
    /// An invoice, a credit note, and credit applied and removed.
    TakenBack,
}

impl Small {
    fn script(self) -> Script {
        match self {
            Self::Invoices(invoices) => Script::plain(invoices),
            Self::Credit => Script::credited(),
            Self::TakenBack => Script::taken_back(),
        }
    }
}

/// Runs a small story in which one step fails in one way. `None` if the run has fewer steps, or the
/// step has fewer possible faults.
pub fn run_once(small: Small, step: u64, fault: usize, traced: bool) -> Option<Outcome> {
    let options = Options { traced, ..Options::documented(step) };
    let faults = Faults::once(step, fault);
    let outcome = SimWorld::new(small.script(), faults, options).run_to_end();
    (!outcome.injected.is_empty()).then_some(outcome)
}

/// Lets this number of processes find an expired token at the same time. Returns the number of
/// refreshes at Xero, and of different tokens that they received.
pub fn meet_an_expired_token(processes: u32) -> (usize, usize) {
    let no_faults = Faults::once(0, 0);
    SimWorld::new(Script::plain(0), no_faults, Options::documented(0))
        .meet_an_expired_token(processes)
}

/// The number of steps of a small story without faults.
pub fn steps_of(small: Small) -> u64 {
    let no_faults = Faults::once(0, 0);
    SimWorld::new(small.script(), no_faults, Options::documented(0)).run_to_end().steps
}
