//! Tests of the limits of an invoice's payments, of one change and of a text.

use super::*;

#[test]
fn a_person_is_shown_a_limited_number_of_candidates() {
    for count in [CANDIDATES_MAX, CANDIDATES_MAX + 1, CANDIDATES_MAX * 100] {
        let mut receipts = empty();
        for number in 0..count {
            receipts.noted(recorded(&format!("pay_{number}"), PaymentMethod::Cheque, 5_000, 1));
        }
        receipts.observed(&[received(1, 5_000, 20)]);
        let is = standpoints(&receipts).remove(0);
        let PaymentMatch::Unclear { candidates } = is else { panic!("{is:?}") };
        assert_eq!(candidates.len(), CANDIDATES_MAX);
    }
}

#[test]
fn the_consequences_of_a_deleted_payment_are_applied_in_steps_and_resumed_on_repetition() {
    for count in [CHANGES_MAX, CHANGES_MAX + 1, CHANGES_MAX * 100] {
        let followed = count.min(PAYMENTS_MAX);
        let mut receipts = empty();
        receipts.noted(recorded("pay_1", PaymentMethod::Cheque, 5_000, 1));
        let present = (1..=count).map(|id| received(u128::try_from(id).unwrap(), 5_000, 20));
        let present = present.collect::<Vec<_>>();
        while !receipts.observe_payments(&present).is_all {}
        assert_eq!(receipts.unclear_payments().count(), followed);
        let deleted = RecordedPayment {
            revision: 2,
            standing: PaymentRecordStatus::Deleted,
            ..recorded("pay_1", PaymentMethod::Cheque, 5_000, 1)
        };
        let mut notices = Vec::new();
        for step in 1.. {
            let changes = receipts.record_payment(deleted.clone());
            assert!(changes.notices.len() <= CHANGES_MAX);
            notices.extend(changes.notices);
            if changes.is_all {
                // The deletion itself is one of the changes.
                assert_eq!(step, (followed + 1).div_ceil(CHANGES_MAX), "{count}");
                break;
            }
        }
        assert_eq!(notices.len(), followed);
        assert!(receipts.noted(deleted).is_empty());
    }
}

#[test]
fn payments_of_the_crm_are_followed_up_to_a_limit() {
    let mut receipts = empty();
    for number in 0..PAYMENTS_MAX {
        assert!(receipts.has_room_for(&payment("pay_new")), "{number}");
        receipts.recorded.push(recorded(&format!("pay_{number}"), PaymentMethod::Cash, 5_000, 1));
    }
    assert!(!receipts.has_room_for(&payment("pay_new")));
    assert!(receipts.has_room_for(&payment("pay_7")), "a later revision has its place");
    // Rows of an earlier release may exceed the limit.
    for count in [PAYMENTS_MAX + 1, PAYMENTS_MAX * 100] {
        receipts.recorded = vec![recorded("pay_7", PaymentMethod::Cash, 5_000, 1); count];
        assert!(!receipts.has_room_for(&payment("pay_new")), "{count}");
        assert!(receipts.has_room_for(&payment("pay_7")), "{count}");
    }
}

#[test]
fn payments_of_another_ledger_are_added_in_steps_as_far_as_there_is_room() {
    let named = |side: &str, count: usize| {
        let one = |number| recorded(&format!("{side}_{number}"), PaymentMethod::Cash, 5_000, 1);
        (0..count).map(one).collect::<Vec<_>>()
    };
    for (here, there) in [
        (0, PAYMENTS_MAX),
        (0, PAYMENTS_MAX + 1),
        (PAYMENTS_MAX - CHANGES_MAX, CHANGES_MAX),
        (PAYMENTS_MAX - CHANGES_MAX, CHANGES_MAX + 1),
        (PAYMENTS_MAX, 1),
        (7, PAYMENTS_MAX * 100),
    ] {
        let mut receipts = empty();
        receipts.recorded = named("here", here);
        let other = InvoicePayments { recorded: named("there", there), ..empty() };
        let added = there.min(PAYMENTS_MAX - here);
        let mut steps = 0;
        while let Some(changes) = receipts.add_recorded(&other.recorded) {
            steps += 1;
            assert!(changes.notices.is_empty());
            assert_eq!(receipts.recorded.len(), here + added.min(steps * CHANGES_MAX));
            assert_eq!(changes.is_all, receipts.recorded.len() == here + added);
        }
        assert_eq!(steps, added.div_ceil(CHANGES_MAX), "{here} {there}");
        assert_eq!(receipts.recorded[here..], other.recorded[..added], "in their order");
        let beyond = other.recorded_beyond(&receipts);
        assert_eq!(beyond[..], other.recorded[added..], "none is lost");
    }
}

#[test]
fn texts_of_xero_are_kept_up_to_a_length_and_whole_characters() {
    let long = |length: usize| ReceivedPayment {
        reference: Some("é".repeat(length)),
        account: Some(DepositAccount { name: "水".repeat(length), code: None, is_bank: true }),
        ..received(1, 100, 1)
    };
    for (length, kept) in [(255, 255), (256, 255), (25_500, 255)] {
        let clipped = long(length).with_clipped_texts();
        assert_eq!(clipped.reference.unwrap().chars().count(), kept);
        assert_eq!(clipped.account.unwrap().name.chars().count(), kept);
    }
}

#[test]
fn refunds_are_followed_up_to_a_limit_and_a_followed_one_may_change_its_amount() {
    let a_refund = |number: usize, cents: i64| InvoiceRefund {
        refund: payment(&format!("ref_{number}")),
        amount: pounds(cents),
    };
    let mut payments = empty();
    for number in 0..=REFUNDS_MAX {
        payments.add_sent_refund(&a_refund(number, 1));
    }
    assert_eq!(payments.refunds.len(), REFUNDS_MAX);
    let limit = pounds(12_000);
    let further = payments.admit_refund(&a_refund(REFUNDS_MAX, 1), limit);
    assert_eq!(further, RefundAdmission::TooMany);
    let raised = payments.admit_refund(&a_refund(7, 2), limit);
    assert_eq!((raised, payments.refunds.len()), (RefundAdmission::Admitted, REFUNDS_MAX));
}
