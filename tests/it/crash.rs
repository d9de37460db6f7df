//! A process dies at each step of a push: the message is delivered again, and the books are
//! correct.

use domain::entity::EntityKind::{Contact, Invoice};
use domain::operation::OperationState;
use domain::sync_log::LoggedOperation;
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::{CrashPoint, Moment};

/// SQS hides a message for six times the function's timeout.
const VISIBILITY: SignedDuration = SignedDuration::from_mins(6);

fn check(world: &World, at: CrashPoint, total: &str) {
    world.books(|books| {
        let totals = books.invoices().map(|one| one.total.to_string()).collect::<Vec<_>>();
        assert_eq!(totals, [total], "{at:?}");
        assert_eq!(books.contacts().count(), 1, "{at:?}");
    });
    for (kind, id) in [(Contact, "cli_1"), (Invoice, "inv_1")] {
        let mapping = world.mapping(kind, id).expect("a mapping");
        assert_eq!(mapping.operation.state, OperationState::Synced, "{at:?} {kind}");
        let linked = mapping.link.expect("a link").xero_id.0;
        let in_books =
            world.books(|books| books.contact(linked).is_some() || books.invoice(linked).is_some());
        assert!(in_books, "{at:?} {kind}");
    }
    let adopted = world.log().into_iter().find(|entry| entry.operation == LoggedOperation::Adopt);
    assert_eq!(adopted, None, "{at:?}: what an attempt created was not in Xero before");
    assert!(world.xero().violations().is_empty());
}

/// Kills the process at every step of processing `body`, redelivers the message, and checks the
/// result. Returns the number of crashes.
fn crash_at_every_step(prepare: impl Fn(&World), body: &str, total: &str) -> u32 {
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = World::connected();
            prepare(&world);
            world.restart();
            let at = CrashPoint { step, moment };
            let finished = world.try_receive(Invoice, body, Some(at)).is_some();
            if !finished {
                crashes += 1;
                world.restart();
                // Wake-ups of the dead process fire; then the queue redelivers the message.
                world.advance(VISIBILITY);
                world.receive(Invoice, body);
                world.advance(SignedDuration::from_hours(13));
            }
            check(&world, at, total);
            if finished {
                break;
            }
        }
    }
    crashes
}

#[test]
fn a_crash_at_every_step_of_a_first_invoice_leaves_one_contact_and_one_invoice() {
    let body = an_invoice("inv_1", "cli_1").body();
    let crashes = crash_at_every_step(|_| {}, &body, "114.00");
    assert!(crashes > 30, "{crashes} crashes");
}

#[test]
fn a_crash_at_every_step_of_an_edit_leaves_the_edited_invoice() {
    let body = an_invoice("inv_1", "cli_1")
        .revision(2)
        .client_revision(2)
        .client_name("Client renamed")
        .price("100.00", "120.00")
        .body();
    let first = |world: &World| {
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    };
    let crashes = crash_at_every_step(first, &body, "120.00");
    assert!(crashes > 20, "{crashes} crashes");
}

#[test]
fn a_crash_followed_by_a_newer_revision_leaves_the_newer_one_once() {
    let body = an_invoice("inv_1", "cli_1").body();
    let newer = an_invoice("inv_1", "cli_1").revision(2).price("100.00", "120.00").body();
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = World::connected();
            let at = CrashPoint { step, moment };
            let finished = world.try_receive(Invoice, &body, Some(at)).is_some();
            world.restart();
            // The newer one arrives while the claims of the dead process are still in effect.
            world.receive(Invoice, &newer);
            world.advance(VISIBILITY);
            world.receive(Invoice, &body);
            world.advance(SignedDuration::from_hours(13));
            check(&world, at, "120.00");
            if finished {
                break;
            }
        }
    }
}
