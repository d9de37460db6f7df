//! Pushing payments that the CRM took.

use domain::entity::EntityKind::{Invoice, Payment};
use domain::operation::OperationState;
use domain::outbound::EventContent;
use engine::inbound::MessageOutcome;
use engine::ports::Clock;
use engine::sync::push::PushOutcome;
use jiff::SignedDuration;
use jiff::civil::date;
use tests::World;
use tests::builders::{PaymentMessage, a_payment, an_invoice};
use xero_sim::{Fault, FaultKind, InvoiceStatus, Match, PaymentStatus, Receipt, TransactionStatus};

/// A Stripe payment of one invoice, with fee and surcharge.
fn stripe() -> PaymentMessage {
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]).reference("ch_1");
    payment.fee("3.20").surcharge("2.00")
}

fn status(world: &World) -> InvoiceStatus {
    world.books(|books| books.invoices().next().unwrap().status)
}

/// Payments and bank transactions that are not deleted.
pub fn count_undeleted(world: &World) -> (usize, usize) {
    world.books(|books| {
        let payments = books.payments().filter(|one| one.status == PaymentStatus::Authorised);
        let moved = books.transactions().filter(|one| one.status == TransactionStatus::Authorised);
        (payments.count(), moved.count())
    })
}

#[test]
fn after_a_stripe_payment_the_bank_account_in_xero_has_stripes_balance() {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(Payment, &stripe().body());
    for part in ["pay_1.1", "pay_1.fee", "pay_1.surcharge"] {
        assert_eq!(world.state(Payment, part), OperationState::Synced, "{part}");
    }
    assert_eq!(status(&world), InvoiceStatus::Paid);
    assert_eq!(count_undeleted(&world), (1, 2));
    // 114.00 + 2.00 - 3.20
    assert_eq!(world.balance_of("092"), "112.80");
    // The same message again changes nothing, and the payment is never reported as a new one.
    world.receive(Payment, &stripe().body());
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    world.clock.advance(SignedDuration::from_mins(15));
    world.poll();
    assert_eq!(count_undeleted(&world), (1, 2));
    let contents = world.events.contents();
    assert!(
        !contents.iter().any(|one| matches!(one, EventContent::PaymentImported(_))),
        "{contents:?}"
    );
    assert!(
        contents.iter().any(|one| matches!(one, EventContent::PaymentStatus { .. })),
        "{contents:?}"
    );
}

#[test]
fn a_payment_waits_for_its_invoice_without_a_failed_attempt() {
    let world = World::with_accounts();
    let received = world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    assert_eq!(received, MessageOutcome::Pushed(PushOutcome::Parked));
    assert_eq!(world.mapping(Payment, "pay_1.1").unwrap().operation.failures, 0);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    assert_eq!(status(&world), InvoiceStatus::Paid);
}

#[test]
fn one_payment_over_several_invoices_is_one_call_and_a_payment_on_each() {
    let world = World::with_accounts();
    for id in ["inv_1", "inv_2", "inv_3"] {
        world.receive(Invoice, &an_invoice(id, "cli_1").body());
    }
    let shares = [("inv_1", "114.00"), ("inv_2", "114.00"), ("inv_3", "14.00")];
    let calls = world.calls().len();
    world.receive(Payment, &a_payment("pay_1", &shares).body());
    assert_eq!(world.calls().split_off(calls), ["PUT /Payments"]);
    assert_eq!(world.balance_of("092"), "242.00");
}

#[test]
fn a_gift_card_is_redeemed_on_its_own_account() {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let gift = a_payment("pay_1", &[("inv_1", "40.00")]).method("gift_card");
    world.receive(Payment, &gift.body());
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    let code = world.books(|books| {
        let payment = books.payments().next().unwrap();
        books.account(payment.account).unwrap().code.clone()
    });
    assert_eq!(code.as_deref(), Some("835"));
}

#[test]
fn without_an_account_a_payment_waits_with_a_remedy_until_the_account_is_chosen() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(Payment, &stripe().body());
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Skipped);
    let failure = world.mapping(Payment, "pay_1.fee").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "account_code_not_chosen");
    assert!(failure.remedy.contains("Stripe fee account"), "{failure}");
    assert_eq!(count_undeleted(&world), (0, 0));
    world.choose_accounts();
    world.advance(SignedDuration::from_mins(3));
    assert_eq!(world.balance_of("092"), "112.80");
}

