//! Tests of payments in Xero that may be the same money as one that the integration wrote.

use super::*;

/// The document that the integration wrote for a payment by Stripe of 50.00.
fn stripe_document(id: u128) -> ReceivedPayment {
    ReceivedPayment { reference: Some("Stripe (SC-pay_1)".to_owned()), ..received(id, 5_000, 2) }
}

fn with_stripe_payment() -> InvoicePayments {
    let mut payments = empty();
    payments.noted(recorded("pay_1", PaymentMethod::Stripe, 5_000, 2));
    payments
}

/// The payments in Xero that were reported as possible duplicates of `pay_1`.
fn duplicates(notices: &[PaymentNotice]) -> Vec<u128> {
    let ids = notices.iter().filter_map(|one| match one {
        PaymentNotice::PossibleDuplicate { entered, payment: of, paid_on, recorded: None } => {
            assert_eq!((of, *paid_on), (&payment("pay_1"), date(2026, 11, 2)));
            Some(entered.id.0.as_u128())
        }
        PaymentNotice::Imported(_)
        | PaymentNotice::Removed { .. }
        | PaymentNotice::Same { .. }
        | PaymentNotice::Unclear { .. }
        | PaymentNotice::PossibleDuplicate { recorded: Some(_), .. }
        | PaymentNotice::Resolved(_) => None,
    });
    ids.collect()
}

#[test]
fn money_like_a_payment_that_was_pushed_is_reported_once_whichever_is_seen_first() {
    let (ours, entered) = (stripe_document(1), received(2, 5_000, 4));
    for steps in [
        vec![vec![ours.clone()], vec![ours.clone(), entered.clone()]],
        vec![vec![entered.clone()], vec![entered.clone(), ours.clone()]],
        vec![vec![entered.clone(), ours.clone()]],
    ] {
        let mut payments = with_stripe_payment();
        let mut told = Vec::new();
        for present in &steps {
            told.extend(payments.observed(present));
        }
        assert_eq!(duplicates(&told), [2], "{told:?}");
        let imported = told.iter().filter(|one| matches!(one, PaymentNotice::Imported(_)));
        assert_eq!(imported.count(), 1, "it counts all the same");
        assert!(payments.observed(&[ours.clone(), entered.clone()]).is_empty());
        // The remedy ends it, without another report.
        let told = payments.observed(std::slice::from_ref(&ours));
        assert!(
            matches!(told.as_slice(), [PaymentNotice::Removed { payment: None, .. }]),
            "{told:?}"
        );
    }
}

#[test]
fn so_is_money_like_a_payment_by_another_method_that_was_pushed() {
    let mut payments = empty();
    payments.noted(recorded("pay_1", PaymentMethod::Cash, 5_000, 2));
    let reference = Some("Cash (SC-pay_1)".to_owned());
    let ours = ReceivedPayment { reference, ..received(1, 5_000, 2) };
    assert!(payments.observed(std::slice::from_ref(&ours)).is_empty());
    assert_eq!(duplicates(&payments.observed(&[ours, received(2, 5_000, 2)])), [2]);
}

#[test]
fn other_money_is_no_duplicate() {
    let other = received(2, 5_000, 4);
    for (entered, is_like) in [
        (other.clone(), true),
        (ReceivedPayment { date: Some(date(2026, 12, 17)), ..other.clone() }, true),
        (ReceivedPayment { date: Some(date(2026, 12, 18)), ..other.clone() }, false),
        (ReceivedPayment { date: None, ..other.clone() }, true),
        (received(2, 5_001, 4), false),
    ] {
        let mut payments = with_stripe_payment();
        let told = payments.observed(&[stripe_document(1), entered.clone()]);
        assert_eq!(!duplicates(&told).is_empty(), is_like, "{entered:?}");
    }
    // A payment that Xero does not have, or no longer has, counts nowhere else.
    let mut payments = with_stripe_payment();
    assert!(duplicates(&payments.observed(std::slice::from_ref(&other))).is_empty());
    let mut payments = with_stripe_payment();
    payments.observed(&[stripe_document(1)]);
    assert!(duplicates(&payments.observed(&[other])).is_empty());
}

#[test]
fn money_that_a_person_calls_another_payment_is_compared_with_what_was_pushed() {
    let mut payments = with_stripe_payment();
    payments.noted(recorded("pay_2", PaymentMethod::Cheque, 5_000, 1));
    let told = payments.observed(&[stripe_document(1), received(2, 5_000, 20)]);
    assert!(duplicates(&told).is_empty(), "{told:?}");
    let id = XeroPaymentId(Uuid::from_u128(2));
    let told = payments.resolve_payment(id, PaymentDecision::New).unwrap();
    assert!(matches!(told.first(), Some(PaymentNotice::Imported(_))), "{told:?}");
    assert_eq!(duplicates(&told), [2]);
}

