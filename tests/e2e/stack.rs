//! The running stack, as described by the environment, and the operations that all tests share.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use local::aws::Aws;
use local::aws::sqs::Message;
use local::deployment::function_name;
use local::http_client::HttpClient;
use local::story::browser;
use local::story::other_app::{OtherApp, consent_page};
use local::wait::until;
use serde_json::Value;
use tests::builders::{InvoiceMessage, a_client};
use tests::world::ACCOUNT;

use crate::described::assert_described;

/// Long enough for several kills in a row: each costs a visibility timeout and a wake-up.
pub(crate) const PATIENCE: Duration = Duration::from_mins(12);

/// How much of a function's log a failed test prints.
const LOG_LINES: usize = 40;
const LOG_LINE_CHARACTERS: usize = 400;

/// Accounts with their own business in the simulated Xero, in the order of the businesses.
const BUSINESSES: [&str; 10] = [
    "acc_e2e_first",
    "acc_e2e_many",
    "acc_e2e_bad",
    "acc_e2e_roles",
    "acc_e2e_stranger",
    "acc_e2e_people",
    "acc_e2e_kill",
    "acc_e2e_outage",
    "acc_e2e_refused",
    "acc_e2e_restore",
];

/// The running stack, as described by the environment.
pub(crate) struct Stack {
    pub(crate) http: HttpClient,
    pub(crate) aws: Aws,
    pub(crate) api: String,
    pub(crate) simulator: String,
    pub(crate) other_app_secret: String,
    pub(crate) issuer: String,
    pub(crate) contacts: String,
    pub(crate) invoices: String,
    pub(crate) invoice_dead_letters: String,
}

/// The stack, or `None` if it is not running.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment contains the addresses of the stack"
)]
pub(crate) fn stack() -> Option<Stack> {
    let variable = |name: &str| std::env::var(name).ok();
    let Some(endpoint) = variable("STACK_ENDPOINT") else {
        eprintln!("skipped: STACK_ENDPOINT is not set; `cargo verify --only e2e` runs this");
        return None;
    };
    let http = HttpClient::default();
    let variable = |name: &str| variable(name).unwrap_or_else(|| panic!("{name} is not set"));
    Some(Stack {
        aws: Aws::new(http.clone(), endpoint),
        http,
        api: variable("STACK_API_URL"),
        simulator: variable("STACK_SIMULATOR_URL"),
        other_app_secret: variable("STACK_OTHER_APP_SECRET"),
        issuer: variable("STACK_ISSUER_URL"),
        contacts: variable("STACK_CONTACT_QUEUE_URL"),
        invoices: variable("STACK_INVOICE_QUEUE_URL"),
        invoice_dead_letters: variable("STACK_INVOICE_DEAD_LETTER_URL"),
    })
}

impl Stack {
    pub(crate) async fn token(&self, account: &str, role: &str) -> String {
        let address = format!("{}/token?account_id={account}&role={role}", self.issuer);
        String::from_utf8(self.http.get(&address).await.unwrap().to_vec()).unwrap()
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
    ) -> Response<Bytes> {
        let uri = format!("{}{path}", self.api);
        let mut request = Request::builder().method(method.clone()).uri(uri);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = self.http.send(request.body(Bytes::new()).unwrap()).await.unwrap();
        assert_is_described(&method, path, &answer);
        answer
    }

    pub(crate) async fn json(&self, method: Method, path: &str, token: &str) -> (u16, Value) {
        read(&self.call(method, path, Some(token)).await)
    }

    /// Links a client to a contact in Xero.
    pub(crate) async fn link(&self, client: &str, contact: &str, token: &str) -> (u16, Value) {
        let body = format!(r#"{{"contact_id":"{contact}"}}"#);
        self.put(&format!("/v1/clients/{client}/contact"), body, token).await
    }

    /// Replaces a resource of the API.
    pub(crate) async fn put(&self, path: &str, body: String, token: &str) -> (u16, Value) {
        let request = Request::put(format!("{}{path}", self.api))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Bytes::from(body));
        let answer = self.http.send(request.unwrap()).await.unwrap();
        assert_is_described(&Method::PUT, path, &answer);
        read(&answer)
    }

    /// Connects an account in a browser to the organisation of its business. Returns the owner's
    /// token.
    pub(crate) async fn connect(&self, account: &str) -> String {
        let business = BUSINESSES.iter().position(|one| *one == account).expect("a business");
        self.connect_as(account, &format!("owner{}@business.example", business + 1)).await
    }

    /// The same, with the Xero login of this e-mail address.
    pub(crate) async fn connect_as(&self, account: &str, login: &str) -> String {
        let token = self.token(account, "Owner").await;
        let (status, begun) = self.json(Method::POST, "/v1/connection", &token).await;
        assert_eq!(status, 201, "{begun}");
        let page = format!("{}&login_hint={login}", begun["authorize_url"].as_str().unwrap());
        let callback = browser::press(&self.http, &page, "allow").await.unwrap();
        let returned = browser::follow_callback(&self.http, &callback).await.unwrap();
        let ticket = returned.ticket.unwrap_or_else(|| panic!("no ticket: {}", returned.word));
        // The API answers in time even if Xero does not; the same ticket resumes.
        let completed = until(PATIENCE, async || {
            let answer = browser::present(&self.http, &self.api, &token, &ticket).await.unwrap();
            assert_is_described(&Method::POST, "/v1/connection/complete", &answer);
            let (status, done) = read(&answer);
            (done["outcome"] != browser::IN_PROGRESS).then_some((status, done))
        });
        let (status, done) = completed.await.expect("a completed connection");
        assert_eq!(done["outcome"], "connected", "{status} {done}");
        token
    }

