//! The processes that the runner starts. Each leads its own process group, so that its descendants
//! are ended with it, and no process is left when the runner stops.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{
    Pid, Signal, WaitOptions, kill_process_group, setpriority_pgrp, test_kill_process_group,
    waitpgid,
};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use crate::failure::Failure;
use crate::wait;

/// How long a group may take to exit before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// The niceness of processes that run in the background: they get what the others leave.
const BACKGROUND_NICENESS: i32 = 10;

/// How many of a log's last lines explain a failure.
const TAIL_LINES: usize = 15;

/// The process groups that are running. Clones share the list.
#[derive(Debug, Clone, Default)]
pub struct Children {
    groups: Arc<Mutex<BTreeSet<i32>>>,
    are_in_background: bool,
}

/// A started process that leads its group.
#[derive(Debug)]
pub struct Leader {
    child: Child,
    group: i32,
}

impl Leader {
    /// Returns the exit status if the process has exited.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }
}

impl Children {
    /// Starts processes at a lower priority. They are in the same list.
    #[must_use]
    pub fn in_background(&self) -> Self {
        Self { groups: Arc::clone(&self.groups), are_in_background: true }
    }

    /// Starts the command in its own process group.
    pub fn start(&self, command: &mut Command) -> std::io::Result<Leader> {
        let child = command.process_group(0).spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or_default();
        self.list().insert(group);
        if let Some(id) = Pid::from_raw(group).filter(|_| self.are_in_background) {
            // Only the order of work depends on it.
            setpriority_pgrp(Some(id), BACKGROUND_NICENESS).ok();
        }
        Ok(Leader { child, group })
    }

    /// Runs the command until it exits.
    pub async fn run(&self, command: &mut Command) -> std::io::Result<ExitStatus> {
        let mut leader = self.start(command)?;
        let status = leader.child.wait().await;
        self.list().remove(&leader.group);
        status
    }

    /// Runs the command until it exits and passes on each line that it writes to standard error as
    /// soon as it is complete. A line ends with a line feed or, if it is redrawn, with a carriage
    /// return.
    pub async fn run_watched(
        &self,
        command: &mut Command,
        mut on_line: impl FnMut(&str),
    ) -> std::io::Result<ExitStatus> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut leader = self.start(command)?;
        let mut lines = Lines::default();
        if let Some(mut stream) = leader.child.stderr.take() {
            let mut buffer = vec![0; 8 * 1024];
            loop {
                tokio::select! {
                    biased;
                    read = stream.read(&mut buffer) => {
                        let read = read?;
                        if read == 0 {
                            break;
                        }
                        lines.push(buffer.get(..read).unwrap_or_default(), &mut on_line);
                    }
                    // A daemon that the command started may keep the stream open.
                    _ = leader.child.wait() => break,
                }
            }
        }
        lines.end(&mut on_line);
        let status = leader.child.wait().await;
        self.list().remove(&leader.group);
        status
    }

    /// Runs the command until it exits, with its output in `log`. A failure shows the log's last
    /// lines.
    pub async fn run_quietly(
        &self,
        doing: &str,
        command: &mut Command,
        log: &Path,
    ) -> Result<(), Failure> {
        let cannot = |error| Failure::new(format!("{doing} failed to start")).because(error);
        let out = std::fs::File::create(log).map_err(cannot)?;
        let errors = out.try_clone().map_err(cannot)?;
        command.stdin(Stdio::null()).stdout(out).stderr(errors);
        let status = self.run(command).await.map_err(cannot)?;
        if status.success() {
            return Ok(());
        }
        let said = tail(log);
        Err(Failure::new(format!("{doing} failed ({status}):\n{said}"))
            .remedy(format!("The full log is {}.", log.display())))
    }

    /// Runs the command until it exits and returns its standard output.
    pub async fn ask(&self, command: &mut Command) -> std::io::Result<Option<String>> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let leader = self.start(command)?;
        let group = leader.group;
        let output = leader.child.wait_with_output().await;
        self.list().remove(&group);
        let output = output?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(output.status.success().then_some(text))
    }

    /// Ends every group: sends SIGTERM, then kills those that have not exited after five seconds.
    /// Returns when all are gone.
    pub async fn end_all(&self) {
        let groups: Vec<Pid> =
            self.list().iter().filter_map(|group| Pid::from_raw(*group)).collect();
        signal(&groups, Signal::TERM);
        let gone =
            wait::until(GRACE, async || groups.iter().all(|group| !alive(*group)).then_some(()));
        if gone.await.is_none() {
            signal(&groups, Signal::KILL);
            wait::until(GRACE, async || groups.iter().all(|group| !alive(*group)).then_some(()))
                .await;
        }
        self.list().clear();
    }

    fn list(&self) -> std::sync::MutexGuard<'_, BTreeSet<i32>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects bytes into lines.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    /// Passes on the lines that these bytes complete.
    fn push(&mut self, bytes: &[u8], on_line: &mut impl FnMut(&str)) {
        for byte in bytes {
            if matches!(byte, b'\n' | b'\r') {
                self.end(on_line);
            } else {
                self.0.push(*byte);
            }
        }
    }

    /// Passes on the remaining bytes, if there are any.
    fn end(&mut self, on_line: &mut impl FnMut(&str)) {
        if !self.0.is_empty() {
            on_line(&String::from_utf8_lossy(&self.0));
            self.0.clear();
        }
    }
}

