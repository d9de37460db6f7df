//! A list of changes that Xero fails to show to every poll: what the other list and the daily
//! verification show reaches the CRM.

use domain::entity::EntityKind::CreditNote;
use tests::builders::a_credit_note;
use tests::ports::{Intercepted, respond};
use xero_sim::{Fault, FaultKind, Match};

use super::*;

const INVOICES: &str = "/Invoices";
const PAYMENTS: &str = "/Payments";

const BROKEN: (u16, &str) = (500, r#"{"Title":"Refused","Status":500,"Detail":"Broken"}"#);
const UNREADABLE: (u16, &str) = (200, r#"{"Invoices":7,"Payments":7}"#);

/// Answers that Xero gives instead of a list, each with the outcome of the poll.
const ANSWERS: [((u16, &str), PollOutcome); 2] =
    [(BROKEN, PollOutcome::Later), (UNREADABLE, PollOutcome::Failed)];

/// From now on, Xero answers like this instead of showing the changes at this path. Reads by ids
/// succeed.
fn fail_list(world: &mut World, list: &'static str, (status, body): (u16, &'static str)) {
    let inner = world.engine.transport.clone();
    world.engine.transport = Intercepted::on(inner, move |request| {
        let uri = request.uri();
        let is_of_changes = uri.query().is_some_and(|query| query.contains("order=UpdatedDateUTC"));
        (is_of_changes && uri.path().ends_with(list)).then(|| Ok(respond(status, body)))
    });
}

fn progress(world: &World) -> PollProgress {
    run(world.engine.store.find_poll_progress(&world.ledger())).unwrap().unwrap().unwrap().record
}

/// The outcomes of the polls of a day that read Xero.
fn reads_of_a_day(world: &World) -> Vec<PollOutcome> {
    let polled = (0..24 * 4).map(|_| world.poll_and_wait());
    polled.filter(|polled| *polled != PollOutcome::Idle).collect()
}

fn overpayment_reads(world: &World) -> usize {
    world.calls().iter().filter(|call| *call == "GET /Overpayments").count()
}

fn comparisons(world: &World) -> usize {
    let contents = world.events.contents().into_iter();
    contents.filter(|one| matches!(one, EventContent::BooksCompared { .. })).count()
}

#[test]
fn a_payment_and_its_removal_reach_the_crm_once_while_one_list_fails_in_every_poll() {
    for (answer, failed) in ANSWERS {
        for list in [INVOICES, PAYMENTS] {
            let when = format!("{list} {answer:?}");
            let mut world = billed();
            world.poll_and_wait();
            let (working, before) = (world.engine.transport.clone(), progress(&world));
            fail_list(&mut world, list, answer);
            let payment = world.is_paid("#INV_1", "50.00", &today());
            assert_eq!(world.poll_and_wait(), failed, "{when}");
            let mut expected = vec!["imported 50.00", "part paid 64.00"];
            assert_eq!(describe_events(&world), expected, "{when}");
            world.by_hand(|bookkeeper| bookkeeper.remove_payment(payment).unwrap());
            for _ in 0..5 {
                assert_eq!(world.poll_and_wait(), failed, "{when}");
            }
            expected.extend(["removed 50.00", "unpaid 114.00"]);
            assert_eq!(describe_events(&world), expected, "{when}");
            // Only the list that was read has advanced, and users learn that the other one fails.
            let after = progress(&world);
            let has_advanced = (
                after.invoices_from > before.invoices_from,
                after.payments_from > before.payments_from,
            );
            assert_eq!(has_advanced, (list != INVOICES, list != PAYMENTS), "{when}");
            assert_eq!(after.checked_at, before.checked_at, "{when}");
            assert!(world.status().payment_checks_failing_since.is_some(), "{when}");
            world.engine.transport = working;
            assert!(matches!(world.poll_and_wait(), PollOutcome::Read { .. }), "{when}");
            assert_eq!(describe_events(&world), expected, "{when}");
            let recovered = progress(&world);
            assert!(recovered.checked_at > before.checked_at, "{when}");
            assert_eq!(recovered.failing_since, None, "{when}");
        }
    }
}

#[test]
fn the_daily_verification_takes_place_while_one_list_fails() {
    for list in [INVOICES, PAYMENTS] {
        let mut world = billed();
        world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
        world.advance(QUARTER);
        world.poll_and_wait();
        let note = world.mapping(CreditNote, "cn_1").unwrap().link.unwrap().xero_id.0;
        world.by_hand(|bookkeeper| bookkeeper.void_credit_note(note).unwrap());
        world.clock.advance(SignedDuration::from_hours(25));
        let working = world.engine.transport.clone();
        fail_list(&mut world, list, BROKEN);
        let before = overpayment_reads(&world);
        assert_eq!(world.poll_and_wait(), PollOutcome::Later, "{list}");
        assert!(world.mapping(CreditNote, "cn_1").unwrap().is_gone_in_xero(), "{list}");
        // The invoices that were paid with an overpayment may name its client.
        assert_eq!(overpayment_reads(&world) - before, usize::from(list != INVOICES), "{list}");
        assert_eq!(comparisons(&world), 0, "{list}: the books in Xero are not known");
        world.engine.transport = working;
        assert!(matches!(world.poll_and_wait(), PollOutcome::Read { .. }), "{list}");
        assert_eq!(overpayment_reads(&world) - before, 1, "{list}");
        assert_eq!(comparisons(&world), 1, "{list}");
    }
}

#[test]
fn each_poll_in_the_hour_of_a_ledger_without_open_invoices_reads_a_list_again_that_failed() {
    for list in [INVOICES, PAYMENTS] {
        let mut world = billed();
        world.is_paid("#INV_1", "114.00", &today());
        world.poll_and_wait();
        world.clock.advance(SignedDuration::from_hours(25));
        let working = world.engine.transport.clone();
        fail_list(&mut world, list, BROKEN);
        assert_eq!(reads_of_a_day(&world), [PollOutcome::Later; 4], "{list}");
        world.engine.transport = working;
        let reads = reads_of_a_day(&world);
        // The day may begin within that hour.
        assert!(matches!(reads.len(), 1 | 2), "{list}: {reads:?}");
        assert!(reads.iter().all(|one| matches!(one, PollOutcome::Read { .. })), "{reads:?}");
    }
}

#[test]
fn a_poll_to_which_xero_shows_neither_list_reads_nothing_else() {
    let world = billed();
    world.poll_and_wait();
    world.clock.advance(SignedDuration::from_hours(25));
    for list in [INVOICES, PAYMENTS] {
        let on = Match::every(&format!("/api.xro/2.0{list}"));
        world.inject(Fault { on, kind: FaultKind::Status500 });
    }
    let calls = world.calls().len();
    assert_eq!(world.poll_and_wait(), PollOutcome::Later);
    assert_eq!(world.calls().split_off(calls), ["GET /Invoices", "GET /Payments"]);
}

#[test]
fn a_failure_that_concerns_every_list_ends_the_poll_at_once() {
    let throttle =
        FaultKind::RateLimited { problem: "minute".to_owned(), retry_after_seconds: Some(60) };
    for kind in [FaultKind::Unavailable503, throttle] {
        let world = billed();
        world.poll_and_wait();
        let calls = world.calls().len();
        let on = Match::next("/api.xro/2.0/Invoices");
        world.inject(Fault { on, kind: kind.clone() });
        assert_eq!(world.poll_and_wait(), PollOutcome::Later, "{kind:?}");
        assert_eq!(world.calls().split_off(calls), ["GET /Invoices"], "{kind:?}");
    }
}

#[test]
fn a_payment_on_an_invoice_at_which_xero_fails_delays_no_other_and_follows_once_that_is_shown() {
    let mut world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.poll_and_wait();
    let working = world.engine.transport.clone();
    let broken = world.mapping(Invoice, "inv_1").unwrap().link.unwrap().xero_id.0.to_string();
    fail_list(&mut world, INVOICES, BROKEN);
    let inner = world.engine.transport.clone();
    world.engine.transport = Intercepted::on(inner, move |request| {
        let is_of_broken = request.uri().to_string().contains(&broken);
        is_of_broken.then(|| Ok(respond(BROKEN.0, BROKEN.1)))
    });
    world.is_paid("#INV_1", "50.00", &today());
    world.is_paid("#INV_2", "30.00", &today());
    let mut expected = vec!["imported 30.00", "part paid 84.00"];
    // The last of these polls begins behind both payments in the list of payments.
    for _ in 0..3 {
        assert_eq!(world.poll_and_wait(), PollOutcome::Later);
        assert_eq!(describe_events(&world), expected);
    }
    world.engine.transport = working;
    fail_list(&mut world, INVOICES, BROKEN);
    assert_eq!(world.poll_and_wait(), PollOutcome::Later);
    expected.extend(["imported 50.00", "part paid 64.00"]);
    assert_eq!(describe_events(&world), expected);
}

#[test]
fn a_payment_on_an_invoice_whose_row_xero_shows_without_an_id_follows_once_the_row_is_complete() {
    let mut world = billed();
    world.poll_and_wait();
    let working = world.engine.transport.clone();
    fail_list(&mut world, INVOICES, BROKEN);
    let inner = world.engine.transport.clone();
    world.engine.transport = Intercepted::on(inner, |request| {
        let is_of_one = request.uri().path().contains("/Invoices/");
        is_of_one.then(|| Ok(respond(200, r#"{"Invoices":[{"Date":7}]}"#)))
    });
    world.is_paid("#INV_1", "50.00", &today());
    // The last of these polls begins behind the payment in the list of payments.
    for _ in 0..3 {
        assert_eq!(world.poll_and_wait(), PollOutcome::Later);
        assert!(describe_events(&world).is_empty());
    }
    world.engine.transport = working;
    fail_list(&mut world, INVOICES, BROKEN);
    assert_eq!(world.poll_and_wait(), PollOutcome::Later);
    assert_eq!(describe_events(&world), ["imported 50.00", "part paid 64.00"]);
}
