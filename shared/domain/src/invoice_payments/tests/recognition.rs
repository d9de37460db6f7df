//! Tests of the decision whether a payment in Xero is one of the CRM, at its limits.

use super::*;
use crate::money::Currency;

fn unclear(ids: &[&str]) -> PaymentMatch {
    PaymentMatch::Unclear { candidates: ids.iter().map(|id| payment(id)).collect() }
}

#[test]
fn a_payment_of_the_same_amount_is_the_same_within_a_week_and_unclear_within_45_days() {
    let observed = |day: Date| {
        let mut payments = empty();
        payments.noted(recorded("pay_1", PaymentMethod::Cheque, 5_000, 1));
        payments.observed(&[ReceivedPayment { date: Some(day), ..received(1, 5_000, 1) }]);
        standpoints(&payments).remove(0)
    };
    for (day, expected) in [
        (date(2026, 11, 8), same("pay_1")),
        (date(2026, 11, 9), unclear(&["pay_1"])),
        (date(2026, 12, 16), unclear(&["pay_1"])),
        (date(2026, 12, 17), PaymentMatch::Imported),
        // Somebody may have recorded it later than Xero has it.
        (date(2026, 10, 25), same("pay_1")),
        (date(2026, 10, 24), unclear(&["pay_1"])),
        (date(2026, 9, 17), unclear(&["pay_1"])),
        (date(2026, 9, 16), PaymentMatch::Imported),
    ] {
        assert_eq!(observed(day), expected, "{day}");
    }
}

#[test]
fn a_near_payment_with_another_identifier_is_unclear_and_one_without_is_the_same() {
    let observed = |ours: Option<&str>, theirs: Option<&str>| {
        let mut payments = empty();
        let cheque = recorded("pay_1", PaymentMethod::Cheque, 5_000, 1);
        payments.noted(RecordedPayment { reference: ours.map(str::to_owned), ..cheque });
        let reference = theirs.map(str::to_owned);
        payments.observed(&[ReceivedPayment { reference, ..received(1, 5_000, 2) }]);
        standpoints(&payments).remove(0)
    };
    for (ours, theirs, expected) in [
        (Some("100482"), Some("100483"), unclear(&["pay_1"])),
        (Some("100482"), Some(" - "), same("pay_1")),
        (Some("100482"), None, same("pay_1")),
        (None, Some("100483"), same("pay_1")),
        // A short identifier counts if it is all of the reference.
        (Some("12"), Some("No. 12"), unclear(&["pay_1"])),
        (Some("12"), Some("-12-"), same("pay_1")),
        // Two forms of the same accent.
        (Some("Caf\u{e9} 7"), Some("CAFE\u{301} 7"), same("pay_1")),
    ] {
        assert_eq!(observed(ours, theirs), expected, "{ours:?} {theirs:?}");
    }
}

#[test]
fn only_payments_in_the_currency_of_the_money_may_have_been_banked_as_one() {
    let observed = |currency: &str| {
        let mut payments = empty();
        payments.noted(recorded("pay_1", PaymentMethod::Cash, 4_000, 2));
        let amount = Money::new(pounds(6_000).amount, Currency::new(currency).unwrap());
        let other = recorded("pay_2", PaymentMethod::Cheque, 6_000, 2);
        payments.noted(RecordedPayment { amount, ..other });
        payments.observed(&[received(1, 10_000, 3)]);
        standpoints(&payments).remove(0)
    };
    assert_eq!(observed("GBP"), unclear(&["pay_1", "pay_2"]));
    assert_eq!(observed("EUR"), PaymentMatch::Imported);
}

#[test]
fn payments_that_were_banked_as_one_were_all_taken_within_45_days() {
    let observed = |day: Date| {
        let mut payments = empty();
        payments.noted(recorded("pay_1", PaymentMethod::Cash, 4_000, 1));
        payments.noted(recorded("pay_2", PaymentMethod::Cheque, 6_000, 2));
        payments.observed(&[ReceivedPayment { date: Some(day), ..received(1, 10_000, 1) }]);
        standpoints(&payments).remove(0)
    };
    assert_eq!(observed(date(2026, 12, 16)), unclear(&["pay_1", "pay_2"]));
    assert_eq!(observed(date(2026, 12, 17)), PaymentMatch::Imported);
}

#[test]
fn money_that_may_be_more_payments_than_a_person_is_shown_is_other_money() {
    for count in [2, CANDIDATES_MAX, CANDIDATES_MAX + 1] {
        let mut payments = empty();
        for number in 0..count {
            payments.noted(recorded(&format!("pay_{number}"), PaymentMethod::Cash, 100, 2));
        }
        payments.observed(&[received(1, 100 * i64::try_from(count).unwrap(), 3)]);
        let is_unclear = payments.unclear_payments().count() == 1;
        assert_eq!(is_unclear, count <= CANDIDATES_MAX, "{count}");
    }
}

#[test]
fn an_earlier_revision_that_arrives_late_restores_no_deleted_payment() {
    let first = recorded("pay_1", PaymentMethod::Cash, 5_000, 2);
    let standing = PaymentRecordStatus::Deleted;
    let deleted = RecordedPayment { revision: 2, standing, ..first.clone() };
    let mut payments = empty();
    payments.noted(deleted.clone());
    assert!(payments.noted(first).is_empty());
    assert_eq!(payments.recorded, [deleted]);
}

