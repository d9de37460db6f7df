//! Xero is unavailable for a while, or its address refuses connections.

use http::Method;
use local::deployment::{function_name, update};
use local::wait::until;
use serde_json::Value;
use tests::builders::an_invoice;

use crate::stack::{PATIENCE, Stack, is_synced, of, stack};
use crate::{change_faults, find_tenant, list_books, read_output};

const ACCOUNT: &str = "acc_e2e_outage";
const CLIENT: &str = "cli_e2e_outage";
/// The account and the client of the rehearsal without a server.
const REFUSED: &str = "acc_e2e_refused";
const REFUSED_CLIENT: &str = "cli_e2e_refused";
/// The port of the character generator protocol (RFC 864). No server listens there.
const CLOSED: &str = "http://127.0.0.1:19";
/// The write takes effect, and the response says that it failed.
const UNCONFIRMED_WRITE: &str =
    r#"{"kind":"Status500Applied","path":"/api.xro/2.0/Invoices","method":"PUT"}"#;
/// Of everything that the product calls: the API, the connections, the tokens.
const UNAVAILABLE: [&str; 3] = ["/api.xro/", "/connections", "/connect/token"];
/// Words of the lines that write two metrics.
const DEFECTS: [&str; 2] = ["_aws", "Defects"];
const RETRIES: [&str; 2] = ["Attempts", "retrying"];
/// The failures after which the next one gives a record up.
const LAST_ATTEMPT: u64 = 5;

/// Waits until the record's last attempt has failed with this code or class.
async fn wait_for_failure(
    stack: &Stack,
    id: &str,
    token: &str,
    state: &str,
    reason: &str,
) -> Value {
    let is_failed = |record: &Value| {
        let failure = &record["failure"];
        record["state"] == state && (failure["code"] == reason || failure["class"] == reason)
    };
    stack.invoice(id, token, is_failed).await
}

