//! A small client for tests: it implements HTTP and JSON, and shares no code with the product's
//! client.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use url::Url;
use uuid::Uuid;
use xero_sim::{
    Bookkeeper, Books, Consent, InvoiceStatus, Reply, Settings, Simulator, Unconfirmed,
};

pub(crate) const CLIENT: &str = "client-1";
pub(crate) const SECRET: &str = "secret-1";
pub(crate) const CALLBACK: &str = "http://localhost:3000/callback";
pub(crate) const SCOPES: &str = "openid profile email offline_access accounting.contacts \
                                 accounting.invoices accounting.payments \
                                 accounting.banktransactions accounting.settings.read";
pub(crate) const ACCOUNTING: &str = "/api.xro/2.0";

/// A simulator, a clock and, once connected, a bearer and a tenant.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) simulator: Simulator,
    pub(crate) now: Timestamp,
    pub(crate) bearer: String,
    pub(crate) refresh: String,
    pub(crate) tenant: Uuid,
}

/// A parsed response.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The first row of a collection.
    pub(crate) fn first(&self, collection: &str) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()[collection][0].clone()
    }

    /// The digits after the first `"key":`, as they are on the wire.
    pub(crate) fn digits(&self, key: &str) -> &str {
        let (_, rest) = self.text.split_once(&format!("\"{key}\":")).expect(key);
        rest.split([',', '}']).next().unwrap()
    }

    /// The validation messages of a 400, of all elements in order.
    pub(crate) fn messages(&self) -> Vec<String> {
        assert_eq!(self.status, 400, "{}", self.text);
        let body = self.json();
        assert_eq!(body["ErrorNumber"], 10, "{body}");
        assert_eq!(body["Type"], "ValidationException");
        assert_eq!(body["Message"], "A validation exception occurred");
        let elements = body["Elements"].as_array().unwrap();
        elements.iter().flat_map(messages_of).collect()
    }
}

