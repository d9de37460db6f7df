//! Builds the engine from the configuration, once per process. As much work as possible is done
//! here, before the first event, because Lambda does not throttle the processor while a function
//! starts.

mod app_secret;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use domain::ids::AccountId;
use domain::json_fault::JsonFault;
use engine::connection::app_registration::AppRegistration;
use engine::connection::token::TokenCache;
use engine::error_chain::ErrorChain;
use engine::inbound::{FullDeliveries, MessageSteps, PushFunction};
use engine::poll::ANSWER_BYTES_MAX;
use engine::ports::Clock;
use engine::sync::push::PushedKinds;
use engine::sync::synced_events::SyncedEvents;
use engine::{Endpoints, Engine};
use store::Store;
use store::dynamo::DynamoTable;
use xero::{ReqwestTransport, Transport, TransportOptions};

use self::app_secret::AppSecret;
use crate::aws::{
    AwsClients, DeadLetterQueue, EventQueue, PollQueue, ReceivedQueue, SecretsManager,
    WakeUpScheduler, build_token_store,
};
use crate::clock::SystemClock;
use crate::config::{
    ConfigError, FunctionConfig, PagesConfig, TableConfig, WakeUpConfig, parse_account_limit,
    required_variable,
};
use crate::ids::RandomIds;
use crate::metrics::EmbeddedMetrics;
use crate::queue::{PushWorker, ServedQueue};
use crate::telemetry::LogConfig;
use crate::{env, telemetry};

