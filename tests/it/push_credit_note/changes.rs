//! Credit that a later message states otherwise than it was applied, or in another currency.

use domain::batching::ArrivalRate;
use domain::envelope::read_crm_body;
use engine::inbound::receive_messages;
use tests::world::ACCOUNT;

use super::*;
use crate::payment_currencies::forget_amounts;

/// An allocation of this amount, at this revision.
fn applied_at(revision: u64, amount: &str) -> String {
    let body = an_allocation("al_1", "cn_1", "inv_1", amount).body();
    assert!(body.contains(r#""revision":1"#), "{body}");
    body.replacen(r#""revision":1"#, &format!(r#""revision":{revision}"#), 1)
}

#[test]
fn credit_that_is_changed_after_it_was_applied_stays_and_the_log_says_so() {
    let world = credited();
    world.receive(CreditNote, &applied_at(1, "50.00"));
    let changed = world.receive(CreditNote, &applied_at(2, "60.00"));
    assert_eq!(changed, MessageOutcome::Recorded);
    assert_eq!(applied(&world), ["50.00"]);
    assert!(world.is_logged("was not changed. Remove it"), "{:?}", world.log());
    // Credit that Xero does not have may still change.
    let world = credited();
    world.receive(CreditNote, &applied_at(1, "500.00"));
    assert!(applied(&world).is_empty());
    world.receive(CreditNote, &applied_at(2, "60.00"));
    assert_eq!(applied(&world), ["60.00"]);
}

#[test]
fn credit_that_arrives_together_with_a_change_of_it_is_applied_as_changed_and_the_log_says_so() {
    let world = credited();
    let bodies = [applied_at(1, "50.00"), applied_at(2, "60.00")];
    let messages = bodies.map(|body| read_crm_body(&body, CreditNote, ACCOUNT).unwrap());
    let (rate, invocation) = (ArrivalRate::Ordinary, world.invocation());
    run(receive_messages(&world.engine, &messages, rate, invocation)).unwrap();
    assert_eq!(applied(&world), ["60.00"]);
    let replaced = "Version 1 was not sent, because version 2 replaced it";
    assert!(world.is_logged(replaced), "{:?}", world.log());
}

#[test]
fn credit_is_removed_as_it_was_applied_whatever_its_removal_says() {
    let world = credited();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("cn_2", "cli_1").body());
    world.receive(CreditNote, &applied_at(1, "50.00"));
    let removal = an_allocation("al_1", "cn_2", "inv_2", "60.00").removed().body();
    world.receive(CreditNote, &removal);
    world.advance(SignedDuration::from_mins(2));
    assert!(applied(&world).is_empty());
    assert_eq!(allocation(&world, "al_1"), (OperationState::Synced, None));
    // The same message again changes nothing.
    world.receive(CreditNote, &removal);
    assert_eq!(allocation(&world, "al_1"), (OperationState::Synced, None));
}

#[test]
fn a_removal_with_other_documents_that_arrives_together_with_the_credit_leaves_nothing_applied() {
    let other_documents = [("cn_1", "inv_2"), ("cn_2", "inv_2"), ("cn_unknown", "inv_1")];
    for (note, invoice) in other_documents {
        let world = credited();
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
        world.receive(CreditNote, &a_credit_note("cn_2", "cli_1").body());
        let removal = an_allocation("al_1", note, invoice, "50.00").removed().body();
        let bodies = [applied_at(1, "50.00"), removal];
        let messages = bodies.map(|body| read_crm_body(&body, CreditNote, ACCOUNT).unwrap());
        let (rate, invocation) = (ArrivalRate::Ordinary, world.invocation());
        run(receive_messages(&world.engine, &messages, rate, invocation)).unwrap();
        // The removal supersedes the credit, which was never sent.
        assert!(applied(&world).is_empty(), "{note}");
        assert_eq!(allocation(&world, "al_1"), (OperationState::Synced, None), "{note}");
    }
}

#[test]
fn credit_in_another_currency_than_its_note_is_not_applied() {
    let world = credited();
    let body = applied_at(1, "50.00").replace(r#""currency":"GBP""#, r#""currency":"EUR""#);
    world.receive(CreditNote, &body);
    let failure = why(&world, "al_1");
    assert_eq!(failure.code, "credit_currency_differs");
    assert!(failure.message.contains("CN_1 is in GBP, so EUR 50.00 cannot"), "{failure}");
    assert!(applied(&world).is_empty());
}

/// Xero may refuse such credit, or apply the figure in the currency of the invoice.
#[test]
fn credit_for_an_invoice_in_another_currency_is_not_applied_whatever_xero_accepts() {
    for (is_refused, is_early) in [(true, false), (false, false), (true, true), (false, true)] {
        let world = World::with(|settings| {
            settings.unconfirmed.allocation_needs_one_currency = is_refused;
        });
        world.connect();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        if is_early {
            forget_amounts(&world, "MAP#invoice#inv_1");
        }
        world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").currency("EUR").body());
        let body = applied_at(1, "50.00").replace(r#""currency":"GBP""#, r#""currency":"EUR""#);
        world.receive(CreditNote, &body);
        let failure = why(&world, "al_1");
        assert_eq!(failure.code, "credit_currency_differs", "{is_refused} {is_early}");
        assert!(failure.message.contains("CN_1 is in EUR, #INV_1 in GBP."), "{failure}");
        assert!(applied(&world).is_empty(), "{is_refused} {is_early}");
        let is_allocation = |call: &String| call.starts_with("PUT") && call.contains("Allocations");
        assert!(!world.calls().iter().any(is_allocation), "{is_refused} {is_early}");
    }
}

#[test]
fn credit_is_applied_to_an_invoice_whose_row_has_no_amounts() {
    let world = credited();
    forget_amounts(&world, "MAP#invoice#inv_1");
    world.receive(CreditNote, &applied_at(1, "50.00"));
    assert_eq!(applied(&world), ["50.00"]);
}
