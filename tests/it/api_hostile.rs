//! Requests of clients that are mistaken or malicious: odd ids, parameters and bodies, roles that
//! may only read, too many requests. Each is answered as the OpenAPI document describes, which the
//! gateway checks.

#![allow(clippy::disallowed_methods, reason = "responses are compared, not computed with")]

use jiff::SignedDuration;
use runtime::api::{describe_api, list_routes};
use serde_json::{Value, json};
use tests::World;

use crate::api_lists::{a_business, read, send};
use crate::gateway::{Delays, Gateway, a_request};

/// An id that nothing in Xero has.
const XERO_ID: &str = "00000000-0000-0000-0000-00000000dead";
const ENDS_THE_CONNECTION: &str = "DELETE /v1/connection";

const ODD_IDS: [&str; 7] =
    ["%00", "%2E%2E", "a%20b", "%F0%9F%92%A7", "%FF", "%zz", "inv_1~nothing"];

const ODD_QUERIES: [&str; 20] = [
    "=",
    "&&",
    "odd=1",
    "%00=1",
    "limit=0",
    "limit=1&limit=2",
    "limit=18446744073709551616",
    "cursor=%00",
    "cursor=9999",
    "cursor=GIVEN_UP!inv_1",
    "page=-1",
    "page=4294967295",
    "days=0",
    "from=9999-12-30T00:00:00Z&before=-009998-01-01T00:00:00Z",
    "from=2026-02-30",
    "code=%00&q=%25%27%22",
    "query=%00%00",
    "query=%F0%9F%92%A7%F0%9F%92%A7",
    "link=perhaps",
    "refresh=1",
];

