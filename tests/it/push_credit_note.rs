//! Pushing credit notes, and their allocations to invoices.

mod changes;
mod negative_invoices;
mod numbers;

use domain::entity::EntityKind::{Allocation, CreditNote, Invoice};
use domain::failure::Failure;
use domain::ids::CrmId;
use domain::mapping::MappingKey;
use domain::operation::OperationState;
use domain::outbound::EventContent;
use engine::inbound::MessageOutcome;
use engine::ports::Clock;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use jiff::civil::date;
use rust_decimal::Decimal;
use store::table::WriteExpectation;
use tests::World;
use tests::builders::{a_credit_note, an_allocation, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use xero_sim::{Credit, Fault, FaultKind, InvoiceStatus, Match, Receipt};

/// A world with one invoice and one credit note over 114.00 each.
fn credited() -> World {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world
}

fn applied(world: &World) -> Vec<String> {
    world.books(|books| {
        let amounts = books.allocations().map(|one| one.amount.to_string()).collect::<Vec<_>>();
        assert!(books.allocations().all(|one| matches!(one.credit, Credit::CreditNote(_))));
        amounts
    })
}

fn notes(world: &World) -> Vec<(InvoiceStatus, String)> {
    world.books(|books| {
        books.credit_notes().map(|note| (note.status, note.total.to_string())).collect()
    })
}

fn allocation(world: &World, id: &str) -> (OperationState, Option<Failure>) {
    let operation = world.mapping(Allocation, id).expect("a mapping").operation;
    (operation.state, operation.failure)
}

fn why(world: &World, id: &str) -> Failure {
    allocation(world, id).1.expect("a failure")
}

/// The total that all clients owe according to Xero's books.
fn receivable(world: &World) -> Decimal {
    world.books(|books| {
        let live = books.invoices().filter(|one| !one.status.is_gone());
        let due: Decimal = live.map(xero_sim::Invoice::amount_due).sum();
        let notes = books.credit_notes();
        let left: Decimal =
            notes.map(|note| books.remaining_credit(Credit::CreditNote(note.id))).sum();
        due - left
    })
}

#[test]
fn a_credit_note_is_pushed_after_its_client_and_approved() {
    let world = World::connected();
    let received = world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced));
    let (contact, note) = world.books(|books| {
        let note = books.credit_notes().next().unwrap().clone();
        (books.contacts().next().unwrap().id, note)
    });
    assert_eq!((note.contact, note.status), (contact, InvoiceStatus::Authorised));
    assert_eq!((note.number.as_deref(), note.total.to_string().as_str()), (Some("CN_1"), "114.00"));
    let link = world.mapping(CreditNote, "cn_1").unwrap().link.unwrap();
    assert_eq!(link.amounts.unwrap().amount_due.to_string(), "GBP 114.00");
    assert!(world.log().iter().any(|entry| entry.entity == CreditNote));
}

#[test]
fn an_edit_and_a_void_reach_the_same_note() {
    let world = credited();
    let edit = a_credit_note("cn_1", "cli_1").revision(2).price("100.00", "120.00");
    world.receive(CreditNote, &edit.body());
    assert_eq!(notes(&world), [(InvoiceStatus::Authorised, "120.00".to_owned())]);
    world.receive(CreditNote, &edit.revision(3).voided().body());
    assert_eq!(notes(&world), [(InvoiceStatus::Voided, "120.00".to_owned())]);
    assert_eq!(world.mapping(CreditNote, "cn_1").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn a_credit_note_that_the_crm_voids_and_restores_gets_a_new_copy_and_its_credit_follows() {
    let world = credited();
    let restored = a_credit_note("cn_1", "cli_1").revision(3);
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").revision(2).voided().body());
    world.receive(CreditNote, &restored.body());
    let live = notes(&world).into_iter().filter(|(status, _)| !status.is_gone());
    assert_eq!(live.collect::<Vec<_>>(), [(InvoiceStatus::Authorised, "114.00".to_owned())]);
    assert_eq!(world.state(CreditNote, "cn_1"), OperationState::Synced);
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "50.00").body());
    assert_eq!(applied(&world), ["50.00"]);
}

#[test]
fn a_reference_removed_in_the_crm_is_removed_in_xero_and_the_mark_stays() {
    let world = World::connected();
    let full = a_credit_note("cn_1", "cli_1").reference("Job 1042");
    world.receive(CreditNote, &full.body());
    let shown = || world.books(|books| books.credit_notes().next().unwrap().reference.clone());
    assert_eq!(shown().as_deref(), Some("Job 1042 (SC-cn_1)"));
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").revision(2).body());
    assert_eq!(shown().as_deref(), Some("(SC-cn_1)"));
}

