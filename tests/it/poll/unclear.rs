//! Payments that may be the same as one that the CRM recorded.

use super::*;

#[test]
fn cash_recorded_in_the_crm_and_banked_in_xero_is_one_payment() {
    let world = billed();
    let cash = a_payment("pay_1", &[("inv_1", "114.00")]).method("cash");
    assert_eq!(world.receive(Payment, &cash.body()), MessageOutcome::Recorded);
    world.is_paid("#INV_1", "114.00", &Receipt::on(date(2026, 11, 4)));
    world.poll_and_wait();
    assert_eq!(describe_events(&world), ["paid 0.00"]);
    // It was imported first and recorded afterwards: the import is withdrawn.
    let other = billed();
    other.is_paid("#INV_1", "114.00", &today());
    other.poll_and_wait();
    other.receive(Payment, &cash.body());
    assert_eq!(describe_events(&other), ["imported 114.00", "paid 0.00", "same 114.00"]);
}

#[test]
fn an_unclear_payment_waits_for_the_user() {
    let world = billed();
    let cheque = a_payment("pay_1", &[("inv_1", "114.00")]).method("cheque").date("2026-10-10");
    world.receive(Payment, &cheque.body());
    let id = world.is_paid("#INV_1", "114.00", &today());
    world.poll_and_wait();
    assert_eq!(describe_events(&world), ["unclear 114.00, 1 candidates", "paid 0.00"]);
    let (account, invoice) = (world.account(), CrmId::new("inv_1").unwrap());
    let known = || {
        run(invoice_payments::find_invoice_payments(&world.engine, &account, &invoice))
            .unwrap()
            .unwrap()
            .unwrap()
    };
    assert_eq!(known().unclear_payments().count(), 1);
    let by = owner();
    let settled = invoice_payments::resolve_payment(
        &world.engine,
        &account,
        &by,
        &invoice,
        XeroPaymentId(id),
        PaymentDecision::New,
    );
    assert!(run(settled).unwrap().unwrap());
    let entry = world.log().into_iter().find(|entry| entry.by.is_some()).unwrap();
    assert_eq!((entry.operation, entry.status), (LoggedOperation::Import, LogStatus::Synced));
    assert_eq!((entry.crm_id, entry.by), (invoice.clone(), Some(by)));
    assert!(entry.message.contains("GBP 114.00 was paid"), "{}", entry.message);
    assert_eq!(
        describe_events(&world),
        ["unclear 114.00, 1 candidates", "paid 0.00", "imported 114.00"]
    );
    assert_eq!(known().unclear_payments().count(), 0);
}

#[test]
fn an_unclear_payment_is_closed_by_the_users_answer_or_by_its_removal() {
    for is_answered in [true, false] {
        let world = billed();
        // Payments are polled while an invoice is open.
        world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
        let cheque = a_payment("pay_1", &[("inv_1", "114.00")]).method("cheque");
        world.receive(Payment, &cheque.date("2026-10-10").body());
        let id = world.is_paid("#INV_1", "114.00", &today());
        world.poll_and_wait();
        let listed = || {
            let (account, limit) = (world.account(), std::num::NonZeroU16::new(50).unwrap());
            let reason = AttentionReason::GivenUp;
            let list = attention::list_attention(&world.engine, &account, reason, None, limit);
            run(list).unwrap().unwrap().unclear
        };
        let named = listed().into_iter().map(|one| one.invoice.to_string()).collect::<Vec<_>>();
        assert_eq!(named, ["inv_1"]);
        if is_answered {
            let (account, invoice) = (world.account(), CrmId::new("inv_1").unwrap());
            let answer = PaymentDecision::Same(PaymentId::new("pay_1").unwrap());
            let id = XeroPaymentId(id);
            let by = owner();
            let settled = invoice_payments::resolve_payment(
                &world.engine,
                &account,
                &by,
                &invoice,
                id,
                answer,
            );
            assert!(run(settled).unwrap().unwrap());
        } else {
            world.by_hand(|bookkeeper| bookkeeper.remove_payment(id).unwrap());
            world.poll_and_wait();
        }
        assert_eq!(listed(), []);
        let events = describe_events(&world);
        assert_eq!(events[..2], ["unclear 114.00, 1 candidates", "paid 0.00"]);
        assert!(events.contains(&"clear 114.00".to_owned()), "{events:?}");
        assert!(!events.iter().any(|one| one.starts_with("imported")), "{events:?}");
    }
}

#[test]
fn a_transfer_that_is_a_cent_off_as_the_totals_are_is_asked_about_and_not_counted_twice() {
    let world = World::connected();
    // 33.33 plus 6.666 of tax: 40.00 in Xero.
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").price("33.33", "39.99").body());
    world.advance(QUARTER);
    let transfer = a_payment("pay_1", &[("inv_1", "39.99")]).method("bank_transfer");
    assert_eq!(world.receive(Payment, &transfer.body()), MessageOutcome::Recorded);
    let id = world.is_paid("#INV_1", "40.00", &today());
    world.poll_and_wait();
    // Another payment of the CRM does not answer the question.
    world.receive(Payment, &a_payment("pay_2", &[("inv_1", "7.00")]).method("cash").body());
    assert_eq!(describe_events(&world), ["unclear 40.00, 1 candidates", "paid 0.00"]);
    let (account, invoice) = (world.account(), CrmId::new("inv_1").unwrap());
    let answer = PaymentDecision::Same(PaymentId::new("pay_1").unwrap());
    let (by, id) = (owner(), XeroPaymentId(id));
    let settled =
        invoice_payments::resolve_payment(&world.engine, &account, &by, &invoice, id, answer);
    assert!(run(settled).unwrap().unwrap());
    assert_eq!(
        describe_events(&world),
        ["unclear 40.00, 1 candidates", "paid 0.00", "clear 40.00"]
    );
}

#[test]
fn a_transfer_that_is_recorded_after_the_import_of_the_other_total_is_reported_once() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").price("33.33", "39.99").body());
    world.advance(QUARTER);
    world.is_paid("#INV_1", "40.00", &today());
    world.poll_and_wait();
    let transfer = a_payment("pay_1", &[("inv_1", "39.99")]).method("bank_transfer");
    for _ in 0..2 {
        world.receive(Payment, &transfer.body());
        let remarks = world.events.contents().into_iter().filter_map(|content| {
            if let EventContent::XeroStatus { remarks, .. } = content {
                Some(remarks)
            } else {
                None
            }
        });
        let about_import =
            remarks.flatten().filter(|one| one.contains("They may be the same money"));
        let about_import = about_import.collect::<Vec<_>>();
        assert_eq!(about_import.len(), 1, "{about_import:?}");
        assert!(about_import[0].contains("delete the payment pay_1"), "{about_import:?}");
    }
    assert!(describe_events(&world).contains(&"imported 40.00".to_owned()));
}

#[test]
fn a_list_names_as_many_unclear_payments_as_were_asked_for_even_of_one_invoice() {
    let world = billed();
    let cheque = a_payment("pay_1", &[("inv_1", "10.00")]).method("cheque").date("2026-10-10");
    world.receive(Payment, &cheque.body());
    for _ in 0..3 {
        world.is_paid("#INV_1", "10.00", &today());
    }
    world.poll_and_wait();
    for (limit, listed) in [(1, 1), (2, 2), (50, 3)] {
        let (account, limit) = (world.account(), std::num::NonZeroU16::new(limit).unwrap());
        let reason = AttentionReason::GivenUp;
        let list = attention::list_attention(&world.engine, &account, reason, None, limit);
        assert_eq!(run(list).unwrap().unwrap().unclear.len(), listed);
    }
}
