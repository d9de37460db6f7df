//! Revisions of a payment that arrive together.

use super::*;

fn receive_together(world: &World, bodies: &[String]) {
    let read = |body: &String| read_crm_body(body, Payment, ACCOUNT).unwrap();
    let messages = bodies.iter().map(read).collect::<Vec<_>>();
    let (rate, invocation) = (ArrivalRate::Ordinary, world.invocation());
    run(receive_messages(&world.engine, &messages, rate, invocation)).unwrap();
}

const REPLACED: &str = "Version 1 was not sent, because version 2 replaced it";

#[test]
fn a_payment_that_arrives_together_with_a_change_of_it_is_written_once_and_the_log_says_so() {
    let bodies =
        [paid("pay_1").body(), at_revision(2, &paid("pay_1").fee("4.20").date("2026-12-02"))];
    let [first, second] = bodies.clone();
    let ignored = "Version 1 arrived after version 2 and was ignored.";
    for (bodies, sentence) in [(bodies, REPLACED), ([second, first], ignored)] {
        let world = billed();
        receive_together(&world, &bodies);
        assert_eq!(books(&world), ("109.80".to_owned(), 0, 1));
        assert!(world.is_logged(sentence), "{:?}", world.log());
    }
}

#[test]
fn a_payment_of_which_something_is_stored_is_completed_although_a_change_arrives_with_it() {
    for step in 1.. {
        let mut world = billed();
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
        let first = paid_together("pay_1").body();
        let crash = CrashPoint { step, moment: Moment::After };
        let finished = world.try_receive(Payment, &first, Some(crash));
        world.restart();
        world.clock.advance(SignedDuration::from_mins(30));
        let dearer = paid_together("pay_1").fee("4.20");
        receive_together(&world, &[first, at_revision(2, &dearer)]);
        world.advance(SignedDuration::from_hours(12));
        // Nothing is mixed: Xero has the first revision, or the second one.
        let (balance, _, payments) = books(&world);
        assert!(["108.80", "107.80"].contains(&balance.as_str()), "{step}: {balance}");
        assert_eq!(payments, 2, "{step}");
        if finished.is_some() {
            break;
        }
    }
}

#[test]
fn a_payment_that_arrives_together_with_its_deletion_is_never_written() {
    let world = billed();
    receive_together(&world, &[paid("pay_1").body(), paid("pay_1").deleted().body()]);
    assert_eq!(books(&world), ("0.00".to_owned(), 0, 0));
    assert_eq!(world.books(|books| books.payments().count()), 0);
    assert_eq!(in_effect_on(&world, "inv_1"), [""; 0]);
}

#[test]
fn documents_of_two_revisions_of_a_refund_are_never_mixed_although_one_is_refused() {
    let world = billed();
    world.receive(Payment, &paid("pay_1").body());
    let on = Match::next("/api.xro/2.0/Payments").method(http::Method::PUT);
    world.inject(Fault { on, kind: FaultKind::Status500 });
    receive_together(&world, &[a_refund("ref_1", 1, "40.00"), a_refund("ref_1", 2, "50.00")]);
    assert_eq!(books(&world), ("60.80".to_owned(), 1, 2));
    let credited = world.books(|books| books.credit_notes().next().unwrap().total);
    assert_eq!(credited, Decimal::new(5_000, 2));
    assert!(world.is_logged(REPLACED), "{:?}", world.log());
}
