//! The faults of a step, and how they are chosen.

use std::collections::BTreeMap;

use jiff::SignedDuration;

/// The port of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    /// Reading the table.
    Read,
    /// Writing the table.
    Write,
    /// Querying an index.
    Index,
    /// Accessing a secret.
    Secret,
    /// Scheduling a wake-up.
    Schedule,
    /// Enqueuing a wake-up.
    WakeUp,
    /// Sending events to the CRM.
    Event,
    /// A call of Xero's Accounting API, or of its identity host.
    Xero,
}

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// An error; the step had no effect.
    FailBefore,
    /// An error, although the step took effect.
    FailAfter,
    /// The step takes much longer than usual.
    Late,
    /// The call is throttled.
    Throttled,
    /// A conflict is reported: another process has changed the row.
    Conflict,
    /// The process dies before the step takes effect.
    DieBefore,
    /// The process dies after the step took effect.
    DieAfter,
    /// The process is suspended before the step takes effect, for longer than any lease.
    FreezeBefore,
    /// The process is suspended after the step took effect, for longer than any lease.
    FreezeAfter,
    /// The step succeeds but never takes effect.
    Lost,
    /// The step takes effect twice.
    Twice,
    /// An error for a part of what the step does; the rest takes effect.
    Partly,
    /// An internal error of Xero, without effect.
    Faulty,
    /// An internal error of Xero, although the call took effect.
    FaultyAfter,
    /// The answer is truncated.
    Cut,
    /// The request arrives after the timeout.
    Straggler,
    /// An index that lags behind the table.
    Lagging,
}

impl Port {
    /// Every port.
    pub const ALL: [Self; 8] =
        domain::every_variant![Read, Write, Index, Secret, Schedule, WakeUp, Event, Xero];

    /// The possible faults of a step of this port.
    pub const fn faults(self) -> &'static [Fault] {
        use Fault::{
            Conflict, Cut, DieAfter, DieBefore, FailAfter, FailBefore, Faulty, FaultyAfter,
            FreezeAfter, FreezeBefore, Lagging, Late, Lost, Partly, Straggler, Throttled, Twice,
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
            // A queue does not lose an accepted message; a schedule may be lost.
            Self::Schedule => &[FailBefore, FailAfter, Late, DieBefore, DieAfter, Lost, Twice],
            Self::WakeUp => &[FailBefore, FailAfter, Late, DieBefore, DieAfter, Twice],
            Self::Event => &[FailBefore, FailAfter, Late, DieBefore, DieAfter, Twice, Partly],
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

    /// Factor by which a step fails more often than others: otherwise rare steps would hardly ever
    /// fail.
    const fn weight(self) -> u32 {
        match self {
            Self::Read | Self::Index => 1,
            Self::Write => 2,
            Self::Secret | Self::Schedule | Self::Xero => 8,
            Self::WakeUp => 16,
            Self::Event => 40,
        }
    }

    /// The usual duration of a step in milliseconds: the minimum, and the range above it.
    const fn usual(self) -> (u64, u64) {
        match self {
            Self::Read | Self::Write | Self::Index => (2, 8),
            Self::Secret | Self::Schedule | Self::WakeUp | Self::Event => (5, 30),
            Self::Xero => (80, 700),
        }
    }
}

/// The course of one step.
#[derive(Debug, Clone, Copy)]
pub struct StepCourse {
    /// The fault, if any.
    pub fault: Option<Fault>,
    /// The time until it takes effect.
    pub before: SignedDuration,
    /// The time from then until its answer.
    pub after: SignedDuration,
}

/// How faults are chosen.
#[derive(Debug)]
enum Plan {
    /// Every step may fail, with this chance in 10,000.
    Random { in_ten_thousand: u32 },
    /// One step fails in one way.
    Once { step: u64, fault: usize },
    /// No step fails.
    NoFaults,
}

/// The faults of the steps of a run.
#[derive(Debug)]
pub struct Faults {
    rng: fastrand::Rng,
    plan: Plan,
    /// Steps so far.
    pub steps: u64,
    /// Faults so far, by kind.
    pub injected: BTreeMap<(Port, Fault), u64>,
    /// Writes of a secret so far that later reads did not return.
    pub lagging_secrets: u64,
}

impl Faults {
    /// Faults that the seed determines, at each step with this probability in ten thousandths,
    /// multiplied by the weight of the step's port.
    pub fn random(seed: u64, in_ten_thousand: u32) -> Self {
        Self::new(seed, Plan::Random { in_ten_thousand })
    }

    /// Only the `fault`-th of the possible faults of step number `step`.
    pub fn once(step: u64, fault: usize) -> Self {
        Self::new(step, Plan::Once { step, fault })
    }

    fn new(seed: u64, plan: Plan) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        Self { rng, plan, steps: 0, injected: BTreeMap::new(), lagging_secrets: 0 }
    }

    /// From now on no step fails.
    pub fn stop(&mut self) {
        self.plan = Plan::NoFaults;
    }

    /// Whether steps may still fail.
    pub fn is_over(&self) -> bool {
        matches!(self.plan, Plan::NoFaults)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.rng.u64(0..limit.max(1))
    }

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        self.rng.choice(all).copied()
    }

    /// Draws an event with this probability in percent.
    pub fn chance(&mut self, in_a_hundred: u64) -> bool {
        self.below(100) < in_a_hundred
    }

    /// The number of reads that return the previous value after a secret is written now.
    pub fn secret_lag(&mut self) -> u64 {
        if self.is_over() || !self.chance(20) {
            return 0;
        }
        self.lagging_secrets += 1;
        1 + self.below(6)
    }

    /// Draws the course of the next step.
    pub fn draw_course(&mut self, port: Port) -> StepCourse {
        self.steps += 1;
        let possible = port.faults();
        let fault = match self.plan {
            Plan::Random { in_ten_thousand } => (self.rng.u32(0..10_000)
                < in_ten_thousand * port.weight())
            .then(|| possible.get(self.rng.usize(0..possible.len())).copied())
            .flatten(),
            Plan::Once { step, fault } if step == self.steps => possible.get(fault).copied(),
            Plan::Once { .. } | Plan::NoFaults => None,
        };
        let (least, more) = port.usual();
        let mut course = StepCourse {
            fault,
            before: millis(least / 2 + self.below(more / 2 + 1)),
            after: millis(least / 2 + self.below(more / 2 + 1)),
        };
        match fault {
            Some(Fault::Late) => course.after = millis(1_000 + self.below(40_000)),
            Some(Fault::FreezeBefore) => course.before = millis(130_000 + self.below(900_000)),
            Some(Fault::FreezeAfter) => course.after = millis(130_000 + self.below(900_000)),
            // A request is in transit for at most a minute.
            Some(Fault::Straggler) => course.before = millis(25_000 + self.below(30_000)),
            Some(_) | None => {}
        }
        if let Some(fault) = fault {
            *self.injected.entry((port, fault)).or_default() += 1;
        }
        course
    }
}

/// A short time.
pub fn millis(count: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(count).unwrap_or(i64::MAX))
}
