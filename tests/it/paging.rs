//! Look-ups in Xero with more rows than a page has. Xero's pages may be smaller than a call
//! requests, and what is on another page is not missing.

use domain::entity::EntityKind::{Contact, Invoice, Payment};
use domain::ids::UserId;
use domain::operation::OperationState;
use domain::reconciliation::ReconciliationProgress;
use engine::commands::contacts::reconcile;
use engine::inbound::MessageOutcome;
use engine::ports::Clock;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use jiff::civil::date;
use tests::World;
use tests::builders::{PaymentMessage, a_client, a_payment, an_invoice};
use tests::io_monitor::run;
use uuid::Uuid;
use xero_sim::{Fault, FaultKind, Match, PaymentStatus, Receipt};

/// Longer than all retries.
const LONG: SignedDuration = SignedDuration::from_hours(14);

/// A world with an invoice over 114.00, whose Xero has small pages and does not prevent duplicates.
fn billed_with_pages_of(size: usize) -> World {
    let world = World::with(|settings| {
        settings.unconfirmed.page_size_max = size;
        settings.unconfirmed.unhelpful = true;
    });
    world.connect();
    world.choose_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world
}

/// A bookkeeper records this number of payments of 5p on the invoice, and removes ten of them. Xero
/// lists removed payments, too.
fn pay_in_parts(world: &World, count: usize) {
    let receipt = Receipt::on(date(2026, 11, 2));
    let payments = (0..count).map(|_| world.is_paid("#INV_1", "0.05", &receipt));
    let payments = payments.collect::<Vec<Uuid>>();
    let (tenant, now) = (world.tenant(), world.clock.now());
    let mut xero = world.xero();
    let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
    for payment in payments.iter().take(10) {
        bookkeeper.remove_payment(*payment).unwrap();
    }
}

fn stripe() -> PaymentMessage {
    a_payment("pay_1", &[("inv_1", "14.00")]).reference("ch_1")
}

/// Xero creates the payment, and its answer is lost.
fn push_without_answer(world: &World) {
    let on = Match::next("/api.xro/2.0/Payments").method(http::Method::PUT);
    world.inject(Fault { on, kind: FaultKind::LostAfter });
    world.receive(Payment, &stripe().body());
    assert_eq!(pushed_payments(world), 1, "Xero performed the write");
    assert!(world.mapping(Payment, "pay_1.1").unwrap().link.is_none());
}

/// The number of payments in Xero with the reference of the pushed one, without deleted ones.
fn pushed_payments(world: &World) -> usize {
    let reference = world.mapping(Payment, "pay_1.1").unwrap().snapshot.natural_key;
    world.books(|books| {
        let standing = books.payments().filter(|one| one.status == PaymentStatus::Authorised);
        standing.filter(|one| one.reference.as_deref() == Some(reference.as_str())).count()
    })
}

#[test]
fn a_payment_whose_answer_was_lost_is_found_behind_any_number_of_other_payments() {
    for count in [49, 50, 60, 700] {
        let world = billed_with_pages_of(50);
        pay_in_parts(&world, count);
        push_without_answer(&world);
        world.advance(SignedDuration::from_hours(1));
        assert_eq!(pushed_payments(&world), 1, "{count}");
        let mapping = world.mapping(Payment, "pay_1.1").unwrap();
        assert_eq!(mapping.operation.state, OperationState::Synced, "{count}");
        assert!(mapping.link.is_some(), "{count}");
        let puts = world.calls().iter().filter(|call| *call == "PUT /Payments").count();
        assert_eq!(puts, 1, "{count}");
    }
}

#[test]
fn a_payment_whose_answer_was_lost_is_removed_from_any_page_when_the_crm_deletes_it() {
    let world = billed_with_pages_of(50);
    pay_in_parts(&world, 60);
    push_without_answer(&world);
    world.receive(Payment, &stripe().deleted().body());
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(pushed_payments(&world), 0);
}

#[test]
fn a_payment_is_never_sent_again_while_the_payments_of_its_invoice_are_too_many_to_read() {
    let world = billed_with_pages_of(1);
    pay_in_parts(&world, 600);
    push_without_answer(&world);
    let before = world.calls().len();
    world.advance(LONG);
    assert_eq!(pushed_payments(&world), 1);
    let calls = world.calls().split_off(before);
    assert!(!calls.contains(&"PUT /Payments".to_owned()), "{calls:?}");
    assert!(calls.len() < 400, "{} calls", calls.len());
}

#[test]
fn a_contact_with_a_short_name_is_found_among_all_names_that_contain_it() {
    for count in [49, 60, 1_060] {
        let world = World::with(|settings| settings.unconfirmed.page_size_max = 50);
        world.connect();
        let same = {
            let (tenant, now) = (world.tenant(), world.clock.now());
            let mut xero = world.xero();
            let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
            for number in 0..count {
                bookkeeper.add_contact(&format!("Alder {number}")).unwrap();
            }
            let same = bookkeeper.add_contact("Al").unwrap();
            let email = Some("ap@ridge.example".to_owned());
            bookkeeper.edit_contact(same, |contact| contact.email = email).unwrap();
            same
        };
        let invoice = an_invoice("inv_1", "cli_1").client_name("Al");
        let invoice = invoice.client_email("ap@ridge.example");
        let received = world.receive(Invoice, &invoice.body());
        assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Synced), "{count}");
        let link = world.mapping(Contact, "cli_1").unwrap().link.unwrap();
        assert_eq!(link.xero_id.0, same, "{count}");
        assert_eq!(world.books(|books| books.contacts().count()), count + 1, "{count}");
    }
}

#[test]
fn a_reconciliation_links_nobody_if_it_cannot_read_every_contact() {
    let world = World::with(|settings| settings.unconfirmed.page_size_max = 1);
    world.connect();
    world.receive(Contact, &a_client("cli_1", 1, "Ridge", "record"));
    {
        let (tenant, now) = (world.tenant(), world.clock.now());
        let mut xero = world.xero();
        let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
        for number in 0..60 {
            bookkeeper.add_contact(&format!("Contact {number}")).unwrap();
        }
        bookkeeper.add_contact("Ridge").unwrap();
    }
    let by = UserId::new("usr_owner").unwrap();
    run(reconcile::start_reconciliation(&world.engine, &world.account(), by))
        .unwrap()
        .unwrap()
        .unwrap();
    world.advance(LONG);
    let progress = run(reconcile::find_reconciliation(&world.engine, &world.account()));
    let progress = progress.unwrap().unwrap().unwrap();
    let ReconciliationProgress::Stopped { failure } = progress.place else {
        panic!("{progress:?}")
    };
    assert_eq!(failure.code, "too_many_contacts");
    assert!(world.mapping(Contact, "cli_1").unwrap().link.is_none());
}
