//! The control surface for the organisation itself and the open questions. The command line sets
//! the same switches.

use crate::socket::{Served, served};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use xero_sim::Unconfirmed;

async fn post(served: &Served, path: &str, body: Value) -> (u16, Value) {
    let path = format!("/_simulator/organisations/{}/{path}", served.tenant());
    served.json("POST", &path, &body.to_string()).await
}

async fn own(served: &Served) -> Value {
    let (_, organisations) = served.json("GET", "/_simulator/organisations", "").await;
    organisations[0].clone()
}

/// Rule 62.
#[tokio::test]
async fn an_organisation_is_closed_reopened_and_disconnected() {
    let served = served().await;
    assert_eq!(post(&served, "close", json!({})).await.0, 200);
    assert_eq!(served.json("GET", "/api.xro/2.0/Organisation", "").await.0, 403);
    let (_, links) = served.json("GET", "/connections", "").await;
    assert_eq!(links.as_array().unwrap().len(), 1);
    let shown = own(&served).await;
    assert_eq!((&shown["isClosed"], &shown["isConnected"]), (&json!(true), &json!(true)));
    assert_eq!(post(&served, "reopen", json!({})).await.0, 200);
    assert_eq!(served.json("GET", "/api.xro/2.0/Organisation", "").await.0, 200);
    assert_eq!(post(&served, "disconnect", json!({"user": "nobody@x.example"})).await.0, 409);
    assert_eq!(post(&served, "disconnect", json!({"client": "other"})).await.0, 409);
    let dana = json!({"client": "client-1", "user": "dana@ridgeway.example"});
    assert_eq!(post(&served, "disconnect", dana).await.0, 200);
    assert_eq!(served.json("GET", "/api.xro/2.0/Organisation", "").await.0, 403);
    assert_eq!(served.json("GET", "/connections", "").await.1, json!([]));
    assert_eq!(own(&served).await["isConnected"], false);
    assert_eq!(post(&served, "frame", json!({})).await.0, 404);
}

#[tokio::test]
async fn the_tokens_of_an_organisation_end_and_its_links_remain() {
    let served = served().await;
    assert_eq!(post(&served, "end-tokens", json!({})).await.0, 200);
    assert_eq!(served.json("GET", "/api.xro/2.0/Organisation", "").await.0, 401);
    assert_eq!(served.json("GET", "/connections", "").await.0, 401);
    assert_eq!(own(&served).await["isConnected"], true);
    assert_eq!(post(&served, "end-tokens", json!({})).await.0, 409, "no token is left");
}

#[tokio::test]
async fn periods_are_locked_and_accounts_archived() {
    let served = served().await;
    assert_eq!(post(&served, "lock", json!({"through": "2026-11-30"})).await.0, 200);
    let body = served.invoice_body("SC-2");
    let (status, refused) = served.json("PUT", "/api.xro/2.0/Invoices", &body).await;
    assert_eq!(status, 400);
    assert!(refused.to_string().contains("period lock date, currently set at 30-Nov-2026"));
    assert_eq!(post(&served, "lock", json!({"through": "soon"})).await.0, 409);
    assert_eq!(post(&served, "lock", json!({})).await.0, 200);
    assert_eq!(post(&served, "lock-year", json!({"through": "2026-11-30"})).await.0, 200);
    let (_, refused) = served.json("PUT", "/api.xro/2.0/Invoices", &body).await;
    assert!(refused.to_string().contains("end of year lock date"));
    assert_eq!(post(&served, "lock-year", json!({})).await.0, 200);
    assert_eq!(post(&served, "accounts/200/archive", json!({})).await.0, 200);
    let (_, refused) = served.json("PUT", "/api.xro/2.0/Invoices", &body).await;
    assert!(refused.to_string().contains("Account code '200' has been archived"));
    assert_eq!(post(&served, "accounts/200/restore", json!({})).await.0, 200);
    assert_eq!(served.json("PUT", "/api.xro/2.0/Invoices", &body).await.0, 200);
    assert_eq!(post(&served, "accounts/999/archive", json!({})).await.0, 409);
}

/// Rule 74.
#[tokio::test]
async fn approvals_are_limited_and_unlimited() {
    let served = served().await;
    assert_eq!(post(&served, "limit-approvals", json!({"left": 0})).await.0, 200);
    let body = served.invoice_body("SC-2");
    let (status, refused) = served.json("PUT", "/api.xro/2.0/Invoices", &body).await;
    assert_eq!(status, 400);
    assert!(refused.to_string().contains("the limit of invoices you can approve"));
    for wrong in [json!(-1), json!(1.5), json!("many")] {
        assert_eq!(post(&served, "limit-approvals", json!({"left": wrong})).await.0, 409);
    }
    assert_eq!(post(&served, "limit-approvals", json!({})).await.0, 200);
    assert_eq!(served.json("PUT", "/api.xro/2.0/Invoices", &body).await.0, 200);
}

