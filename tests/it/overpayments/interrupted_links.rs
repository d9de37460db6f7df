//! A process dies while it links a client to a contact that has paid before.

use domain::envelope::{WakeUp, WakeUpKind};
use engine::ports::Clock;
use tests::io_monitor::{CrashPoint, Moment};

use super::*;

/// SQS hides a message for six times the function's timeout.
const VISIBILITY: SignedDuration = SignedDuration::from_mins(6);
const EMAIL: &str = "ap@ridge.example";

/// A way to link the client `cli_2` to a contact.
struct LinkingProcess {
    prepare: fn(&World, Uuid),
    /// Works in a process that dies at this step, if it reaches it. Returns whether it came to its
    /// end.
    work: fn(&World, Uuid, CrashPoint) -> bool,
    /// What the queue delivers again.
    repeat: fn(&World),
}

fn invoice_of_the_contact() -> String {
    an_invoice("inv_2", "cli_2").client_email(EMAIL).body()
}

fn is_reconciliation(wake: &WakeUp) -> bool {
    wake.work == WakeUpKind::Reconciliation
}

const BY_A_USER: LinkingProcess = LinkingProcess {
    prepare: |world, _| {
        world.receive(Contact, &a_client("cli_2", 1, "Another client", "record"));
    },
    work: |world, contact, at| {
        let (by, account, client) = (owner(), world.account(), CrmId::new("cli_2").unwrap());
        world.io.crash_at(Some(at));
        let (contact, invocation) = (XeroContactId(contact), world.invocation());
        let linked =
            contacts::link_client(&world.engine, &account, &by, client, contact, invocation);
        let linked = run(linked);
        world.io.crash_at(None);
        linked.is_some()
    },
    repeat: |_| {},
};

const BY_A_PUSH: LinkingProcess = LinkingProcess {
    prepare: |world, contact| {
        let set_email = |one: &mut xero_sim::Contact| one.email = Some(EMAIL.to_owned());
        world.by_hand(|hand| hand.edit_contact(contact, set_email)).unwrap();
    },
    work: |world, _, at| world.try_receive(Invoice, &invoice_of_the_contact(), Some(at)).is_some(),
    repeat: |world| {
        world.receive(Invoice, &invoice_of_the_contact());
    },
};

const BY_A_RECONCILIATION: LinkingProcess = LinkingProcess {
    prepare: |world, _| {
        world.receive(Contact, &a_client("cli_2", 1, "Client cli_2", "record"));
        world.start_reconciliation();
    },
    work: |world, _, at| {
        let wake = world.wake_ups.take(is_reconciliation).unwrap();
        let is_finished = world.try_wake(&wake, at).is_some();
        if !is_finished {
            let now = world.clock.now();
            run(world.engine.wake_ups.schedule(&wake, now)).unwrap().unwrap();
        }
        is_finished
    },
    repeat: |_| {},
};

/// Kills the process at every step. Whenever the client is linked afterwards, the next polls report
/// the money. Returns the number of crashes after which it was.
fn count_reported(linking: &LinkingProcess) -> u32 {
    let mut reported = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let (mut world, contact) = a_world_with_money_of_no_client();
            (linking.prepare)(&world, contact);
            world.restart();
            let at = CrashPoint { step, moment };
            let is_finished = (linking.work)(&world, contact, at);
            world.restart();
            world.advance(VISIBILITY);
            if !is_finished {
                (linking.repeat)(&world);
            }
            world.advance(QUARTER);
            let is_linked = world.mapping(Contact, "cli_2").is_some_and(|one| one.link.is_some());
            world.poll_and_wait();
            world.poll_and_wait();
            let expected: &[&str] =
                if is_linked { &["1: open overpayment 7 of cli_2"] } else { &[] };
            assert_eq!(describe_events(&world), expected, "{at:?}");
            if is_finished {
                break;
            }
            reported += u32::from(is_linked);
        }
    }
    reported
}

#[test]
fn money_of_a_contact_is_reported_wherever_the_process_dies_in_which_a_user_links_it() {
    assert!(count_reported(&BY_A_USER) > 2);
}

#[test]
fn money_of_a_contact_is_reported_wherever_the_push_dies_that_links_it() {
    assert!(count_reported(&BY_A_PUSH) > 5);
}

#[test]
fn money_of_a_contact_is_reported_wherever_the_reconciliation_dies_that_links_it() {
    assert!(count_reported(&BY_A_RECONCILIATION) > 5);
}
