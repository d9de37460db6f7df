//! A function as a process behind the Runtime API, and what its invocations use.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bytes::Bytes;
use local::clock;
use local::failure::Failure;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::runtime_api::RuntimeApi;
use crate::usage::{ProcessUsage, read_usage};

/// No step of a measurement takes longer, not even under callgrind.
const STEP_WITHIN: Duration = Duration::from_mins(5);

/// What one step used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepUsage {
    /// Wall time, in microseconds.
    pub wall_microseconds: usize,
    /// User and system time, in microseconds.
    pub cpu_microseconds: usize,
    /// The peak of resident memory since the process began, in KiB.
    pub peak_kib: usize,
}

/// How to start a function.
#[derive(Debug, Clone)]
pub struct FunctionCommand {
    /// The program and its arguments, such as the binary of the function.
    pub words: Vec<PathBuf>,
    /// Its whole environment, apart from what Lambda sets.
    pub environment: Vec<(String, String)>,
    /// Where its output goes.
    pub log: PathBuf,
}

impl FunctionCommand {
    fn build(&self, runtime_api: &str) -> Result<Command, Failure> {
        let cannot = |error| Failure::new("Cannot write a function's log").because(error);
        let mut words = self.words.iter();
        let program = words.next().ok_or_else(|| Failure::new("There is no program to start"))?;
        let output = std::fs::File::create(&self.log).map_err(cannot)?;
        let errors = output.try_clone().map_err(cannot)?;
        let mut command = Command::new(program);
        command.args(words).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
            .env("AWS_LAMBDA_FUNCTION_NAME", "benchmark")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .env("AWS_LAMBDA_LOG_LEVEL", "INFO")
            .env("AWS_REGION", "eu-west-2")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
        command.stdin(Stdio::null()).stdout(output).stderr(errors).kill_on_drop(true);
        Ok(command)
    }
}

/// A running function. Dropping it kills the process.
#[derive(Debug)]
pub struct FunctionProcess {
    child: Child,
    process: u32,
    api: RuntimeApi,
    before: ProcessUsage,
    log: PathBuf,
}

impl FunctionProcess {
    /// Starts a function. Returns it when it asks for its first event, with what that used.
    pub async fn start(command: &FunctionCommand) -> Result<(Self, StepUsage), Failure> {
        let api = RuntimeApi::start().await?;
        let mut built = command.build(api.address())?;
        let begun = clock::now();
        let child = built.spawn();
        let child = child.map_err(|error| {
            let shown = command.words.first().map(|word| word.display().to_string());
            Failure::new(format!("Cannot start {}", shown.unwrap_or_default())).because(error)
        })?;
        let process = child.id().ok_or_else(|| Failure::new("The function has ended"))?;
        let before = ProcessUsage::default();
        let log = command.log.clone();
        let mut started = Self { child, process, api, before, log };
        let ready = tokio::select! {
            ready = started.api.wait_until_ready() => ready,
            status = started.child.wait() => Err(ended(status)),
            () = too_long() => Err(Failure::new("The function does not start")),
        };
        ready.map_err(|failure| started.explain(failure))?;
        let usage = started.usage_since(begun)?;
        Ok((started, usage))
    }

    /// Hands an event to the function. Returns its answer, and what the invocation used until the
    /// function was ready for the next one.
    pub async fn invoke(&mut self, event: &str) -> Result<(Bytes, StepUsage), Failure> {
        let begun = clock::now();
        let event = Bytes::copy_from_slice(event.as_bytes());
        let answer = tokio::select! {
            answer = self.api.invoke(event) => answer,
            status = self.child.wait() => Err(ended(status)),
            () = too_long() => Err(Failure::new("The invocation does not end")),
        };
        let answer = answer.map_err(|failure| self.explain(failure))?;
        Ok((answer, self.usage_since(begun)?))
    }

    /// Asks the process to end, and waits for it.
    pub async fn stop(mut self) -> Result<(), Failure> {
        let process = i32::try_from(self.process).ok().and_then(Pid::from_raw);
        if let Some(process) = process {
            kill_process(process, Signal::TERM).ok();
        }
        tokio::select! {
            _ = self.child.wait() => Ok(()),
            () = too_long() => Err(Failure::new("The function does not end")),
        }
    }

    fn usage_since(&mut self, begun: jiff::Timestamp) -> Result<StepUsage, Failure> {
        let wall = clock::now().duration_since(begun).as_micros();
        let usage = read_usage(self.process)?;
        let cpu = usage.cpu_microseconds.saturating_sub(self.before.cpu_microseconds);
        self.before = usage;
        Ok(StepUsage {
            wall_microseconds: usize::try_from(wall).unwrap_or_default(),
            cpu_microseconds: cpu,
            peak_kib: usage.peak_kib,
        })
    }

    fn explain(&self, failure: Failure) -> Failure {
        failure.remedy(format!("Its output is in {}.", shown(&self.log)))
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn ended(status: std::io::Result<ExitStatus>) -> Failure {
    match status {
        Ok(status) => Failure::new(format!("The function has ended ({status})")),
        Err(error) => Failure::new("The function has ended").because(error),
    }
}

/// Returns after the longest time of a step.
async fn too_long() {
    let never = std::future::pending::<()>();
    tokio::time::timeout(STEP_WITHIN, never).await.ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> FunctionCommand {
        let name = format!("bench-{}-{}.log", std::process::id(), words.len());
        FunctionCommand {
            words: words.iter().map(PathBuf::from).collect(),
            environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            log: std::env::temp_dir().join(name),
        }
    }

    #[tokio::test]
    async fn a_function_that_ends_at_once_is_reported_with_its_log() {
        let command = command(&["sh", "-c", "exit 3"]);
        let lines = FunctionProcess::start(&command).await.unwrap_err().lines();
        std::fs::remove_file(&command.log).unwrap();
        assert!(lines[0].contains("has ended (exit status: 3)"), "{lines:?}");
        assert!(lines[1].contains(".log"), "{lines:?}");
    }

    #[tokio::test]
    async fn a_program_that_does_not_exist_is_named() {
        let command = command(&["/nowhere/bootstrap"]);
        let lines = FunctionProcess::start(&command).await.unwrap_err().lines();
        std::fs::remove_file(&command.log).unwrap();
        assert!(lines[0].contains("/nowhere/bootstrap"), "{lines:?}");
    }
}
