//! What a function meets on this machine: AWS, Xero, and an account that is connected.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use ::tests::World;
use ::tests::builders::an_invoice;
use ::tests::world::{app, places};
use bytes::Bytes;
use engine::ports::Clock as _;
use http::{Request, Response, StatusCode};
use jiff::SignedDuration;
use local::clock;
use local::failure::Failure;
use local::http_server::{self, Site, text};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use xero_sim::Reply;

use crate::aws_stub::AwsStub;
use crate::dynamo_items::TABLE_NAME;
use crate::push::{push_messages, unconnected_world};

const APP_SECRET: &str = "app";
/// How long before the measurement the account is connected: shorter than a token is valid, and
/// longer than the preparation takes in virtual time.
const CONNECTED_FOR: SignedDuration = SignedDuration::from_mins(10);
/// Each call takes this long on Xero's clock, so that the limit of a minute is not reached.
const XERO_CALL_TAKES: SignedDuration = SignedDuration::from_millis(1_100);
/// The kinds of queues, as they are named in addresses and in variables.
const QUEUES: [(&str, &str); 4] = [
    ("contacts", "CONTACT"),
    ("invoices", "INVOICE"),
    ("credit-notes", "CREDIT_NOTE"),
    ("payments", "PAYMENT"),
];

/// The address of a queue.
pub fn queue_url(queue: &str) -> String {
    format!("https://sqs.eu-west-2.amazonaws.com/000000000000/{queue}.fifo")
}

/// The ARN of a queue.
pub fn queue_arn(queue: &str) -> String {
    format!("arn:aws:sqs:eu-west-2:000000000000:{queue}.fifo")
}

/// The name of the queue of wake-ups that belongs to a queue.
pub fn wake_up_queue(queue: &str) -> String {
    format!("{queue}-wake-ups")
}

/// The servers that a function calls. Dropping them ends them.
#[derive(Debug)]
pub struct Surroundings {
    /// AWS.
    pub aws: Arc<AwsStub>,
    xero: Arc<XeroSite>,
    endpoints: ServerAddresses,
    _servers: JoinSet<()>,
}

#[derive(Debug)]
struct ServerAddresses {
    aws: String,
    xero: String,
}

impl Surroundings {
    /// Connects an account, pushes an invoice `inv_first` of the client `cli_known`, and does what
    /// `prepare` does; then starts the servers with the rows and secrets of that.
    pub async fn start(prepare: fn(&World)) -> Result<Self, Failure> {
        let world = unconnected_world();
        let ahead = clock::now().duration_since(world.clock.now());
        let ahead = ahead.checked_sub(CONNECTED_FOR).unwrap_or_default();
        if ahead.is_positive() {
            world.clock.advance(ahead);
        }
        world.connect();
        push_messages(&world, &[an_invoice("inv_first", "cli_known").body()]);
        prepare(&world);
        let mut secrets: BTreeMap<String, String> =
            world.secrets.names().into_iter().zip(world.secrets.values()).collect();
        secrets.insert(APP_SECRET.to_owned(), app_secret());
        let aws = Arc::new(AwsStub::new(secrets, &world.table.all_items())?);
        let xero = Arc::new(XeroSite { world });
        let mut servers = JoinSet::new();
        let endpoints = ServerAddresses {
            aws: serve(&mut servers, Arc::clone(&aws)).await?,
            xero: serve(&mut servers, Arc::clone(&xero)).await?,
        };
        Ok(Self { aws, xero, endpoints, _servers: servers })
    }

    /// The world: its simulator is the one that the function calls; its table is not.
    pub fn world(&self) -> &World {
        &self.xero.world
    }

    /// The address of AWS.
    pub fn aws_address(&self) -> &str {
        &self.endpoints.aws
    }

    /// The address of Xero.
    pub fn xero_address(&self) -> &str {
        &self.endpoints.xero
    }