#[tokio::test]
async fn contacts_are_edited_and_an_empty_text_clears_a_field() {
    let served = served().await;
    let contact = served.rows("contacts").await[0]["ContactID"].as_str().unwrap().to_owned();
    let edit = json!({"name": "Ridge Plumbing Ltd", "number": "sc-1", "email": "a@b.example"});
    assert_eq!(post(&served, &format!("contacts/{contact}/edit"), edit).await.0, 200);
    assert_eq!(post(&served, "contacts/sc-1/edit", json!({"email": ""})).await.0, 200);
    let row = served.rows("contacts").await[0].clone();
    assert_eq!(
        (&row["Name"], &row["ContactNumber"]),
        (&json!("Ridge Plumbing Ltd"), &json!("sc-1"))
    );
    assert_eq!(row["EmailAddress"], "");
}

/// Rule 72.
#[tokio::test]
async fn odd_rows_are_inserted_and_members_overridden() {
    let served = served().await;
    let (status, made) = post(&served, "odd", json!({"row": "far-due-date"})).await;
    assert_eq!(status, 200);
    let path = format!("/api.xro/2.0/Invoices/{}", made["id"].as_str().unwrap());
    let (_, shown) = served.json("GET", &path, "").await;
    assert_eq!(shown["Invoices"][0]["DueDateString"], "9999-12-31T00:00:00");
    let (status, refused) = post(&served, "odd", json!({"row": "funny"})).await;
    assert_eq!(status, 409);
    assert!(refused["error"].as_str().unwrap().contains("empty-currency"));
    let empty_currency = json!({"member": "CurrencyCode", "value": ""});
    assert_eq!(post(&served, "invoices/SC-1/override", empty_currency).await.0, 200);
    let leave_out = json!({"member": "Total"});
    assert_eq!(post(&served, "invoices/SC-1/override", leave_out).await.0, 200);
    let (_, shown) = served.json("GET", "/api.xro/2.0/Invoices/SC-1", "").await;
    assert_eq!(shown["Invoices"][0]["CurrencyCode"], "");
    assert!(shown["Invoices"][0].get("Total").is_none());
}

/// Rule 72.
#[tokio::test]
async fn what_does_not_exist_cannot_be_overridden() {
    let served = served().await;
    let member = || json!({"member": "Name", "value": {"a": 1}});
    assert_eq!(post(&served, "accounts/200/override", member()).await.0, 200);
    assert_eq!(post(&served, "override", member()).await.0, 200);
    assert_eq!(post(&served, "connections/override", member()).await.0, 200);
    assert_eq!(post(&served, "accounts/no-code/override", member()).await.0, 409);
    assert_eq!(post(&served, "tax-rates/NO-RATE/override", member()).await.0, 409);
    assert_eq!(post(&served, "widgets/1/override", member()).await.0, 404);
    assert_eq!(post(&served, "override", json!({})).await.0, 409);
    let (_, shown) = served.json("GET", "/api.xro/2.0/Organisation", "").await;
    assert_eq!(shown["Organisations"][0]["Name"], json!({"a": 1}));
}

/// Rules 67 and 68.
#[tokio::test]
async fn edge_faults_and_odd_elements_are_injected_over_the_socket() {
    let served = served().await;
    for (fault, status) in [
        (json!({"kind": "EdgePage", "status": 403, "path": "/api.xro/"}), 403),
        (json!({"kind": "EdgeEmpty", "status": 503, "path": "/api.xro/"}), 503),
        (json!({"kind": "OddElement", "index": 0, "path": "/api.xro/"}), 200),
    ] {
        assert_eq!(served.json("POST", "/_simulator/faults", &fault.to_string()).await.0, 204);
        let body = r#"{"Contacts":[{"Name":"New"}]}"#;
        let (answered, _) = served.json("PUT", "/api.xro/2.0/Contacts", body).await;
        assert_eq!(answered, status, "{fault}");
    }
    assert_eq!(served.rows("contacts").await.len(), 1, "no contact was saved");
    let fault = json!({"kind": "EdgePage"}).to_string();
    assert_eq!(served.json("POST", "/_simulator/faults", &fault).await.0, 400);
}