#[test]
fn an_allocation_waits_for_its_note_and_its_invoice_without_a_failed_attempt() {
    let world = World::connected();
    let body = an_allocation("al_1", "cn_1", "inv_1", "50.00").body();
    assert_eq!(world.receive(CreditNote, &body), MessageOutcome::Pushed(PushOutcome::Parked));
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.advance(SignedDuration::from_mins(2));
    assert!(applied(&world).is_empty());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(applied(&world), ["50.00"]);
    assert_eq!(world.mapping(Allocation, "al_1").unwrap().operation.failures, 0);
}

#[test]
fn after_an_allocation_both_sides_show_the_same_amount_due() {
    let world = World::connected();
    let mut owed = Decimal::ZERO;
    let prices = [("33.33", "40.00"), ("0.01", "0.01"), ("1234.56", "1481.47")];
    for (number, (price, total)) in prices.into_iter().enumerate() {
        let id = format!("inv_{number}");
        world.receive(Invoice, &an_invoice(&id, "cli_1").price(price, total).body());
        owed += total.parse::<Decimal>().unwrap();
    }
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").price("83.34", "100.01").body());
    owed -= "100.01".parse::<Decimal>().unwrap();
    assert_eq!(receivable(&world), owed);
    for (id, invoice, amount) in [("al_1", "inv_0", "40.00"), ("al_2", "inv_2", "33.34")] {
        world.receive(CreditNote, &an_allocation(id, "cn_1", invoice, amount).body());
        assert_eq!(receivable(&world), owed, "{id}");
    }
    world.is_paid("#INV_2", "1000.00", &Receipt::on(date(2026, 11, 2)));
    owed -= "1000.00".parse::<Decimal>().unwrap();
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_0", "40.00").removed().body());
    assert_eq!(receivable(&world), owed);
    assert_eq!(applied(&world), ["33.34"]);
    let due = world.books(|books| {
        let of = |number| books.invoices_numbered(number).next().unwrap().amount_due().to_string();
        [of("#INV_0"), of("#INV_2")]
    });
    assert_eq!(due, ["40.00", "448.13"]);
}

#[test]
fn credit_that_pays_an_invoice_is_reported_as_credit_with_its_number() {
    let world = credited();
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "114.00").body());
    world.clock.advance(SignedDuration::from_mins(15));
    world.poll();
    let reported = world.events.contents().into_iter().find_map(|content| {
        let EventContent::PaymentStatus { credits, amount_credited, .. } = content else {
            return None;
        };
        Some((credits, amount_credited))
    });
    let (credits, amount) = reported.expect("the CRM receives the event");
    assert_eq!(amount.to_string(), "GBP 114.00");
    assert_eq!(credits[0].number.as_deref(), Some("CN_1"));
    let imported = |content: &EventContent| matches!(content, EventContent::PaymentImported(_));
    assert!(!world.events.contents().iter().any(imported));
}

#[test]
fn a_repeated_message_is_distinguished_from_a_second_allocation_of_the_same_amount() {
    let world = credited();
    let first = an_allocation("al_1", "cn_1", "inv_1", "10.00").body();
    world.receive(CreditNote, &first);
    world.receive(CreditNote, &first);
    assert_eq!(applied(&world), ["10.00"]);
    world.receive(CreditNote, &an_allocation("al_2", "cn_1", "inv_1", "10.00").body());
    assert_eq!(applied(&world), ["10.00", "10.00"]);
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "10.00").removed().body());
    assert_eq!(applied(&world), ["10.00"]);
    let link = world.mapping(Allocation, "al_2").unwrap().link.unwrap().xero_id.0;
    assert!(world.books(|books| books.allocation(link).is_some()));
}

#[test]
fn an_allocation_that_a_bookkeeper_made_is_not_repeated() {
    let world = credited();
    let (note, invoice) = world.books(|books| {
        (books.credit_notes().next().unwrap().id, books.invoices().next().unwrap().id)
    });
    let (tenant, now) = (world.tenant(), world.clock.now());
    let amount = "50.00".parse().unwrap();
    world
        .xero()
        .bookkeeper(now, tenant)
        .unwrap()
        .allocate(Credit::CreditNote(note), invoice, amount, date(2026, 11, 2))
        .unwrap();
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "50.00").body());
    assert_eq!(applied(&world), ["50.00"]);
    assert_eq!(allocation(&world, "al_1").0, OperationState::Synced);
    let log = world.log().pop().unwrap();
    assert!(log.message.contains("It had already been applied in Xero"), "{log:?}");
}

