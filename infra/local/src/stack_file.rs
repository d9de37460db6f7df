//! The addresses of a running stack, as JSON in a file. The file is written when everything is
//! ready and removed when the stack ends: its existence is the signal that the stack can be used.

mod aws_address;
mod named_file;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::aws_address::AwsAddress;
pub use self::named_file::prepare_named_file;
use crate::crm::{AUDIENCE, READY_PATH};
use crate::crm_pages::RETURN_PATH;
use crate::crm_queues::QUEUES_PATH;
use crate::failure::Failure;
use crate::project::Project;
use crate::runs;
use crate::scratch::is_alive;
use crate::simulator::{OTHER_CLIENT_ID, OTHER_REDIRECT};
use crate::stack::Stack;
use crate::workplace::Workplace;

/// The name of the file in the folder of a run.
const NAME: &str = "stack.json";

/// Every address of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackAddresses {
    /// The settings page of the CRM's stand-in.
    pub settings: String,
    /// The CRM's stand-in.
    pub crm: String,
    /// A token of a user: `?account_id=&role=&sub=&name=`.
    pub token: String,
    /// The CRM's ends of the queues, over HTTP.
    pub queues: String,
    /// Answers 200 while the stack can be used.
    pub ready: String,
    /// The settings API.
    pub api: String,
    /// Its description.
    pub openapi: String,
    /// The script with the elements.
    pub script: String,
    /// The simulated Xero: its page, its login and its API.
    pub xero: String,
    /// Another app in the simulated Xero, which enters rows that are not this product's.
    pub other_app: OtherAppAddress,
    /// The local AWS.
    pub aws: AwsAddress,
    /// The issuer of the tokens.
    pub issuer: String,
    /// The audience of the tokens.
    pub audience: String,
    /// The log of the stack: all functions and the local AWS.
    pub log: PathBuf,
    /// The process that runs the stack. SIGINT and SIGTERM end it.
    pub process: u32,
}

/// The credentials of another app in the simulated Xero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherAppAddress {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Its redirect URI, at which nothing listens.
    pub redirect_uri: String,
}

impl StackAddresses {
    /// The addresses of a stack that this process runs.
    pub fn of_stack(stack: &Stack) -> Result<Self, Failure> {
        let addresses = stack.addresses();
        let (api, crm) = (&addresses.api, &addresses.crm);
        Ok(Self {
            settings: format!("{crm}{RETURN_PATH}"),
            crm: crm.clone(),
            token: format!("{crm}/token"),
            queues: format!("{crm}{QUEUES_PATH}"),
            ready: format!("{crm}{READY_PATH}"),
            api: api.clone(),
            openapi: format!("{api}/v1/openapi.json"),
            script: format!("{api}/pages/xero.js"),
            xero: addresses.simulator.clone(),
            other_app: OtherAppAddress {
                client_id: OTHER_CLIENT_ID.to_owned(),
                client_secret: stack.xero().client_secret().to_owned(),
                redirect_uri: OTHER_REDIRECT.to_owned(),
            },
            aws: AwsAddress::of_stack(stack)?,
            issuer: crm.clone(),
            audience: AUDIENCE.to_owned(),
            log: stack.log().to_owned(),
            process: std::process::id(),
        })
    }

    /// Reads them from the file, or from that of the only stack that runs in this checkout.
    pub fn find_running(project: &Project, file: Option<&Path>) -> Result<Self, Failure> {
        if let Some(file) = file {
            return Self::read_file(file);
        }
        let running = list_running(&project.folder("runs")?);
        match running.as_slice() {
            [only] => Self::read_file(only),
            [] => Err(Failure::new("No stack is ready in this checkout")
                .remedy("Start one with: cargo local up. Then run the command again.")),
            several => {
                let shown = several.iter().map(|file| project.shown(file)).collect::<Vec<_>>();
                Err(Failure::new("Several stacks run in this checkout")
                    .remedy(format!("Choose one with --stack FILE: {}.", shown.join(", "))))
            }
        }
    }

    fn read_file(file: &Path) -> Result<Self, Failure> {
        let cannot = || {
            Failure::new(format!("Cannot read the addresses in {}", file.display())).remedy(
                "Name the file that cargo local up --addresses FILE writes, or omit --stack if only \
                 one stack runs.",
            )
        };
        let text = std::fs::read(file).map_err(|error| cannot().because(error))?;
        serde_json::from_slice(&text).map_err(|error| cannot().because(error))
    }
}

/// The files of the stacks that run, by the time of their start.
fn list_running(runs: &Path) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(runs).into_iter().flatten().flatten();
    let running = folders.filter(|folder| {
        let name = folder.file_name();
        name.to_str().and_then(runs::owner).is_some_and(is_alive)
    });
    let files = running.map(|folder| folder.path().join(NAME));
    let mut files: Vec<PathBuf> = files.filter(|file| file.exists()).collect();
    files.sort();
    files
}