/// Timeout of one exchange with Xero. Long enough for a batch of 50 documents, and shorter than any
/// function's timeout.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(25);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum bytes of an answer. The answer to a batch of the longest documents is smaller. If the
/// answer to a list is larger, fewer rows are requested.
const ANSWER_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A variable is missing or invalid.
    #[error("could not read the configuration")]
    Config(#[from] ConfigError),
    /// The HTTP client could not be created.
    #[error("could not set up HTTP")]
    Transport(#[from] xero::reqwest_transport::TransportSetupError),
    /// The app's credentials could not be read.
    #[error("could not read the Xero app's credentials")]
    AppSecret(#[source] engine::ports::PortError),
    /// The app's credentials are missing or have the wrong form.
    #[error("the secret {id} must hold the Xero app's client_id and client_secret as JSON")]
    AppCredentials {
        /// The secret's id.
        id: String,
        /// What is wrong with it. `None` if there is no secret.
        source: Option<JsonFault>,
    },
}

/// What a function needs to run.
#[derive(Debug, Clone)]
pub struct FunctionContext {
    /// The engine.
    pub engine: Engine,
    /// Builds AWS clients that only one function needs.
    pub(crate) aws: AwsClients,
    /// The queues of wake-ups.
    pub(crate) wake_ups: WakeUpConfig,
    /// The page to which the browser is redirected after connecting.
    pub crm_return_url: url::Url,
}

/// What a function needs to run if it only uses the table.
#[derive(Debug, Clone)]
pub struct TableContext {
    /// The table.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// Starts a function: telemetry, configuration, clients and credentials. Errors are logged.
pub(crate) async fn boot_engine() -> Result<FunctionContext, BootError> {
    telemetry::start_logging(LogConfig::parse(read_variable));
    start_engine(ANSWER_LIMIT_BYTES).await.inspect_err(log_boot_error)
}

/// Starts the function that polls, which reads many answers at once and writes nothing to Xero. Its
/// answers have a lower limit.
pub(crate) async fn boot_poll() -> Result<FunctionContext, BootError> {
    telemetry::start_logging(LogConfig::parse(read_variable));
    start_engine(ANSWER_BYTES_MAX).await.inspect_err(log_boot_error)
}

/// Starts a function that only uses the table. It reads no credentials.
pub(crate) fn boot_table() -> Result<TableContext, BootError> {
    telemetry::start_logging(LogConfig::parse(read_variable));
    start_table().inspect_err(log_boot_error)
}

/// Starts the function that serves the pages. It uses no AWS service.
pub(crate) fn boot_pages() -> Result<PagesConfig, BootError> {
    telemetry::start_logging(LogConfig::parse(read_variable));
    PagesConfig::parse(read_variable).map_err(BootError::from).inspect_err(log_boot_error)
}

/// Reads the number of requests of one account that a process of the settings API serves in a
/// minute.
pub(crate) fn read_account_limit() -> Result<NonZeroU32, BootError> {
    parse_account_limit(read_variable).map_err(BootError::from).inspect_err(log_boot_error)
}

fn log_boot_error(error: &BootError) {
    tracing::error!(error = %ErrorChain(error), "the function cannot start");
}

fn start_table() -> Result<TableContext, BootError> {
    let config = TableConfig::parse(read_variable)?;
    let aws = AwsClients::new(&config.aws, build_transport(ANSWER_LIMIT_BYTES)?);
    let table = DynamoTable::new(aws.build_table_client(), config.table_name);
    Ok(TableContext { store: Store::new(Arc::new(table)), clock: Arc::new(SystemClock) })
}

fn build_transport(body_limit_bytes: usize) -> Result<Arc<dyn Transport>, BootError> {
    Ok(Arc::new(ReqwestTransport::new(TransportOptions {
        connect_timeout: CONNECT_TIMEOUT,
        exchange_timeout: EXCHANGE_TIMEOUT,
        body_limit_bytes,
        user_agent: concat!("servicecortex-xero/", env!("CARGO_PKG_VERSION")).to_owned(),
    })?))
}

async fn start_engine(answer_limit_bytes: usize) -> Result<FunctionContext, BootError> {
    let config = FunctionConfig::parse(read_variable)?;
    let transport = build_transport(answer_limit_bytes)?;
    let aws = AwsClients::new(&config.table.aws, transport.clone());
    let secrets = SecretsManager::new(aws.build_secrets_client());
    let app_secret = AppSecret::new(secrets.clone(), &config);
    let credentials = app_secret.read_credentials().await?;
    let app = AppRegistration::new(credentials, Arc::new(app_secret));
    let table = DynamoTable::new(aws.build_table_client(), config.table.table_name.clone());
    let queues = aws.build_queue_client();
    let scheduler = aws.build_scheduler_client();
    let hints = WakeUpScheduler::new(scheduler, queues.clone(), config.wake_ups.clone());
    let store = Store::new(Arc::new(table));
    open_table_connection(&store).await;
    let tokens =
        build_token_store(config.token_store, secrets, &store, &config.table.aws, &transport);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let engine = Engine {
        store,
        transport,
        clock: clock.clone(),
        ids: Arc::new(RandomIds::new()),
        secrets: tokens,
        wake_ups: Arc::new(hints),
        events: Arc::new(EventQueue::new(queues, config.event_queue_url)),
        metrics: Arc::new(EmbeddedMetrics::new(config.metric_namespace, clock)),
        app: Arc::new(app),
        endpoints: Endpoints {
            xero_api: config.xero.api_url,
            crm: config.crm_url,
            crm_return: config.crm_return_url.clone(),
            grant_secret_prefix: config.grant_secret_prefix,
        },
        recovery_mode: config.recovery_mode,
        // A function that pushes records or receives messages names what it needs itself.
        kinds: PushedKinds::NONE,
        steps: MessageSteps::NONE,
        tokens: Arc::new(TokenCache::default()),
        logged_accounts: Arc::default(),
        last_tenants: Arc::default(),
        synced_events: SyncedEvents::default(),
        searches: Arc::default(),
    };
    let (wake_ups, crm_return_url) = (config.wake_ups, config.crm_return_url);
    Ok(FunctionContext { engine, aws, wake_ups, crm_return_url })
}

/// Opens the connection to the table while the processor is not throttled. Errors are only logged;
/// the first event meets and handles them.
async fn open_table_connection(store: &Store) {
    let nobody = AccountId::new("warm-up").expect("letters and a dash make an id");
    if let Err(error) = store.find_connection(&nobody).await {
        tracing::warn!(error = %ErrorChain(&error), "the table did not answer at the start");
    }
}

/// Builds the worker of a push function, with its two queues.
pub(crate) fn build_push_worker(
    booted: &FunctionContext,
    function: PushFunction,
) -> Result<PushWorker, BootError> {
    let client = booted.aws.build_queue_client();
    let served = |queue_url: String, dead_letters: String| ServedQueue {
        redelivery: Arc::new(ReceivedQueue::new(client.clone(), queue_url)),
        dead_letters: Arc::new(DeadLetterQueue::new(client.clone(), dead_letters)),
    };
    let messages = required_variable(read_variable, env::QUEUE_URL)?;
    let dead_messages = required_variable(read_variable, env::DEAD_LETTER_QUEUE_URL)?;
    let kind = function.served_queue();
    let wake_ups = booted.wake_ups.queue_for(kind);
    let dead_wake_ups = required_variable(read_variable, env::WAKE_UP_DEAD_LETTER_QUEUE_URL)?;
    Ok(PushWorker {
        engine: function.configure_engine(booted.engine.clone()),
        kind,
        wake_up_queue_arn: wake_ups.arn.clone(),
        messages: served(messages, dead_messages),
        wake_ups: served(wake_ups.url.clone(), dead_wake_ups),
        full_deliveries: FullDeliveries::default(),
    })
}

/// Returns the queue of polls and its dead-letter queue.
pub(crate) fn build_poll_queues(
    booted: &FunctionContext,
) -> Result<(PollQueue, DeadLetterQueue), BootError> {
    let client = booted.aws.build_queue_client();
    let chunks = required_variable(read_variable, env::POLL_QUEUE_URL)?;
    let dead_chunks = required_variable(read_variable, env::DEAD_LETTER_QUEUE_URL)?;
    Ok((PollQueue::new(client.clone(), chunks), DeadLetterQueue::new(client, dead_chunks)))
}

#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
fn read_variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