#[test]
fn only_a_later_revision_with_another_amount_or_method_is_a_contradiction() {
    let first = recorded("pay_1", PaymentMethod::Cash, 5_000, 2);
    let mut payments = empty();
    payments.noted(RecordedPayment { revision: 2, ..first.clone() });
    let later = RecordedPayment { revision: 3, ..first };
    assert!(!payments.contradicts_recorded(&later));
    for other in [
        RecordedPayment { amount: pounds(5_001), ..later.clone() },
        RecordedPayment { method: PaymentMethod::Cheque, ..later.clone() },
    ] {
        assert!(payments.contradicts_recorded(&other), "{other:?}");
        assert!(!payments.contradicts_recorded(&RecordedPayment { revision: 2, ..other }));
    }
}

#[test]
fn a_payment_that_is_in_xero_already_or_was_deleted_is_no_answer_about_an_unclear_one() {
    let cheque = |id: &str| recorded(id, PaymentMethod::Cheque, 5_000, 1);
    let is_payment = |id: &str| PaymentDecision::Same(payment(id));
    let [one, two] = [1, 2].map(|id| XeroPaymentId(Uuid::from_u128(id)));
    let mut payments = empty();
    payments.noted(cheque("pay_1"));
    payments.noted(cheque("pay_2"));
    payments.observed(&[received(1, 5_000, 20), received(2, 5_000, 20)]);
    assert_eq!(payments.unclear_payments().count(), 2);
    assert!(payments.resolve_payment(one, is_payment("pay_1")).is_some());
    assert_eq!(payments.resolve_payment(two, is_payment("pay_1")), None);
    let standing = PaymentRecordStatus::Deleted;
    let mut without = payments.clone();
    without.recorded[1] = RecordedPayment { revision: 2, standing, ..cheque("pay_2") };
    assert_eq!(without.resolve_payment(two, is_payment("pay_2")), None);
    assert!(payments.resolve_payment(two, is_payment("pay_2")).is_some());
}

#[test]
fn a_payment_that_differs_as_the_totals_do_is_left_to_a_person_and_not_imported() {
    // The CRM billed 39.99 and Xero computed 40.00.
    let observed = |method, difference: Option<Money>, cents: i64, day: Date| {
        let mut payments = InvoicePayments { total_difference: difference, ..empty() };
        payments.noted(recorded("pay_1", method, 3_999, 1));
        payments.observed(&[ReceivedPayment { date: Some(day), ..received(1, cents, 1) }]);
        standpoints(&payments).remove(0)
    };
    let (cent, near) = (Some(pounds(1)), date(2026, 11, 3));
    let transfer = PaymentMethod::BankTransfer;
    for (method, difference, cents, day, expected) in [
        (transfer, cent, 4_000, near, unclear(&["pay_1"])),
        (transfer, cent, 3_999, near, same("pay_1")),
        (transfer, cent, 4_001, near, PaymentMatch::Imported),
        (transfer, cent, 3_998, near, PaymentMatch::Imported),
        (transfer, Some(pounds(-1)), 3_998, near, unclear(&["pay_1"])),
        (transfer, None, 4_000, near, PaymentMatch::Imported),
        (transfer, cent, 4_000, date(2026, 12, 17), PaymentMatch::Imported),
        (PaymentMethod::Stripe, cent, 4_000, near, PaymentMatch::Imported),
    ] {
        let found = observed(method, difference, cents, day);
        assert_eq!(found, expected, "{method} {difference:?} {cents} {day}");
    }
}

#[test]
fn a_payment_of_the_other_total_stays_a_question_when_the_crm_records_another_one() {
    let mut payments = InvoicePayments { total_difference: Some(pounds(1)), ..empty() };
    payments.noted(recorded("pay_1", PaymentMethod::BankTransfer, 3_999, 1));
    payments.observed(&[received(1, 4_000, 3)]);
    assert!(payments.noted(recorded("pay_2", PaymentMethod::Cash, 700, 3)).is_empty());
    assert_eq!(standpoints(&payments), [unclear(&["pay_1"])]);
}

#[test]
fn the_removal_of_a_payment_is_not_reported_if_xero_has_a_new_document_of_it() {
    let written = |id| ReceivedPayment {
        reference: Some("Stripe (SC-pay_1)".to_owned()),
        ..received(id, 5_000, 2)
    };
    let mut payments = empty();
    payments.noted(recorded("pay_1", PaymentMethod::Stripe, 5_000, 2));
    payments.observed(&[written(1)]);
    // The CRM deleted it and recorded it again, both since the last poll.
    let again =
        RecordedPayment { revision: 3, ..recorded("pay_1", PaymentMethod::Stripe, 5_000, 2) };
    payments.noted(again);
    assert!(payments.observed(&[written(2)]).is_empty());
    assert_eq!(standpoints(&payments), [PaymentMatch::Removed, same("pay_1")]);
    // Without a new document it is missing.
    assert_eq!(payments.observed(&[]).len(), 1);
}