/// How many lines of the push function's log contain both words.
async fn count_lines(stack: &Stack, words: [&str; 2]) -> usize {
    let group = format!("/aws/lambda/{}", function_name("invoice-push"));
    let lines = stack.aws.log_lines(&group).await.unwrap();
    lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

/// Makes the next failure of an invoice the one that gives it up, which takes ten hours otherwise.
async fn raise_failures(stack: &Stack, tenant: &str, id: &str) {
    let table = read_output("STACK_TABLE_NAME");
    let (pk, sk) = (format!("L#{ACCOUNT}#{tenant}"), format!("MAP#invoice#{id}"));
    let row = stack.aws.row(&table, &pk, &sk).await.unwrap().expect("a row of the invoice");
    let mut record = row.record().unwrap();
    record["operation"]["failures"] = Value::from(LAST_ATTEMPT);
    stack.aws.put_row(&table, &row.with_record(&record)).await.unwrap();
}

#[tokio::test]
async fn what_is_sent_during_an_outage_arrives_once_afterwards_and_the_status_says_why_it_waits() {
    let Some(stack) = stack() else { return };
    change_faults(&stack, Method::DELETE, "").await;
    let token = stack.connect(ACCOUNT).await;
    let known = of(ACCOUNT, an_invoice("inv_e2e_outage_0", CLIENT));
    stack.send(ACCOUNT, "outage-0", &known.body()).await;
    stack.invoice("inv_e2e_outage_0", &token, is_synced(1)).await;
    let defects = count_lines(&stack, DEFECTS).await;
    let retries = count_lines(&stack, RETRIES).await;

    // It begins with a write whose outcome Xero does not confirm. Then nothing answers any more.
    change_faults(&stack, Method::POST, UNCONFIRMED_WRITE).await;
    let unconfirmed = of(ACCOUNT, an_invoice("inv_e2e_outage_1", CLIENT));
    stack.send(ACCOUNT, "outage-1", &unconfirmed.body()).await;
    wait_for_failure(&stack, "inv_e2e_outage_1", &token, "waiting", "uncertain").await;
    for path in UNAVAILABLE {
        let fault = format!(r#"{{"kind":"Unavailable503","path":"{path}","times":1000000}}"#);
        change_faults(&stack, Method::POST, &fault).await;
    }
    let edited = of(ACCOUNT, an_invoice("inv_e2e_outage_0", CLIENT)).revision(2);
    stack.send(ACCOUNT, "outage-2", &edited.price("100.00", "120.00").body()).await;
    let new = of(ACCOUNT, an_invoice("inv_e2e_outage_2", CLIENT));
    stack.send(ACCOUNT, "outage-3", &new.body()).await;
    for id in ["inv_e2e_outage_0", "inv_e2e_outage_2"] {
        let record = wait_for_failure(&stack, id, &token, "waiting", "xero_unavailable").await;
        assert!(record["next_attempt_at"].is_string(), "{record}");
    }
    let is_counted = |status: &Value| status["failing"] == 3;
    let status = stack.record("/v1/connection", &token, is_counted).await;
    assert_eq!(status["status"], "error", "{status}");

    // Operators see retries and no defect, and their jobs do not fail.
    let are_logged = async || {
        let now = count_lines(&stack, RETRIES).await;
        (now >= retries + 3).then_some(())
    };
    until(PATIENCE, are_logged).await.expect("the metric of three retries");
    stack.aws.call_function(&function_name("health-check")).await.unwrap();

    // For one record the outage lasts longer than all retries.
    let tenant = find_tenant(&stack, &read_output("STACK_TABLE_NAME"), ACCOUNT).await;
    raise_failures(&stack, &tenant, "inv_e2e_outage_2").await;
    let path = "/v1/invoices/inv_e2e_outage_2/sync";
    stack.json(Method::POST, path, &token).await;
    wait_for_failure(&stack, "inv_e2e_outage_2", &token, "skipped", "xero_unavailable").await;

    // Xero is back. The operator's command releases what was given up, and nothing else.
    change_faults(&stack, Method::DELETE, "").await;
    // A sweep that its schedule has started refuses the command for a moment.
    let sweep = function_name("sweep");
    let command = async || stack.aws.send_command(&sweep, r#"{"after":"outage"}"#).await.ok();
    let answer = until(PATIENCE, command).await.expect("an answer of the sweep");
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["is_cut_short"], false, "{answer}");
    assert_eq!(answer["records"], 1, "{answer}");
    stack.invoice("inv_e2e_outage_2", &token, is_synced(1)).await;
    // The others are retried after five minutes, or at once if a user asks for it.
    let (status, started) = stack.json(Method::POST, "/v1/sync-all", &token).await;
    assert_eq!(status, 202, "{started}");
    stack.invoice("inv_e2e_outage_1", &token, is_synced(1)).await;
    let record = stack.invoice("inv_e2e_outage_0", &token, is_synced(2)).await;
    assert_eq!(record["amounts"]["xero_total"]["amount"], "120.00", "{record}");

    let invoices = list_books(&stack, &tenant, "invoices").await;
    let numbers = invoices.iter().map(|one| one["InvoiceNumber"].as_str().unwrap());
    let mut numbers = numbers.collect::<Vec<_>>();
    numbers.sort_unstable();
    assert_eq!(numbers, ["#INV_E2E_OUTAGE_0", "#INV_E2E_OUTAGE_1", "#INV_E2E_OUTAGE_2"]);
    let is_over = |status: &Value| status["failing"] == 0 && status["skipped"] == 0;
    let status = stack.record("/v1/connection", &token, is_over).await;
    assert_eq!(status["status"], "active", "{status}");
    assert_eq!(count_lines(&stack, DEFECTS).await, defects);
}

/// Deploys the stack with Xero at this address. Functions behind an alias use it once a version is
/// published, for which another log level is enough and another address is not.
async fn deploy_with_xero_at(stack: &Stack, address: &str, log_level: &str) {
    let changes = [("XeroApiUrl", address), ("XeroIdentityUrl", address), ("LogLevel", log_level)];
    update(&stack.aws, &changes).await.unwrap();
}

#[tokio::test]
async fn what_is_sent_while_xero_refuses_connections_waits_and_is_never_uncertain() {
    let Some(stack) = stack() else { return };
    change_faults(&stack, Method::DELETE, "").await;
    let token = stack.connect(REFUSED).await;
    let known = of(REFUSED, an_invoice("inv_e2e_refused_0", REFUSED_CLIENT));
    stack.send(REFUSED, "refused-0", &known.body()).await;
    stack.invoice("inv_e2e_refused_0", &token, is_synced(1)).await;
    let defects = count_lines(&stack, DEFECTS).await;

    deploy_with_xero_at(&stack, CLOSED, "info,engine=info").await;
    let edited = of(REFUSED, an_invoice("inv_e2e_refused_0", REFUSED_CLIENT)).revision(2);
    stack.send(REFUSED, "refused-1", &edited.price("100.00", "120.00").body()).await;
    let new = of(REFUSED, an_invoice("inv_e2e_refused_1", REFUSED_CLIENT));
    stack.send(REFUSED, "refused-2", &new.body()).await;
    for id in ["inv_e2e_refused_0", "inv_e2e_refused_1"] {
        let record = wait_for_failure(&stack, id, &token, "waiting", "xero_unreachable").await;
        assert_eq!(record["failure"]["class"], "transient", "the request was never sent: {record}");
        assert!(record["next_attempt_at"].is_string(), "{record}");
    }
    let is_counted = |status: &Value| status["failing"] == 2;
    let status = stack.record("/v1/connection", &token, is_counted).await;
    assert_eq!(status["status"], "error", "{status}");
    stack.aws.call_function(&function_name("health-check")).await.unwrap();

    // The server is back at its address.
    deploy_with_xero_at(&stack, &stack.simulator, "info").await;
    let (status, started) = stack.json(Method::POST, "/v1/sync-all", &token).await;
    assert_eq!(status, 202, "{started}");
    stack.invoice("inv_e2e_refused_1", &token, is_synced(1)).await;
    let record = stack.invoice("inv_e2e_refused_0", &token, is_synced(2)).await;
    assert_eq!(record["amounts"]["xero_total"]["amount"], "120.00", "{record}");
    for number in ["#INV_E2E_REFUSED_0", "#INV_E2E_REFUSED_1"] {
        assert_eq!(stack.in_xero(number).await.len(), 1, "{number}");
    }
    let is_over = |status: &Value| status["failing"] == 0 && status["skipped"] == 0;
    let status = stack.record("/v1/connection", &token, is_over).await;
    assert_eq!(status["status"], "active", "{status}");
    assert_eq!(count_lines(&stack, DEFECTS).await, defects);
}
