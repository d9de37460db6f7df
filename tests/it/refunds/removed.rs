//! Refunds as the bookkeeper sees them: the deletion of one in Xero is reported, and the others
//! leave the books equal.

use std::collections::BTreeSet;

use domain::ids::CrmId;
use domain::mapping::MappingKey;
use domain::outbound::EventContent;
use engine::poll::poll_ledgers;
use tests::io_monitor::{CrashPoint, Moment, run};

use super::limits::{named, paid};
use super::*;
use crate::payment_currencies::holding_with;

const QUARTER: SignedDuration = SignedDuration::from_mins(15);

/// Deletes the refund with this id in Xero.
fn delete(world: &World, id: &str) {
    world.clock.advance(SignedDuration::from_mins(1));
    let tag = format!("(SC-{id})");
    let found = world.books(|books| {
        let is_it = |one: &&xero_sim::Payment| {
            one.reference.as_deref().is_some_and(|text| text.ends_with(&tag))
        };
        books.payments().find(is_it).unwrap().id
    });
    world.by_hand(|bookkeeper| bookkeeper.remove_payment(found).unwrap());
}

/// Polls every quarter of an hour for more than a day: without an open invoice, Xero is read once a
/// day.
pub(super) fn polls_for_a_day(world: &World) {
    for _ in 0..100 {
        world.advance(QUARTER);
        world.poll();
    }
}

/// The refunds that were reported as deleted, with their amounts.
fn removed(world: &World) -> Vec<(String, String)> {
    let refunds = world.events.contents().into_iter().filter_map(|content| {
        let EventContent::RefundRemoved(refund) = content else { return None };
        Some((refund.refund_id.to_string(), refund.amount.to_string()))
    });
    refunds.collect()
}

#[test]
fn a_refund_that_is_deleted_in_xero_is_reported_once() {
    let world = paid("120.00");
    refund(&world, &named("ref_1", "80.00"));
    polls_for_a_day(&world);
    assert!(removed(&world).is_empty());
    delete(&world, "ref_1");
    polls_for_a_day(&world);
    assert_eq!(removed(&world), [("ref_1".to_owned(), "GBP 80.00".to_owned())]);
    let sentence = "The refund of GBP 80.00 was deleted in Xero.";
    let logged = world.log().into_iter().filter(|entry| entry.message.starts_with(sentence));
    assert_eq!(logged.count(), 1);
    polls_for_a_day(&world);
    assert_eq!(removed(&world).len(), 1);
}

