//! The engine among failures: many processes, a Xero, a table, queues, wake-ups and secrets, in virtual
//! time, and everything that can go wrong with any step. Accounts share a Xero user, one may want the organisation
//! of another, and subscriptions end. Then nothing goes wrong any more, and everything must come to rest with the
//! books right.
//!
//! A run is decided by its seed. Reading order: [`run`], [`scene`] (what happens), [`faults`] (what goes
//! wrong), [`ports`] and [`queue`] (where), [`executor`] (when), [`questions`] (how Xero behaves where nobody
//! knows), [`checker`] (what must never happen), [`mutation`] (the protocol with a part missing).

pub mod checker;
pub mod credit;
pub mod executor;
pub mod faults;
mod final_look;
pub mod many;
pub mod money;
pub mod mutation;
mod play;
pub mod ports;
pub mod questions;
pub mod queue;
pub mod scene;
pub mod trace;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

pub use faults::{Fault, Faults, Port};
pub use mutation::Mutation;
pub use questions::Answers;
use scene::Script;
use world::SimWorld;

use crate::access::{Access, Function};

/// After the faults stop, everything must have settled within this: the ladder, with what its jitter and
/// the bundling of wake-ups add to it.
const HORIZON: SignedDuration = SignedDuration::from_hours(26);

/// What a run is.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Decides everything.
    pub seed: u64,
    /// Whether to tell every step.
    pub traced: bool,
    /// What is taken out of the protocol.
    pub mutation: Option<Mutation>,
    /// How the open questions about Xero are answered.
    pub answers: Answers,
}

impl Options {
    /// A run of this seed, which also draws how the open questions about Xero are answered.
    pub const fn seed(seed: u64) -> Self {
        Self { seed, traced: false, mutation: None, answers: Answers::Drawn }
    }

    /// A run of this seed with a Xero as its documents show it.
    pub const fn documented(seed: u64) -> Self {
        Self { answers: Answers::DOCUMENTED, ..Self::seed(seed) }
    }
}

/// What became of a run.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What must not have happened. Empty is good.
    pub violations: Vec<String>,
    /// IO steps.
    pub steps: u64,
    /// Faults by port and sort.
    pub injected: BTreeMap<(Port, Fault), u64>,
    /// Writes of a secret that the reads after them did not show.
    pub lagging_secrets: u64,
    /// Calls of Xero.
    pub calls: u64,
    /// Records that were given up and then synced when a person asked.
    pub given_up: u64,
    /// Connections that a person had to renew.
    pub expired: u64,
    /// What of AWS the functions used.
    pub used: BTreeSet<(Function, Access)>,
    /// Every step, if it was to be told.
    pub trace: Vec<String>,
}

/// Plays a seed: how much goes wrong is drawn from it, too.
pub fn run(options: Options) -> Outcome {
    let mut draw = Faults::random(options.seed ^ 0x5eed, 0);
    let script = Script::drawn(&mut draw);
    let rates = [0, 20, 60, 150];
    let rate = draw.one_of(&rates).unwrap_or_default();
    SimWorld::new(script, Faults::random(options.seed, rate), options).play()
}

/// A small story, all of which is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Small {
    /// So many invoices of as many clients, at once.
    Invoices(u64),
    /// An invoice, a credit note, and credit applied.
    Credit,
    /// An invoice, a credit note, and credit applied and taken back.
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

/// Plays a small story in which one step fails in one way. `None` when nothing could: the
/// run has fewer steps, or the step knows fewer faults.
pub fn run_once(small: Small, step: u64, fault: usize, traced: bool) -> Option<Outcome> {
    let options = Options { traced, ..Options::documented(step) };
    let faults = Faults::once(step, fault);
    let outcome = SimWorld::new(small.script(), faults, options).play();
    (!outcome.injected.is_empty()).then_some(outcome)
}

/// So many processes meet an expired token at the same moment: how many refreshes Xero saw, and how many
/// different tokens they got.
pub fn meet_an_expired_token(processes: u32) -> (usize, usize) {
    let calm = Faults::once(0, 0);
    SimWorld::new(Script::plain(0), calm, Options::documented(0)).meet_an_expired_token(processes)
}

/// How many steps a small story takes when nothing goes wrong.
pub fn steps_of(small: Small) -> u64 {
    let calm = Faults::once(0, 0);
    SimWorld::new(small.script(), calm, Options::documented(0)).play().steps
}