#[tokio::test]
async fn open_questions_are_answered_over_the_socket() {
    let served = served().await;
    let (_, listed) = served.json("GET", "/_simulator/answers", "").await;
    assert_eq!(listed.as_array().unwrap().len(), Unconfirmed::names().count());
    let body = r#"{"rounding":"half-even","archived_by_id":false,"page_size_max":7}"#;
    let (status, now) = served.json("POST", "/_simulator/answers", body).await;
    assert_eq!(status, 200);
    let answer = |name: &str| {
        let rows = now.as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap()["answer"].clone()
    };
    assert_eq!(answer("rounding"), "half-even");
    assert_eq!(answer("archived_by_id"), "false");
    let (_, page) = served.json("GET", "/api.xro/2.0/Contacts?page=1", "").await;
    assert_eq!(page["pagination"]["pageSize"], 7);
    let bad = r#"{"page_size_max":9,"roundness":true}"#;
    let (status, refused) = served.json("POST", "/_simulator/answers", bad).await;
    assert_eq!(status, 400);
    assert!(refused["error"].as_str().unwrap().contains("name_before_number"));
    let (_, page) = served.json("GET", "/api.xro/2.0/Contacts?page=1", "").await;
    assert_eq!(page["pagination"]["pageSize"], 7, "one invalid answer refuses all");
}

#[tokio::test]
async fn the_page_closes_locks_inserts_and_sets_answers() {
    let served = served().await;
    let page = served.raw("GET", "/_simulator/", "").await;
    for shown in [
        "/close\"",
        "/disconnect\"",
        "/lock\"",
        "/accounts/200/archive\"",
        "value=\"far-due-date\"",
        "/edit\"",
        "name=\"rounding\" value=\"half-even\"",
        " connected",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    let kind = "content-type: application/x-www-form-urlencoded\r\naccept: text/html\r\n";
    let close = format!("/_simulator/organisations/{}/close", served.tenant());
    for (path, form) in [(close.as_str(), ""), ("/_simulator/answers", "rounding=half-even")] {
        let answer = served.raw_with("POST", path, kind, form).await;
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    }
    let page = served.raw("GET", "/_simulator/", "").await;
    assert!(page.contains("connected, closed") && page.contains("/reopen\""));
    assert!(page.contains("name=\"rounding\" value=\"half-away-from-zero\""));
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xero-sim")).args(arguments).output().unwrap()
}

/// The program, which serves a free port until the test ends.
struct Program {
    child: Child,
    port: u16,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        drop(self.child.wait());
    }
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xero-sim"));
        command.args(["--port", "0"]).args(arguments).stdout(Stdio::piped());
        let mut program = Self { child: command.spawn().unwrap(), port: 0 };
        let mut line = String::new();
        BufReader::new(program.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (_, port) =
            line.trim_end().rsplit_once(':').expect("the program says where it listens");
        program.port = port.parse().unwrap();
        program
    }

    fn call(&self, method: &str, path: &str, form: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             accept: application/json\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{form}",
            form.len(),
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }
}

#[test]
fn an_answer_on_the_command_line_is_shown_and_has_its_effect() {
    for (answer, expected) in [("bad_client_status=400", 400_u16), ("bad_client_status=401", 401)] {
        let program = Program::start(&["--answer", answer]);
        let (status, answers) = program.call("GET", "/_simulator/answers", "");
        assert_eq!(status, 200);
        let mut answers = answers.as_array().unwrap().iter();
        let shown = answers.find(|row| row["name"] == "bad_client_status").unwrap();
        assert_eq!(shown["answer"], expected.to_string());
        let form = "grant_type=refresh_token&refresh_token=t&client_id=nobody&client_secret=s";
        let (status, refused) = program.call("POST", "/connect/token", form);
        assert_eq!((status, &refused["error"]), (expected, &json!("invalid_client")));
    }
}

#[test]
fn an_invalid_command_line_is_explained() {
    for (arguments, said) in [
        (&["--answer", "roundness=true"][..], "a similar value exists: 'rounding'"),
        (&["--answer", "help=1"], "archived_by_id"),
        (&["--answer", "rounding=up"], "half-away-from-zero or half-even"),
        (&["--answer", "rounding"], "half-away-from-zero or half-even"),
        (&["--speed", "0"], "invalid value '0' for '--speed <N>'"),
        (&["--region", "XX"], "possible values: GB, NZ, AU, US, IE, GLOBAL, ZA, SG"),
        (&["--port"], "a value is required for '--port <N>'"),
        (&["--colour", "red"], "unexpected argument '--colour'"),
        (&["--prot", "9800"], "a similar argument exists: '--port'"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(said) && text.contains("'--help'"), "{text}");
    }
}

#[test]
fn the_help_names_every_option() {
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    for option in [
        "Usage: xero-sim [OPTIONS]",
        "--port <N>",
        "--redirect-uri <URI>",
        "--client-id <ID>",
        "--client-secret <SECRET>",
        "--region <REGION>",
        "--speed <N>",
        "--answer <NAME=VALUE>",
    ] {
        assert!(text.contains(option), "{option}: {text}");
    }
}
