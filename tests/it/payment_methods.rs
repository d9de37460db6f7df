//! Payments in cash, by cheque, by card and by bank transfer: written to Xero if an account is
//! chosen for the method, otherwise only recognised there.

use domain::account_codes::AccountCodes;
use domain::entity::EntityKind::{Invoice, Payment};
use domain::operation::OperationState;
use domain::outbound::EventContent;
use engine::commands::choices::{self, CodeChoiceOutcome};
use engine::inbound::MessageOutcome;
use jiff::SignedDuration;
use jiff::civil::date;
use tests::World;
use tests::builders::{PaymentMessage, a_payment, an_invoice};
use tests::gate::run;
use tests::world::every_account;
use xero_sim::{InvoiceStatus, PaymentStatus, Receipt};

/// The methods, each with the name that its payments have in Xero.
const METHODS: [(&str, &str); 4] =
    [("cash", "Cash"), ("cheque", "Cheque"), ("card", "Card"), ("bank_transfer", "Bank transfer")];

/// The codes with an account for each of the methods.
fn every_method() -> AccountCodes {
    let code = || Some("091".to_owned());
    AccountCodes {
        cash: code(),
        cheque: code(),
        card: code(),
        bank_transfer: code(),
        ..every_account()
    }
}

fn billed() -> World {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world
}

fn paid_by(method: &str) -> PaymentMessage {
    a_payment("pay_1", &[("inv_1", "114.00")]).method(method)
}

fn state(world: &World) -> OperationState {
    world.mapping(Payment, "pay_1.1").unwrap().operation.state
}

/// The references of the payments in Xero that are not deleted.
fn in_xero(world: &World) -> Vec<String> {
    world.books(|books| {
        let payments = books.payments().filter(|one| one.status == PaymentStatus::Authorised);
        payments.map(|one| one.reference.clone().unwrap_or_default()).collect()
    })
}

/// The number of payments that the CRM was asked to add, less those that it was asked to drop.
fn imported(world: &World) -> (usize, usize) {
    let news = world.told.news();
    let added = news.iter().filter(|one| matches!(one, EventContent::PaymentImported(_)));
    let dropped = news.iter().filter(|one| matches!(one, EventContent::PaymentRemoved { .. }));
    (added.count(), dropped.count())
}

fn poll(world: &World) {
    world.clock.advance(SignedDuration::from_mins(15));
    world.poll();
}

#[test]
fn a_payment_whose_method_has_an_account_is_written_there_and_counted_once() {
    for (method, name) in METHODS {
        let world = billed();
        world.choose_codes(every_method());
        world.receive(Payment, &paid_by(method).body());
        assert_eq!(state(&world), OperationState::Synced, "{method}");
        assert_eq!(in_xero(&world), [format!("{name} (SC-pay_1)")]);
        let balance = world.books(|books| books.balance_of("091").unwrap());
        assert_eq!(balance.normalize().to_string(), "114", "{method}");
        poll(&world);
        assert_eq!(imported(&world), (0, 0), "{method}");
        let status = world.books(|books| books.invoices().next().unwrap().status);
        assert_eq!(status, InvoiceStatus::Paid, "{method}");
    }
}

#[test]
fn a_payment_whose_method_has_no_account_is_only_recorded() {
    for (method, _) in METHODS {
        let world = billed();
        world.choose_accounts();
        assert_eq!(world.receive(Payment, &paid_by(method).body()), MessageOutcome::Recorded);
        assert!(world.mapping(Payment, "pay_1.1").is_none(), "{method}");
        assert_eq!(in_xero(&world), [""; 0], "{method}");
        // An account that is chosen later affects later messages: a repeated one is written.
        world.choose_codes(every_method());
        world.advance(SignedDuration::from_hours(1));
        assert_eq!(in_xero(&world), [""; 0], "{method}");
        world.receive(Payment, &paid_by(method).body());
        assert_eq!(in_xero(&world).len(), 1, "{method}");
    }
}

#[test]
fn a_deleted_payment_is_removed_even_if_its_account_is_no_longer_chosen() {
    let world = billed();
    world.choose_codes(every_method());
    world.receive(Payment, &paid_by("cash").body());
    world.choose_accounts();
    world.receive(Payment, &paid_by("cash").deleted().body());
    world.advance(SignedDuration::from_mins(5));
    assert_eq!(in_xero(&world), [""; 0]);
    poll(&world);
    assert_eq!(imported(&world), (0, 0));
}

#[test]
fn money_that_a_bookkeeper_entered_first_is_not_sent_again() {
    let world = billed();
    world.is_paid("#INV_1", "114.00", &Receipt::on(date(2026, 11, 2)));
    poll(&world);
    world.choose_codes(every_method());
    world.receive(Payment, &paid_by("cash").body());
    assert_eq!(state(&world), OperationState::Synced);
    assert_eq!(in_xero(&world).len(), 1);
    // The import was dropped again: the CRM has its own payment.
    assert_eq!(imported(&world), (1, 1));
    // The bookkeeper's payment stays when the CRM deletes its own, which the CRM then imports.
    world.receive(Payment, &paid_by("cash").deleted().body());
    assert_eq!(in_xero(&world).len(), 1);
    assert_eq!(imported(&world), (2, 1));
}

#[test]
fn of_a_written_payment_and_one_by_hand_only_the_one_by_hand_is_new() {
    let world = billed();
    world.choose_codes(every_method());
    let half = a_payment("pay_1", &[("inv_1", "57.00")]).method("cash");
    world.is_paid("#INV_1", "57.00", &Receipt::on(date(2026, 11, 2)));
    world.receive(Payment, &half.body());
    assert_eq!(in_xero(&world).len(), 2);
    poll(&world);
    let news = world.told.news();
    let added = news.iter().filter_map(|one| {
        let EventContent::PaymentImported(payment) = one else { return None };
        Some(payment.reference.clone().unwrap_or_default())
    });
    assert_eq!(added.collect::<Vec<_>>(), [""]);
}

#[test]
fn an_account_that_accepts_no_payments_is_refused_for_every_method() {
    let world = billed();
    let code = || Some("200".to_owned());
    let codes = AccountCodes {
        cash: code(),
        cheque: code(),
        card: code(),
        bank_transfer: code(),
        ..every_account()
    };
    let account = world.account();
    let chosen = choices::choose_account_codes(&world.engine, &account, codes, world.invocation());
    let chosen = run(chosen).unwrap().unwrap();
    let CodeChoiceOutcome::Refused(objections) = chosen else { panic!("accepted: {chosen:?}") };
    let fields = objections.iter().map(|one| one.field.as_str()).collect::<Vec<_>>();
    assert_eq!(fields, ["cash", "cheque", "card", "bank_transfer"]);
}
