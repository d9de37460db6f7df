//! Tests of the summary of a story.

use jiff::SignedDuration;
use rust_decimal::Decimal;

use super::Summary;
use crate::story::check::{Happened, Row};
use crate::story::clients::Clients;
use crate::story::money::ReceivedEvent;
use crate::text::width;

fn row(number: &str, happened: Happened, in_xero: Option<i64>) -> Row {
    Row {
        number: number.to_owned(),
        client: "Ana".to_owned(),
        currency: "GBP".to_owned(),
        billed: Decimal::new(1000, 2),
        in_xero: in_xero.map(|cents| Decimal::new(cents, 2)),
        happened,
        problem: None,
    }
}

fn received_event(amount: &str) -> ReceivedEvent {
    let json = format!(
        r#"{{"type":"payment.imported","amount":{{"amount":"{amount}","currency":"GBP"}}}}"#
    );
    serde_json::from_str(&json).unwrap()
}

fn lines(rows: &[Row], columns: usize) -> [String; 7] {
    let clients = Clients { synced: 2, contacts: 2, problems: Vec::new() };
    let events = [received_event("114.00"), received_event("30.50")];
    let summary = Summary {
        messages: 321,
        clients_known: 2,
        clients: &clients,
        rows,
        events: &events,
        compared: None,
        story: SignedDuration::from_secs(62),
        start: SignedDuration::from_secs(41),
    };
    summary.lines(columns)
}

#[test]
fn seven_lines_summarise_the_messages_and_their_results() {
    let locked = Happened::Failed("The books are locked.".to_owned());
    let rows = [
        row("#1", Happened::Pushed, Some(1000)),
        row("#2", Happened::Voided, Some(1000)),
        row("#3", locked, None),
    ];
    assert_eq!(
        lines(&rows, 100),
        [
            "  Sent        321 messages, about 2 clients and 3 invoices",
            "  Synced      2 of 2 clients, 2 of 3 invoices",
            "  Failed      1 invoice, as expected: #3 The books are locked.",
            "  Paid        GBP 144.50 by 2 bank transfers, reported to the CRM",
            "  Totals      GBP 10.00 equal",
            "  Books       not compared",
            "  Duration    1:43, of which 0:41 to build and start, 1:02 to play",
        ]
    );
}

#[test]
fn unexpected_failures_come_first_and_differing_totals_are_shown() {
    let expected = row("#1", Happened::Failed("Locked.".to_owned()), None);
    let problem = Some("did not reach a final state: parked".to_owned());
    let stuck = Row { problem, ..row("#2", Happened::Open("parked".to_owned()), None) };
    let rounded = row("#3", Happened::Pushed, Some(999));
    let [_, _, failed, _, totals, _, _] = lines(&[expected, stuck, rounded], 120);
    assert_eq!(
        failed,
        "  Failed      2 invoices, 1 unexpected: #2 not in a final state: parked; #1 Locked."
    );
    assert_eq!(totals, "  Totals      GBP 0.01 apart (1 invoice rounded by the CRM, as expected)");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let reason = Happened::Failed("Xero refused the document. ".repeat(9));
    let rows: Vec<Row> = (0..9).map(|n| row(&format!("#{n}"), reason.clone(), None)).collect();
    for columns in [40, 80, 100] {
        for line in lines(&rows, columns) {
            assert!(width(&line) <= columns, "{columns}: {line}");
        }
    }
}
