//! Procedures of the runbook on the deployed template with the real binaries: an outage of Xero,
//! and the restore of the table. Each of them stops the work of all accounts, so they run one after
//! the other, after the end-to-end tests. `cargo verify --only e2e` starts the stack; without it
//! they print a message and check nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may panic, and prints why it did not run"
)]

#[path = "../it/described.rs"]
mod described;
mod outage;
mod restore;
#[path = "../e2e/stack.rs"]
#[allow(dead_code, reason = "the end-to-end tests use more of it")]
mod stack;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;

use self::stack::Stack;

/// An address or a name of the stack, from the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment contains the addresses of the stack"
)]
fn read_output(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

/// The organisation to which an account is connected, from the account's row.
async fn find_tenant(stack: &Stack, table: &str, account: &str) -> String {
    let row = stack.aws.row(table, &format!("A#{account}"), "CONNECTION").await.unwrap();
    let connection = row.expect("a row of the connection").record().unwrap();
    connection["organisation"]["tenant"].as_str().unwrap().to_owned()
}

/// Everything of a kind in the books of an organisation.
async fn list_books(stack: &Stack, tenant: &str, collection: &str) -> Vec<Value> {
    let path = format!("/_simulator/organisations/{tenant}/{collection}");
    stack::rows(&stack.simulated(&path).await)
}

/// Changes how Xero fails: `POST` adds a fault, `DELETE` ends all of them.
async fn change_faults(stack: &Stack, method: Method, fault: &str) {
    let request = Request::builder()
        .method(method)
        .uri(format!("{}/_simulator/faults", stack.simulator))
        .body(Bytes::copy_from_slice(fault.as_bytes()));
    let answer = stack.http.send(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), 204, "{fault}");
}