fn odd_bodies() -> Vec<String> {
    let mut bodies = vec!["[".repeat(10_000), "x".repeat(200_000)];
    let few = [
        "",
        "null",
        "[]",
        "{}",
        "\u{0}",
        r#"{"":1}"#,
        r#"{"sales":["200"],"tax_types":7}"#,
        r#"{"sales":"\u0000","tax_types":{"":""}}"#,
        r#"{"records":[{"entity":"invoice","crm_id":""}]}"#,
        r#"{"same_as":"pay_1","import":true}"#,
        r#"{"ticket":{"ticket":""}}"#,
        r#"{"ticket":"x"}"#,
        r#"{"automatic":[1e400]}"#,
    ];
    bodies.extend(few.map(str::to_owned));
    // Well-formed bodies about things that do not exist.
    let ids = ["contact_id", "tenant_id", "same_as", "invoice", "ticket"];
    bodies.extend(ids.map(|field| format!(r#"{{"{field}":"{XERO_ID}"}}"#)));
    bodies.extend(["import", "acknowledged"].map(|field| format!(r#"{{"{field}":true}}"#)));
    bodies
}

/// Every route, as its method and its path.
fn routes() -> Vec<(String, String)> {
    let split = |route: &String| {
        let (method, path) = route.split_once(' ').unwrap();
        (method.to_owned(), path.to_owned())
    };
    list_routes().iter().map(split).collect()
}

/// The path with this id of the CRM in the place of its parameters.
fn fill_path(path: &str, id: &str) -> String {
    let part = |part: &str| {
        let filled = match part {
            part if !part.starts_with('{') => part,
            part if part.contains("xero") => XERO_ID,
            _ => id,
        };
        filled.to_owned()
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

async fn assert_no_server_error(
    gateway: &Gateway,
    method: &str,
    address: &str,
    body: Option<&str>,
) {
    let (status, answer) = send(gateway, method, address, "Owner", body).await;
    assert!(status < 500, "{method} {address}: {status} {answer}");
}

#[tokio::test(start_paused = true)]
async fn no_odd_request_ends_in_a_server_error() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    for (method, path) in routes() {
        if format!("{method} {path}") == ENDS_THE_CONNECTION {
            continue;
        }
        // The calls to Xero of one route do not use up those of the next.
        world.clock.advance(SignedDuration::from_mins(1));
        let plain = fill_path(&path, "inv_1");
        for id in ODD_IDS {
            assert_no_server_error(&gateway, &method, &fill_path(&path, id), None).await;
        }
        for query in ODD_QUERIES {
            assert_no_server_error(&gateway, &method, &format!("{plain}?{query}"), None).await;
        }
        if method != "GET" {
            for body in odd_bodies() {
                assert_no_server_error(&gateway, &method, &plain, Some(&body)).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_changes_nothing_whatever_the_request_contains() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    let calls = world.calls().len();
    let log = read(&gateway, "/v1/sync-log").await;
    for (method, path) in routes().into_iter().filter(|(method, _)| method != "GET") {
        for body in [None, Some("{}"), Some("[")] {
            for id in ["inv_1", "%FF"] {
                let address = fill_path(&path, id);
                let (status, problem) = send(&gateway, &method, &address, "Member", body).await;
                let refused = (403, &json!("/problems/forbidden"));
                assert_eq!((status, &problem["type"]), refused, "{method} {address}");
            }
        }
    }
    assert_eq!(world.calls().len(), calls);
    assert_eq!(read(&gateway, "/v1/sync-log").await, log);
}

#[tokio::test(start_paused = true)]
async fn a_preview_reads_nothing_from_xero_and_writes_nothing() {
    let world = a_business();
    let gateway = Gateway::new(&world, Delays::default());
    let (calls, items) = (world.calls().len(), world.table.all_items());
    let previews = routes().into_iter().filter(|(_, path)| path.ends_with("/preview"));
    let previews = previews.collect::<Vec<_>>();
    assert!(previews.len() >= 4, "{previews:?}");
    for (method, path) in previews {
        for id in ["inv_0", "inv_1", "cli_1", "unknown"] {
            let (status, answer) =
                send(&gateway, &method, &fill_path(&path, id), "Owner", None).await;
            assert!([200, 404].contains(&status), "{method} {path}: {answer}");
        }
    }
    assert_eq!(world.calls().len(), calls);
    assert!(world.table.all_items() == items, "a preview wrote a row");
}

#[tokio::test(start_paused = true)]
async fn addresses_and_methods_that_do_not_exist_are_answered_with_problem_documents() {
    let gateway = Gateway::new(&World::connected(), Delays::default());
    for (method, address, status, name) in [
        ("GET", "/v1/quotes", 404, "not-found"),
        ("GET", "/v1/invoices/inv_1/payments/x/y", 404, "not-found"),
        ("PUT", "/v1/sync-log", 405, "method-not-allowed"),
        ("PATCH", "/v1/account-codes", 405, "method-not-allowed"),
        ("DELETE", "/v1/invoices/inv_1", 405, "method-not-allowed"),
    ] {
        let (answered, problem) = send(&gateway, method, address, "Owner", None).await;
        let expected = json!(format!("/problems/{name}"));
        assert_eq!((answered, &problem["type"]), (status, &expected), "{method} {address}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_misspelt_or_repeated_parameter_starts_nothing() {
    let gateway = Gateway::new(&World::connected(), Delays::default());
    for (query, field) in [("lnk=false", "lnk"), ("link=false&link=true", "link")] {
        let address = format!("/v1/reconciliation?{query}");
        let (status, problem) = send(&gateway, "POST", &address, "Owner", None).await;
        assert_eq!((status, &problem["field"]), (400, &json!(field)), "{query}");
    }
    assert_eq!(read(&gateway, "/v1/reconciliation").await["state"], "none");
    let (status, problem) = send(&gateway, "GET", "/v1/sync-log?crmid=x", "Member", None).await;
    assert_eq!((status, &problem["field"]), (400, &json!("crmid")));
}

#[tokio::test(start_paused = true)]
async fn a_field_in_the_body_of_a_request_that_takes_none_is_refused_by_name() {
    let gateway = Gateway::new(&World::connected(), Delays::default());
    let document: Value = serde_json::from_str(describe_api()).unwrap();
    let mut checked = 0;
    for (method, path) in routes().into_iter().filter(|(method, _)| method != "GET") {
        if document["paths"][&path][method.to_lowercase()].get("requestBody").is_some() {
            continue;
        }
        checked += 1;
        let (address, body) = (fill_path(&path, "inv_1"), Some(r#"{"link":false}"#));
        let (status, problem) = send(&gateway, &method, &address, "Owner", body).await;
        assert_eq!((status, &problem["field"]), (400, &json!("link")), "{method} {path}");
    }
    assert!(checked >= 10, "{checked}");
    assert_eq!(read(&gateway, "/v1/reconciliation").await["state"], "none");
    assert_eq!(read(&gateway, "/v1/connection").await["status"], "active");
    let (status, _) = send(&gateway, "POST", "/v1/sync-all", "Owner", Some("{}")).await;
    assert_eq!(status, 202);
}

#[tokio::test(start_paused = true)]
async fn a_parameter_of_a_request_that_takes_none_is_refused_by_name() {
    let gateway = Gateway::new(&World::connected(), Delays::default());
    let document: Value = serde_json::from_str(describe_api()).unwrap();
    let mut checked = 0;
    for (method, path) in routes() {
        let operation = &document["paths"][&path][method.to_lowercase()];
        let parameters = operation["parameters"].as_array();
        let has_query = parameters.is_some_and(|all| all.iter().any(|one| one["in"] == "query"));
        // The OpenAPI document needs no token.
        if has_query || operation.get("security").is_some() {
            continue;
        }
        checked += 1;
        let address = format!("{}?kind=invoice", fill_path(&path, "inv_1"));
        let (status, problem) = send(&gateway, &method, &address, "Owner", None).await;
        assert_eq!((status, &problem["field"]), (400, &json!("kind")), "{method} {path}");
    }
    assert!(checked >= 30, "{checked}");
    assert_eq!(read(&gateway, "/v1/sync-all").await["state"], "none");
    assert_eq!(read(&gateway, "/v1/connection?&").await["status"], "active");
    for (method, address, role, expected) in [
        ("PUT", "/v1/sync-log?kind=invoice", "Owner", 405),
        ("GET", "/v1/quotes?kind=invoice", "Owner", 404),
        ("POST", "/v1/sync-all?kind=invoice", "Member", 403),
    ] {
        let (status, _) = send(&gateway, method, address, role, None).await;
        assert_eq!(status, expected, "{method} {address}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_no_request_needs_is_refused_by_its_length() {
    let gateway = Gateway::new(&World::connected(), Delays::default());
    let rates = (0..20_000).map(|rate| format!("\"{rate}\":\"NONE\"")).collect::<Vec<_>>();
    let body = format!("{{\"sales\":\"200\",\"tax_types\":{{{}}}}}", rates.join(","));
    let (status, problem) = send(&gateway, "PUT", "/v1/account-codes", "Owner", Some(&body)).await;
    assert_eq!((status, &problem["field"]), (400, &json!("body")));
    assert!(problem["detail"].as_str().unwrap().contains("bytes"), "{problem}");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_sends_too_many_requests_is_asked_to_wait() {
    let world = World::connected();
    let gateway = Gateway::new(&world, Delays::default()).with_account_limit(2);
    let request = a_request("GET", "/v1/connection", "", "Member", None);
    for expected in [200_u16, 200, 429, 429] {
        let (_, answer) = gateway.send(&request).await;
        assert_eq!(answer.status(), expected);
        assert_eq!(answer.headers().contains_key("retry-after"), expected == 429);
    }
    let (_, answer) = gateway.send(&request).await;
    let problem: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(problem["type"], "/problems/too-many-requests");
    world.clock.advance(SignedDuration::from_secs(30));
    assert_eq!(gateway.send(&request).await.1.status(), 200);
    assert_eq!(gateway.send(&request).await.1.status(), 429);
}

async fn find_tag(gateway: &Gateway, path: &str) -> String {
    let (_, answer) = gateway.send(&a_request("GET", path, "", "Owner", None)).await;
    answer.headers()["etag"].to_str().unwrap().to_owned()
}

/// The status of the answer to a change of what has this tag.
async fn change(gateway: &Gateway, path: &str, tag: &str, body: &str) -> u16 {
    let mut request = a_request("PUT", path, "", "Owner", Some(body));
    request.headers_mut().insert("if-match", tag.parse().unwrap());
    gateway.send(&request).await.1.status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn a_change_of_one_setting_does_not_outdate_another() {
    let gateway = Gateway::new(&World::connected(), Delays::default());
    let (codes, preferences) = ("/v1/account-codes", "/v1/sync-preferences");
    let (codes_tag, preferences_tag) =
        (find_tag(&gateway, codes).await, find_tag(&gateway, preferences).await);
    let drafts = r#"{"new_invoices":"draft"}"#;
    let gift_cards = r#"{"sales":"200","gift_card":"835"}"#;
    assert_eq!(change(&gateway, preferences, &preferences_tag, drafts).await, 200);
    assert_eq!(change(&gateway, codes, &codes_tag, gift_cards).await, 200);
    assert_eq!(change(&gateway, preferences, &preferences_tag, drafts).await, 412);
    assert_eq!(change(&gateway, codes, &codes_tag, gift_cards).await, 412);
    let newest = find_tag(&gateway, preferences).await;
    assert_eq!(change(&gateway, preferences, &newest, "{}").await, 200);
    assert_eq!(read(&gateway, codes).await["gift_card"], "835");
}