/// The messages inside one element.
pub(crate) fn messages_of(element: &Value) -> Vec<String> {
    let errors = element["ValidationErrors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["Message"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn demo() -> Settings {
    Settings::demo(CLIENT, SECRET, CALLBACK)
}

/// The URL that a browser is redirected to.
pub(crate) fn authorize_url(scopes: &str) -> String {
    let mut url = Url::parse("https://login.xero.com/identity/connect/authorize").unwrap();
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", CLIENT)
        .append_pair("redirect_uri", CALLBACK)
        .append_pair("scope", scopes)
        .append_pair("state", "s-1");
    url.to_string()
}

/// One query parameter of a redirect URL.
pub(crate) fn parameter(location: &str, name: &str) -> Option<String> {
    let url = Url::parse(location).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

pub(crate) fn basic(client: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")))
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The response of a reply that was delivered.
pub(crate) fn answered(reply: Reply) -> Answered {
    let Reply::Answer(response) = reply else { panic!("no answer: {reply:?}") };
    let (head, body) = response.into_parts();
    Answered {
        status: head.status.as_u16(),
        headers: head.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

impl Caller {
    /// A caller without a connection.
    pub(crate) fn unconnected(settings: Settings) -> Self {
        let tenant = settings.organisations[0].id;
        Self {
            simulator: Simulator::new(settings),
            now: "2026-11-02T09:00:00Z".parse().unwrap(),
            bearer: String::new(),
            refresh: String::new(),
            tenant,
        }
    }

    /// Connected to the British organisation with the usual scopes.
    pub(crate) fn connected() -> Self {
        Self::with_settings(demo())
    }

    pub(crate) fn unconfirmed(change: impl FnOnce(&mut Unconfirmed)) -> Self {
        let mut settings = demo();
        change(&mut settings.unconfirmed);
        Self::with_settings(settings)
    }

    /// Connected to a Xero that returns the id of an allocation in its response.
    pub(crate) fn with_allocation_ids() -> Self {
        Self::unconfirmed(|switches| switches.allocation_answer_has_id = true)
    }

    pub(crate) fn with_settings(settings: Settings) -> Self {
        let mut caller = Self::unconnected(settings);
        caller.connect(SCOPES);
        caller
    }

    /// Consents to the British organisation and obtains the tokens.
    pub(crate) fn connect(&mut self, scopes: &str) {
        let tenant = self.tenant;
        let code = self.code(scopes, &[tenant]);
        let tokens = self.redeem(&code).json();
        self.take_up(&tokens);
    }

    pub(crate) fn take_up(&mut self, tokens: &Value) {
        tokens["access_token"].as_str().expect("an access token").clone_into(&mut self.bearer);
        tokens["refresh_token"].as_str().unwrap_or_default().clone_into(&mut self.refresh);
    }

    pub(crate) fn user(&self) -> Uuid {
        self.simulator.settings().users[0].id
    }

    /// A code from a consent.
    pub(crate) fn code(&mut self, scopes: &str, tenants: &[Uuid]) -> String {
        let user = self.user();
        match self.simulator.consent(self.now, &authorize_url(scopes), user, tenants) {
            Consent::Redirect(location) => parameter(&location, "code").unwrap(),
            Consent::ErrorPage(text) => panic!("{text}"),
        }
    }

    pub(crate) fn redeem(&mut self, code: &str) -> Answered {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
        ])
    }

    pub(crate) fn renew(&mut self, refresh: &str) -> Answered {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh)])
    }

    pub(crate) fn token(&mut self, pairs: &[(&str, &str)]) -> Answered {
        self.post_form("/connect/token", &basic(CLIENT, SECRET), pairs)
    }

    pub(crate) fn post_form(
        &mut self,
        path: &str,
        authorization: &str,
        pairs: &[(&str, &str)],
    ) -> Answered {
        let request = Request::post(path)
            .header("authorization", authorization)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form(pairs)))
            .unwrap();
        self.send(&request)
    }

    pub(crate) fn send(&mut self, request: &Request<Bytes>) -> Answered {
        answered(self.simulator.handle(self.now, request))
    }

    /// A complete request of the Accounting API.
    pub(crate) fn request(&self, method: &str, path: &str, body: &str) -> http::request::Builder {
        let builder = Request::builder()
            .method(method)
            .uri(format!("{ACCOUNTING}{path}"))
            .header("accept", "application/json")
            .header("authorization", format!("Bearer {}", self.bearer))
            .header("xero-tenant-id", self.tenant.to_string());
        if body.is_empty() { builder } else { builder.header("content-type", "application/json") }
    }

    pub(crate) fn call(&mut self, method: &str, path: &str, body: &str) -> Answered {
        let request = self.request(method, path, body).body(Bytes::from(body.to_owned())).unwrap();
        self.send(&request)
    }

    pub(crate) fn get(&mut self, path: &str) -> Answered {
        self.call("GET", path, "")
    }

    pub(crate) fn put(&mut self, path: &str, body: &str) -> Answered {
        self.call("PUT", path, body)
    }

    pub(crate) fn post(&mut self, path: &str, body: &str) -> Answered {
        self.call("POST", path, body)
    }

    pub(crate) fn since(&mut self, path: &str, instant: &str) -> Answered {
        let request = self.request("GET", path, "").header("if-modified-since", instant);
        let request = request.body(Bytes::new()).unwrap();
        self.send(&request)
    }

    pub(crate) fn with_key(&mut self, method: &str, path: &str, body: &str, key: &str) -> Reply {
        let request = self.request(method, path, body).header("idempotency-key", key);
        let request = request.body(Bytes::from(body.to_owned())).unwrap();
        self.simulator.handle(self.now, &request)
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub(crate) fn books(&self) -> &Books {
        self.simulator.books(self.tenant).unwrap()
    }

    /// The status of an invoice in the books.
    pub(crate) fn invoice_status(&self, invoice: Uuid) -> InvoiceStatus {
        self.books().invoice(invoice).unwrap().status
    }

    pub(crate) fn bookkeeper(&mut self) -> Bookkeeper<'_> {
        self.simulator.bookkeeper(self.now, self.tenant).unwrap()
    }

    /// Creates a contact with this name. Returns its id.
    pub(crate) fn contact(&mut self, name: &str) -> Uuid {
        let answer = self.put("/Contacts", &format!(r#"{{"Contacts":[{{"Name":"{name}"}}]}}"#));
        id(&answer.first("Contacts")["ContactID"])
    }

    /// The first contact, created if there is none.
    pub(crate) fn any_contact(&mut self) -> Uuid {
        const NAME: &str = "Ridge Plumbing";
        let books = self.books();
        let known = books.contacts().find(|contact| contact.name == NAME);
        let first = known.or_else(|| books.contacts().next()).map(|contact| contact.id);
        first.unwrap_or_else(|| self.contact(NAME))
    }

    /// Creates an approved invoice over 100.00 and 20.00 of tax. Returns its id.
    pub(crate) fn invoice(&mut self, number: &str) -> Uuid {
        let contact = self.any_contact();
        let answer = self.put("/Invoices", &invoice(contact, number, "AUTHORISED"));
        id(&answer.first("Invoices")["InvoiceID"])
    }
}

/// The body of an invoice with one line over 100.00.
pub(crate) fn invoice(contact: Uuid, number: &str, status: &str) -> String {
    format!(
        r#"{{"Invoices":[{{"Type":"ACCREC","Contact":{{"ContactID":"{contact}"}},
        "InvoiceNumber":"{number}","Date":"2026-11-02","DueDate":"2026-11-16","Status":"{status}",
        "LineItems":[{{"Description":"Call-out","Quantity":1,"UnitAmount":100,
        "AccountCode":"200","TaxType":"OUTPUT2"}}]}}]}}"#
    )
}

/// The claims of a token.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

pub(crate) fn id(value: &Value) -> Uuid {
    value.as_str().expect("an id").parse().unwrap()
}

/// A query with its parameters encoded.
pub(crate) fn query(path: &str, pairs: &[(&str, &str)]) -> String {
    format!("{path}?{}", form(pairs))
}
