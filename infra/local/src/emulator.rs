//! The local AWS: `MiniStack` as a child process, without Docker, state or telemetry.

use crate::aws::{REGION, SECRET};
use crate::children::{Leader, tail};
use crate::failure::Failure;
use crate::http_client::HttpClient;
use crate::wait;
use crate::workplace::Workplace;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// It answers within a second or two; a busy machine gets more.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// The name it gives its APIs: a host that ended in an address would be no host in a URL.
pub const NAME: &str = "localhost";

/// A running local AWS.
#[derive(Debug)]
pub struct Emulator {
    endpoint: String,
    log: PathBuf,
    leader: Leader,
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
        let log = workplace.project.log("ministack")?;
        let mut command = command(workplace, environment, port, &endpoint);
        let cannot = |error| Failure::new("Cannot start the local AWS").because(error);
        let out = std::fs::File::create(&log).map_err(cannot)?;
        let errors = out.try_clone().map_err(cannot)?;
        // The pipe stays open as long as the runner lives: see local_aws.py.
        command.stdin(Stdio::piped()).stdout(out).stderr(errors);
        let leader = workplace.children.start(&mut command).map_err(cannot)?;
        let mut emulator = Self { endpoint, log, leader };
        emulator.answers(http).await?;
        Ok(emulator)
    }

    /// Its address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Its log, which the functions' own lines are in as well.
    pub fn log(&self) -> &Path {
        &self.log
    }

    async fn answers(&mut self, http: &HttpClient) -> Result<(), Failure> {
        let health = format!("{}/_ministack/health", self.endpoint);
        let outcome = wait::until(READY_WITHIN, async || {
            if let Some(status) = self.leader.ended() {
                return Some(Err(format!("ended at once ({status})")));
            }
            http.get(&health).await.is_ok().then_some(Ok(()))
        });
        let late = || Err(format!("did not answer within {} seconds", READY_WITHIN.as_secs()));
        outcome.await.unwrap_or_else(late).map_err(|what| {
            Failure::new(format!("The local AWS {what}:\n{}", tail(&self.log)))
                .remedy(format!("The whole log is {}.", self.log.display()))
        })
    }
}

fn command(workplace: &Workplace, environment: &Path, port: u16, endpoint: &str) -> Command {
    let mut command = Command::new(environment.join("bin/python"));
    command
        .arg(workplace.project.sources().join("local_aws.py"))
        .current_dir(workplace.project.workshop())
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", NAME)
        .env("MINISTACK_REGION", REGION)
        // Functions may do what their roles allow, as on AWS, and nothing else.
        .env("AUTH", "true")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        // The functions inherit it: their SDK comes back here.
        .env("AWS_ENDPOINT_URL", endpoint)
        // It unpacks the functions' code into the temporary folder.
        .env("TMPDIR", workplace.scratch.folder())
        // Nobody here speaks MQTT or SFTP; their fixed ports would get in each other's way.
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        .env("PERSIST_STATE", "0")
        .env("PYTHONUNBUFFERED", "1");
    // A person's own AWS settings have no business in the local stack.
    for name in ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"] {
        command.env_remove(name);
    }
    command
}