#[test]
fn credit_beyond_the_remaining_or_due_amount_is_refused_with_the_amounts() {
    let world = credited();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").price("50.00", "60.00").body());
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_2", "70.00").body());
    let failure = why(&world, "al_1");
    assert_eq!(failure.code, "credit_over_due");
    assert!(failure.message.contains("Only GBP 60.00 is due on #INV_2"), "{failure}");
    world.receive(CreditNote, &an_allocation("al_2", "cn_1", "inv_1", "100.00").body());
    world.receive(CreditNote, &an_allocation("al_3", "cn_1", "inv_2", "20.00").body());
    let failure = why(&world, "al_3");
    assert_eq!(failure.code, "credit_over_left");
    assert!(failure.message.contains("CN_1 has only GBP 14.00 of credit left"), "{failure}");
    assert!(failure.remedy.contains("Never send"), "{failure}");
    assert_eq!(applied(&world), ["100.00"]);
}

#[test]
fn a_paid_invoice_and_another_clients_invoice_refuse_credit_and_the_log_says_why() {
    let world = credited();
    world.is_paid("#INV_1", "114.00", &Receipt::on(date(2026, 11, 1)));
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "10.00").body());
    let failure = why(&world, "al_1");
    assert_eq!(failure.code, "already_paid");
    assert!(failure.message.contains("#INV_1 is paid in full"), "{failure}");
    world.receive(Invoice, &an_invoice("inv_2", "cli_2").body());
    world.receive(CreditNote, &an_allocation("al_2", "cn_1", "inv_2", "10.00").body());
    let failure = why(&world, "al_2");
    assert_eq!(failure.code, "credit_of_another_client");
    assert!(failure.message.contains("CN_1 and #INV_2"), "{failure}");
    assert!(applied(&world).is_empty());
}

#[test]
fn a_note_with_an_allocation_is_voided_once_the_allocation_is_removed() {
    let world = credited();
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "114.00").body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").revision(2).voided().body());
    let failure = world.mapping(CreditNote, "cn_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "credit_note_used", "{failure}");
    assert!(failure.remedy.contains("Remove the credit"), "{failure}");
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "114.00").removed().body());
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(notes(&world)[0].0, InvoiceStatus::Voided);
    assert!(applied(&world).is_empty());
}

#[test]
fn a_credit_note_with_an_unexplained_total_is_never_written() {
    let world = World::connected();
    let note = a_credit_note("cn_1", "cli_1").price("10.00", "1200.00").body();
    assert_eq!(world.receive(CreditNote, &note), MessageOutcome::Pushed(PushOutcome::Skipped));
    let negative = an_invoice("inv_1", "cli_1").price("-10.00", "-1200.00").body();
    assert_eq!(world.receive(Invoice, &negative), MessageOutcome::Pushed(PushOutcome::Skipped));
    assert!(notes(&world).is_empty());
    let log = world.log();
    let reported = &log.last().unwrap().message;
    assert!(
        reported.contains("The lines add up to -12.00, but the stated total is -1200.00."),
        "{reported}"
    );
}

#[test]
fn after_a_lost_answer_the_note_is_read_before_credit_is_applied_again() {
    for has_id in [true, false] {
        for kind in [FaultKind::LostAfter, FaultKind::LostBefore, FaultKind::Status500Applied] {
            let world = World::with(|settings| {
                settings.unconfirmed.unhelpful = true;
                settings.unconfirmed.allocation_answer_has_id = has_id;
            });
            world.connect();
            world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
            world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
            let on = Match::next("/api.xro/2.0/CreditNotes").method(http::Method::PUT);
            world.inject(Fault { on, kind: kind.clone() });
            world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "10.00").body());
            world.advance(SignedDuration::from_hours(1));
            assert_eq!(applied(&world), ["10.00"], "{kind:?} {has_id}");
            assert_eq!(allocation(&world, "al_1").0, OperationState::Synced);
        }
    }
}

#[test]
fn a_crash_at_every_step_of_an_allocation_applies_it_once_and_removes_it_once() {
    let applies = an_allocation("al_1", "cn_1", "inv_1", "10.00");
    for (body, left) in [(applies.body(), 1), (applies.clone().removed().body(), 0)] {
        for moment in [Moment::Before, Moment::After] {
            for step in 1.. {
                let mut world = credited();
                if left == 0 {
                    world.receive(CreditNote, &applies.body());
                }
                world.restart();
                let at = CrashPoint { step, moment };
                let finished = world.try_receive(CreditNote, &body, Some(at)).is_some();
                if !finished {
                    world.restart();
                    world.advance(SignedDuration::from_mins(6));
                    world.receive(CreditNote, &body);
                    world.advance(SignedDuration::from_hours(13));
                }
                assert_eq!(applied(&world).len(), left, "{at:?}");
                assert_eq!(allocation(&world, "al_1").0, OperationState::Synced, "{at:?}");
                if finished {
                    assert!(step > 10);
                    break;
                }
            }
        }
    }
}
