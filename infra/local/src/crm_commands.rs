//! `cargo local connect`, `cargo local send` and `cargo local events`: what the CRM's users do with a
//! running stack, what the CRM sends to it and what it receives, through the stand-in's addresses.

mod outgoing_message;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::{Args, Subcommand};
use http::{Method, Request, Response};
use serde_json::value::RawValue;
use url::form_urlencoded::Serializer;

use self::outgoing_message::OutgoingMessage;
use crate::console::Console;
use crate::crm::STORY_ACCOUNT;
use crate::crm_queues::{CrmQueue, EVENTS_PATH, MESSAGES_PATH, MessageAddress, PAYMENT_CHECK_PATH};
use crate::failure::Failure;
use crate::http_client::{HttpClient, refused};
use crate::project::Project;
use crate::stack_file::StackAddresses;
use crate::story::browser::{self, Completion};
use crate::wait;

/// The outcome of a connect that needs no further decision.
const CONNECTED: &str = "connected";

/// What to do if the stand-in does not answer.
const STACK_ENDED: &str =
    "The stack may have ended. Start one with: cargo local up. Then run the command again.";

/// How long one wait for events lasts; another one follows.
const FOLLOWED_FOR: Duration = Duration::from_hours(1);

/// The commands of the CRM's developers.
#[derive(Debug, Clone, Subcommand)]
pub enum CrmCommand {
    /// Sends messages of the CRM to a running stack, each file as one message.
    Send {
        /// The files with the messages; - is standard input.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The queue, for a message whose type does not name it.
        #[arg(long, value_name = "QUEUE")]
        queue: Option<CrmQueue>,
        /// Deliver a message whose id was already sent in the last five minutes.
        #[arg(long)]
        again: bool,
        /// The stack.
        #[command(flatten)]
        stack: StackChoice,
    },
    /// Connects an account of a running stack to an organisation in the simulated Xero.
    Connect {
        /// The account.
        #[arg(long, value_name = "ID", default_value = STORY_ACCOUNT)]
        account: String,
        /// The e-mail address of the user in Xero; by default the first user.
        #[arg(long, value_name = "EMAIL")]
        login: Option<String>,
        /// The stack.
        #[command(flatten)]
        stack: StackChoice,
    },
    /// Prints the events of a running stack, one a line, and removes them from the queue.
    Events {
        /// Keep printing events until Ctrl-C.
        #[arg(long)]
        follow: bool,
        /// Leave the events in the queue, and print the oldest ones only.
        #[arg(long, conflicts_with = "follow")]
        keep: bool,
        /// Read the payments from Xero first, instead of within 15 minutes.
        #[arg(long)]
        check_payments: bool,
        /// The stack.
        #[command(flatten)]
        stack: StackChoice,
    },
}