/// A `cargo` in the folder `root` without the variables that `cargo run` sets for the runner.
pub fn cargo(root: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    Command::from(launch::cargo(root, arguments))
}

/// A `cargo build` of these binaries, with the features of all other commands.
pub fn build_binaries(root: &Path, binaries: &[&str]) -> Command {
    Command::from(launch::build_binaries(root, binaries))
}

/// The last lines of a log.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    lines.iter().skip(from).map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// A group that has already exited needs no signal.
fn signal(groups: &[Pid], signal: Signal) {
    for group in groups {
        kill_process_group(*group, signal).ok();
    }
}

/// Whether the group still has a process. Reaps our exited children: until then they count as
/// running.
fn alive(group: Pid) -> bool {
    while let Ok(Some(_)) = waitpgid(group, WaitOptions::NOHANG) {}
    test_kill_process_group(group).is_ok()
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use tokio::io::{AsyncBufReadExt, BufReader};
    use tokio::process::Command;

    use super::Children;

    #[tokio::test]
    async fn ending_everything_also_ends_grandchildren() {
        let children = Children::default();
        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 600 & echo $!; wait"]).stdout(Stdio::piped());
        let mut leader = children.start(&mut shell).unwrap();
        let out = leader.child.stdout.take().unwrap();
        let grandchild: i32 =
            BufReader::new(out).lines().next_line().await.unwrap().unwrap().parse().unwrap();
        let grandchild = rustix::process::Pid::from_raw(grandchild).unwrap();
        assert!(rustix::process::getpgid(Some(grandchild)).is_ok());

        children.end_all().await;

        assert!(!super::alive(rustix::process::Pid::from_raw(leader.group).unwrap()));
    }

    #[tokio::test]
    async fn a_failing_command_shows_the_last_lines_of_its_output() {
        let log = std::env::temp_dir().join(format!("last-words-{}.log", std::process::id()));
        let failure = Children::default()
            .run_quietly(
                "Knitting",
                Command::new("sh").args(["-c", "echo no wool >&2; exit 3"]),
                &log,
            )
            .await
            .unwrap_err();
        std::fs::remove_file(&log).unwrap();
        let lines = failure.lines();
        assert!(lines[0].contains("Knitting failed (exit status: 3)"), "{lines:?}");
        assert!(lines[0].contains("no wool"), "{lines:?}");
    }

    #[tokio::test]
    async fn redrawn_lines_are_passed_on_one_by_one() {
        let mut seen = Vec::new();
        let script = "printf 'one\\rtwo\\n\\nthree' >&2; exit 4";
        let status = Children::default()
            .run_watched(Command::new("sh").args(["-c", script]), |line| {
                seen.push(line.to_owned());
            })
            .await
            .unwrap();
        assert_eq!(seen, ["one", "two", "three"]);
        assert_eq!(status.code(), Some(4));
    }

    #[tokio::test]
    async fn the_output_of_a_command_is_returned_only_if_it_succeeds() {
        let children = Children::default();
        let yes = children.ask(Command::new("sh").args(["-c", "echo 42"])).await.unwrap();
        let no = children.ask(Command::new("sh").args(["-c", "echo 42; exit 1"])).await.unwrap();
        assert_eq!((yes.as_deref(), no), (Some("42\n"), None));
    }
}
