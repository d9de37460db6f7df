//! Messages that break a rule of the contract, in front of 25 good ones of the same account and of
//! another: all good ones take effect, and the sync log and the CRM receive the reason.

use domain::entity::EntityKind::Invoice;
use domain::envelope::QueueSource;
use domain::operation::OperationState;
use domain::outbound::EventContent;
use domain::sync_log::LogStatus;
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;

use crate::faulty_messages::{GOOD, count_invoices, is_alone_aside, send_behind, two_accounts};
use crate::function::Queues;

const LINES: &str = r#""lines":["#;
const QUANTITY: &str = r#""quantity":"1""#;

/// The ids and codes of the records that were reported to the CRM as given up.
fn given_up(world: &World) -> Vec<(String, String)> {
    let skipped = world.events.contents().into_iter().filter_map(|content| {
        let EventContent::Skipped { crm_id, code, .. } = content else { return None };
        Some((crm_id.to_string(), code))
    });
    skipped.collect()
}

/// The message of the only entry of the sync log that shows a record as given up, which is the bad
/// invoice.
fn logged(world: &World) -> String {
    let mut skipped = world.log();
    skipped.retain(|line| line.status == LogStatus::Skipped);
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert_eq!(skipped[0].crm_id.as_str(), "inv_faulty");
    skipped[0].message.clone()
}

#[test]
fn a_message_that_breaks_a_rule_is_dead_lettered_and_delays_no_others() {
    let good = an_invoice("inv_faulty", "cli_1").body();
    let line = r#"{"name":"Boiler service","quantity":"1","unit_price":"95.00"},"#;
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{good}");
        good.replacen(from, to, 1)
    };
    for (faulty, code, sentence) in [
        (with(LINES, &format!("{LINES}{}", line.repeat(500))), "field", "1 to 500 lines"),
        (
            with(QUANTITY, &format!(r#"{QUANTITY},"discount":{{"amount":"95.01"}}"#)),
            "field",
            "95.01 is more than 95.00",
        ),
        (
            with(QUANTITY, &format!(r#"{QUANTITY},"taxrate":"20""#)),
            "unknown_field",
            "invoice.lines[0].taxrate is not a known field; did you mean tax_rate?",
        ),
        // An emoji that the CRM has cut in two.
        (
            with(QUANTITY, &format!(r#""description":"cut \ud83d",{QUANTITY}"#)),
            "field",
            "invoice.lines[0].description: must not contain half of a surrogate pair",
        ),
        (
            with(QUANTITY, r#""quantity":1e400"#),
            "field",
            "invoice.lines[0].quantity: is too large a number",
        ),
    ] {
        let world = two_accounts();
        let mut queues = Queues::new(&world);
        let id = send_behind(&mut queues, QueueSource::Messages, faulty);
        let took = queues.work(|_| false);
        assert_eq!(count_invoices(&world), (GOOD, GOOD), "{sentence}");
        is_alone_aside(&queues, &id, took, code);
        let letters = queues.dead_letters.all();
        let reason = letters.first().map(|(_, reason)| reason.sentence_text());
        assert!(reason.is_some_and(|reason| reason.contains(sentence)), "{reason:?}");
        assert_eq!(given_up(&world), [("inv_faulty".to_owned(), "message_refused".to_owned())]);
        assert!(logged(&world).contains(sentence), "{}", logged(&world));
        assert!(world.mapping(Invoice, "inv_faulty").is_none(), "{sentence}");
    }
}

#[test]
fn an_invoice_whose_total_rounding_cannot_explain_is_given_up_and_delays_no_others() {
    let world = two_accounts();
    let mut queues = Queues::new(&world);
    let faulty = an_invoice("inv_faulty", "cli_1").price("95.00", "999.00").body();
    send_behind(&mut queues, QueueSource::Messages, faulty);
    let took = queues.work(|_| false);
    assert!(took <= SignedDuration::from_mins(1), "{took}");
    assert_eq!(count_invoices(&world), (GOOD, GOOD));
    // It can be read, so it is not in the dead-letter queue.
    let letters = queues.dead_letters.all();
    assert!(letters.is_empty(), "{letters:?}");
    let bad = world.mapping(Invoice, "inv_faulty").unwrap();
    assert_eq!(bad.operation.state, OperationState::Skipped);
    assert_eq!(given_up(&world), [("inv_faulty".to_owned(), "total_unexplained".to_owned())]);
    let message = logged(&world);
    assert!(message.contains("114.00") && message.contains("999.00"), "{message}");
}