/// Which stack a command is for.
#[derive(Debug, Clone, Default, Args)]
pub struct StackChoice {
    /// The file with the addresses of the stack. It is only needed if several stacks run.
    #[arg(long = "stack", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Runs a command against the stack that it names.
pub async fn run_command(command: &CrmCommand, console: &Console) -> Result<(), Failure> {
    let project = Project::here()?;
    match command {
        CrmCommand::Send { files, queue, again, stack } => {
            let crm = CrmClient::find_stand_in(&project, stack)?;
            // Nothing is sent if one of the files cannot be.
            let messages = files.iter().map(|file| OutgoingMessage::read(file, *queue, *again));
            for message in messages.collect::<Result<Vec<_>, Failure>>()? {
                let address = crm.send_message(&message).await?;
                console.line(&format!(
                    "Sent {} to the queue {}, in the group {}, with the id {}.",
                    message.name,
                    address.queue.name(),
                    address.message_group_id,
                    address.message_deduplication_id
                ));
            }
            Ok(())
        }
        CrmCommand::Connect { account, login, stack } => {
            let crm = CrmClient::find_stand_in(&project, stack)?;
            let done = crm.connect_account(account, login.as_deref()).await?;
            if done.outcome != CONNECTED {
                let outcome = done.outcome;
                return Err(Failure::new(format!("{account} is not connected: {outcome}")).remedy(
                    "Choose the organisation on the settings page of the CRM, or name another \
                         login with --login.",
                ));
            }
            let organisation = done.organisation.unwrap_or_default();
            console.line(&format!("{account} is connected to {organisation}."));
            Ok(())
        }
        CrmCommand::Events { follow, keep, check_payments, stack } => {
            let crm = CrmClient::find_stand_in(&project, stack)?;
            if *check_payments {
                crm.call_stand_in(Method::POST, PAYMENT_CHECK_PATH, Bytes::new()).await?;
            }
            if *keep {
                print_events(console, &crm.read_events(Method::GET).await?);
                return Ok(());
            }
            loop {
                let events = crm.read_events(Method::DELETE).await?;
                print_events(console, &events);
                if events.is_empty() {
                    if !follow {
                        return Ok(());
                    }
                    print_events(console, &crm.wait_for_events().await?);
                }
            }
        }
    }
}

fn print_events(console: &Console, events: &[Box<RawValue>]) {
    for event in events {
        console.line(event.get());
    }
}

/// The stand-in for the CRM of a running stack.
struct CrmClient {
    http: HttpClient,
    base: String,
    api: String,
}

impl CrmClient {
    fn find_stand_in(project: &Project, stack: &StackChoice) -> Result<Self, Failure> {
        let addresses = StackAddresses::find_running(project, stack.file.as_deref())?;
        Ok(Self { http: HttpClient::default(), base: addresses.crm, api: addresses.api })
    }

    /// Connects an account as its Owner does.
    async fn connect_account(
        &self,
        account: &str,
        login: Option<&str>,
    ) -> Result<Completion, Failure> {
        let query = Serializer::new(String::new()).append_pair("account_id", account).finish();
        let token =
            self.call_stand_in(Method::GET, &format!("/token?{query}"), Bytes::new()).await?;
        let token = String::from_utf8_lossy(token.body());
        browser::connect(&self.http, &self.api, &token, login).await
    }

    async fn send_message(&self, message: &OutgoingMessage) -> Result<MessageAddress, Failure> {
        let path = format!("{MESSAGES_PATH}?{}", message.query);
        let answer = self.call_stand_in(Method::POST, &path, message.body.clone()).await;
        let answer = answer
            .map_err(|failure| failure.interrupting(format!("{} was not sent.", message.name)))?;
        serde_json::from_slice(answer.body()).map_err(|error| {
            Failure::new("The CRM's stand-in returned an unexpected response").because(error)
        })
    }

    /// At most ten events. `DELETE` removes them from the queue, `GET` leaves them there.
    async fn read_events(&self, method: Method) -> Result<Vec<Box<RawValue>>, Failure> {
        let answer = self.call_stand_in(method, EVENTS_PATH, Bytes::new()).await?;
        serde_json::from_slice(answer.body()).map_err(|error| {
            Failure::new("The CRM's stand-in returned an unexpected response").because(error)
        })
    }

    /// The next events. None after an hour.
    async fn wait_for_events(&self) -> Result<Vec<Box<RawValue>>, Failure> {
        let next = wait::until(FOLLOWED_FOR, async || {
            let events = self.read_events(Method::DELETE).await;
            match events {
                Ok(events) if events.is_empty() => None,
                Ok(events) => Some(Ok(events)),
                Err(failure) => Some(Err(failure)),
            }
        });
        next.await.unwrap_or_else(|| Ok(Vec::new()))
    }

    async fn call_stand_in(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Bytes>, Failure> {
        let asked = format!("{method} {}{path}", self.base);
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .body(body)
            .map_err(|error| Failure::new(format!("Cannot build {asked}")).because(error))?;
        let answer =
            self.http.send(request).await.map_err(|failure| failure.remedy(STACK_ENDED))?;
        if answer.status().is_success() { Ok(answer) } else { Err(refused(&asked, &answer)) }
    }
}
