//! Payments in cash, by cheque, by card and by bank transfer: written to Xero if an account is
//! chosen for the method, otherwise only recognised there.

use domain::account_codes::AccountCodes;
use domain::entity::EntityKind::{Invoice, Payment};
use domain::ids::{CrmId, PaymentId, XeroPaymentId};
use domain::invoice_payments::PaymentDecision;
use domain::operation::OperationState;
use domain::outbound::EventContent;
use engine::inbound::MessageOutcome;
use engine::sync::invoice_payments;
use http::Method;
use jiff::SignedDuration;
use jiff::civil::date;
use tests::World;
use tests::builders::{PaymentMessage, a_payment, an_invoice};
use tests::io_monitor::run;
use tests::ports::{Intercepted, respond};
use tests::world::{every_account, owner};
use xero_sim::{InvoiceStatus, PaymentStatus, Receipt};

/// The methods, each with the name that its payments have in Xero.
const METHODS: [(&str, &str); 4] =
    [("cash", "Cash"), ("cheque", "Cheque"), ("card", "Card"), ("bank_transfer", "Bank transfer")];

/// The codes with an account for each of the methods.
fn every_method() -> AccountCodes {
    every_method_on("091")
}

fn every_method_on(account: &str) -> AccountCodes {
    let code = || Some(account.to_owned());
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
    let contents = world.events.contents();
    let added = contents.iter().filter(|one| matches!(one, EventContent::PaymentImported(_)));
    let dropped = contents.iter().filter(|one| matches!(one, EventContent::PaymentRemoved { .. }));
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
fn money_that_a_bookkeeper_entered_a_moment_ago_is_not_sent_again() {
    for (method, _) in METHODS {
        let world = billed();
        world.choose_codes(every_method());
        // No poll has seen it. Another payment of the same day has another amount.
        world.is_paid("#INV_1", "57.00", &Receipt::on(date(2026, 11, 2)));
        let half = a_payment("pay_1", &[("inv_1", "57.00")]).method(method);
        world.receive(Payment, &half.body());
        let other = a_payment("pay_2", &[("inv_1", "20.00")]).method(method);
        world.receive(Payment, &other.body());
        assert_eq!(state(&world), OperationState::Synced, "{method}");
        assert_eq!(in_xero(&world).len(), 2, "{method}");
        let due = world.books(|books| books.invoices().next().unwrap().amount_due());
        assert_eq!(due.normalize().to_string(), "37", "{method}");
        poll(&world);
        assert_eq!(imported(&world), (0, 0), "{method}");
    }
}

#[test]
fn a_payment_is_not_sent_while_xero_has_one_on_its_invoice_that_cannot_be_read() {
    let world = billed();
    world.choose_codes(every_method());
    let entered = world.is_paid("#INV_1", "57.00", &Receipt::on(date(2026, 11, 2)));
    let override_amount = |amount: Option<&str>| {
        world.by_hand(|bookkeeper| bookkeeper.override_member(entered, "Amount", amount).unwrap());
    };
    override_amount(None);
    let half = a_payment("pay_1", &[("inv_1", "57.00")]).method("cash");
    world.receive(Payment, &half.body());
    assert!(matches!(state(&world), OperationState::Waiting { .. }), "{:?}", state(&world));
    assert_eq!(in_xero(&world), [""]);
    override_amount(Some("57.00"));
    world.advance(SignedDuration::from_mins(10));
    assert_eq!(state(&world), OperationState::Synced);
    assert_eq!(in_xero(&world), [""]);
}

#[test]
fn money_that_may_be_a_payment_that_cannot_be_read_is_not_sent_until_it_can() {
    let mut world = billed();
    world.choose_codes(every_method());
    let whole = world.engine.transport.clone();
    let invoice = world.books(|books| books.invoices().next().unwrap().id);
    let odd = format!(
        r#"{{"Payments":[{{"PaymentID":"00000000-0000-0000-0000-000000000bad","Amount":"much",
        "Status":"AUTHORISED","Invoice":{{"InvoiceID":"{invoice}"}}}}]}}"#
    );
    world.engine.transport = Intercepted::on(whole.clone(), move |request| {
        let is_list =
            request.method() == Method::GET && request.uri().path().ends_with("/Payments");
        is_list.then(|| Ok(respond(200, &odd)))
    });
    world.receive(Payment, &paid_by("cash").body());
    let failed = state(&world);
    assert!(matches!(failed, OperationState::Waiting { .. }), "{failed:?}");
    assert_eq!(in_xero(&world), [""; 0]);
    world.engine.transport = whole;
    world.advance(SignedDuration::from_mins(10));
    assert_eq!(in_xero(&world), ["Cash (SC-pay_1)"]);
}

