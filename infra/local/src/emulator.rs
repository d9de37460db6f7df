//! The local AWS: `MiniStack` as a child process, without Docker, state or telemetry.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::process::Command;

use crate::aws::{REGION, SECRET};
use crate::children::{Leader, tail};
use crate::failure::Failure;
use crate::http_client::HttpClient;
use crate::wait::{self, Look, PATIENCE};
use crate::workplace::Workplace;

/// How long it may take until the exit of the process is detected.
const NOTICED_WITHIN: Duration = Duration::from_secs(2);

/// The host name of its APIs: a subdomain of an IP address is not a valid host in a URL.
pub const NAME: &str = "localhost";

/// A running local AWS.
#[derive(Debug)]
pub struct Emulator {
    endpoint: String,
    log: PathBuf,
    leader: Mutex<Leader>,
}

impl Emulator {
    /// Starts it on `port` from the virtual environment and waits until it answers.
    pub async fn start(
        workplace: &Workplace,
        environment: &Path,
        http: &HttpClient,
        port: u16,
    ) -> Result<Self, Failure> {
        let endpoint = format!("http://127.0.0.1:{port}");
        let log = workplace.run.log("ministack");
        let mut command = command(workplace, environment, port, &endpoint);
        let cannot = |error| Failure::new("Cannot start the local AWS").because(error);
        let out = std::fs::File::create(&log).map_err(cannot)?;
        let errors = out.try_clone().map_err(cannot)?;
        // The pipe stays open as long as the runner runs: see local_aws.py.
        command.stdin(Stdio::piped()).stdout(out).stderr(errors);
        let leader = workplace.children.start(&mut command).map_err(cannot)?;
        let emulator = Self { endpoint, log, leader: Mutex::new(leader) };
        emulator.answers(http).await?;
        Ok(emulator)
    }

    /// Its address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Its log, which also contains the functions' own lines.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The failure to report once the process has exited; `None` while it runs.
    pub fn ended(&self) -> Option<Failure> {
        let status = self.leader.lock().unwrap_or_else(PoisonError::into_inner).ended()?;
        Some(self.failure(&format!("has exited ({status})")))
    }

    /// The cause behind a failure: the exit of the process, if that is the reason. The exit of a
    /// process is detected shortly after its connections break.
    pub async fn explain(&self, failure: Failure) -> Failure {
        match wait::until(NOTICED_WITHIN, async || self.ended()).await {
            Some(cause) => cause.interrupting(failure.to_string()),
            None => failure,
        }
    }

    fn failure(&self, what: &str) -> Failure {
        Failure::new(format!("The local AWS {what}:\n{}", tail(&self.log)))
            .remedy(format!("The full log is {}.", self.log.display()))
    }

    async fn answers(&self, http: &HttpClient) -> Result<(), Failure> {
        let health = format!("{}/_ministack/health", self.endpoint);
        let answered = wait::while_moving(PATIENCE, async || {
            if let Some(failure) = self.ended() {
                return Err(failure);
            }
            if http.get(&health).await.is_ok() {
                return Ok(Look::Done(()));
            }
            // Any output while it starts counts as progress.
            let state = self.log.metadata().map(|log| log.len()).unwrap_or_default();
            Ok(Look::Pending { state, quiet: None })
        });
        answered.await?.ok_or_else(|| self.failure("does not answer and writes nothing"))
    }
}

fn command(workplace: &Workplace, environment: &Path, port: u16, endpoint: &str) -> Command {
    let mut command = Command::new(environment.join("bin/python"));
    command
        .arg(workplace.project.sources().join("local_aws.py"))
        .current_dir(workplace.run.folder())
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", NAME)
        .env("MINISTACK_REGION", REGION)
        // Functions may do what their roles allow, as on AWS, and nothing else.
        .env("AUTH", "true")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        // The functions inherit it: their SDK calls this endpoint.
        .env("AWS_ENDPOINT_URL", endpoint)
        // It unpacks the functions' code into the temporary folder.
        .env("TMPDIR", workplace.scratch.folder())
        // MQTT and SFTP are not used; their fixed ports would conflict between runs.
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        .env("PERSIST_STATE", "0")
        .env("PYTHONUNBUFFERED", "1");
    // The user's own AWS settings must not affect the local stack.
    for name in ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"] {
        command.env_remove(name);
    }
    command
}
