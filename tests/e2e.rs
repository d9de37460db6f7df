//! The deployed template, the real binaries, real queues: everything but the endpoints is what runs in
//! production. Needs the local stack, whose addresses are in `STACK_*`; `cargo verify` starts it. Without
//! it the tests say so and check nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops where it is wrong, and says why it did not run"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use local::aws::Aws;
use local::aws::sqs::Message;
use local::http_client::HttpClient;
use local::story::browser;
use local::story::other_app::{OtherApp, consent_page};
use local::wait::until;
use serde_json::Value;
use tests::builders::{InvoiceMessage, a_client, an_invoice};
use tests::world::ACCOUNT;

/// Long enough for several deaths in a row: each costs a visibility timeout and a wake-up.
const PATIENCE: Duration = Duration::from_mins(8);

/// Accounts with a business of their own in the simulated Xero, in the order of the businesses.
const BUSINESSES: [&str; 7] = [
    "acc_e2e_first",
    "acc_e2e_many",
    "acc_e2e_bad",
    "acc_e2e_roles",
    "acc_e2e_stranger",
    "acc_e2e_people",
    "acc_e2e_kill",
];

/// The running stack, as its environment describes it.
struct Stack {
    http: HttpClient,
    aws: Aws,
    api: String,
    simulator: String,
    other_app_secret: String,
    issuer: String,
    contacts: String,
    invoices: String,
    invoice_dead_letters: String,
}

/// The stack, unless there is none.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by their environment where the stack is"
)]
fn stack() -> Option<Stack> {
    let told = |name: &str| std::env::var(name).ok();
    let Some(endpoint) = told("STACK_ENDPOINT") else {
        eprintln!("skipped: STACK_ENDPOINT is not set; `cargo verify --only e2e` runs this");
        return None;
    };
    let http = HttpClient::default();
    let told = |name: &str| told(name).unwrap_or_else(|| panic!("{name} is not set"));
    Some(Stack {
        aws: Aws::new(http.clone(), endpoint),
        http,
        api: told("STACK_API_URL"),
        simulator: told("STACK_SIMULATOR_URL"),
        other_app_secret: told("STACK_OTHER_APP_SECRET"),
        issuer: told("STACK_ISSUER_URL"),
        contacts: told("STACK_CONTACT_QUEUE_URL"),
        invoices: told("STACK_INVOICE_QUEUE_URL"),
        invoice_dead_letters: told("STACK_INVOICE_DEAD_LETTER_URL"),
    })
}

impl Stack {
    async fn token(&self, account: &str, role: &str) -> String {
        let address = format!("{}/token?account_id={account}&role={role}", self.issuer);
        String::from_utf8(self.http.get(&address).await.unwrap().to_vec()).unwrap()
    }

