//! Payments and refunds that contradict what was written to Xero for the same id: nothing changes
//! there, and the difference is reported.

mod deletions;
mod together;

use domain::batching::ArrivalRate;
use domain::entity::EntityKind::{Invoice, Payment};
use domain::envelope::read_crm_body;
use domain::ids::CrmId;
use domain::invoice_payments::RecordedPayment;
use domain::operation::OperationState;
use domain::outbound::EventContent;
use engine::inbound::{MessageOutcome, receive_messages};
use engine::sync::invoice_payments;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use rust_decimal::Decimal;
use tests::World;
use tests::builders::{self, PaymentMessage, a_payment, an_invoice};
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::world::ACCOUNT;
use xero_sim::{Fault, FaultKind, Match, PaymentStatus};

const REFUSED: MessageOutcome = MessageOutcome::Pushed(PushOutcome::Skipped);

fn billed() -> World {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world
}

fn paid(id: &str) -> PaymentMessage {
    a_payment(id, &[("inv_1", "114.00")]).fee("3.20")
}

/// A refund of this amount at this revision.
fn a_refund(id: &str, revision: u64, amount: &str) -> String {
    builders::a_refund(id, amount).revision(revision).body()
}

/// A payment at this revision.
fn at_revision(revision: u64, payment: &PaymentMessage) -> String {
    let body = payment.body();
    assert!(body.contains(r#""revision":1"#), "{body}");
    body.replacen(r#""revision":1"#, &format!(r#""revision":{revision}"#), 1)
}

/// The balance of the Stripe account, the number of credit notes, and the number of payments and
/// refunds in effect.
fn books(world: &World) -> (String, usize, usize) {
    world.advance(SignedDuration::from_hours(1));
    world.books(|books| {
        let money = books.payments().filter(|one| one.status == PaymentStatus::Authorised);
        let mut balance = books.balance_of("092").unwrap();
        balance.rescale(2);
        (balance.to_string(), books.credit_notes().count(), money.count())
    })
}

/// The codes of the events about records that were given up.
fn given_up(world: &World) -> Vec<String> {
    let contents = world.events.contents().into_iter();
    let codes = contents.filter_map(|one| {
        let EventContent::Skipped { code, .. } = one else { return None };
        Some(code)
    });
    codes.collect()
}

#[test]
fn a_refund_with_the_id_of_a_payment_is_refused_before_anything_of_it_is_written() {
    let world = billed();
    world.receive(Payment, &paid("pay_1").body());
    let before = books(&world);
    assert_eq!(before, ("110.80".to_owned(), 0, 1));
    for revision in [1, 2] {
        assert_eq!(world.receive(Payment, &a_refund("pay_1", revision, "40.00")), REFUSED);
        assert_eq!(books(&world), before, "{revision}");
    }
    assert!(world.mapping(Payment, "pay_1.note").is_none());
    assert_eq!(given_up(&world), ["payment_id_taken", "payment_id_taken"]);
    // The payment can still be deleted.
    world.receive(Payment, &paid("pay_1").deleted().body());
    assert_eq!(books(&world), ("0.00".to_owned(), 0, 0));
}

#[test]
fn a_payment_with_the_id_of_a_refund_neither_changes_nor_deletes_the_refund() {
    let world = billed();
    world.receive(Payment, &paid("pay_1").body());
    world.receive(Payment, &a_refund("ref_1", 1, "40.00"));
    let before = books(&world);
    assert_eq!(before, ("70.80".to_owned(), 1, 2));
    assert_eq!(world.receive(Payment, &paid("ref_1").body()), REFUSED);
    assert_eq!(world.receive(Payment, &paid("ref_1").deleted().body()), REFUSED);
    // Without an account for cash, such a payment has no parts.
    let cash = a_payment("ref_1", &[("inv_1", "114.00")]).method("cash");
    world.receive(Payment, &cash.deleted().body());
    assert_eq!(books(&world), before);
    let state = world.mapping(Payment, "ref_1.1").unwrap().operation.state;
    assert_eq!(state, OperationState::Synced);
}

#[test]
fn a_refund_that_is_changed_after_it_was_written_stays_as_it_is_and_the_log_says_so() {
    let world = billed();
    world.receive(Payment, &paid("pay_1").body());
    world.receive(Payment, &a_refund("ref_1", 1, "40.00"));
    let before = books(&world);
    let changed = world.receive(Payment, &a_refund("ref_1", 2, "50.00"));
    assert_eq!(changed, MessageOutcome::Recorded);
    assert_eq!(books(&world), before);
    assert!(world.is_logged("was not changed. Undo it in Xero"), "{:?}", world.log());
}

#[test]
fn a_fee_that_is_changed_after_it_was_written_stays_and_one_that_was_unknown_is_written() {
    let world = billed();
    let unknown = a_payment("pay_1", &[("inv_1", "114.00")]);
    world.receive(Payment, &unknown.body());
    assert_eq!(books(&world).0, "114.00");
    world.receive(Payment, &at_revision(2, &paid("pay_1")));
    assert_eq!(books(&world).0, "110.80");
    assert!(!world.is_logged("was not changed"));
    let other = at_revision(3, &paid("pay_1").fee("4.20"));
    assert_eq!(world.receive(Payment, &other), MessageOutcome::Recorded);
    assert_eq!(books(&world).0, "110.80");
    assert!(world.is_logged("was not changed. Delete it"), "{:?}", world.log());
}

#[test]
fn a_payment_that_moves_to_another_invoice_or_day_stays_as_it_is_and_the_log_says_so() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.receive(Payment, &paid("pay_1").body());
    let before = books(&world);
    let changes = [
        a_payment("pay_1", &[("inv_2", "114.00")]).fee("3.20"),
        paid("pay_1").date("2026-12-02"),
        paid("pay_1").reference("ch_9"),
    ];
    for (revision, changed) in (2..).zip(&changes) {
        let received = world.receive(Payment, &at_revision(revision, changed));
        assert_eq!(received, MessageOutcome::Recorded, "{revision}");
        assert_eq!(books(&world), before, "{revision}");
    }
    let entries = world.log().into_iter();
    let unchanged = entries.filter(|entry| entry.message.contains("was not changed. Delete it"));
    assert_eq!(unchanged.count(), changes.len());
    let due = |number: &str| {
        world.books(|books| books.invoices_numbered(number).next().unwrap().amount_due())
    };
    assert_eq!([due("#INV_1"), due("#INV_2")], [Decimal::ZERO, Decimal::new(11_400, 2)]);
}

/// A payment of two invoices, with a fee and a surcharge.
fn paid_together(id: &str) -> PaymentMessage {
    a_payment(id, &[("inv_1", "50.00"), ("inv_2", "60.00")]).fee("3.20").surcharge("2.00")
}

#[test]
fn a_later_revision_that_lacks_a_written_part_of_a_payment_changes_nothing_and_the_log_says_so() {
    let shares = [("inv_1", "50.00"), ("inv_2", "60.00")];
    let changes = [
        a_payment("pay_1", &[("inv_1", "50.00")]).fee("3.20").surcharge("2.00"),
        a_payment("pay_1", &shares).surcharge("2.00"),
        a_payment("pay_1", &shares).fee("3.20"),
    ];
    for changed in changes {
        let world = billed();
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
        world.receive(Payment, &paid_together("pay_1").body());
        let before = books(&world);
        assert_eq!(before, ("108.80".to_owned(), 0, 2));
        let received = world.receive(Payment, &at_revision(2, &changed));
        assert_eq!(received, MessageOutcome::Recorded, "{changed:?}");
        assert_eq!(books(&world), before, "{changed:?}");
        assert!(world.is_logged("was not changed. Delete it"), "{changed:?}");
        // Its deletion removes every part, also those that it does not name.
        let deletion = changed.clone().deleted().body();
        world.receive(Payment, &deletion.replacen(r#""revision":2"#, r#""revision":3"#, 1));
        assert_eq!(books(&world), ("0.00".to_owned(), 0, 0), "{changed:?}");
    }
}

#[test]
fn a_share_that_a_later_revision_lacks_is_never_written_if_xero_does_not_have_it_yet() {
    let world = billed();
    world.receive(Payment, &paid_together("pay_1").body());
    let kept = a_payment("pay_1", &[("inv_1", "50.00")]).fee("3.20").surcharge("2.00");
    world.receive(Payment, &at_revision(2, &kept));
    assert!(!world.is_logged("was not changed"), "{:?}", world.log());
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    assert_eq!(books(&world), ("48.80".to_owned(), 0, 1));
    assert_eq!(in_effect_on(&world, "inv_2"), [""; 0]);
}

#[test]
fn a_payment_that_moves_to_another_invoice_before_it_is_written_leaves_the_first() {
    let world = World::with_accounts();
    world.receive(Payment, &paid("pay_1").body());
    let moved = a_payment("pay_1", &[("inv_2", "114.00")]).fee("3.20");
    world.receive(Payment, &at_revision(2, &moved));
    for invoice in ["inv_1", "inv_2"] {
        world.receive(Invoice, &an_invoice(invoice, "cli_1").body());
    }
    assert_eq!(books(&world), ("110.80".to_owned(), 0, 1));
    assert_eq!(in_effect_on(&world, "inv_1"), [""; 0]);
    assert_eq!(in_effect_on(&world, "inv_2"), ["pay_1"]);
}

#[test]
fn a_refund_that_a_later_revision_makes_by_a_method_without_an_account_is_reported_as_changed() {
    let world = billed();
    world.receive(Payment, &paid("pay_1").body());
    world.receive(Payment, &a_refund("ref_1", 1, "40.00"));
    let before = books(&world);
    let cash = a_refund("ref_1", 2, "40.00").replace("stripe", "cash");
    assert_eq!(world.receive(Payment, &cash), MessageOutcome::Recorded);
    assert_eq!(books(&world), before);
    assert!(world.is_logged("was not changed. Undo it in Xero"), "{:?}", world.log());
    assert!(!world.is_logged("was not sent"), "{:?}", world.log());
}

/// A payment in cash, without an account for it, of this invoice.
fn in_cash(invoice: &str) -> PaymentMessage {
    a_payment("pay_1", &[(invoice, "114.00")]).method("cash")
}

#[test]
fn a_payment_that_is_only_recorded_stays_on_its_invoice_and_the_log_says_so() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    for _ in 0..2 {
        assert_eq!(world.receive(Payment, &in_cash("inv_1").body()), MessageOutcome::Recorded);
    }
    assert!(!world.is_logged("was not changed"), "{:?}", world.log());
    let moved = at_revision(2, &in_cash("inv_2"));
    assert_eq!(world.receive(Payment, &moved), MessageOutcome::Recorded);
    assert!(world.is_logged("was not changed. Delete it"), "{:?}", world.log());
    assert_eq!(in_effect_on(&world, "inv_1"), ["pay_1"]);
    assert_eq!(in_effect_on(&world, "inv_2"), [""; 0]);
    // Its deletion takes it off the invoice on which it is recorded, whatever it names.
    let deletion = in_cash("inv_2").deleted().body();
    world.receive(Payment, &deletion.replacen(r#""revision":2"#, r#""revision":3"#, 1));
    assert_eq!(in_effect_on(&world, "inv_1"), [""; 0]);
    assert_eq!(in_effect_on(&world, "inv_2"), [""; 0]);
}

#[test]
fn a_payment_that_is_only_recorded_may_get_a_further_invoice() {
    let world = billed();
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.receive(Payment, &in_cash("inv_1").body());
    let both = a_payment("pay_1", &[("inv_1", "114.00"), ("inv_2", "20.00")]).method("cash");
    world.receive(Payment, &at_revision(2, &both));
    for invoice in ["inv_1", "inv_2"] {
        assert_eq!(in_effect_on(&world, invoice), ["pay_1"]);
    }
    // From then on it belongs to both.
    world.receive(Payment, &at_revision(3, &in_cash("inv_1")));
    assert!(world.is_logged("was not changed. Delete it"), "{:?}", world.log());
    assert_eq!(in_effect_on(&world, "inv_2"), ["pay_1"]);
}

/// The payments of the CRM that are recorded on an invoice and in effect.
fn in_effect_on(world: &World, invoice: &str) -> Vec<String> {
    let invoice = CrmId::new(invoice).unwrap();
    let account = world.account();
    let found = invoice_payments::find_invoice_payments(&world.engine, &account, &invoice);
    let recorded = run(found).unwrap().unwrap().map(|payments| payments.recorded);
    let recorded = recorded.unwrap_or_default().into_iter();
    recorded.filter(RecordedPayment::is_in_effect).map(|one| one.payment.to_string()).collect()
}
