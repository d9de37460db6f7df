//! DynamoDB inside the test: the SDK's requests go to an embedded emulator instead of a socket, and
//! replies can be lost.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Region, retry::RetryConfig},
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use store::dynamo::{DynamoTable, create_table};

const TABLE_NAME: &str = "records";

/// What happens to a request instead of a normal reply.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The request is performed, and its reply is lost.
    LostReply,
    /// The request is not performed, and this status and body are the reply.
    Answer(u16, String),
}

/// A client of its own emulator, with the faults between the two.
#[derive(Debug, Clone)]
pub(crate) struct Emulator {
    wire: Wire,
    client: Client,
}

impl Emulator {
    /// Starts an emulator with an empty table, and a client that makes three tries.
    pub(crate) async fn start() -> Self {
        let wire = Wire::default();
        let client = Client::from_conf(
            configuration().endpoint_url("http://dynamodb.test").http_client(wire.clone()).build(),
        );
        create_table(&client, TABLE_NAME).send().await.unwrap();
        Self { wire, client }
    }

    pub(crate) fn table(&self) -> DynamoTable {
        DynamoTable::new(self.client.clone(), TABLE_NAME.to_owned())
    }

    /// Returns the table's client, for items that no table writes.
    pub(crate) fn client(&self) -> (&Client, &'static str) {
        (&self.client, TABLE_NAME)
    }

    /// Applies these faults to the next requests, one each.
    pub(crate) fn inject_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.wire.faults.lock().unwrap().extend(faults);
    }

    /// Hides the tokens of transactions from the emulator, as if it had forgotten them.
    pub(crate) fn forget_tokens(&self) {
        *self.wire.forgetful.lock().unwrap() = true;
    }

    /// Returns how many requests have been sent since the last call.
    pub(crate) fn requests(&self) -> usize {
        std::mem::take(&mut *self.wire.requests.lock().unwrap())
    }

    /// Returns how many faults have not been applied yet.
    pub(crate) fn faults_left(&self) -> usize {
        self.wire.faults.lock().unwrap().len()
    }
}

/// Returns the configuration of test clients: made-up credentials, and retries without waiting.
pub(crate) fn configuration() -> aws_sdk_dynamodb::config::Builder {
    let retries =
        RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_nanos(1));
    Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("eu-west-2"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(retries)
}

/// The connection between client and emulator.
#[derive(Clone)]
struct Wire {
    database: Database,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    forgetful: Arc<Mutex<bool>>,
    requests: Arc<Mutex<usize>>,
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            database: Database::memory().unwrap(),
            faults: Arc::default(),
            forgetful: Arc::default(),
            requests: Arc::default(),
        }
    }
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.exchange(&request))
    }
}

impl Wire {
    fn exchange(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        *self.requests.lock().unwrap() += 1;
        let fault = self.faults.lock().unwrap().pop_front();
        let (status, body) = match fault {
            None => self.answer(request),
            Some(Fault::Answer(status, body)) => (status, body),
            Some(Fault::LostReply) => {
                self.answer(request);
                return Err(ConnectorError::timeout("the reply is lost".into()));
            }
        };
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
        Ok(response)
    }

    fn answer(&self, request: &HttpRequest) -> (u16, String) {
        let target = request.headers().get("x-amz-target").unwrap();
        let mut body: serde_json::Value =
            serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        if *self.forgetful.lock().unwrap() {
            body.as_object_mut().unwrap().remove("ClientRequestToken");
        }
        let body = body.to_string();
        let database = &self.database;
        match target.strip_prefix("DynamoDB_20120810.").unwrap() {
            "CreateTable" => carry_out(&body, |request| database.create_table(request)),
            "GetItem" => carry_out(&body, |request| database.get_item(request)),
            "BatchGetItem" => carry_out(&body, |request| database.batch_get_item(request)),
            "PutItem" => carry_out(&body, |request| database.put_item(request)),
            "Query" => carry_out(&body, |request| database.query(request)),
            "TransactWriteItems" => {
                carry_out(&body, |request| database.transact_write_items(request))
            }
            other => panic!("the table has no business with {other}"),
        }
    }
}

fn carry_out<Request, Answer>(
    body: &str,
    operation: impl FnOnce(Request) -> Result<Answer, DynoxideError>,
) -> (u16, String)
where
    Request: serde::de::DeserializeOwned,
    Answer: serde::Serialize,
{
    match operation(serde_json::from_str(body).unwrap()) {
        Ok(answer) => (200, serde_json::to_string(&answer).unwrap()),
        Err(error) => (error.status_code(), error.to_json()),
    }
}