    async fn call(&self, method: Method, path: &str, token: Option<&str>) -> Response<Bytes> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.api));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.http.send(request.body(Bytes::new()).unwrap()).await.unwrap()
    }

    async fn json(&self, method: Method, path: &str, token: &str) -> (u16, Value) {
        read(&self.call(method, path, Some(token)).await)
    }

    /// Says which contact in Xero a client is.
    async fn link(&self, client: &str, contact: &str, token: &str) -> (u16, Value) {
        let body = format!(r#"{{"contact_id":"{contact}"}}"#);
        let request = Request::put(format!("{}/v1/clients/{client}/contact", self.api))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Bytes::from(body));
        read(&self.http.send(request.unwrap()).await.unwrap())
    }

    /// Connects an account like a browser would, to the organisation of its business. The owner's token.
    async fn connect(&self, account: &str) -> String {
        let business = BUSINESSES.iter().position(|one| *one == account).expect("a business");
        self.connect_as(account, &format!("owner{}@business.example", business + 1)).await
    }

    /// The same, with the Xero login of that address.
    async fn connect_as(&self, account: &str, login: &str) -> String {
        let token = self.token(account, "Owner").await;
        let (status, begun) = self.json(Method::POST, "/v1/connection", &token).await;
        assert_eq!(status, 201, "{begun}");
        let page = format!("{}&login_hint={login}", begun["authorize_url"].as_str().unwrap());
        let callback = browser::press(&self.http, &page, "allow").await.unwrap();
        let landing = browser::come_back(&self.http, &callback).await.unwrap();
        let ticket = landing.ticket.unwrap_or_else(|| panic!("no ticket: {}", landing.word));
        let done = browser::complete(&self.http, &self.api, &token, &ticket).await.unwrap();
        assert_eq!(done.outcome, "connected", "{done:?}");
        token
    }

    async fn send(&self, account: &str, id: &str, body: &str) {
        self.send_to(&self.invoices, account, id, body).await;
    }

    async fn send_to(&self, queue: &str, account: &str, id: &str, body: &str) {
        let message = Message {
            queue_url: queue,
            message_body: body,
            message_group_id: account,
            message_deduplication_id: id,
        };
        self.aws.send_message(&message).await.unwrap();
    }

    /// Waits until the API shows the invoice as `wanted` says.
    async fn invoice(&self, id: &str, token: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.record(&format!("/v1/invoices/{id}"), token, wanted).await
    }

    /// The same of whatever the API shows at that address.
    async fn record(&self, path: &str, token: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = until(PATIENCE, async || {
            let (status, record) = self.json(Method::GET, path, token).await;
            (status == 200 && wanted(&record)).then_some(record)
        })
        .await;
        match found {
            Some(record) => record,
            None => panic!("{path}: {:?}", self.json(Method::GET, path, token).await),
        }
    }

    /// The organisation that everybody connects.
    async fn organisation(&self) -> String {
        let organisations = self.simulated("/_simulator/organisations").await;
        first(&organisations)["id"].as_str().unwrap().to_owned()
    }

    /// Enters a contact in Xero that this product has never heard of.
    async fn enter_contact(&self, name: &str) {
        let page = format!("{}&login_hint=dana@ridgeway.example", consent_page(&self.simulator));
        let callback = browser::press(&self.http, &page, "allow").await.unwrap();
        let (xero, secret) = (&self.simulator, &self.other_app_secret);
        let app = OtherApp::let_in(&self.http, xero, secret, &callback).await.unwrap();
        let body = format!(r#"{{"Contacts":[{{"Name":"{name}"}}]}}"#);
        app.enter(&self.organisation().await, "Contacts", body).await.unwrap();
    }

    /// The invoices of that number in anybody's books in Xero.
    async fn in_xero(&self, number: &str) -> Vec<Value> {
        let mut found = Vec::new();
        for organisation in rows(&self.simulated("/_simulator/organisations").await) {
            let id = organisation["id"].as_str().unwrap();
            let all = self.simulated(&format!("/_simulator/organisations/{id}/invoices")).await;
            let rows = rows(&all).into_iter();
            found.extend(rows.filter(|invoice| invoice["InvoiceNumber"] == number));
        }
        found
    }

    /// How many calls Xero has had.
    async fn calls(&self) -> usize {
        rows(&self.simulated("/_simulator/calls").await).len()
    }

    async fn simulated(&self, path: &str) -> Value {
        let body = self.http.get(&format!("{}{path}", self.simulator)).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}

/// An answer's status, with what is in it.
fn read(answer: &Response<Bytes>) -> (u16, Value) {
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(answer.body()).unwrap_or(Value::Null))
}

fn rows(list: &Value) -> Vec<Value> {
    let array = list.as_array().or_else(|| list.as_object()?.values().find_map(Value::as_array));
    array.cloned().unwrap_or_default()
}

fn first(list: &Value) -> Value {
    rows(list).into_iter().next().unwrap()
}

fn of(account: &str, message: InvoiceMessage) -> InvoiceMessage {
    message.account(account)
}

/// A client of that account that is only made known.
fn a_known_client(account: &str, id: &str, name: &str) -> String {
    a_client(id, 1, name, "record").replace(ACCOUNT, account)
}

fn is_synced(revision: u64) -> impl Fn(&Value) -> bool {
    move |record| record["state"] == "synced" && record["synced_revision"] == revision
}

#[tokio::test]
async fn a_business_connects_and_its_invoice_arrives_once_with_amounts_and_log() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_first";
    let token = stack.connect(account).await;
    let (_, status) = stack.json(Method::GET, "/v1/connection", &token).await;
    assert_eq!(status["status"], "active", "{status}");

    let message = of(account, an_invoice("inv_e2e_1", "cli_e2e_1"));
    stack.send(account, "first-1", &message.body()).await;
    let record = stack.invoice("inv_e2e_1", &token, is_synced(1)).await;
    assert_eq!(record["amounts"]["xero_total"]["amount"], "114.00", "{record}");
    assert_eq!(stack.in_xero("#INV_E2E_1").await.len(), 1);

    let edited = of(account, an_invoice("inv_e2e_1", "cli_e2e_1")).revision(2);
    stack.send(account, "first-2", &edited.price("100.00", "120.00").body()).await;
    let record = stack.invoice("inv_e2e_1", &token, is_synced(2)).await;
    assert_eq!(record["amounts"]["xero_total"]["amount"], "120.00", "{record}");
    assert_eq!(stack.in_xero("#INV_E2E_1").await.len(), 1);

    let path = "/v1/sync-log?entity=invoice&status=synced&limit=10";
    let (status, log) = stack.json(Method::GET, path, &token).await;
    assert_eq!(status, 200);
    let told = log["entries"].as_array().unwrap().iter().map(|entry| entry["message"].clone());
    assert_eq!(told.collect::<Vec<_>>(), ["Updated in Xero.", "Created in Xero."]);
}

