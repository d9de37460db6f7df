//! The machine and the sources of a run, for the report.

use std::fmt;

use jiff::Timestamp;
use local::clock;
use local::workplace::Workplace;
use tokio::process::Command;

use crate::numbers::thousands;

/// Where a report was made, when, and of what.
#[derive(Debug, Clone)]
pub struct Machine {
    date: Timestamp,
    commit: String,
    is_changed: bool,
    processor: String,
    processors: usize,
    memory_mib: usize,
    system: String,
    compiler: String,
}

impl Machine {
    /// Describes this machine and the sources in the project's folder. Whatever is not known is
    /// `unknown`.
    pub async fn describe(workplace: &Workplace) -> Self {
        let commit = ask(workplace, "git", &["rev-parse", "--short=12", "HEAD"]).await;
        let changes = ask(workplace, "git", &["status", "--porcelain"]).await;
        let system = ask(workplace, "uname", &["-s", "-r", "-m"]).await;
        let compiler = ask(workplace, "rustc", &["--version"]).await;
        let unknown = || "unknown".to_owned();
        let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Self {
            date: clock::now(),
            commit: commit.unwrap_or_else(unknown),
            is_changed: changes.is_some_and(|changes| !changes.is_empty()),
            processor: find_processor(&cpus).unwrap_or_else(unknown),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mib: find_memory_mib(&memory).unwrap_or_default(),
            system: system.unwrap_or_else(unknown),
            compiler: compiler.unwrap_or_else(unknown),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed = if self.is_changed { ", with uncommitted changes" } else { "" };
        writeln!(f, "- Date: {}", self.date.strftime("%Y-%m-%d %H:%M UTC"))?;
        writeln!(f, "- Commit: `{}`{changed}", self.commit)?;
        let memory = thousands(self.memory_mib);
        writeln!(f, "- Machine: {} × {}, {memory} MiB", self.processors, self.processor)?;
        writeln!(f, "- System: {}", self.system)?;
        write!(f, "- Compiler: {}", self.compiler)
    }
}

async fn ask(workplace: &Workplace, program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workplace.project.root());
    let said = workplace.children.ask(&mut command).await.ok()??;
    Some(said.trim().to_owned())
}

/// The model in the text of `/proc/cpuinfo`.
fn find_processor(cpus: &str) -> Option<String> {
    let line = cpus.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The total memory in the text of `/proc/meminfo`, which is in KiB there.
fn find_memory_mib(memory: &str) -> Option<usize> {
    let line = memory.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kib = line.split_whitespace().nth(1)?.parse::<usize>().ok()?;
    Some(kib / 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_and_memory_are_found_in_the_kernels_texts() {
        let cpus = "processor\t: 0\nmodel name\t: AMD EPYC\nmodel name\t: AMD EPYC\n";
        assert_eq!(find_processor(cpus).as_deref(), Some("AMD EPYC"));
        assert_eq!(find_memory_mib("MemTotal:       2097152 kB\nMemFree: 1 kB\n"), Some(2_048));
        assert_eq!((find_processor(""), find_memory_mib("")), (None, None));
    }
}
