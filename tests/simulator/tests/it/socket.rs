//! Tests of the simulator on a real socket, with raw bytes.

use crate::caller::*;
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde_json::Value;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use xero_sim::{Fault, FaultKind, Match, Simulator, host};

/// A served simulator and the credentials of a connected caller.
pub(crate) struct Served {
    address: SocketAddr,
    simulator: Arc<Mutex<Simulator>>,
    bearer: String,
    tenant: uuid::Uuid,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub(crate) async fn served() -> Served {
    let mut caller = Caller::connected();
    caller.invoice("SC-1");
    let now = caller.now;
    let Caller { simulator, bearer, tenant, .. } = caller;
    let simulator = Arc::new(Mutex::new(simulator));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let clock: host::Clock = Arc::new(move || -> Timestamp { now });
    let server = tokio::spawn(host::serve(listener, Arc::clone(&simulator), clock));
    Served { address, simulator, bearer, tenant, server }
}

impl Served {
    /// All bytes that the server sends until it closes the connection.
    pub(crate) async fn raw(&self, method: &str, path: &str, body: &str) -> String {
        self.raw_with(method, path, "accept: application/json\r\n", body).await
    }

    /// The same, with additional headers, each ending with a line break.
    pub(crate) async fn raw_with(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> String {
        String::from_utf8(self.bytes_with(method, path, headers, body).await).unwrap()
    }

    /// The same, as bytes: a compressed response is not text.
    async fn bytes_with(&self, method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
             {headers}authorization: Bearer {}\r\nxero-tenant-id: {}\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            self.bearer,
            self.tenant,
            body.len(),
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        // A dropped connection may end in a reset; the bytes before it count.
        stream.read_to_end(&mut received).await.unwrap_or_default();
        received
    }

    pub(crate) fn tenant(&self) -> uuid::Uuid {
        self.tenant
    }

    /// The body of another invoice of the same contact.
    pub(crate) fn invoice_body(&self, number: &str) -> String {
        let simulator = self.simulator.lock().unwrap();
        let contact = simulator.books(self.tenant).unwrap().contacts().next().unwrap().id;
        invoice(contact, number, "AUTHORISED")
    }

    pub(crate) async fn json(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let raw = self.raw(method, path, body).await;
        let (head, body) = raw.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// The rows of a collection of the control surface.
    pub(crate) async fn rows(&self, collection: &str) -> Vec<Value> {
        let path = format!("/_simulator/organisations/{}/{collection}", self.tenant());
        let (status, rows) = self.json("GET", &path, "").await;
        assert_eq!(status, 200, "{path}");
        rows.as_array().unwrap().clone()
    }

    fn inject(&self, path: &str, kind: FaultKind) {
        self.simulator.lock().unwrap().inject(Fault { on: Match::next(path), kind });
    }
}

#[tokio::test]
async fn all_hosts_of_xero_share_the_socket() {
    let served = served().await;
    let (status, body) = served.json("GET", "/api.xro/2.0/Invoices/SC-1", "").await;
    assert_eq!((status, &body["Invoices"][0]["InvoiceNumber"]), (200, &"SC-1".into()));
    let (status, body) = served.json("GET", "/connections", "").await;
    assert_eq!((status, &body[0]["tenantType"]), (200, &"ORGANISATION".into()));
    let (status, _) = served.json("GET", "/.well-known/openid-configuration", "").await;
    assert_eq!(status, 200);
}

/// Rule 22.
#[tokio::test]
async fn a_lost_answer_closes_the_connection_without_a_byte() {
    let served = served().await;
    let body = r#"{"Contacts":[{"Name":"Lost"}]}"#;
    for (kind, contacts) in [(FaultKind::LostBefore, 1), (FaultKind::LostAfter, 2)] {
        served.inject("/api.xro/", kind);
        assert_eq!(served.raw("PUT", "/api.xro/2.0/Contacts", body).await, "");
        let simulator = served.simulator.lock().unwrap();
        assert_eq!(simulator.books(served.tenant).unwrap().contacts().count(), contacts);
    }
}

/// Rule 22.
#[tokio::test]
async fn a_truncated_answer_is_shorter_than_its_content_length() {
    let served = served().await;
    let whole = served.raw("GET", "/api.xro/2.0/Accounts", "").await;
    served.inject("/api.xro/", FaultKind::Cut);
    let cut = served.raw("GET", "/api.xro/2.0/Accounts", "").await;
    let (head, body) = cut.split_once("\r\n\r\n").expect("a head and a part");
    let promised: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .expect("a promised length")
        .parse()
        .unwrap();
    assert_eq!(body.len(), promised / 2);
    assert!(whole.len() > cut.len());
}

/// Rule 76.
#[tokio::test]
async fn an_answer_is_compressed_for_callers_that_accept_gzip() {
    let served = served().await;
    let path = "/api.xro/2.0/Accounts";
    let plain = served.raw("GET", path, "").await;
    let (head, listed) = plain.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("content-encoding"), "{head}");
    for accepted in ["gzip", "deflate, GZIP;q=0.5"] {
        let headers = format!("accept: application/json\r\naccept-encoding: {accepted}\r\n");
        let answer = served.bytes_with("GET", path, &headers, "").await;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let (head, compressed) = answer.split_at(end + 4);
        let head = String::from_utf8(head.to_vec()).unwrap();
        assert!(head.contains("content-encoding: gzip\r\n"), "{head}");
        assert!(head.contains(&format!("content-length: {}\r\n", compressed.len())), "{head}");
        let mut decompressed = String::new();
        GzDecoder::new(compressed).read_to_string(&mut decompressed).unwrap();
        let [plain, decompressed] = [listed, decompressed.as_str()]
            .map(|body| serde_json::from_str::<Value>(body).unwrap()["Accounts"].clone());
        assert_eq!(decompressed, plain);
    }
    for refused in ["identity", "gzip;q=0", "br"] {
        let headers = format!("accept: application/json\r\naccept-encoding: {refused}\r\n");
        let answer = served.raw_with("GET", path, &headers, "").await;
        assert!(!answer.contains("content-encoding"), "{refused}");
    }
}

/// Rule 76.
#[tokio::test]
async fn an_answer_without_a_body_is_not_compressed() {
    let served = served().await;
    let (_, links) = served.json("GET", "/connections", "").await;
    let path = format!("/connections/{}", links[0]["id"].as_str().unwrap());
    let answer = served.raw_with("DELETE", &path, "accept-encoding: gzip\r\n", "").await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(!answer.contains("content-encoding"), "{answer}");
}

/// Rule 16.
#[tokio::test]
async fn an_answered_call_is_no_longer_in_flight() {
    let served = served().await;
    for _ in 0..12 {
        let (status, _) = served.json("GET", "/api.xro/2.0/Currencies", "").await;
        assert_eq!(status, 200);
    }
    served.inject("/api.xro/", FaultKind::Cut);
    served.raw("GET", "/api.xro/2.0/Currencies", "").await;
    for _ in 0..5 {
        served.inject("/api.xro/", FaultKind::LostAfter);
        served.raw("GET", "/api.xro/2.0/Currencies", "").await;
    }
    let (status, _) = served.json("GET", "/api.xro/2.0/Currencies", "").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn the_control_surface_shows_and_changes_the_books() {
    let served = served().await;
    let (_, organisations) = served.json("GET", "/_simulator/organisations", "").await;
    assert_eq!(organisations[0]["id"], served.tenant.to_string());
    let base = format!("/_simulator/organisations/{}", served.tenant);
    let (_, invoices) = served.json("GET", &format!("{base}/invoices"), "").await;
    assert_eq!(invoices[0]["InvoiceNumber"], "SC-1");
    let pay = format!("{base}/invoices/SC-1/pay");
    assert_eq!(served.json("POST", &pay, r#"{"amount":"20.00","date":"2026-11-03"}"#).await.0, 200);
    assert_eq!(served.json("POST", &pay, "").await.0, 200, "the rest, today");
    let (status, refusal) = served.json("POST", &pay, "").await;
    assert_eq!(status, 409);
    assert!(refusal["error"].as_str().unwrap().starts_with("Payments can only be made"));
    let (_, invoices) = served.json("GET", &format!("{base}/invoices"), "").await;
    assert_eq!(invoices[0]["Status"], "PAID");
    let contact = invoices[0]["Contact"]["ContactID"].as_str().unwrap();
    let archive = format!("{base}/contacts/{contact}/archive");
    assert_eq!(served.json("POST", &archive, "").await.0, 200);
    let (_, contacts) = served.json("GET", &format!("{base}/contacts"), "").await;
    assert_eq!(contacts[0]["ContactStatus"], "ARCHIVED");
    assert_eq!(served.json("POST", &format!("{base}/invoices/SC-7/void"), "").await.0, 404);
}

#[tokio::test]
async fn the_control_surface_accepts_faults_and_shows_calls() {
    let served = served().await;
    let fault = r#"{"kind":"RateLimited","path":"/api.xro/","problem":"minute",
        "retryAfterSeconds":9,"times":2}"#;
    assert_eq!(served.json("POST", "/_simulator/faults", fault).await.0, 204);
    let raw = served.raw("GET", "/api.xro/2.0/Accounts", "").await;
    assert!(raw.starts_with("HTTP/1.1 429"), "{raw}");
    assert!(raw.contains("retry-after: 9"));
    assert_eq!(served.json("DELETE", "/_simulator/faults", "").await.0, 204);
    assert_eq!(served.json("GET", "/api.xro/2.0/Accounts", "").await.0, 200);
    assert_eq!(served.json("POST", "/_simulator/faults", r#"{"kind":"Flood"}"#).await.0, 400);
    let (_, calls) = served.json("GET", "/_simulator/calls", "").await;
    let last = calls.as_array().unwrap().last().unwrap();
    assert_eq!((&last["path"], &last["status"]), (&"/api.xro/2.0/Accounts".into(), &200.into()));
    assert!(last["headers"].get("authorization").is_none());
    let (_, violations) = served.json("GET", "/_simulator/violations", "").await;
    assert_eq!(violations["minute"], 0);
}

#[tokio::test]
async fn the_page_escapes_texts_of_callers() {
    let served = served().await;
    let body = r#"{"Contacts":[{"Name":"Ridge","ContactNumber":"<script>alert('x')</script>"}]}"#;
    assert_eq!(served.json("PUT", "/api.xro/2.0/Contacts", body).await.0, 200);
    let page = served.raw("GET", "/_simulator/", "").await;
    assert!(page.contains("Ridgeway Property Services Ltd"));
    assert!(page.contains("&lt;script&gt;"));
    assert!(!page.contains("<script>"));
}
