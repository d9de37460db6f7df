//! Tests of the instant of the last decision about a payment.

use super::*;

const NOW: Timestamp = Timestamp::MAX;

/// An invoice with a cheque of the CRM, and a payment in Xero that may be that cheque or another
/// payment.
fn undecided() -> InvoicePayments {
    let mut payments = empty();
    payments.noted(recorded("pay_1", PaymentMethod::Cheque, 5_000, 1));
    payments.observed(&[received(1, 5_000, 28)]);
    assert!(payments.is_undecided(&payment("pay_1")), "{:?}", standpoints(&payments));
    assert_eq!(payments.decided_at, None);
    payments
}

#[test]
fn a_decision_about_an_unclear_payment_is_dated_whatever_makes_it() {
    let undecided = undecided();
    let id = XeroPaymentId(Uuid::from_u128(1));
    let answered = |answer| {
        let mut payments = undecided.clone();
        payments.resolve_payment(id, answer).unwrap();
        payments
    };
    let mut removed = undecided.clone();
    removed.observed(&[]);
    for decided in
        [answered(PaymentDecision::New), answered(PaymentDecision::Same(payment("pay_1"))), removed]
    {
        let decided = decided.with_decisions_since(&undecided, NOW);
        assert_eq!(decided.decided_at, Some(NOW), "{:?}", standpoints(&decided));
        assert!(!decided.is_undecided(&payment("pay_1")));
    }
}

#[test]
fn a_change_that_decides_about_no_payment_keeps_the_instant_of_the_last_decision() {
    let earlier = InvoicePayments { decided_at: Some(Timestamp::UNIX_EPOCH), ..undecided() };
    let mut changed = earlier.clone();
    changed.observed(&[received(1, 5_000, 28), received(2, 700, 3)]);
    let changed = changed.with_decisions_since(&earlier, NOW);
    assert_eq!(changed.decided_at, earlier.decided_at);
}

#[test]
fn a_payment_that_was_taken_for_one_of_the_other_total_continues_after_the_right_one_is_found() {
    // An attempt for the first payment found money in Xero that is in no row yet.
    let mut before = InvoicePayments { total_difference: Some(pounds(1)), ..empty() };
    before.noted(recorded("pay_1", PaymentMethod::Cheque, 3_999, 1));
    let mut after = before.clone();
    after.noted(recorded("pay_2", PaymentMethod::Cheque, 4_000, 1));
    after.observed(&[received(1, 4_000, 2)]);
    assert_eq!(standpoints(&after), [same("pay_2")]);
    assert!(after.list_decided_since(&before).contains(&payment("pay_1")));
}
