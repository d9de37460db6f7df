//! Everything the product needs on this machine, started in order and ended together.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::Args;
use tokio::task::JoinSet;

use crate::aws::{Aws, KEY, REGION, SECRET};
use crate::binaries::{self, Package, Profile};
use crate::children::Children;
use crate::crm::{AUDIENCE, Crm};
use crate::crm_queues::CrmQueues;
use crate::deployment::{self, Addresses, Outputs};
use crate::description::Description;
use crate::emulator::Emulator;
use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::http_client::HttpClient;
use crate::http_server;
use crate::ports::{self, Ports};
use crate::python::{MINISTACK, Python};
use crate::simulator::Xero;
use crate::token::Signer;
use crate::workplace::Workplace;

/// How many steps it takes to start an installed stack.
pub const STARTING_STEPS: usize = 2;

/// How many steps it takes to install and start the stack.
pub const STEPS: usize = 2 + STARTING_STEPS;

/// The options of the stack. Their descriptions are part of the help.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// Use the ports N to N+3 instead of free ones.
    #[arg(long, value_name = "N", value_parser = parse_port)]
    pub port: Option<u16>,
    /// Use this Python (3.11.5 or newer) for the local AWS instead of the first one on the path.
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,
    /// The functions' log filter, such as debug. The default is info, or trace for the story.
    #[arg(long = "log", value_name = "FILTER")]
    pub log_level: Option<String>,
    /// Add N organisations to the simulated Xero, with the logins owner1@business.example and so on.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub businesses: u8,
    /// The time that the simulated Xero takes to answer a call.
    #[arg(skip)]
    pub xero_latency: Duration,
    /// The profile that the functions are built with.
    #[arg(skip)]
    pub profile: Profile,
}

/// Parses the first of the stack's ports.
fn parse_port(text: &str) -> Result<u16, String> {
    let port = text.parse::<u16>().ok().filter(|port| *port > 0);
    port.ok_or_else(|| "give a port from 1 to 65535, such as 9700".to_owned())
}

/// The filter under which functions log everything that they may.
const EVERY_LINE: &str = "trace";

/// The time that Xero takes to answer a call in the story. Xero usually takes longer. The local AWS
/// processes one batch of a FIFO queue at a time, so most of these waits add up: a longer one makes
/// the story longer. While one batch is in progress, further messages arrive, so that the next one
/// is full. Without any latency, smaller batches could use up the calls of a minute.
const XERO_LATENCY: Duration = Duration::from_millis(300);

impl Options {
    /// The options of the story. It searches the logs, so its filter is every line, unless the user
    /// chose otherwise. Xero takes time to answer.
    #[must_use]
    pub fn for_story(&self) -> Self {
        let chosen = self.log_level.clone();
        let log_level = chosen.or_else(|| Some(EVERY_LINE.to_owned()));
        Self { log_level, xero_latency: XERO_LATENCY, ..self.clone() }
    }
}

/// What all stacks of one run have in common: the tools of the local AWS, and the packages of the
/// functions.
#[derive(Debug)]
pub struct Installation {
    environment: PathBuf,
    packages: Vec<Package>,
}

impl Installation {
    /// Installs what is missing, and builds and packages the functions.
    pub async fn make(options: &Options, workplace: &Workplace) -> Result<Self, Failure> {
        let python = Python::find(&workplace.children, options.python.as_deref()).await?;
        // Installing waits for the network most of the time.
        let (environment, ()) = tokio::try_join!(
            Box::pin(python.environment(workplace, &MINISTACK)),
            Box::pin(async {
                workplace.console.step("Building the functions");
                binaries::build(workplace, options.profile).await
            }),
        )?;
        let packages = binaries::pack(workplace, &environment).await?;
        Ok(Self { environment, packages })
    }
}

/// The running stack. Dropping it ends the servers; the child processes end with
/// [`Children::end_all`].
#[derive(Debug)]
pub struct Stack {
    /// The local AWS.
    pub aws: Aws,
    /// The outputs of the template.
    pub outputs: Outputs,
    /// The client the runner uses.
    pub http: HttpClient,
    around: Around,
    emulator: Emulator,
    description: OnceLock<Description>,
}

impl Stack {
    /// Installs what is missing, builds the functions, starts everything and deploys the template.
    pub async fn start(options: &Options, workplace: &Workplace) -> Result<Self, Failure> {
        // First: a port that is in use is reported before anything is built.
        let ports = Ports::take(options.port).await?;
        let installation = Box::pin(Installation::make(options, workplace)).await?;
        Box::pin(Self::start_installed(&installation, ports, options, workplace)).await
    }