    pub(crate) async fn send(&self, account: &str, id: &str, body: &str) {
        self.send_to(&self.invoices, account, id, body).await;
    }

    pub(crate) async fn send_to(&self, queue: &str, account: &str, id: &str, body: &str) {
        let message = Message {
            queue_url: queue,
            message_body: body,
            message_group_id: account,
            message_deduplication_id: id,
        };
        self.aws.send_message(&message).await.unwrap();
    }

    /// Waits until the API shows the invoice as `wanted` says.
    pub(crate) async fn invoice(
        &self,
        id: &str,
        token: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        self.record(&format!("/v1/invoices/{id}"), token, wanted).await
    }

    /// The same for any resource of the API at this path.
    pub(crate) async fn record(
        &self,
        path: &str,
        token: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let found = until(PATIENCE, async || {
            let (status, record) = self.json(Method::GET, path, token).await;
            (status == 200 && wanted(&record)).then_some(record)
        })
        .await;
        if let Some(record) = found {
            return record;
        }
        let last = self.json(Method::GET, path, token).await;
        panic!("{path}: {last:?}\n{}", self.describe_pushes().await)
    }

    /// What the queue of invoices holds and what the functions logged last, for a failed test.
    async fn describe_pushes(&self) -> String {
        let mut lines_of_all =
            vec![format!("left: {:?}", self.aws.messages_left(&self.invoices).await)];
        for function in ["invoice-push", "contact-push"] {
            let group = format!("/aws/lambda/{}", function_name(function));
            let lines = self.aws.log_lines(&group).await.unwrap_or_default();
            for line in lines.iter().skip(lines.len().saturating_sub(LOG_LINES)) {
                let line = line.chars().take(LOG_LINE_CHARACTERS).collect::<String>();
                lines_of_all.push(format!("{function}: {line}"));
            }
        }
        lines_of_all.join("\n")
    }

    /// The organisation that all accounts share.
    pub(crate) async fn organisation(&self) -> String {
        let organisations = self.simulated("/_simulator/organisations").await;
        first(&organisations)["id"].as_str().unwrap().to_owned()
    }

    /// Enters a contact in Xero that this product does not know.
    pub(crate) async fn enter_contact(&self, name: &str) {
        let page = format!("{}&login_hint=dana@ridgeway.example", consent_page(&self.simulator));
        let callback = browser::press(&self.http, &page, "allow").await.unwrap();
        let (xero, secret) = (&self.simulator, &self.other_app_secret);
        let app = OtherApp::let_in(&self.http, xero, secret, &callback).await.unwrap();
        let body = format!(r#"{{"Contacts":[{{"Name":"{name}"}}]}}"#);
        app.enter(&self.organisation().await, "Contacts", body).await.unwrap();
    }

    /// The invoices of that number in all books in Xero.
    pub(crate) async fn in_xero(&self, number: &str) -> Vec<Value> {
        let mut found = Vec::new();
        for organisation in rows(&self.simulated("/_simulator/organisations").await) {
            let id = organisation["id"].as_str().unwrap();
            let all = self.simulated(&format!("/_simulator/organisations/{id}/invoices")).await;
            let rows = rows(&all).into_iter();
            found.extend(rows.filter(|invoice| invoice["InvoiceNumber"] == number));
        }
        found
    }

    /// How many calls Xero has received.
    pub(crate) async fn calls(&self) -> usize {
        rows(&self.simulated("/_simulator/calls").await).len()
    }

    pub(crate) async fn simulated(&self, path: &str) -> Value {
        let body = self.http.get(&format!("{}{path}", self.simulator)).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}

/// A response's status and body.
fn read(answer: &Response<Bytes>) -> (u16, Value) {
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(answer.body()).unwrap_or(Value::Null))
}

pub(crate) fn rows(list: &Value) -> Vec<Value> {
    let array = list.as_array().or_else(|| list.as_object()?.values().find_map(Value::as_array));
    array.cloned().unwrap_or_default()
}

pub(crate) fn first(list: &Value) -> Value {
    rows(list).into_iter().next().unwrap()
}

pub(crate) fn of(account: &str, message: InvoiceMessage) -> InvoiceMessage {
    message.account(account)
}

/// A `client.upserted` message of that account with `"mode":"record"`.
pub(crate) fn a_known_client(account: &str, id: &str, name: &str) -> String {
    a_client(id, 1, name, "record").replace(ACCOUNT, account)
}

pub(crate) fn is_synced(revision: u64) -> impl Fn(&Value) -> bool {
    move |record| record["state"] == "synced" && record["synced_revision"] == revision
}

/// Fails unless the OpenAPI document describes the response. The local gateway answers in its own
/// words for a function that was killed, as some of these tests want.
fn assert_is_described(method: &Method, path: &str, answer: &Response<Bytes>) {
    let media = answer.headers().get("content-type").and_then(|media| media.to_str().ok());
    let media = media.unwrap_or_default();
    if answer.status().is_server_error() && media != "application/problem+json" {
        return;
    }
    let path = path.split('?').next().unwrap_or_default();
    let status = answer.status().as_u16();
    assert_described(method.as_str(), path, status, media, answer.body());
}