#[test]
fn an_invoice_paid_by_hand_is_never_paid_twice_and_the_log_names_the_payment() {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.is_paid("#INV_1", "114.00", &Receipt::on(date(2026, 11, 1)));
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    let failure = world.mapping(Payment, "pay_1.1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "already_paid");
    assert!(failure.message.contains("GBP 114.00 of 2026-11-01"), "{failure}");
    assert!(failure.remedy.contains("Never send"), "{failure}");
    world.advance(SignedDuration::from_hours(14));
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Skipped);
    assert_eq!(count_undeleted(&world), (1, 0));
}

#[test]
fn a_payment_of_a_total_that_is_a_cent_higher_than_xeros_says_how_to_correct_the_invoice() {
    let world = World::with_accounts();
    // 33.32 plus 6.664 of tax: 39.98 in Xero.
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").price("33.32", "39.99").body());
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "39.99")]).body());
    let failure = world.mapping(Payment, "pay_1.1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "amount_over_due");
    assert!(
        failure.message.contains("GBP 39.98 in Xero and GBP 39.99 in ServiceCortex"),
        "{failure}"
    );
    assert!(failure.remedy.contains("a line over GBP 0.01"), "{failure}");
}

#[test]
fn a_payment_of_which_a_part_was_entered_by_hand_counts_once_after_the_part_is_removed() {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let part = world.is_paid("#INV_1", "50.00", &Receipt::on(date(2026, 11, 2)));
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    let failure = world.mapping(Payment, "pay_1.1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "amount_over_due");
    assert!(failure.message.contains("GBP 50.00 of 2026-11-02"), "{failure}");
    assert!(failure.remedy.contains("counts it beside this one"), "{failure}");
    assert!(failure.remedy.contains("remove it in Xero"), "{failure}");
    let skipped = world.events.contents().into_iter().any(
        |content| matches!(content, EventContent::Skipped { remedy, .. } if remedy == failure.remedy),
    );
    assert!(skipped, "the CRM was not told");
    world.advance(SignedDuration::from_mins(15));
    world.poll_and_wait();
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_payment(part).unwrap());
    world.poll_and_wait();
    world.advance(SignedDuration::from_mins(2));
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    let contents = world.events.contents();
    let count = |is_it: fn(&EventContent) -> bool| contents.iter().filter(|one| is_it(one)).count();
    assert_eq!(count(|one| matches!(one, EventContent::PaymentImported { .. })), 1);
    assert_eq!(count(|one| matches!(one, EventContent::PaymentRemoved { .. })), 1);
}

#[test]
fn a_payment_entered_by_hand_beside_a_pushed_one_is_reported_once_and_its_removal_cures_it() {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "50.00")]).body());
    let entered = world.is_paid("#INV_1", "50.00", &Receipt::on(date(2026, 11, 3)));
    world.wait_and_poll();
    world.wait_and_poll();
    let reports = || {
        let remarks = world.events.contents().into_iter().filter_map(|news| {
            let EventContent::XeroStatus { remarks, .. } = news else { return None };
            Some(remarks.join(" "))
        });
        remarks.collect::<Vec<_>>()
    };
    let [report] = &reports()[..] else { panic!("{:?}", reports()) };
    assert!(report.contains("the payment pay_1 of 2026-11-02"), "{report}");
    assert!(report.contains("one of 2026-11-03 into"), "{report}");
    assert!(report.contains("remove the one that was entered"), "{report}");
    assert!(world.log().iter().any(|entry| entry.message.contains(report.as_str())));
    assert_eq!(count_undeleted(&world), (2, 0), "nothing is removed by itself");
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_payment(entered).unwrap());
    world.wait_and_poll();
    assert_eq!(reports().len(), 1);
    assert_eq!(count_undeleted(&world), (1, 0));
    let news = world.events.contents();
    let count = |is_it: fn(&EventContent) -> bool| news.iter().filter(|one| is_it(one)).count();
    assert_eq!(count(|one| matches!(one, EventContent::PaymentImported { .. })), 1);
    assert_eq!(count(|one| matches!(one, EventContent::PaymentRemoved { .. })), 1);
}

#[test]
fn a_refusal_lists_ten_payments_of_an_invoice_and_counts_the_others() {
    for (paid, more) in [(10, None), (12, Some("and 2 more."))] {
        let world = World::with_accounts();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        for _ in 0..paid {
            world.is_paid("#INV_1", "9.50", &Receipt::on(date(2026, 11, 1)));
        }
        world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
        let failure = world.mapping(Payment, "pay_1.1").unwrap().operation.failure.unwrap();
        assert_eq!(failure.message.matches("GBP 9.50 of").count(), 10, "{failure}");
        assert!(more.is_none_or(|more| failure.message.contains(more)), "{failure}");
        assert_eq!(failure.message.contains(" more."), more.is_some(), "{failure}");
    }
}

