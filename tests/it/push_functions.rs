//! Each push function has the kinds and the steps to which its queues lead, and no others, because
//! its binary contains the code of no others.

use std::collections::BTreeSet;
use std::fs;

use aws_lambda_events::event::sqs::SqsMessage;
use domain::entity::EntityKind::{self, Allocation, Contact, CreditNote, Invoice, Payment};
use domain::envelope::{
    InboundBody, MessageContent, MessageType, WakeUp, WakeUpKind, read_crm_body,
};
use domain::failure::FailureClass;
use domain::ids::{CrmId, TenantId};
use domain::operation::{OperationState, Trigger};
use domain::outbound::EventContent;
use engine::inbound::PushFunction;
use engine::sync::push::{PushOutcome, PushedKinds};
use engine::sync::stored_records::push_stored_records;
use jiff::SignedDuration;
use runtime::queue::PushWorker;
use tests::World;
use tests::builders::{a_client, a_credit_note, a_payment, an_invoice};
use tests::io_monitor::run;
use tests::kinds::{assert_every_queue, function_of};
use tests::project::locate_in_project;
use tests::world::ACCOUNT;

use crate::function::{PLENTY, RecordedDeadLetters, a_record, a_wake_up, a_worker_of, returned};

const FUNCTIONS: [PushFunction; 4] = [
    PushFunction::CONTACTS,
    PushFunction::INVOICES,
    PushFunction::CREDIT_NOTES,
    PushFunction::PAYMENTS,
];

/// A message of every type of the contract, and an invoice with a negative total.
fn messages() -> Vec<String> {
    let examples = locate_in_project("shared/domain/contract/inbound/examples");
    let read = |message_type: MessageType| {
        fs::read_to_string(examples.join(format!("{}.json", message_type.as_str()))).unwrap()
    };
    let negative = an_invoice("inv_1", "cli_1").price("-95.00", "-114.00").body();
    MessageType::ALL.map(read).into_iter().chain([negative]).collect()
}

/// What a message says, if the queue of this kind accepts it.
fn read_on(queue: EntityKind, body: &str) -> Option<MessageContent> {
    let json: serde_json::Value = serde_json::from_str(body).unwrap();
    match read_crm_body(body, queue, json["account_id"].as_str().unwrap()) {
        Ok(InboundBody::Message(message)) => Some(message.content),
        Ok(InboundBody::Wake(_)) | Err(_) => None,
    }
}

/// The kinds that a message leads to: its record, and the document that this was before the total
/// changed its sign.
fn kinds_of(content: &MessageContent) -> BTreeSet<EntityKind> {
    let other = match content {
        MessageContent::Invoice { .. } => Some(CreditNote),
        MessageContent::CreditNote { client: _, note } => {
            note.is_negative_invoice.then_some(Invoice)
        }
        MessageContent::Client { .. }
        | MessageContent::Allocation(_)
        | MessageContent::Payment { .. }
        | MessageContent::Refund { .. } => None,
    };
    other.into_iter().chain([content.entity_kind()]).collect()
}

/// The kinds whose contacts have to be in Xero before them.
const fn has_client(kind: EntityKind) -> bool {
    match kind {
        Invoice | CreditNote => true,
        Contact | Allocation | Payment => false,
    }
}

/// The kinds that the queues of a kind lead to.
fn kinds_on(queue: EntityKind) -> BTreeSet<EntityKind> {
    // Every wake-up names one kind: those of retries, released and swept records, of a carry-over
    // and of the steps of a Sync All.
    let woken = EntityKind::ALL.into_iter().filter(|kind| kind.queue_kind() == queue);
    let mut kinds = woken.collect::<BTreeSet<_>>();
    let contents = messages().into_iter().filter_map(|body| read_on(queue, &body));
    kinds.extend(contents.flat_map(|content| kinds_of(&content)));
    if kinds.iter().any(|kind| has_client(*kind)) {
        kinds.insert(Contact);
    }
    kinds
}

#[test]
fn a_push_function_has_exactly_the_kinds_to_which_its_queues_lead() {
    assert_every_queue(FUNCTIONS.map(PushFunction::served_queue));
    for function in FUNCTIONS {
        let queue = function.served_queue();
        let kinds = function.pushed_kinds().list_kinds().into_iter().collect::<BTreeSet<_>>();
        assert_eq!(kinds, kinds_on(queue), "{queue}");
    }
    for kind in EntityKind::ALL {
        assert_eq!(function_of(kind).served_queue(), kind.queue_kind(), "{kind}");
    }
}

