//! Refunds that a user marks as Never send: the room of one is free for another refund as soon as no
//! credit note of it is in effect in Xero.

use domain::ids::CrmId;
use domain::sync_log::{LogEntry, LoggedOperation};
use engine::commands::choices::{self, NeverSendOutcome};
use jiff::civil::date;
use tests::io_monitor::run;
use tests::world::owner;
use xero_sim::Bookkeeper;

use super::limits::{AT_ONCE, named, paid};
use super::removed::polls_for_a_day;
use super::*;

fn by_hand(world: &World, act: impl FnOnce(&mut Bookkeeper<'_>)) {
    world.clock.advance(SignedDuration::from_mins(1));
    world.by_hand(act);
}

/// Marks a part of a refund as Never send. Returns what the log says.
fn never_send(world: &World, part: &str) -> String {
    let (account, by) = (world.account(), owner());
    let part = CrmId::new(part).unwrap();
    let marked = choices::never_send_record(&world.engine, &account, &by, Payment, part);
    let marked = run(marked).unwrap().unwrap();
    assert!(matches!(marked, NeverSendOutcome::Done(_)), "{marked:?}");
    let is_mark = |one: &LogEntry| one.operation == LoggedOperation::Withhold;
    world.log().into_iter().rfind(is_mark).unwrap().message
}

/// A world in which the credit note of a refund of 80.00 was refused, and another refund because of
/// it.
fn with_refused_note() -> World {
    let world = paid("120.00");
    by_hand(&world, |bookkeeper| bookkeeper.lock_period(Some(date(2026, 11, 2))));
    world.receive(Payment, &named("ref_1", "80.00"));
    assert_eq!(world.failure_code(Payment, "ref_1.note"), "period_locked");
    world.receive(Payment, &named("ref_2", "80.00"));
    assert_eq!(world.failure_code(Payment, "ref_2.note"), "refund_over_paid");
    by_hand(&world, |bookkeeper| bookkeeper.lock_period(None));
    world
}

#[test]
fn another_refund_continues_at_once_when_one_without_a_credit_note_is_never_sent() {
    let world = with_refused_note();
    assert_eq!(
        never_send(&world, "ref_1.note"),
        "Marked as Never send, so it is not sent to Xero."
    );
    world.advance(AT_ONCE);
    assert_eq!(world.state(Payment, "ref_2.note"), OperationState::Synced);
    world.advance(AT_ONCE);
    assert_eq!(world.state(Payment, "ref_2.1"), OperationState::Synced);
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("40.00", 1));
    // There is no room for the first one any more.
    world.sync_now(Payment, "ref_1.note");
    assert_eq!(world.failure_code(Payment, "ref_1.note"), "refund_over_paid");
}

/// A world in which a refund of 80.00 has its credit note and was not paid, and another refund was
/// refused because of it. The user has marked the first one as Never send.
fn with_unpaid_note() -> World {
    let world = paid("120.00");
    let on = Match { method: Some(http::Method::PUT), ..Match::next("/api.xro/2.0/Payments") };
    world.inject(Fault { on, kind: FaultKind::LostBefore });
    world.receive(Payment, &named("ref_1", "80.00"));
    world.advance(SignedDuration::from_secs(30));
    assert_eq!((notes(&world).len(), money(&world)), (1, 1));
    let logged = never_send(&world, "ref_1.1");
    assert!(logged.contains("REFUND-ref_1 is in Xero"), "{logged}");
    assert!(logged.ends_with("counts as returned until it is voided there."), "{logged}");
    world.receive(Payment, &named("ref_2", "80.00"));
    assert_eq!(world.failure_code(Payment, "ref_2.note"), "refund_over_paid");
    world
}

fn void_note(world: &World) {
    let note = world.books(|books| books.credit_notes().next().unwrap().id);
    by_hand(world, |bookkeeper| bookkeeper.void_credit_note(note).unwrap());
}

#[test]
fn a_credit_note_in_xero_counts_until_it_is_voided_there() {
    let world = with_unpaid_note();
    polls_for_a_day(&world);
    assert_eq!(world.failure_code(Payment, "ref_2.note"), "refund_over_paid");
    void_note(&world);
    polls_for_a_day(&world);
    assert_eq!(world.state(Payment, "ref_2.1"), OperationState::Synced);
    assert_eq!((world.balance_of("092").as_str(), money(&world)), ("40.00", 2));
}

#[test]
fn a_user_who_syncs_after_the_credit_note_was_voided_need_not_wait_for_the_poll() {
    let world = with_unpaid_note();
    void_note(&world);
    world.sync_now(Payment, "ref_2.note");
    world.advance(AT_ONCE);
    assert_eq!(world.state(Payment, "ref_2.1"), OperationState::Synced);
    assert_eq!(world.balance_of("092"), "40.00");
}

#[test]
fn a_credit_note_that_xero_may_have_counts_after_never_send() {
    let world = paid("120.00");
    let path = "/api.xro/2.0/CreditNotes";
    let on = Match { method: Some(http::Method::PUT), ..Match::next(path) };
    world.inject(Fault { on, kind: FaultKind::LostAfter });
    world.receive(Payment, &named("ref_1", "80.00"));
    let logged = never_send(&world, "ref_1.note");
    assert!(logged.contains("REFUND-ref_1"), "{logged}");
    world.receive(Payment, &named("ref_2", "80.00"));
    assert_eq!(world.failure_code(Payment, "ref_2.note"), "refund_over_paid");
    polls_for_a_day(&world);
    assert_eq!(world.failure_code(Payment, "ref_2.note"), "refund_over_paid");
    assert_eq!(notes(&world).len(), 1);
}

#[test]
fn a_credit_note_that_never_reached_xero_stops_counting_within_a_day_after_never_send() {
    let world = paid("120.00");
    let on = Match::next("/api.xro/2.0/CreditNotes").method(http::Method::PUT);
    world.inject(Fault { on, kind: FaultKind::LostBefore });
    world.receive(Payment, &named("ref_1", "80.00"));
    let logged = never_send(&world, "ref_1.note");
    assert!(logged.contains("REFUND-ref_1 may be in Xero"), "{logged}");
    assert!(logged.ends_with("another refund can return the money, usually within a day."));
    world.receive(Payment, &named("ref_2", "80.00"));
    assert_eq!(world.failure_code(Payment, "ref_2.note"), "refund_over_paid");
    polls_for_a_day(&world);
    assert_eq!(world.state(Payment, "ref_2.1"), OperationState::Synced);
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("40.00", 1));
}
