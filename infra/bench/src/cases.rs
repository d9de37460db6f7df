//! What each function is measured with: the state it meets and the events it receives.

use ::tests::World;
use ::tests::builders::{a_client, a_credit_note, a_payment, an_invoice};
use ::tests::requests::{authorized_as, request_event};
use ::tests::world::ACCOUNT;
use serde_json::{Value, json};

use crate::push::{invoice_messages, push_messages};
use crate::surroundings::{queue_arn, wake_up_queue};

/// The package and the binary of the bare function that everything is compared with.
pub const HELLO: &str = "bench-hello";
/// The open invoices that a poll reads at first: a page of Xero's largest size.
const OPEN_INVOICES: usize = 1_000;

/// A function and how it is measured.
#[derive(Debug, Clone, Copy)]
pub struct FunctionCase {
    /// Its package and binary.
    pub function: &'static str,
    /// What an invocation does.
    pub does: &'static str,
    /// The queue that it serves.
    pub queue: &'static str,
    /// Makes the state that it meets, beside a connected account with one invoice.
    pub prepare: fn(&World),
    /// The event of the invocation with this number. The first is zero.
    pub event: fn(&World, usize) -> String,
}

/// Every function, the bare one first.
pub const CASES: [FunctionCase; 13] = [
    FunctionCase {
        function: HELLO,
        does: "nothing",
        queue: "none",
        prepare: leave_unchanged,
        event: |_, _| json!({}).to_string(),
    },
    FunctionCase {
        function: "contact-push",
        does: "pushes a new client",
        queue: "contacts",
        prepare: leave_unchanged,
        event: |_, number| {
            let id = format!("cli_{number}");
            sqs_event("contacts", &[a_client(&id, 1, &format!("Client {id}"), "push")])
        },
    },
    FunctionCase {
        function: "invoice-push",
        does: "pushes an invoice of a known client",
        queue: "invoices",
        prepare: leave_unchanged,
        event: |_, number| {
            let invoice = an_invoice(&format!("inv_{number}"), "cli_known");
            sqs_event("invoices", &[invoice.body()])
        },
    },
    FunctionCase {
        function: "credit-note-push",
        does: "pushes a credit note of a known client",
        queue: "credit-notes",
        prepare: leave_unchanged,
        event: |_, number| {
            let note = a_credit_note(&format!("crn_{number}"), "cli_known");
            sqs_event("credit-notes", &[note.body()])
        },
    },
    FunctionCase {
        function: "payment-push",
        does: "pushes a payment of an invoice",
        queue: "payments",
        prepare: World::choose_accounts,
        event: |_, number| {
            let payment = a_payment(&format!("pay_{number}"), &[("inv_first", "1.00")]);
            sqs_event("payments", &[payment.body()])
        },
    },
    FunctionCase {
        function: "payment-poll",
        does: "reads a page of 1,000 changed invoices; each poll reads the last 5 minutes again",
        queue: "polls",
        prepare: push_open_invoices,
        event: |world, _| {
            let ledger = serde_json::to_string(&world.ledger()).expect("ids always make JSON");
            sqs_event("polls", &[format!(r#"{{"ledgers":[{ledger}]}}"#)])
        },
    },
    FunctionCase {
        function: "settings-api",
        does: "answers with the status",
        queue: "none",
        prepare: leave_unchanged,
        event: |_, _| http_event("/v1/connection", ""),
    },
    FunctionCase {
        function: "oauth-callback",
        does: "redirects after a refusal",
        queue: "none",
        prepare: leave_unchanged,
        event: |_, _| http_event("/oauth/callback", "error=access_denied&state=unknown"),
    },
    FunctionCase {
        function: "pages",
        does: "redirects to the current script",
        queue: "none",
        prepare: leave_unchanged,
        event: |_, _| http_event("/pages/xero.js", ""),
    },
    FunctionCase {
        function: "sweep",
        does: "finds nothing overdue",
        queue: "none",
        prepare: leave_unchanged,
        event: |_, _| schedule_event(),
    },
    FunctionCase {
        function: "health-check",
        does: "checks one account",
        queue: "none",
        prepare: leave_unchanged,
        event: |_, _| schedule_event(),
    },
    FunctionCase {
        function: "keep-alive",
        does: "finds no unused connection",
        queue: "none",
        prepare: leave_unchanged,
        event: |_, _| schedule_event(),
    },
    FunctionCase {
        function: "log-cleanup",
        does: "finds nothing expired",
        queue: "none",
        prepare: leave_unchanged,
        event: |_, _| schedule_event(),
    },
];

/// The case of a function.
pub fn find_case(function: &str) -> Option<FunctionCase> {
    CASES.into_iter().find(|case| case.function == function)
}

fn leave_unchanged(_: &World) {}

fn push_open_invoices(world: &World) {
    push_messages(world, &invoice_messages(0..OPEN_INVOICES));
}

/// A delivery of messages from a queue.
pub fn sqs_event(queue: &str, bodies: &[String]) -> String {
    let arn = queue_arn(queue);
    let records = bodies.iter().enumerate().map(|(index, body)| {
        json!({
            "messageId": format!("{index}"),
            "receiptHandle": format!("{index}"),
            "body": body,
            "attributes": { "MessageGroupId": ACCOUNT, "ApproximateReceiveCount": "1" },
            "messageAttributes": {},
            "md5OfBody": "00000000000000000000000000000000",
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": "eu-west-2",
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() }).to_string()
}

/// A delivery of wake-ups of a queue's records.
pub fn wake_up_event(queue: &str, bodies: &[String]) -> String {
    sqs_event(&wake_up_queue(queue), bodies)
}

/// Whether an answer reports success: no message of a delivery is returned, and the status of a
/// response is not that of an error.
pub fn is_success(answer: &[u8]) -> bool {
    let answer = serde_json::from_slice::<Value>(answer).unwrap_or_default();
    let failures = answer.get("batchItemFailures").and_then(Value::as_array);
    let status = answer.get("statusCode").and_then(Value::as_u64);
    failures.is_none_or(Vec::is_empty) && status.is_none_or(|status| status < 400)
}

fn schedule_event() -> String {
    json!({
        "version": "0",
        "id": "00000000-0000-4000-8000-000000000000",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": "2026-11-02T09:00:00Z",
        "region": "eu-west-2",
        "resources": [],
        "detail": {},
    })
    .to_string()
}

/// A request of a user of the account.
fn http_event(path: &str, query: &str) -> String {
    let claims = json!({ "sub": "usr_owner", "account_id": ACCOUNT, "role": "Owner" });
    request_event("GET", path, query, &authorized_as(&claims), None).to_string()
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::event::sqs::SqsEvent;
    use local::binaries::FUNCTIONS;

    use super::*;

    #[test]
    fn every_deployed_function_is_measured_after_the_bare_one() {
        let mut measured = CASES.map(|case| case.function);
        assert_eq!(measured[0], HELLO);
        let mut deployed = FUNCTIONS;
        deployed.sort_unstable();
        let measured = &mut measured[1..];
        measured.sort_unstable();
        assert_eq!(measured, deployed);
    }

    #[test]
    fn a_delivery_is_read_as_the_functions_read_it() {
        let event = sqs_event("invoices", &["one".to_owned(), "two".to_owned()]);
        let event: SqsEvent = serde_json::from_str(&event).unwrap();
        let bodies = event.records.iter().map(|record| record.body.as_deref().unwrap());
        assert_eq!(bodies.collect::<Vec<_>>(), ["one", "two"]);
        let first = &event.records[0];
        assert_eq!(first.attributes["MessageGroupId"], ACCOUNT);
        assert_eq!(first.event_source_arn.as_deref(), Some(queue_arn("invoices").as_str()));
    }

    #[test]
    fn a_request_is_read_as_the_functions_read_it() {
        let request = lambda_http::request::from_str(&http_event("/v1/connection", "")).unwrap();
        assert_eq!(request.uri().path(), "/v1/connection");
    }

    #[test]
    fn a_returned_message_and_an_error_status_are_no_success() {
        assert!(is_success(br#"{"batchItemFailures":[]}"#));
        assert!(is_success(b"null"));
        assert!(is_success(br#"{"statusCode":302}"#));
        assert!(!is_success(br#"{"statusCode":401}"#));
        assert!(!is_success(br#"{"batchItemFailures":[{"itemIdentifier":"1"}]}"#));
    }
}