#[test]
fn of_a_written_payment_and_a_later_one_by_hand_only_the_one_by_hand_is_new() {
    let world = billed();
    world.choose_codes(every_method());
    let half = a_payment("pay_1", &[("inv_1", "57.00")]).method("cash");
    world.receive(Payment, &half.body());
    world.is_paid("#INV_1", "57.00", &Receipt::on(date(2026, 11, 2)));
    assert_eq!(in_xero(&world).len(), 2);
    poll(&world);
    let contents = world.events.contents();
    let added = contents.iter().filter_map(|one| {
        let EventContent::PaymentImported(payment) = one else { return None };
        Some(payment.reference.clone().unwrap_or_default())
    });
    assert_eq!(added.collect::<Vec<_>>(), [""]);
}

/// A cheque of 57.00 that may be the payment that the bookkeeper entered three weeks later.
fn a_doubtful_cheque() -> PaymentMessage {
    a_payment("pay_1", &[("inv_1", "57.00")]).method("cheque").date("2026-10-10")
}

/// A world in which that cheque waits for a user's decision about that payment.
fn undecided() -> (World, XeroPaymentId) {
    let world = billed();
    world.choose_codes(every_method());
    let entered = world.is_paid("#INV_1", "57.00", &Receipt::on(date(2026, 11, 2)));
    world.receive(Payment, &a_doubtful_cheque().body());
    let operation = || world.mapping(Payment, "pay_1.1").unwrap().operation;
    assert_eq!(operation().failure.unwrap().code, "payment_unclear");
    // A poll asks the user.
    world.advance(SignedDuration::from_mins(15));
    world.poll();
    world.advance(SignedDuration::from_hours(2));
    assert!(matches!(operation().state, OperationState::Parked { .. }), "{:?}", operation());
    assert_eq!(operation().failure.unwrap().code, "payment_unclear");
    (world, XeroPaymentId(entered))
}

#[test]
fn a_payment_that_xero_may_have_is_sent_once_the_user_decides_or_the_other_one_is_removed() {
    let decide = |world: &World, id, answer| {
        let (account, invoice) = (world.account(), CrmId::new("inv_1").unwrap());
        let (engine, by) = (&world.engine, owner());
        let decided =
            invoice_payments::resolve_payment(engine, &account, &by, &invoice, id, answer);
        assert!(run(decided).unwrap().unwrap());
    };
    let same = || PaymentDecision::Same(PaymentId::new("pay_1").unwrap());
    for (answer, written) in
        [(Some(PaymentDecision::New), 1), (Some(same()), 0), (None::<PaymentDecision>, 1)]
    {
        let (world, id) = undecided();
        // However long it takes, it is not given up.
        world.sweep();
        world.advance(SignedDuration::from_hours(14));
        world.sweep();
        world.advance(SignedDuration::from_mins(1));
        assert_eq!(in_xero(&world), [""], "{answer:?}");
        if let Some(answer) = &answer {
            decide(&world, id, answer.clone());
        } else {
            world.by_hand(|bookkeeper| bookkeeper.remove_payment(id.0).unwrap());
            poll(&world);
        }
        world.advance(SignedDuration::from_secs(2));
        assert_eq!(state(&world), OperationState::Synced, "{answer:?}");
        let references = in_xero(&world);
        let ours = references.iter().filter(|one| *one == "Cheque (SC-pay_1)");
        assert_eq!(ours.count(), written, "{answer:?}: {references:?}");
    }
}

/// The number of remarks to the CRM that two payments may be the same money.
fn suspicions(world: &World) -> usize {
    let remarks = world.events.contents().into_iter().filter_map(|content| {
        let EventContent::XeroStatus { remarks, .. } = content else { return None };
        Some(remarks)
    });
    remarks.flatten().filter(|remark| remark.contains("may be the same money")).count()
}

#[test]
fn a_payment_that_may_be_an_earlier_import_is_not_reported_again_when_it_is_written() {
    let world = billed();
    world.choose_codes(every_method());
    world.is_paid("#INV_1", "57.00", &Receipt::on(date(2026, 11, 2)));
    poll(&world);
    world.receive(Payment, &a_doubtful_cheque().body());
    assert_eq!((in_xero(&world).len(), suspicions(&world)), (2, 1));
    poll(&world);
    assert_eq!((imported(&world), suspicions(&world)), ((1, 0), 1));
}

#[test]
fn a_payment_that_a_user_has_told_from_another_one_is_not_reported_when_it_is_written() {
    let (world, entered) = undecided();
    let (account, invoice) = (world.account(), CrmId::new("inv_1").unwrap());
    let (engine, by, new) = (&world.engine, owner(), PaymentDecision::New);
    let decided = invoice_payments::resolve_payment(engine, &account, &by, &invoice, entered, new);
    assert!(run(decided).unwrap().unwrap());
    world.advance(SignedDuration::from_secs(2));
    assert_eq!(in_xero(&world).len(), 2);
    poll(&world);
    assert_eq!((imported(&world), suspicions(&world)), ((1, 0), 0));
}

#[test]
fn an_account_that_accepts_no_payments_is_refused_for_every_method() {
    let world = billed();
    let objections = world.choose_refused_codes(every_method_on("200"));
    let fields = objections.iter().map(|one| one.field.as_str()).collect::<Vec<_>>();
    assert_eq!(fields, ["cash", "cheque", "card", "bank_transfer"]);
}