#[test]
fn a_payment_that_may_have_been_imported_before_is_not_reported_again_once_it_is_written() {
    let mut payments = empty();
    let entered = received(1, 3_999, 25);
    payments.observed(std::slice::from_ref(&entered));
    let transfer = recorded("pay_1", PaymentMethod::BankTransfer, 3_999, 2);
    let document =
        ReceivedPayment { reference: Some(transfer.reference_tag()), ..received(2, 3_999, 2) };
    let told = payments.noted(transfer);
    assert!(matches!(told.as_slice(), [PaymentNotice::PossibleDuplicate { .. }]), "{told:?}");
    let told = payments.observed(&[entered.clone(), document.clone()]);
    assert_eq!(standpoints(&payments), [PaymentMatch::Imported, same("pay_1")]);
    assert!(told.is_empty(), "{told:?}");
    // Other money like the payment is another suspicion.
    let told = payments.observed(&[entered, document, received(3, 3_999, 3)]);
    assert_eq!(duplicates(&told), [3]);
}

#[test]
fn money_that_a_person_calls_another_payment_is_not_asked_about_again_once_that_one_is_written() {
    let mut payments = empty();
    let cheque = recorded("pay_1", PaymentMethod::Cheque, 5_000, 2);
    let tag = cheque.reference_tag();
    payments.noted(cheque);
    let entered = received(1, 5_000, 20);
    let told = payments.observed(std::slice::from_ref(&entered));
    assert!(matches!(told.as_slice(), [PaymentNotice::Unclear { .. }]), "{told:?}");
    let told = payments.resolve_payment(entered.id, PaymentDecision::New).unwrap();
    assert!(matches!(told.as_slice(), [PaymentNotice::Imported(_)]), "{told:?}");
    let document = ReceivedPayment { reference: Some(tag), ..received(2, 5_000, 2) };
    let told = payments.observed(&[entered, document]);
    assert_eq!(standpoints(&payments), [PaymentMatch::Imported, same("pay_1")]);
    assert!(told.is_empty(), "{told:?}");
}

/// Imports, a transfer that the CRM records afterwards, and the document that is written for it.
fn with_compared_import(imports: &[ReceivedPayment]) -> (InvoicePayments, ReceivedPayment) {
    let mut payments = empty();
    payments.observed(imports);
    let transfer = recorded("pay_1", PaymentMethod::BankTransfer, 3_999, 2);
    let reference = Some(transfer.reference_tag());
    let told = payments.noted(transfer);
    assert!(matches!(told.as_slice(), [PaymentNotice::PossibleDuplicate { .. }]), "{told:?}");
    (payments, ReceivedPayment { reference, ..received(2, 3_999, 2) })
}

#[test]
fn an_import_that_is_less_like_a_written_payment_is_reported_if_people_were_asked_about_another() {
    let (entered, other) = (received(1, 3_999, 25), received(3, 3_999, 26));
    let (mut payments, document) = with_compared_import(&[entered.clone(), other.clone()]);
    let told = payments.observed(&[entered, other, document]);
    assert_eq!(duplicates(&told), [3]);
}

#[test]
fn people_are_not_asked_again_about_a_payment_that_xero_omitted_for_a_while() {
    let entered = received(1, 3_999, 25);
    let (mut payments, document) = with_compared_import(std::slice::from_ref(&entered));
    payments.observed(&[]);
    payments.observed(std::slice::from_ref(&document));
    let told = payments.observed(&[entered, document]);
    assert_eq!(standpoints(&payments), [PaymentMatch::Imported, same("pay_1")]);
    assert!(duplicates(&told).is_empty(), "{told:?}");
}

#[test]
fn the_payments_with_which_an_import_was_compared_are_remembered_up_to_a_limit() {
    let mut payments = empty();
    let entered = received(1, 5_000, 20);
    payments.observed(std::slice::from_ref(&entered));
    for number in 0..=CANDIDATES_MAX {
        payments.remember_comparison(entered.id, &payment(&format!("pay_{number}")));
    }
    let compared = &payments.received.first().unwrap().compared_with;
    assert_eq!(compared.len(), CANDIDATES_MAX);
    assert!(!compared.contains(&payment("pay_0")), "the oldest is forgotten");
}

#[test]
fn a_payment_that_may_have_been_imported_before_is_reported_once_and_both_count() {
    for (difference, cents, day, is_reported) in [
        // It differs exactly as the totals do.
        (Some(pounds(1)), 4_000, 3, true),
        (None, 4_000, 3, false),
        // It has the same amount and was taken weeks before.
        (None, 3_999, 25, true),
        (Some(pounds(1)), 5_000, 3, false),
    ] {
        let mut payments = InvoicePayments { total_difference: difference, ..empty() };
        payments.observed(&[received(1, cents, day)]);
        let transfer = recorded("pay_1", PaymentMethod::BankTransfer, 3_999, 2);
        let told = payments.noted(transfer.clone());
        let is_about_import = matches!(
            told.as_slice(),
            [PaymentNotice::PossibleDuplicate { recorded: Some(amount), .. }]
                if *amount == pounds(3_999)
        );
        assert_eq!(is_about_import, is_reported, "{cents} {day}: {told:?}");
        assert_eq!(standpoints(&payments), [PaymentMatch::Imported], "{cents} {day}");
        assert!(payments.noted(transfer).is_empty(), "{cents} {day}");
        assert!(payments.noted(recorded("pay_2", PaymentMethod::Cash, 700, 3)).is_empty());
    }
}