    /// The variables of a function that serves this queue, as the template sets them.
    pub fn environment(&self, queue: &str) -> Vec<(String, String)> {
        let ServerAddresses { aws, xero } = &self.endpoints;
        let endpoints = places();
        let mut variables = vec![
            ("AWS_ENDPOINT_URL", aws.clone()),
            ("RUST_LOG", "info".to_owned()),
            ("TABLE_NAME", TABLE_NAME.to_owned()),
            ("LOOK_FIRST", "no".to_owned()),
            ("METRIC_NAMESPACE", "ServiceCortexXero/benchmark".to_owned()),
            ("APP_SECRET_ID", APP_SECRET.to_owned()),
            ("GRANT_SECRET_PREFIX", endpoints.grant_secret_prefix),
            ("TOKEN_STORE", "secrets".to_owned()),
            ("TOKEN_KEY", "none".to_owned()),
            ("XERO_LOGIN_URL", xero.clone()),
            ("XERO_IDENTITY_URL", xero.clone()),
            ("XERO_API_URL", xero.clone()),
            ("OAUTH_REDIRECT_URL", app().redirect_url),
            ("CRM_RETURN_URL", endpoints.crm_return.to_string()),
            ("CRM_URL", endpoints.crm.to_string()),
            ("CRM_ORIGINS", "https://crm.example".to_owned()),
            ("EVENT_QUEUE_URL", queue_url("events")),
            ("SCHEDULE_GROUP", "wake-ups".to_owned()),
            ("SCHEDULE_ROLE_ARN", "arn:aws:iam::000000000000:role/schedules".to_owned()),
            ("QUEUE_URL", queue_url(queue)),
            ("POLL_QUEUE_URL", queue_url("polls")),
            // No limit: the measured requests are all of one account.
            ("ACCOUNT_REQUESTS_PER_MINUTE", u32::MAX.to_string()),
            ("DEAD_LETTER_QUEUE_URL", queue_url("dead-letters")),
            ("WAKE_UP_DEAD_LETTER_QUEUE_URL", queue_url("dead-wake-ups")),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<Vec<_>>();
        for (queue, variable) in QUEUES {
            let wake_ups = wake_up_queue(queue);
            variables.push((format!("{variable}_WAKE_UP_QUEUE_ARN"), queue_arn(&wake_ups)));
            variables.push((format!("{variable}_WAKE_UP_QUEUE_URL"), queue_url(&wake_ups)));
        }
        variables
    }
}

fn app_secret() -> String {
    let app = app();
    let secret = app.client_secret.expose_secret();
    json!({ "client_id": app.client_id, "client_secret": secret }).to_string()
}

/// Serves on a free port. Returns the address.
async fn serve(servers: &mut JoinSet<()>, site: Arc<impl Site>) -> Result<String, Failure> {
    let cannot = |error| Failure::new("Cannot listen for the functions").because(error);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(cannot)?;
    let port = listener.local_addr().map_err(cannot)?.port();
    servers.spawn(http_server::serve(listener, site));
    Ok(format!("http://127.0.0.1:{port}"))
}

/// The simulator of a world on a socket. Every call advances the world's clock.
#[derive(Debug)]
struct XeroSite {
    world: World,
}

impl Site for XeroSite {
    async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.world.clock.advance(XERO_CALL_TAKES);
        let reply = self.world.xero().handle(self.world.xero_clock.now(), &request);
        match reply {
            Reply::Answer(response) => response,
            Reply::LostBefore | Reply::LostAfter | Reply::Cut(_) => {
                text(StatusCode::BAD_GATEWAY, "text/plain", "The benchmark injects no fault.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use local::http_client::HttpClient;

    use super::*;

    #[tokio::test]
    async fn a_connected_account_is_served_with_its_table_and_its_tokens() {
        let surroundings = Surroundings::start(|_| {}).await.unwrap();
        let http = HttpClient::default();
        let body = json!({ "SecretId": "app" }).to_string();
        let request = Request::post(surroundings.aws_address());
        let request = request.header("x-amz-target", "secretsmanager.GetSecretValue");
        let answer = http.send(request.body(Bytes::from(body)).unwrap()).await.unwrap();
        let answer = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(answer.contains("servicecortex"), "{answer}");
        let organisation = format!("{}/api.xro/2.0/Organisation", surroundings.xero_address());
        let request = Request::get(organisation).body(Bytes::new()).unwrap();
        let answer = http.send(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }

    #[tokio::test]
    async fn every_variable_that_functions_require_is_set() {
        let surroundings = Surroundings::start(|_| {}).await.unwrap();
        let variables = surroundings.environment("invoices");
        for name in runtime::env::REQUIRED {
            assert!(variables.iter().any(|(known, _)| known == name), "{name}");
        }
    }
}
