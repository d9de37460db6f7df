//! The two usual approaches, as a careful programmer writes them: one document for each call, and
//! one read for each unpaid invoice. They honour `Retry-After` and reuse one token.

use ::tests::World;
use bytes::Bytes;
use engine::ports::Clock as _;
use http::{Method, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use uuid::Uuid;
use xero_sim::{Instants, Reply};

use crate::push::{client_id, invoice_id};

const API: &str = "https://api.xero.com/api.xro/2.0";
/// How long an answer of Xero takes. It only matters for the limit of calls in a minute.
const ANSWER_TAKES: SignedDuration = SignedDuration::from_millis(400);

/// How a usual integration finds the contact of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactLookup {
    /// It asks Xero for each invoice, and creates the contact if there is none: two or three calls
    /// for each invoice.
    EachTime,
    /// It remembers the contacts it created: one call for each invoice, one for each new client.
    Remembered,
}

/// A usual integration, connected to the organisation of a world.
#[derive(Debug)]
pub struct UsualClient<'w> {
    world: &'w World,
    token: String,
    tenant: Uuid,
    /// Xero's clock of the books and of the limits. The clock of the tokens stands still, so that
    /// no token has to be renewed.
    now: Timestamp,
    begun: Timestamp,
}

impl<'w> UsualClient<'w> {
    /// Uses the access token of the world's connection.
    ///
    /// # Panics
    ///
    /// If the world's account is not connected.
    pub fn new(world: &'w World) -> Self {
        let secrets = world.secrets.values();
        let secret = secrets.first().expect("a connected account has tokens");
        let tokens: Value = serde_json::from_str(secret).expect("tokens are JSON");
        let token = tokens.get("access_token").and_then(Value::as_str);
        let token = token.expect("the tokens have an access token").to_owned();
        let now = world.xero_clock.now();
        Self { world, token, tenant: world.tenant(), now, begun: now }
    }

    /// How long the calls took, with the waits that Xero asked for.
    pub fn elapsed(&self) -> SignedDuration {
        self.now.duration_since(self.begun)
    }

    /// Pushes the invoices with the numbers from zero to `count`.
    pub fn push_invoices(&mut self, count: usize, lookup: ContactLookup) {
        let mut known: Option<(String, String)> = None;
        for number in 0..count {
            let client = client_id(number);
            let remembered = known
                .as_ref()
                .filter(|(id, _)| *id == client && lookup == ContactLookup::Remembered);
            let contact = match remembered {
                Some((_, contact)) => contact.clone(),
                None => self.find_or_create_contact(&client, lookup),
            };
            self.create_invoice(number, &contact);
            known = Some((client, contact));
        }
    }

    /// Reads each of these invoices, to see whether it was paid.
    pub fn poll_invoices(&mut self, invoices: &[Uuid]) {
        for id in invoices {
            self.call(&Method::GET, &format!("/Invoices/{id}"), "");
        }
    }

    fn find_or_create_contact(&mut self, client: &str, lookup: ContactLookup) -> String {
        if lookup == ContactLookup::EachTime {
            let filter = format!("ContactNumber==\"{client}\"");
            let filter = url::form_urlencoded::byte_serialize(filter.as_bytes());
            let query = format!("/Contacts?where={}", filter.collect::<String>());
            let found = self.call(&Method::GET, &query, "");
            if let Some(id) = first_id(&found, "/Contacts/0/ContactID") {
                return id;
            }
        }
        let body =
            format!(r#"{{"Contacts":[{{"Name":"Client {client}","ContactNumber":"{client}"}}]}}"#);
        let made = self.call(&Method::POST, "/Contacts", &body);
        first_id(&made, "/Contacts/0/ContactID").expect("the contact was created")
    }

    fn create_invoice(&mut self, number: usize, contact: &str) {
        let invoice_number = format!("#{}", invoice_id(number).to_uppercase());
        let body = format!(
            r#"{{"Invoices":[{{"Type":"ACCREC","Status":"AUTHORISED",
            "Contact":{{"ContactID":"{contact}"}},"InvoiceNumber":"{invoice_number}",
            "Date":"2026-10-03","DueDate":"2026-10-03","CurrencyCode":"GBP",
            "LineAmountTypes":"Exclusive","LineItems":[{{"Description":"Boiler service",
            "Quantity":1,"UnitAmount":95.00,"AccountCode":"200","TaxType":"OUTPUT2"}}]}}]}}"#
        );
        let made = self.call(&Method::POST, "/Invoices", &body);
        assert!(first_id(&made, "/Invoices/0/InvoiceID").is_some(), "{made}");
    }

    /// Makes a call, as often as Xero asks to repeat it. Returns the answer.
    fn call(&mut self, method: &Method, path: &str, body: &str) -> Value {
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{API}{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("xero-tenant-id", self.tenant.to_string())
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .expect("a valid request");
        loop {
            let instants = Instants { books: self.now, identity: self.begun };
            let reply = self.world.xero().handle(instants, &request);
            let Reply::Answer(response) = reply else {
                unreachable!("the benchmark injects no fault")
            };
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                let after = response.headers().get("retry-after");
                let after = after.and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
                self.wait(SignedDuration::from_secs(after.unwrap_or(1).max(1)));
                continue;
            }
            self.wait(ANSWER_TAKES);
            let text = String::from_utf8_lossy(response.body());
            assert!(response.status().is_success(), "{method} {path}: {text}");
            return serde_json::from_str(&text).expect("an answer of Xero is JSON");
        }
    }

    fn wait(&mut self, time: SignedDuration) {
        self.now = self.now.checked_add(time).expect("the time is in range");
    }
}

fn first_id(answer: &Value, pointer: &str) -> Option<String> {
    answer.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned)
}
