//! The open questions about Xero: whichever way Xero answers one, records arrive in the books once,
//! and what happens in Xero is reported once.

mod identity;
mod sending;
mod watching;

use std::collections::BTreeSet;

use domain::entity::EntityKind;
use domain::ids::CrmId;
use domain::operation::OperationState;
use engine::commands::records;
use jiff::SignedDuration;
use tests::World;
use tests::gate::run;
use xero_sim::Unconfirmed;

const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

/// What happens in an unconnected world, and the questions that are met by it. It panics if the
/// product misbehaves.
type Play = (fn(&mut World), &'static [&'static str]);

/// The questions that other modules meet.
const MET_ELSEWHERE: &[&str] = &[
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

fn play_under_each_answer(plays: &[Play]) {
    let defaults = Unconfirmed::default().answers();
    for (play, questions) in plays {
        for question in *questions {
            let found = defaults.iter().find(|(name, _, _)| name == question);
            let (_, _, answers) = found.unwrap_or_else(|| panic!("{question} is no question"));
            for answer in *answers {
                println!("{question}: {answer}");
                let mut world =
                    World::with(|settings| settings.unconfirmed.set(question, answer).unwrap());
                play(&mut world);
            }
        }
    }
}

#[test]
fn an_account_stays_connected_and_limited_whatever_xero_answers() {
    play_under_each_answer(identity::PLAYS);
}

#[test]
fn records_are_sent_once_whatever_xero_answers() {
    play_under_each_answer(sending::PLAYS);
}

#[test]
fn changes_in_xero_are_reported_once_whatever_xero_answers() {
    play_under_each_answer(watching::PLAYS);
}

#[test]
fn every_open_question_is_met_by_the_product() {
    let plays = [identity::PLAYS, sending::PLAYS, watching::PLAYS].concat();
    let met = plays.iter().flat_map(|(_, questions)| questions.iter().copied());
    let met = met.chain(MET_ELSEWHERE.iter().copied()).collect::<BTreeSet<_>>();
    let open = Unconfirmed::names().filter(|name| *name != NO_QUESTION).collect::<BTreeSet<_>>();
    assert_eq!(met, open);
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

/// A user syncs a record now.
fn sync_now(world: &World, kind: EntityKind, id: &str) {
    let (account, id) = (world.account(), CrmId::new(id).unwrap());
    let synced = records::sync_record_now(&world.engine, &account, kind, id, world.invocation());
    run(synced).unwrap().unwrap().unwrap();
}

/// The number of invoices that count in Xero.
fn live_invoices(world: &World) -> usize {
    world.books(|books| books.invoices().filter(|one| !one.status.is_gone()).count())
}
