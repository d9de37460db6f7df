//! The accounts on which the credit notes of refunds are booked.

use domain::account_codes::AccountCodes;
use tests::world::every_account;

use super::*;

/// An invoice that was paid by card and booked on the default account, before another account
/// became the default.
fn paid_before_the_default_changed(prepare: impl FnOnce(&World)) -> World {
    let world = holding("GBP");
    bill(&world, "GBP");
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "120.00")]).body());
    prepare(&world);
    world.choose_codes(AccountCodes { sales: "260".to_owned(), ..every_account() });
    world
}

/// The accounts of the lines of all credit notes in Xero.
fn booked_accounts(world: &World) -> Vec<String> {
    world.books(|books| {
        let lines = books.credit_notes().flat_map(|note| &note.lines);
        lines.filter_map(|line| line.account_code.clone()).collect()
    })
}

#[test]
fn a_refund_is_booked_on_the_account_of_its_invoice_and_not_on_todays_default() {
    let world = paid_before_the_default_changed(|_| {});
    refund(&world, &a_refund("GBP", "40.00", r#""invoice_id":"inv_1""#));
    assert_eq!(world.state(Payment, "ref_1.note"), OperationState::Synced);
    assert_eq!(booked_accounts(&world), ["200"]);
}

#[test]
fn a_refund_whose_invoice_xero_does_not_show_is_tried_again() {
    let world = paid_before_the_default_changed(|_| {});
    let invoices = Match::next("/api.xro/2.0/Invoices");
    world.inject(Fault { on: invoices, kind: FaultKind::Status500 });
    refund(&world, &a_refund("GBP", "40.00", r#""invoice_id":"inv_1""#));
    assert_eq!(world.state(Payment, "ref_1.note"), OperationState::Synced);
    assert_eq!(booked_accounts(&world), ["200"]);
}

#[test]
fn a_refund_waits_if_the_account_of_its_invoice_is_archived() {
    let archive = |world: &World| {
        world.by_hand(|bookkeeper| bookkeeper.archive_account("200").unwrap());
    };
    let world = paid_before_the_default_changed(archive);
    refund(&world, &a_refund("GBP", "40.00", r#""invoice_id":"inv_1""#));
    let refused = world.mapping(Payment, "ref_1.note").unwrap().operation;
    assert_eq!(refused.state, OperationState::Skipped);
    assert_eq!(&*refused.failure.unwrap().code, "refund_account_unusable");
    assert!(booked_accounts(&world).is_empty());
}