    /// Starts everything and deploys the template with these packages.
    pub async fn start_installed(
        installation: &Installation,
        ports: Ports,
        options: &Options,
        workplace: &Workplace,
    ) -> Result<Self, Failure> {
        let Workplace { project: _, console, children, scratch: _, run: _, output: _ } = workplace;
        let Installation { environment, packages } = installation;
        console.step("Starting the Xero simulator, the CRM's stand-in and the local AWS");
        let aws_port = ports::number(&ports.aws)?;
        let http = HttpClient::default();
        let around = Around::open(children, environment, &http, ports, options).await?;
        let emulator = Emulator::start(workplace, environment, &http, aws_port).await?;
        console.done("answering");
        let aws = Aws::new(http.clone(), emulator.endpoint().to_owned());
        console.step("Deploying template.yaml");
        let log_level = options.log_level.as_deref().unwrap_or("info");
        let deployed =
            deployment::deploy(&aws, workplace, packages, &around.addresses, log_level).await;
        let outputs = match deployed {
            Ok(outputs) => outputs,
            Err(failure) => return Err(emulator.explain(failure).await),
        };
        aws.put_secret(outputs.get("AppSecretId")?, &around.xero.app_secret()?).await?;
        aws.allow_origin(outputs.get("ApiId")?, &around.addresses.crm).await?;
        around.gateway.open(outputs.get("ApiId")?);
        around.crm.open(CrmQueues::new(aws.clone(), outputs.clone()));
        console.done("deployed");
        let description = OnceLock::new();
        Ok(Self { aws, outputs, http, around, emulator, description })
    }

    /// The log of the local AWS, with the functions' own lines in it.
    pub fn log(&self) -> &Path {
        self.emulator.log()
    }

    /// The failure to report once the stack has ended; `None` while it runs.
    pub fn ended(&self) -> Option<Failure> {
        self.emulator.ended()
    }

    /// The cause behind a failure: the end of the stack, if that is the reason.
    pub async fn explain(&self, failure: Failure) -> Failure {
        self.emulator.explain(failure).await
    }

    /// The addresses of everything.
    pub fn addresses(&self) -> &Addresses {
        &self.around.addresses
    }

    /// The CRM's stand-in.
    pub fn crm(&self) -> &Crm {
        &self.around.crm
    }

    /// Xero.
    pub fn xero(&self) -> &Xero {
        &self.around.xero
    }

    /// The OpenAPI document that the API serves, read once.
    pub async fn description(&self) -> Result<&Description, Failure> {
        if let Some(known) = self.description.get() {
            return Ok(known);
        }
        let text = self.http.get(&format!("{}/v1/openapi.json", self.addresses().api)).await?;
        let description = Description::parse(&text)?;
        Ok(self.description.get_or_init(|| description))
    }

    /// The addresses in the form in which the end-to-end tests read them from their environment.
    pub fn environment(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        let output = |name| self.outputs.get(name).map(str::to_owned);
        let addresses = self.addresses();
        Ok(vec![
            ("STACK_ENDPOINT", self.aws.endpoint().to_owned()),
            ("STACK_ACCESS_KEY_ID", KEY.to_owned()),
            ("STACK_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("STACK_REGION", REGION.to_owned()),
            ("STACK_API_URL", addresses.api.clone()),
            ("STACK_SIMULATOR_URL", addresses.simulator.clone()),
            ("STACK_OTHER_APP_SECRET", self.xero().client_secret().to_owned()),
            ("STACK_ISSUER_URL", addresses.crm.clone()),
            ("STACK_AUDIENCE", AUDIENCE.to_owned()),
            ("STACK_CONTACT_QUEUE_URL", output("ContactQueueUrl")?),
            ("STACK_INVOICE_QUEUE_URL", output("InvoiceQueueUrl")?),
            ("STACK_PAYMENT_QUEUE_URL", output("PaymentQueueUrl")?),
            ("STACK_CONTACT_DEAD_LETTER_URL", output("ContactDeadLetterQueueUrl")?),
            ("STACK_INVOICE_DEAD_LETTER_URL", output("InvoiceDeadLetterQueueUrl")?),
            ("STACK_TABLE_NAME", output("TableName")?),
        ])
    }
}

/// The product's environment outside AWS, in this process.
#[derive(Debug)]
struct Around {
    addresses: Addresses,
    crm: Arc<Crm>,
    gateway: Arc<Gateway>,
    xero: Xero,
    _servers: JoinSet<()>,
}

impl Around {
    async fn open(
        children: &Children,
        environment: &Path,
        http: &HttpClient,
        ports: Ports,
        options: &Options,
    ) -> Result<Self, Failure> {
        let addresses = Addresses {
            api: ports::address_by_name(&ports.api)?,
            simulator: ports::address(&ports.simulator)?,
            crm: ports::address(&ports.crm)?,
        };
        let signer = Signer::make(children, environment, addresses.crm.clone(), AUDIENCE).await?;
        let crm = Arc::new(Crm::new(signer, addresses.api.clone()));
        let endpoint = ports::address(&ports.aws)?;
        let gateway = Arc::new(Gateway::new(http.clone(), endpoint));
        let callback = format!("{}/oauth/callback", addresses.api);
        let xero = Xero::open(&callback, options.businesses)?.with_latency(options.xero_latency);

        let mut servers = JoinSet::new();
        servers.spawn(http_server::serve(ports.api, Arc::clone(&gateway)));
        servers.spawn(http_server::serve(ports.crm, Arc::clone(&crm)));
        servers.spawn(xero.clone().serve(ports.simulator));
        // The local AWS starts next and must find its port free.
        drop(ports.aws);
        Ok(Self { addresses, crm, gateway, xero, _servers: servers })
    }
}
