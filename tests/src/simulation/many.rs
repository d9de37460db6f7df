//! Runs many seeds on every processor, and sums up the results.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::{Answers, Fault, Mutation, Options, Outcome, Port, run};
use crate::access::{Access, Function};

/// How many failed seeds a summary lists.
const LISTED_MAX: usize = 10;

/// The summary of many runs.
#[derive(Debug, Clone, Default)]
pub struct RunSummary {
    /// Runs.
    pub runs: u64,
    /// IO steps of all runs.
    pub steps: u64,
    /// Calls of Xero of all runs.
    pub calls: u64,
    /// Faults by port and kind.
    pub injected: BTreeMap<(Port, Fault), u64>,
    /// Writes of a secret that later reads did not return.
    pub lagging_secrets: u64,
    /// Records that were given up, and synced at a user's request.
    pub given_up: u64,
    /// Connections that a user had to renew.
    pub expired: u64,
    /// The AWS accesses of the functions.
    pub used: BTreeSet<(Function, Access)>,
    /// Failed seeds, with their violations.
    pub failed: BTreeMap<u64, Vec<String>>,
}

impl RunSummary {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.runs += 1;
        self.steps += outcome.steps;
        self.calls += outcome.calls;
        self.lagging_secrets += outcome.lagging_secrets;
        self.given_up += outcome.given_up;
        self.expired += outcome.expired;
        self.used.extend(outcome.used);
        for (fault, count) in outcome.injected {
            *self.injected.entry(fault).or_default() += count;
        }
        if !outcome.violations.is_empty() {
            self.failed.insert(seed, outcome.violations);
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.runs += other.runs;
        self.steps += other.steps;
        self.calls += other.calls;
        self.lagging_secrets += other.lagging_secrets;
        self.given_up += other.given_up;
        self.expired += other.expired;
        for (fault, count) in other.injected {
            *self.injected.entry(fault).or_default() += count;
        }
        self.used.extend(other.used);
        self.failed.extend(other.failed);
        self
    }
}

/// Formats the summary in several lines.
impl std::fmt::Display for RunSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let runs = self.runs.max(1);
        writeln!(
            f,
            "{} runs, {} steps each, {} calls of Xero each",
            self.runs,
            self.steps / runs,
            self.calls / runs
        )?;
        let faults: u64 = self.injected.values().sum();
        writeln!(f, "{faults} faults:")?;
        for ((port, fault), count) in &self.injected {
            writeln!(f, "  {count:>9}  {fault:?} at {port:?}")?;
        }
        writeln!(f, "{} writes of a secret that reads did not return", self.lagging_secrets)?;
        writeln!(
            f,
            "{} records given up after six failures, all synced on request",
            self.given_up
        )?;
        writeln!(
            f,
            "{} connections expired, each reported once and renewed by a user",
            self.expired
        )?;
        writeln!(f, "{} runs failed", self.failed.len())?;
        for (seed, violations) in self.failed.iter().take(LISTED_MAX) {
            writeln!(f, "  seed {seed}: {}", violations.first().map_or("", String::as_str))?;
            writeln!(f, "    with {}", Answers::Drawn.describe(*seed))?;
        }
        let unlisted = self.failed.len().saturating_sub(LISTED_MAX);
        if unlisted > 0 {
            writeln!(f, "  and {unlisted} more")?;
        }
        if let Some(seed) = self.failed.keys().next() {
            writeln!(f, "To repeat one, step by step: cargo simulate --seed {seed}")?;
        }
        Ok(())
    }
}

/// Runs seeds until all have run, or one has failed and `stops` returns true.
pub fn run_seeds(seeds: Range<u64>, mutation: Option<Mutation>, stops: bool) -> RunSummary {
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let (next, end) = (AtomicU64::new(seeds.start), seeds.end);
    let stopped = AtomicU64::new(0);
    let work = || {
        let mut summary = RunSummary::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end || (stops && stopped.load(Ordering::Relaxed) > 0) {
                return summary;
            }
            summary.add(seed, run(Options { mutation, ..Options::seed(seed) }));
            if !summary.failed.is_empty() {
                stopped.store(1, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        let handles = (0..workers).map(|_| scope.spawn(work)).collect::<Vec<_>>();
        let summaries = handles.into_iter().map(|handle| handle.join().expect("a run panicked"));
        summaries.fold(RunSummary::default(), RunSummary::merge)
    })
}

#[cfg(test)]
mod tests {
    use super::{LISTED_MAX, RunSummary};

    fn failed(seeds: u64) -> String {
        let failed = (7..7 + seeds).map(|seed| (seed, vec!["a record is missing".to_owned()]));
        RunSummary { runs: 100, failed: failed.collect(), ..RunSummary::default() }.to_string()
    }

    #[test]
    fn a_summary_says_how_to_repeat_a_failed_seed_and_how_many_it_does_not_list() {
        assert!(!failed(0).contains("cargo simulate"));
        let listed = u64::try_from(LISTED_MAX).unwrap();
        let all = failed(listed);
        assert!(all.contains("seed 16: a record is missing") && !all.contains("\n  and "), "{all}");
        assert!(all.ends_with("cargo simulate --seed 7\n"), "{all}");
        assert!(failed(listed + 3).contains("\n  and 3 more\n"));
    }
}