#[tokio::test]
async fn the_same_message_many_times_and_out_of_order_makes_one_invoice() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_many";
    let token = stack.connect(account).await;
    for copy in 0..100 {
        // Revisions 3, 1, 2, 3, ...: each message with an id of its own, so that the queue drops none.
        let revision = [3, 1, 2][copy % 3];
        let message = of(account, an_invoice("inv_e2e_2", "cli_e2e_2")).revision(revision);
        stack.send(account, &format!("many-{copy}"), &message.body()).await;
    }
    stack.invoice("inv_e2e_2", &token, is_synced(3)).await;
    // The last copies are still on their way; one more record behind them shows that all are through.
    let last = of(account, an_invoice("inv_e2e_3", "cli_e2e_2"));
    stack.send(account, "many-last", &last.body()).await;
    stack.invoice("inv_e2e_3", &token, is_synced(1)).await;
    assert_eq!(stack.in_xero("#INV_E2E_2").await.len(), 1);
}

#[tokio::test]
async fn unreadable_messages_end_in_the_dead_letter_queue_and_hold_nobody_up() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_bad";
    let token = stack.connect(account).await;
    stack.send(account, "bad-1", "this is not JSON at all").await;
    let other = of("acc_somebody_else", an_invoice("inv_e2e_4", "cli_e2e_4"));
    stack.send(account, "bad-2", &other.body()).await;
    let good = of(account, an_invoice("inv_e2e_4", "cli_e2e_4"));
    stack.send(account, "bad-3", &good.body()).await;
    stack.invoice("inv_e2e_4", &token, is_synced(1)).await;

    let reasons = until(PATIENCE, async || {
        let letters = stack.aws.peek(&stack.invoice_dead_letters).await.unwrap();
        let of_this = |body: &str| body == "this is not JSON at all" || body == other.body();
        let mut reasons = letters
            .iter()
            .filter(|letter| of_this(&letter.body))
            .filter_map(|letter| letter.attribute("reason").map(ToOwned::to_owned))
            .collect::<Vec<_>>();
        reasons.sort();
        (reasons.len() == 2).then_some(reasons)
    })
    .await
    .expect("both messages in the dead-letter queue");
    assert!(reasons[0].starts_with("account_id: differs"), "{reasons:?}");
    assert!(reasons[1].starts_with("the body is not JSON"), "{reasons:?}");
}

#[tokio::test]
async fn nobody_sees_or_touches_anything_without_the_right_token() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_roles";
    let owner = stack.connect(account).await;
    let message = of(account, an_invoice("inv_e2e_5", "cli_e2e_5"));
    stack.send(account, "roles-1", &message.body()).await;
    stack.invoice("inv_e2e_5", &owner, is_synced(1)).await;

    let nobody = stack.call(Method::GET, "/v1/connection", None).await;
    assert_eq!(nobody.status(), 401);
    let forged = stack.call(Method::GET, "/v1/connection", Some("a.b.c")).await;
    assert!(matches!(forged.status().as_u16(), 401 | 403), "{}", forged.status());

    let member = stack.token(account, "Member").await;
    assert_eq!(stack.json(Method::GET, "/v1/invoices/inv_e2e_5", &member).await.0, 200);
    let (status, problem) = stack.json(Method::POST, "/v1/invoices/inv_e2e_5/sync", &member).await;
    assert_eq!(status, 403, "{problem}");
    assert_eq!(problem["detail"], "Only an Owner or Admin of the account can do this.");
    assert_eq!(stack.json(Method::POST, "/v1/connection", &member).await.0, 403);

    // Another account sees nothing of it.
    let stranger = stack.connect("acc_e2e_stranger").await;
    assert_eq!(stack.json(Method::GET, "/v1/invoices/inv_e2e_5", &stranger).await.0, 404);
    let (_, log) = stack.json(Method::GET, "/v1/sync-log", &stranger).await;
    assert_eq!(log["entries"].as_array().map(Vec::len), Some(0), "{log}");

    let (status, record) = stack.json(Method::POST, "/v1/invoices/inv_e2e_5/sync", &owner).await;
    assert_eq!((status, &record["state"]), (200, &Value::from("synced")), "{record}");
    let (status, problem) = stack.json(Method::GET, "/v1/sync-log?status=maybe", &owner).await;
    assert_eq!(status, 400);
    assert_eq!(problem["field"], "status", "{problem}");
    assert_eq!(stack.in_xero("#INV_E2E_5").await.len(), 1);
}

