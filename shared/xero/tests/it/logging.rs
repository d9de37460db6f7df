//! Tests of what a call writes to the logs.

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};
use xero::api::{contacts, invoices};

use crate::samples::{ACCESS_TOKEN, CONTACT, INVOICE, TENANT, a_key, a_session, an_invoice};
use crate::scripted::{Scripted, reply};

/// Collects every event of this thread as a line of text.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn each_call_is_logged_in_one_line_without_ids_and_secrets() {
    // With a single subscriber, tracing asks the subscriber of the thread that reaches a log line
    // first whether it is enabled, and other tests of this process have none.
    let _second = Dispatch::new(Lines::default());
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    let headers = [("X-DayLimit-Remaining", "4987"), ("Xero-Correlation-Id", "corr-1")];
    let transport = Scripted::new([
        reply(200, &headers, r#"{"Contacts":[]}"#),
        reply(500, &headers, "the body of a fault"),
    ]);
    let session = a_session(transport);
    contacts::find_by_number(&session, "SC-cli_0001").await.unwrap();
    invoices::create_invoices(&session, &[an_invoice()], &a_key()).await.unwrap_err();
    drop(guard);

    let lines = lines.0.lock().unwrap();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for part in ["INFO", "GET", "/Contacts/{ContactID}", "status=200", "remaining=4987", "corr-1"] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    assert!(lines[1].contains("status=500"), "{}", lines[1]);
    let (tenant, contact, invoice) = (TENANT.to_string(), CONTACT.to_string(), INVOICE.to_string());
    for secret in [
        ACCESS_TOKEN,
        "SC-cli",
        "Boiler",
        "the body",
        a_key().as_str(),
        &tenant,
        &contact,
        &invoice,
    ] {
        assert!(lines.iter().all(|line| !line.contains(secret)), "{secret}: {lines:?}");
    }
    assert!(!format!("{session:?}").contains(ACCESS_TOKEN));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_quoted() {
    for body in [
        r#""Jane Roe""#,
        r#"["Jane Roe"]"#,
        r#"{"Contacts":"Jane Roe"}"#,
        r#"{"Contacts":[{"Name":"Jane Roe"}"#,
    ] {
        let session = a_session(Scripted::ok(body));
        let error = contacts::find_by_number(&session, "SC-cli_0001").await.unwrap_err();
        let mut cause = error.source();
        let mut printed = format!("{error} {error:?}");
        while let Some(error) = cause {
            write!(printed, " {error}").unwrap();
            cause = error.source();
        }
        assert!(!printed.contains("Jane"), "{printed}");
    }
}
