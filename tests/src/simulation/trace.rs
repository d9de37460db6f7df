//! The trace of a run, for replaying it.

use jiff::Timestamp;

use super::executor::Pid;
use super::faults::Fault;

/// The lines of a run, if they are recorded.
#[derive(Debug, Default)]
pub struct Trace {
    wanted: bool,
    lines: Vec<String>,
}

impl Trace {
    /// Creates a trace that records lines.
    pub fn wanted() -> Self {
        Self { wanted: true, lines: Vec::new() }
    }

    /// A step of a process.
    pub fn step(
        &mut self,
        now: Timestamp,
        who: Option<Pid>,
        step: u64,
        fault: Option<Fault>,
        what: impl FnOnce() -> String,
    ) {
        if !self.wanted {
            return;
        }
        let who = who.map_or_else(|| "--".to_owned(), |pid| format!("p{}", pid.0));
        let fault = fault.map(|fault| format!("   <== {fault:?}")).unwrap_or_default();
        self.lines.push(format!("{} {who:>4} {step:>5}  {}{fault}", clock(now), what()));
    }

    /// An event in the world.
    pub fn event(&mut self, now: Timestamp, what: impl FnOnce() -> String) {
        if self.wanted {
            self.lines.push(format!("{}   **        {}", clock(now), what()));
        }
    }

    /// The lines so far.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

fn clock(now: Timestamp) -> String {
    now.strftime("%d %H:%M:%S%.3f").to_string()
}