#[tokio::test]
async fn a_person_disconnects_and_connects_again_and_nothing_is_made_twice() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_people";
    let token = stack.connect(account).await;
    let message = of(account, an_invoice("inv_e2e_6", "cli_e2e_6"));
    stack.send(account, "people-1", &message.body()).await;
    stack.invoice("inv_e2e_6", &token, is_synced(1)).await;

    let (status, ended) = stack.json(Method::DELETE, "/v1/connection", &token).await;
    assert_eq!((status, &ended["status"]), (200, &Value::from("disconnected")), "{ended}");
    let edited = of(account, an_invoice("inv_e2e_6", "cli_e2e_6")).revision(2);
    stack.send(account, "people-2", &edited.price("100.00", "120.00").body()).await;
    stack.invoice("inv_e2e_6", &token, |record| record["state"] == "parked").await;
    let (status, problem) = stack.json(Method::PUT, "/v1/account-codes", &token).await;
    assert_eq!(status, 400, "{problem}");

    stack.connect(account).await;
    let record = stack.invoice("inv_e2e_6", &token, is_synced(2)).await;
    assert_eq!(record["amounts"]["xero_total"]["amount"], "120.00", "{record}");
    assert_eq!(stack.in_xero("#INV_E2E_6").await.len(), 1);

    let (status, walk) = stack.json(Method::POST, "/v1/sync-all", &token).await;
    assert_eq!(status, 202, "{walk}");
    let done = until(PATIENCE, async || {
        let (_, walk) = stack.json(Method::GET, "/v1/sync-all", &token).await;
        walk["finished_at"].is_string().then_some(walk)
    });
    let done = done.await.expect("a Sync All that comes to its end");
    assert_eq!((&done["looked_at"], &done["unchanged"]), (&2.into(), &2.into()), "{done}");

    let path = "/v1/invoices/inv_e2e_6/never-send";
    let (status, record) = stack.json(Method::POST, path, &token).await;
    assert_eq!((status, &record["state"]), (200, &Value::from("never_send")), "{record}");
}

#[tokio::test]
async fn a_person_searches_links_and_unlinks_a_contact_that_only_one_client_can_be() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_contacts";
    // The other app enters contacts in this login's organisation.
    let token = stack.connect_as(account, "dana@ridgeway.example").await;
    let (client, second) = ("cli_e2e_ferry", "cli_e2e_boatyard");
    for (id, name) in [(client, "Hinksey Ferry Company"), (second, "Osney Boatyard")] {
        let body = a_known_client(account, id, name);
        stack.send_to(&stack.contacts, account, &format!("contacts-{id}"), &body).await;
        let known = stack.record(&format!("/v1/clients/{id}"), &token, |_| true).await;
        assert_eq!(known["xero_id"], Value::Null, "{known}");
    }

    stack.enter_contact("Hinksey Ferries (since 1974)").await;
    let member = stack.token(account, "Member").await;
    let search = "/v1/contacts?query=hinksey";
    let (status, problem) = stack.json(Method::GET, search, &member).await;
    assert_eq!(status, 403, "{problem}");
    let found = stack.record(search, &token, |_| true).await;
    assert_eq!(rows(&found).len(), 1, "{found}");
    let contact = first(&found);
    assert_eq!(contact["name"], "Hinksey Ferries (since 1974)", "{contact}");
    assert_eq!((&contact["is_archived"], &contact["client_id"]), (&false.into(), &Value::Null));
    let contact = contact["contact_id"].as_str().unwrap();
    let (status, problem) = stack.json(Method::GET, "/v1/contacts?query=h", &token).await;
    assert_eq!((status, &problem["field"]), (400, &Value::from("query")), "{problem}");

    let (status, problem) = stack.link(client, contact, &member).await;
    assert_eq!(status, 403, "{problem}");
    // The tests share Xero's minute: a person who meets its limit is told so, and tries again.
    let linked = until(PATIENCE, async || {
        let (status, linked) = stack.link(client, contact, &token).await;
        (status == 200).then_some(linked)
    });
    let linked = linked.await.expect("a client that is linked");
    assert_eq!(linked["xero_id"], contact, "{linked}");
    let refused = until(PATIENCE, async || {
        let (status, problem) = stack.link(second, contact, &token).await;
        assert_eq!(status, 409, "{problem}");
        problem["detail"].as_str().unwrap().contains(client).then_some(())
    });
    refused.await.expect("a refusal that names the client whose contact it is");
    let found = stack.record(search, &token, |_| true).await;
    assert_eq!(first(&found)["client_id"], client, "{found}");

    // What the CRM has goes to the contact now, and meanwhile nobody can unlink it.
    let one = format!("/v1/clients/{client}");
    let synced = stack.record(&one, &token, is_synced(1)).await;
    assert_eq!(synced["xero_id"], contact, "{synced}");
    let path = format!("{one}/contact");
    assert_eq!(stack.json(Method::DELETE, &path, &member).await.0, 403);
    let (status, unlinked) = stack.json(Method::DELETE, &path, &token).await;
    assert_eq!((status, &unlinked["xero_id"]), (200, &Value::Null), "{unlinked}");
    assert_eq!(first(&unlinked["earlier_xero_ids"]), contact, "{unlinked}");
    let found = stack.record(search, &token, |_| true).await;
    assert_eq!(first(&found)["contact_id"], contact, "the contact stays: {found}");
    assert_eq!(first(&found)["client_id"], Value::Null, "{found}");
}