/// The files with the addresses of a stack that is ready. They are removed when this is dropped.
#[derive(Debug)]
pub struct StackFile {
    files: Vec<PathBuf>,
}

impl StackFile {
    /// Writes the addresses into the folder of the run and, if it is given, into a further file.
    /// Readers never see an incomplete file.
    pub fn write(
        stack: &Stack,
        workplace: &Workplace,
        further: Option<&Path>,
    ) -> Result<Self, Failure> {
        let addresses = StackAddresses::of_stack(stack)?;
        let own = workplace.run.folder().join(NAME);
        let files = std::iter::once(own).chain(further.map(Path::to_owned));
        let mut written = Self { files: Vec::new() };
        for file in files {
            write_whole(&file, &addresses)?;
            written.files.push(file);
        }
        Ok(written)
    }

    /// The file in the folder of the run.
    pub fn path(&self) -> Option<&Path> {
        self.files.first().map(PathBuf::as_path)
    }
}

impl Drop for StackFile {
    fn drop(&mut self) {
        for file in &self.files {
            std::fs::remove_file(file).ok();
        }
    }
}

/// Writes beside the file first: a renamed file is complete.
fn write_whole(file: &Path, addresses: &StackAddresses) -> Result<(), Failure> {
    let cannot = || Failure::new(format!("Cannot write the addresses to {}", file.display()));
    let mut text =
        serde_json::to_string_pretty(addresses).map_err(|error| cannot().because(error))?;
    text.push('\n');
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, text).map_err(|error| cannot().because(error))?;
    std::fs::rename(&beside, file).map_err(|error| cannot().because(error))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{
        AwsAddress, NAME, OtherAppAddress, StackAddresses, StackFile, list_running, write_whole,
    };

    fn addresses() -> StackAddresses {
        let text = |name: &str| format!("http://127.0.0.1:1/{name}");
        StackAddresses {
            settings: text("settings"),
            crm: text("crm"),
            token: text("token"),
            queues: text("queues"),
            ready: text("ready"),
            api: text("api"),
            openapi: text("openapi"),
            script: text("script"),
            xero: text("xero"),
            other_app: OtherAppAddress {
                client_id: text("id"),
                client_secret: text("secret"),
                redirect_uri: text("redirect"),
            },
            aws: AwsAddress {
                endpoint: text("endpoint"),
                region: text("region"),
                access_key_id: text("key"),
                secret_access_key: text("secret"),
                table: text("table"),
                contact_queue: text("contacts"),
                invoice_queue: text("invoices"),
                credit_note_queue: text("credit-notes"),
                payment_queue: text("payments"),
                event_queue: text("events"),
                contact_dead_letters: text("dead-contacts"),
                invoice_dead_letters: text("dead-invoices"),
                credit_note_dead_letters: text("dead-credit-notes"),
                payment_dead_letters: text("dead-payments"),
            },
            issuer: text("issuer"),
            audience: text("audience"),
            log: PathBuf::from("log"),
            process: 1,
        }
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn the_file_holds_every_address_and_ends_with_the_stack() {
        let folder = folder("stack-file");
        let file = folder.join(NAME);
        write_whole(&file, &addresses()).unwrap();
        assert_eq!(StackAddresses::read_file(&file).unwrap(), addresses());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "no part is left");
        drop(StackFile { files: vec![file.clone()] });
        assert!(!file.exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn only_stacks_that_run_and_are_ready_are_found() {
        let runs = folder("stack-runs");
        let mine = format!("20260101-000000-{}", std::process::id());
        // No process has this id: it is above the largest one of Linux.
        for run in [mine.as_str(), "20260102-000000-1073741824", "something else"] {
            std::fs::create_dir_all(runs.join(run)).unwrap();
        }
        assert_eq!(list_running(&runs), Vec::<PathBuf>::new(), "nothing is ready");
        for run in [mine.as_str(), "20260102-000000-1073741824", "something else"] {
            write_whole(&runs.join(run).join(NAME), &addresses()).unwrap();
        }
        assert_eq!(list_running(&runs), [runs.join(&mine).join(NAME)]);
        std::fs::remove_dir_all(&runs).unwrap();
    }

    #[test]
    fn a_file_without_addresses_is_named_with_the_way_to_the_right_one() {
        let folder = folder("no-stack-file");
        let (empty, other) = (folder.join("empty.json"), folder.join("other.json"));
        std::fs::write(&empty, "").unwrap();
        std::fs::write(&other, "{\"name\":\"other\"}").unwrap();
        let missing = Path::new("/nowhere/stack.json");
        for file in [missing, empty.as_path(), other.as_path(), folder.as_path()] {
            let lines = StackAddresses::read_file(file).unwrap_err().lines();
            assert!(lines[0].contains(&*file.to_string_lossy()), "{lines:?}");
            assert!(lines[1].contains("--addresses") && lines[1].contains("--stack"), "{lines:?}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
