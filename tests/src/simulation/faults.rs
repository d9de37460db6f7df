//! What can go wrong with one step, and how it is decided that it does.

use std::collections::BTreeMap;

use jiff::SignedDuration;

/// What a step talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    /// Reading the table.
    Read,
    /// Writing the table.
    Write,
    /// Asking an index.
    Index,
    /// A secret.
    Secret,
    /// Booking a wake-up.
    Booking,
    /// Leaving a hint in the queue.
    Hint,
    /// Telling the CRM.
    Event,
    /// A call of Xero's Accounting API, or of its identity host.
    Xero,
}

/// A sort of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// An error, and nothing was done.
    FailBefore,
    /// An error, although it was done.
    FailAfter,
    /// It takes much longer than usual.
    Late,
    /// It is asked to come back later.
    Throttled,
    /// Somebody else has changed the row, it says.
    Conflict,
    /// The process dies before it is done.
    DieBefore,
    /// The process dies after it is done.
    DieAfter,
    /// The process is held up before it is done, for longer than any lease.
    FreezeBefore,
    /// The process is held up after it is done, for longer than any lease.
    FreezeAfter,
    /// It is promised and never happens.
    Lost,
    /// It happens twice.
    Twice,
    /// A fault of Xero's own, nothing done.
    Faulty,
    /// A fault of Xero's own, although it was done.
    FaultyAfter,
    /// The answer stops in the middle.
    Cut,
    /// The request is on its way for longer than we wait.
    Straggler,
    /// An index that does not know yet.
    Lagging,
}

impl Port {
    /// Every port.
    pub const ALL: [Self; 8] =
        domain::every_variant![Read, Write, Index, Secret, Booking, Hint, Event, Xero];

    /// What can befall a step of this port.
    pub const fn faults(self) -> &'static [Fault] {
        use Fault::{
            Conflict, Cut, DieAfter, DieBefore, FailAfter, FailBefore, Faulty, FaultyAfter,
            FreezeAfter, FreezeBefore, Lagging, Late, Lost, Straggler, Throttled, Twice,
        };
        match self {
            Self::Read => {
                &[FailBefore, Late, Throttled, DieBefore, DieAfter, FreezeBefore, FreezeAfter]
            }
            Self::Secret => &[
                FailBefore,
                FailAfter,
                Late,
                Throttled,
                DieBefore,
                DieAfter,
                FreezeBefore,
                FreezeAfter,
            ],
            Self::Index => &[FailBefore, Late, Throttled, DieBefore, DieAfter, Lagging],
            Self::Write => &[
                FailBefore,
                FailAfter,
                Late,
                Throttled,
                Conflict,
                DieBefore,
                DieAfter,
                FreezeBefore,
                FreezeAfter,
            ],
            // A queue does not lose what it has taken; a schedule may.
            Self::Booking => &[FailBefore, FailAfter, Late, DieBefore, DieAfter, Lost, Twice],
            Self::Hint | Self::Event => &[FailBefore, FailAfter, Late, DieBefore, DieAfter, Twice],
            Self::Xero => &[
                FailBefore,
                FailAfter,
                Late,
                Throttled,
                DieBefore,
                DieAfter,
                FreezeAfter,
                Faulty,
                FaultyAfter,
                Cut,
                Straggler,
            ],
        }
    }

    /// How much more often than others a step goes wrong: what is rare would else hardly ever do.
    const fn weight(self) -> u32 {
        match self {
            Self::Read | Self::Index => 1,
            Self::Write => 2,
            Self::Secret | Self::Booking | Self::Xero => 8,
            Self::Hint => 16,
            Self::Event => 40,
        }
    }

    /// How long a step usually takes, in milliseconds: the least, and how much more.
    const fn usual(self) -> (u64, u64) {
        match self {
            Self::Read | Self::Write | Self::Index => (2, 8),
            Self::Secret | Self::Booking | Self::Hint | Self::Event => (5, 30),
            Self::Xero => (80, 700),
        }
    }
}

/// How one step goes.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// What goes wrong, if anything.
    pub fault: Option<Fault>,
    /// How long it takes until it acts.
    pub before: SignedDuration,
    /// And from then until it answers.
    pub after: SignedDuration,
}

/// Who decides.
#[derive(Debug)]
enum Plan {
    /// Every step may fail, with this chance in 10,000.
    Random { in_ten_thousand: u32 },
    /// One step fails in one way.
    Once { step: u64, fault: usize },
    /// Nothing fails any more.
    Calm,
}

/// What befalls the steps of a run.
#[derive(Debug)]
pub struct Faults {
    rng: fastrand::Rng,
    plan: Plan,
    /// Steps so far.
    pub steps: u64,
    /// Faults so far, by sort.
    pub injected: BTreeMap<(Port, Fault), u64>,
    /// Writes of a secret so far that the reads after them did not show.
    pub lagging_secrets: u64,
}

impl Faults {
    /// Random ones.
    pub fn random(seed: u64, in_ten_thousand: u32) -> Self {
        Self::new(seed, Plan::Random { in_ten_thousand })
    }

    /// The `fault`-th of the faults that can befall step number `step`, and no other.
    pub fn once(step: u64, fault: usize) -> Self {
        Self::new(step, Plan::Once { step, fault })
    }

    fn new(seed: u64, plan: Plan) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        Self { rng, plan, steps: 0, injected: BTreeMap::new(), lagging_secrets: 0 }
    }

    /// From now on nothing fails.
    pub fn stop(&mut self) {
        self.plan = Plan::Calm;
    }

    /// Whether anything may still fail.
    pub fn is_over(&self) -> bool {
        matches!(self.plan, Plan::Calm)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.rng.u64(0..limit.max(1))
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        self.rng.choice(all).copied()
    }

    /// Whether something happens that has this chance in a hundred.
    pub fn chance(&mut self, in_a_hundred: u64) -> bool {
        self.below(100) < in_a_hundred
    }

    /// For how many reads a secret that is written now shows what was there before.
    pub fn secret_lag(&mut self) -> u64 {
        if self.is_over() || !self.chance(20) {
            return 0;
        }
        self.lagging_secrets += 1;
        1 + self.below(6)
    }

    /// How the next step goes.
    pub fn fate(&mut self, port: Port) -> Fate {
        self.steps += 1;
        let possible = port.faults();
        let fault = match self.plan {
            Plan::Random { in_ten_thousand } => (self.rng.u32(0..10_000)
                < in_ten_thousand * port.weight())
            .then(|| possible.get(self.rng.usize(0..possible.len())).copied())
            .flatten(),
            Plan::Once { step, fault } if step == self.steps => possible.get(fault).copied(),
            Plan::Once { .. } | Plan::Calm => None,
        };
        let (least, more) = port.usual();
        let mut fate = Fate {
            fault,
            before: millis(least / 2 + self.below(more / 2 + 1)),
            after: millis(least / 2 + self.below(more / 2 + 1)),
        };
        match fault {
            Some(Fault::Late) => fate.after = millis(1_000 + self.below(40_000)),
            Some(Fault::FreezeBefore) => fate.before = millis(130_000 + self.below(900_000)),
            Some(Fault::FreezeAfter) => fate.after = millis(130_000 + self.below(900_000)),
            // A request is on its way for a minute at most.
            Some(Fault::Straggler) => fate.before = millis(25_000 + self.below(30_000)),
            Some(_) | None => {}
        }
        if let Some(fault) = fault {
            *self.injected.entry((port, fault)).or_default() += 1;
        }
        fate
    }
}

/// A short time.
pub fn millis(count: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(count).unwrap_or(i64::MAX))
}