#[test]
fn a_refund_of_a_credit_note_that_is_deleted_is_reported_too() {
    let world = holding("GBP");
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    refund(&world, &a_refund("GBP", "50.00", r#""credit_note_id":"cn_1""#));
    delete(&world, "ref_1");
    polls_for_a_day(&world);
    assert_eq!(removed(&world), [("ref_1".to_owned(), "GBP 50.00".to_owned())]);
}

#[test]
fn a_refund_of_a_credit_note_that_the_crm_recorded_leaves_the_books_equal() {
    let world = holding("GBP");
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    refund(&world, &a_refund("GBP", "50.00", r#""credit_note_id":"cn_1""#));
    polls_for_a_day(&world);
    let mut compared = world.events.contents().into_iter().filter_map(|content| {
        let EventContent::BooksCompared { is_equal, tally, .. } = content else { return None };
        Some((is_equal, tally.differences))
    });
    assert_eq!(compared.next_back(), Some((true, Vec::new())));
}

#[test]
fn a_refund_that_was_refused_is_sent_once_the_other_one_is_deleted() {
    let world = paid("120.00");
    refund(&world, &named("ref_1", "80.00"));
    refund(&world, &named("ref_2", "80.00"));
    assert_eq!(world.state(Payment, "ref_2.note"), OperationState::Skipped);
    assert_eq!(world.balance_of("092"), "40.00");
    delete(&world, "ref_1");
    polls_for_a_day(&world);
    assert_eq!(world.state(Payment, "ref_2.1"), OperationState::Synced);
    assert_eq!(world.balance_of("092"), "40.00");
}

#[test]
fn a_deletion_that_a_user_sees_before_the_poll_is_reported_too() {
    let world = paid("120.00");
    refund(&world, &named("ref_1", "80.00"));
    delete(&world, "ref_1");
    world.sync_now(Payment, "ref_1.1");
    polls_for_a_day(&world);
    assert_eq!(removed(&world), [("ref_1".to_owned(), "GBP 80.00".to_owned())]);
}

/// A world in which a refund was refused because of another one, which is deleted by now.
fn with_refused_refund() -> World {
    let world = paid("120.00");
    refund(&world, &named("ref_1", "80.00"));
    refund(&world, &named("ref_2", "80.00"));
    assert_eq!(world.state(Payment, "ref_2.note"), OperationState::Skipped);
    delete(&world, "ref_1");
    world
}

#[test]
fn a_poll_that_dies_at_any_step_after_a_deletion_leaves_no_refund_given_up() {
    let world = with_refused_refund();
    let finds_deletion = |_: &usize| {
        world.advance(QUARTER);
        world.poll();
        !removed(&world).is_empty()
    };
    let due = (1..=100).find(finds_deletion).expect("Xero is read once a day");
    let mut crashes = 0;
    for step in 1.. {
        let mut world = with_refused_refund();
        for _ in 0..due {
            world.advance(QUARTER);
        }
        let at = CrashPoint { step, moment: Moment::After };
        world.io.crash_at(Some(at));
        let polled = run(poll_ledgers(&world.engine, &[world.ledger()], world.invocation()));
        world.io.crash_at(None);
        world.restart();
        for _ in 0..100 {
            if world.state(Payment, "ref_2.1") == OperationState::Synced {
                break;
            }
            world.advance(QUARTER);
            world.poll();
            world.sweep();
        }
        assert_eq!(world.state(Payment, "ref_2.1"), OperationState::Synced, "{at:?}");
        assert_eq!(world.balance_of("092"), "40.00", "{at:?}");
        if polled.is_some() {
            break;
        }
        crashes += 1;
    }
    assert!(crashes > 10, "{crashes} crashes");
}

#[test]
fn the_sweep_releases_a_refund_of_a_negative_invoice_whose_credit_was_freed() {
    let world = holding("GBP");
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").price("-95.00", "-114.00").body());
    let of_invoice = |id: &str, amount: &str| {
        a_refund("GBP", amount, r#""credit_note_id":"inv_1""#).replace("ref_1", id)
    };
    refund(&world, &of_invoice("ref_1", "100.00"));
    refund(&world, &of_invoice("ref_2", "20.00"));
    assert_eq!(world.state(Payment, "ref_2.1"), OperationState::Skipped);
    // The row that says for which document it was given up is lost.
    let key = |kind, id: &str| MappingKey::new(world.ledger(), kind, CrmId::new(id).unwrap());
    let (note, part) = (key(CreditNote, "inv_1"), key(Payment, "ref_2.1"));
    run(world.engine.store.remove_dependants(&note, &[part])).unwrap().unwrap();
    delete(&world, "ref_1");
    polls_for_a_day(&world);
    assert_eq!(world.state(Payment, "ref_2.1"), OperationState::Skipped);
    world.sweep();
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.state(Payment, "ref_2.1"), OperationState::Synced);
    assert_eq!(world.balance_of("092"), "-20.00");
}

#[test]
fn deletions_beyond_the_pages_of_one_poll_are_reported_by_the_next_ones() {
    // Each page has one refund, and a poll reads ten pages.
    let world = holding_with("GBP", |settings| settings.unconfirmed.page_size_max = 1);
    bill(&world, "GBP");
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "120.00")]).body());
    let name = |number: u32| format!("ref_{number:02}");
    let refunds = (1..=8).map(name).collect::<BTreeSet<_>>();
    for number in 1..=8 {
        refund(&world, &named(&name(number), &format!("{number}.00")));
    }
    polls_for_a_day(&world);
    for id in &refunds {
        delete(&world, id);
    }
    polls_for_a_day(&world);
    polls_for_a_day(&world);
    let reported = removed(&world).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(reported.len(), refunds.len(), "{reported:?}");
    assert_eq!(reported.into_iter().collect::<BTreeSet<_>>(), refunds);
}