#[test]
fn a_user_may_sync_a_record_of_every_kind() {
    assert_eq!(PushedKinds::ALL.list_kinds(), EntityKind::ALL);
    assert!(PushedKinds::NONE.list_kinds().is_empty());
}

/// Delivers a record until it is moved aside. Returns the code and the sentence of the reason.
fn reason_of(
    world: &World,
    worker: &PushWorker,
    dead_letters: &RecordedDeadLetters,
    record: &SqsMessage,
) -> (&'static str, String) {
    for _ in 0..4 {
        assert_eq!(returned(world, worker, vec![record.clone()], PLENTY), ["m1"]);
        assert!(dead_letters.all().is_empty());
    }
    assert!(returned(world, worker, vec![record.clone()], PLENTY).is_empty());
    let (_, reason) = dead_letters.all().remove(0);
    (reason.stable_code(), reason.sentence_text().to_owned())
}

#[test]
fn a_message_of_another_function_is_never_taken_for_done_and_is_moved_aside_with_the_reason() {
    for (kind, function, body, work) in [
        (Invoice, PushFunction::PAYMENTS, an_invoice("inv_1", "cli_1").body(), "sign"),
        (CreditNote, PushFunction::CONTACTS, a_credit_note("crn_1", "cli_1").body(), "credit_note"),
        (
            Payment,
            PushFunction::INVOICES,
            a_payment("pay_1", &[("inv_1", "1.00")]).body(),
            "payment",
        ),
        (Contact, PushFunction::PAYMENTS, a_client("cli_1", 1, "Ridge", "push"), "contact"),
    ] {
        let world = World::connected();
        let (worker, dead_letters, _) = a_worker_of(&world, kind);
        let worker =
            PushWorker { engine: function.configure_engine(world.engine.clone()), ..worker };
        let calls = world.calls().len();
        let record = a_record("m1", ACCOUNT, &body);
        let (code, sentence) = reason_of(&world, &worker, &dead_letters, &record);
        assert_eq!(code, "wrong_function", "{kind}");
        assert!(sentence.ends_with(work), "{kind}: {sentence}");
        assert_eq!(world.calls().len(), calls, "{kind}");
        let contents = world.events.contents();
        let is_given_up = |content: &EventContent| matches!(content, EventContent::Skipped { code, .. } if code == "wrong_function");
        assert!(contents.iter().any(is_given_up), "{kind}: {contents:?}");
    }
}

#[test]
fn a_walk_of_another_function_is_moved_aside_with_the_reason() {
    for work in [WakeUpKind::Connected, WakeUpKind::Reconciliation] {
        for kind in [Invoice, CreditNote, Payment] {
            let world = World::connected();
            let (worker, dead_letters, _) = a_worker_of(&world, kind);
            let (account, tenant) = (world.account(), TenantId(world.tenant()));
            let (work, ticket) = (work.clone(), "1".to_owned());
            let name = work.as_str();
            let wake = WakeUp { account, tenant, kind, work, ticket };
            let record = a_wake_up("m1", ACCOUNT, wake.to_body());
            let (code, sentence) = reason_of(&world, &worker, &dead_letters, &record);
            assert_eq!(code, "wrong_function", "{kind}");
            assert!(sentence.ends_with(name), "{kind}: {sentence}");
        }
    }
}

#[test]
fn a_record_whose_kind_is_missing_fails_as_a_defect_and_is_pushed_from_its_own_queue() {
    let world = World::connected();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge", "record"));
    let engine = PushFunction::PAYMENTS.configure_engine(world.engine.clone());
    let (ledger, records) = (world.ledger(), [CrmId::new("cli_1").unwrap()]);
    let routine = Trigger::Routine;
    let pushed =
        push_stored_records(&engine, &ledger, Contact, &records, routine, world.invocation());
    let pushed = run(pushed).unwrap().remove(0).unwrap();
    assert!(matches!(pushed, PushOutcome::Waiting { .. }), "{pushed:?}");
    let failure = world.mapping(Contact, "cli_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.class, FailureClass::Defect);
    assert_eq!(failure.code, "kind_not_pushed");
    assert_eq!(world.books(|books| books.contacts().count()), 0);
    world.advance(SignedDuration::from_mins(10));
    let state = world.mapping(Contact, "cli_1").unwrap().operation.state;
    assert_eq!(state, OperationState::Synced);
}