/// Deaths in the test of deaths.
const DEATHS: u64 = 10;

#[tokio::test]
async fn functions_killed_at_random_moments_leave_every_invoice_once_and_as_it_was_sent_last() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_kill";
    let token = stack.connect(account).await;
    // The seed decides what is sent; the moments of death belong to the machine as well.
    let mut draw = fastrand::Rng::with_seed(20_261_126);
    let mut newest = BTreeMap::new();
    for death in 0..DEATHS {
        for _ in 0..3 {
            let id = format!("inv_e2e_kill_{}", draw.u64(0..12));
            let revision = newest.entry(id.clone()).and_modify(|one| *one += 1).or_insert(1_u64);
            let (price, total) = (format!("{revision}0.00"), format!("{}.00", *revision * 12));
            let message = of(account, an_invoice(&id, "cli_e2e_kill")).revision(*revision);
            let body = message.price(&price, &total).body();
            for copy in 0..2 {
                stack.send(account, &format!("{id}-{revision}-{copy}"), &body).await;
            }
        }
        let (before, some) = (stack.calls().await, draw.usize(0..4));
        let begun = async || (stack.calls().await >= before + some).then_some(());
        until(Duration::from_secs(15), begun).await;
        kill_functions(stack.aws.endpoint(), &["invoice-push", "contact-push"]);
        assert!(newest.len() <= 12, "after death {death}");
    }
    for (id, revision) in newest {
        let record = stack.invoice(&id, &token, is_synced(revision)).await;
        let number = format!("#{}", id.to_uppercase());
        let found = stack.in_xero(&number).await;
        assert_eq!(found.len(), 1, "{number}");
        let total = format!("{}.00", revision * 12);
        assert_eq!(record["amounts"]["xero_total"]["amount"], total, "{record}");
    }
    let violations = stack.simulated("/_simulator/violations").await;
    for limit in ["minute", "day", "concurrent", "appMinute"] {
        assert_eq!(violations[limit], 0, "{violations}");
    }
}

/// Kills every running process of these functions of this stack, without asking them.
fn kill_functions(endpoint: &str, functions: &[&str]) {
    let of_this_stack = format!("AWS_ENDPOINT_URL={endpoint}");
    for entry in std::fs::read_dir("/proc").unwrap() {
        let folder = entry.unwrap().path();
        let environment = std::fs::read(folder.join("environ")).unwrap_or_default();
        let variables = environment.split(|byte| *byte == 0).collect::<Vec<_>>();
        let is_function = variables.iter().any(|variable| {
            variable.starts_with(b"AWS_LAMBDA_FUNCTION_NAME=")
                && functions.iter().any(|function| variable.ends_with(function.as_bytes()))
        });
        let is_ours = variables.contains(&of_this_stack.as_bytes());
        let Some(pid) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        if is_function && is_ours {
            let killed = std::process::Command::new("kill").args(["-9", pid]).status();
            assert!(killed.is_ok(), "kill is not there");
        }
    }
}
