//! The open questions about Xero: whichever way Xero answers one, records arrive in the books once,
//! and what happens in Xero is reported once.

mod identity;
mod sending;
mod watching;

use std::collections::BTreeSet;

use domain::entity::EntityKind;
use domain::operation::OperationState;
use jiff::SignedDuration;
use tests::World;
use tests::io_monitor::run;
use xero_sim::Unconfirmed;

const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

/// What happens in an unconnected world, and the questions that it tests. It panics if the
/// product misbehaves.
type Scenario = (fn(&mut World), &'static [&'static str]);

/// The questions that other modules test.
const TESTED_ELSEWHERE: &[&str] = &[
    // `paging`, `poll_many`
    "page_size_max",
    // `contacts`, `contact_fields`
    "refused_email_domain",
    "empty_persons_clear",
    // `regions`
    "reverse_charge_is_listed",
    "reverse_charge_shows_its_rate",
    // `line_values`, `invoice_changes`
    "archived_tracking_is_kept",
    "empty_tracking_removes",
    "paid_takes_part_paid_edits",
    // `payment_currencies`, `push_credit_note`, `refunds`, `overpayments`, `kept_payments`
    "rates_keep_six_places",
    "allocation_needs_one_currency",
    "refund_answers_name_note",
    "deposits_have_ar_types",
    "reconciling_moves_payment",
];

/// A mode of the simulator, and no question about Xero.
const NO_QUESTION: &str = "unhelpful";

fn run_under_each_answer(scenarios: &[Scenario]) {
    let defaults = Unconfirmed::default().answers();
    for (scenario, questions) in scenarios {
        for question in *questions {
            let found = defaults.iter().find(|(name, _, _)| name == question);
            let (_, _, answers) = found.unwrap_or_else(|| panic!("{question} is no question"));
            for answer in *answers {
                println!("{question}: {answer}");
                let mut world =
                    World::with(|settings| settings.unconfirmed.set(question, answer).unwrap());
                scenario(&mut world);
            }
        }
    }
}

#[test]
fn an_account_stays_connected_and_limited_whatever_xero_answers() {
    run_under_each_answer(identity::SCENARIOS);
}

#[test]
fn records_are_sent_once_whatever_xero_answers() {
    run_under_each_answer(sending::SCENARIOS);
}

#[test]
fn changes_in_xero_are_reported_once_whatever_xero_answers() {
    run_under_each_answer(watching::SCENARIOS);
}

#[test]
fn every_open_question_is_tested() {
    let scenarios = [identity::SCENARIOS, sending::SCENARIOS, watching::SCENARIOS].concat();
    let tested = scenarios.iter().flat_map(|(_, questions)| questions.iter().copied());
    let tested = tested.chain(TESTED_ELSEWHERE.iter().copied()).collect::<BTreeSet<_>>();
    let open = Unconfirmed::names().filter(|name| *name != NO_QUESTION).collect::<BTreeSet<_>>();
    assert_eq!(tested, open);
}

fn assert_synced(world: &World, kind: EntityKind, id: &str) {
    let operation = world.mapping(kind, id).unwrap().operation;
    assert_eq!(operation.state, OperationState::Synced, "{id}: {:?}", operation.failure);
}

/// The code of a record's failure. The record is not in Xero as it should be.
fn failure_code(world: &World, kind: EntityKind, id: &str) -> String {
    let operation = world.mapping(kind, id).unwrap().operation;
    assert_ne!(operation.state, OperationState::Synced, "{id}");
    operation.failure.expect("a failure").code.into_owned()
}
