//! Payments that change or are deleted after their write was answered or the answer was lost.

use super::*;

/// A world whose payment of an invoice was written with this reference, and whose answer was lost.
fn unanswered(reference: &str) -> World {
    let world = billed();
    let on = Match::next("/api.xro/2.0/Payments").method(http::Method::PUT);
    world.inject(Fault { on, kind: FaultKind::LostAfter });
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]).reference(reference);
    world.receive(Payment, &payment.body());
    world
}

#[test]
fn a_payment_whose_reference_changes_after_a_lost_answer_is_written_once() {
    let world = unanswered("ch_1");
    let renamed = a_payment("pay_1", &[("inv_1", "114.00")]).reference("ch_2");
    world.receive(Payment, &at_revision(2, &renamed));
    assert_eq!(books(&world), ("114.00".to_owned(), 0, 1));
    assert_eq!(world.mapping(Payment, "pay_1.1").unwrap().operation.state, OperationState::Synced);
}

#[test]
fn a_payment_that_is_deleted_under_another_reference_after_a_lost_answer_is_removed() {
    let world = unanswered("ch_1");
    let renamed = a_payment("pay_1", &[("inv_1", "114.00")]).reference("ch_2");
    world.receive(Payment, &renamed.deleted().body());
    assert_eq!(books(&world), ("0.00".to_owned(), 0, 0));
}

#[test]
fn a_payment_that_is_deleted_with_another_amount_after_a_lost_answer_is_removed() {
    let world = unanswered("ch_1");
    let wrong = a_payment("pay_1", &[("inv_1", "0.01")]).reference("ch_1");
    world.receive(Payment, &wrong.deleted().body());
    assert_eq!(books(&world), ("0.00".to_owned(), 0, 0));
}

#[test]
fn a_fee_that_is_deleted_with_another_amount_after_a_lost_answer_is_removed() {
    let world = billed();
    let on = Match::next("/api.xro/2.0/BankTransactions").method(http::Method::PUT);
    world.inject(Fault { on, kind: FaultKind::LostAfter });
    world.receive(Payment, &paid("pay_1").body());
    world.receive(Payment, &paid("pay_1").fee("0.10").deleted().body());
    assert_eq!(books(&world), ("0.00".to_owned(), 0, 0));
}

/// A world whose payment of an invoice was written, and whose answer was lost or not.
fn written(is_answer_lost: bool) -> World {
    if is_answer_lost {
        return unanswered("ch_1");
    }
    let world = billed();
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).reference("ch_1").body());
    world
}

#[test]
fn a_payment_whose_deletion_names_another_invoice_is_removed_and_leaves_its_invoice() {
    for is_answer_lost in [false, true] {
        for is_other_in_xero in [false, true] {
            let name = format!("{is_answer_lost} {is_other_in_xero}");
            let world = written(is_answer_lost);
            if is_other_in_xero {
                world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
            }
            assert_eq!(in_effect_on(&world, "inv_1"), ["pay_1"], "{name}");
            let other = a_payment("pay_1", &[("inv_2", "114.00")]).reference("ch_1");
            for _ in 0..2 {
                world.receive(Payment, &other.clone().deleted().body());
                assert_eq!(books(&world), ("0.00".to_owned(), 0, 0), "{name}");
            }
            for invoice in ["inv_1", "inv_2"] {
                assert_eq!(in_effect_on(&world, invoice), [""; 0], "{name}");
            }
            let operation = world.mapping(Payment, "pay_1.1").unwrap().operation;
            assert_eq!(operation.state, OperationState::Synced, "{name}");
            assert!(!world.is_logged("was ignored"), "{name}: {:?}", world.log());
        }
    }
}

#[test]
fn a_payment_whose_deletion_names_fewer_invoices_or_another_order_after_a_lost_answer_is_removed() {
    let named: [&[(&str, &str)]; 3] = [
        &[("inv_2", "60.00")],
        &[("inv_2", "60.00"), ("inv_1", "50.00")],
        &[("inv_1", "50.00"), ("inv_3", "60.00")],
    ];
    for named in named {
        let world = billed();
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
        let on = Match::next("/api.xro/2.0/Payments").method(http::Method::PUT);
        world.inject(Fault { on, kind: FaultKind::LostAfter });
        world.receive(Payment, &paid_together("pay_1").body());
        let deletion = a_payment("pay_1", named).fee("3.20").surcharge("2.00").deleted();
        world.receive(Payment, &deletion.body());
        assert_eq!(books(&world), ("0.00".to_owned(), 0, 0), "{named:?}");
        for invoice in ["inv_1", "inv_2"] {
            assert_eq!(in_effect_on(&world, invoice), [""; 0], "{named:?}");
        }
    }
}

#[test]
fn a_fee_that_is_deleted_in_another_currency_after_a_lost_answer_is_removed() {
    let world = billed();
    let on = Match::next("/api.xro/2.0/BankTransactions").method(http::Method::PUT);
    world.inject(Fault { on, kind: FaultKind::LostAfter });
    world.receive(Payment, &paid("pay_1").body());
    let other = paid("pay_1").settlement("EUR", "131.10", "1.15").deleted();
    world.receive(Payment, &other.body());
    assert_eq!(books(&world), ("0.00".to_owned(), 0, 0));
}