#[test]
fn after_a_lost_answer_the_payment_is_looked_up_by_reference_before_it_is_sent_again() {
    for path in ["/api.xro/2.0/Payments", "/api.xro/2.0/BankTransactions"] {
        let world = World::with(|settings| settings.unconfirmed.unhelpful = true);
        world.connect();
        world.choose_accounts();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        let on = Match { method: Some(http::Method::PUT), ..Match::next(path) };
        world.inject(Fault { on, kind: FaultKind::LostAfter });
        world.receive(Payment, &stripe().body());
        world.advance(SignedDuration::from_hours(1));
        assert_eq!(count_undeleted(&world), (1, 2), "{path}");
        assert_eq!(world.balance_of("092"), "112.80", "{path}");
    }
}

#[test]
fn a_payment_deleted_in_the_crm_is_removed_unless_it_is_reconciled() {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(Payment, &stripe().body());
    world.receive(Payment, &stripe().deleted().body());
    assert_eq!(count_undeleted(&world), (0, 0));
    assert_eq!(status(&world), InvoiceStatus::Authorised);
    assert_eq!(world.balance_of("092"), "0.00");

    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]);
    world.receive(Payment, &payment.body());
    let id = world.books(|books| books.payments().next().unwrap().id);
    world.by_hand(|bookkeeper| bookkeeper.reconcile_payment(id).unwrap());
    world.receive(Payment, &payment.deleted().body());
    let failure = world.mapping(Payment, "pay_1.1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "payment_reconciled");
    assert_eq!(count_undeleted(&world), (1, 0));
}

#[test]
fn a_payment_that_became_part_of_a_batch_is_not_removed() {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]);
    // Xero does not answer; a bookkeeper reads the log and enters the payment by hand, in a batch.
    let on = Match { method: Some(http::Method::PUT), ..Match::next("/api.xro/2.0/Payments") };
    world.inject(Fault { on, kind: FaultKind::LostBefore });
    world.receive(Payment, &payment.body());
    let reference = Some(world.mapping(Payment, "pay_1.1").unwrap().snapshot.natural_key);
    {
        let (tenant, now) = (world.tenant(), world.clock.now());
        let mut xero = world.xero();
        let invoice = xero.books(tenant).unwrap().invoices().next().unwrap().id;
        let receipt = Receipt { reference, ..Receipt::on(date(2026, 11, 2)) };
        let all = [(invoice, "114.00".parse().unwrap())];
        xero.bookkeeper(now, tenant).unwrap().batch_pay(&all, &receipt).unwrap();
    }
    world.advance(SignedDuration::from_hours(1));
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    assert_eq!(count_undeleted(&world), (1, 0));
    world.receive(Payment, &payment.deleted().body());
    let failure = world.mapping(Payment, "pay_1.1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "payment_in_batch");
    assert!(failure.remedy.contains("Remove the batch payment in Xero"), "{failure}");
    assert_eq!(count_undeleted(&world), (1, 0));
}

#[test]
fn a_payment_deleted_before_it_was_sent_never_reaches_xero() {
    let world = World::with_accounts();
    let payment = a_payment("pay_1", &[("inv_1", "114.00")]);
    world.receive(Payment, &payment.body());
    world.receive(Payment, &payment.deleted().body());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(SignedDuration::from_mins(5));
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    assert_eq!(count_undeleted(&world), (0, 0));
}

#[test]
fn a_locked_period_is_reported_with_its_remedy() {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").issue_date("2026-11-01").body());
    let until = Some(date(2026, 11, 2));
    world.by_hand(|bookkeeper| bookkeeper.lock_period(until));
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    let failure = world.mapping(Payment, "pay_1.1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "period_locked", "{failure}");
}

#[test]
fn a_payment_that_was_deleted_in_xero_after_a_lost_answer_is_not_entered_again() {
    let world = World::with_accounts();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let on = Match::next("/api.xro/2.0/Payments").method(http::Method::PUT);
    world.inject(Fault { on, kind: FaultKind::LostAfter });
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    let written = world.books(|books| books.payments().next().unwrap().id);
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_payment(written).unwrap());
    world.advance(SignedDuration::from_hours(14));
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    assert_eq!(count_undeleted(&world), (0, 0));
    let is_explained = |message: &str| message.contains("Record it again in ServiceCortex");
    assert!(world.log().iter().any(|entry| is_explained(&entry.message)));
}
