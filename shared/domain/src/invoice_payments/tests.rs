//! Tests that the same payment is counted once.

mod decided;
mod duplicates;
mod limits;
mod recognition;

use jiff::civil::date;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ids::{AccountId, TenantId};
use crate::money::tests::pounds;

fn payment(id: &str) -> PaymentId {
    PaymentId::new(id).unwrap()
}

fn empty() -> InvoicePayments {
    let ledger =
        Ledger { account: AccountId::new("acc_1").unwrap(), tenant: TenantId(Uuid::from_u128(1)) };
    InvoicePayments::new(ledger, CrmId::new("inv_1").unwrap())
}

/// A payment that the CRM recorded, with this method and amount in cents, on a day of November.
fn recorded(id: &str, method: PaymentMethod, cents: i64, day: i8) -> RecordedPayment {
    RecordedPayment {
        payment: payment(id),
        revision: 1,
        method,
        amount: pounds(cents),
        date: date(2026, 11, day),
        reference: None,
        standing: PaymentRecordStatus::Recorded,
    }
}

fn received(id: u128, cents: i64, day: i8) -> ReceivedPayment {
    ReceivedPayment {
        id: XeroPaymentId(Uuid::from_u128(id)),
        amount: pounds(cents),
        date: Some(date(2026, 11, day)),
        reference: None,
        account: Some(DepositAccount {
            name: "Business account".to_owned(),
            code: Some("090".to_owned()),
            is_bank: true,
        }),
        batch: None,
        is: PaymentMatch::Imported,
        seen_at: Timestamp::UNIX_EPOCH,
        compared_with: Vec::new(),
    }
}

/// Shorthands for changes that are complete in one step.
impl InvoicePayments {
    fn observed(&mut self, present: &[ReceivedPayment]) -> Vec<PaymentNotice> {
        let changes = self.observe_payments(present);
        assert!(changes.is_all);
        changes.notices
    }

    fn noted(&mut self, recorded: RecordedPayment) -> Vec<PaymentNotice> {
        let changes = self.record_payment(recorded);
        assert!(changes.is_all);
        changes.notices
    }
}

fn standpoints(receipts: &InvoicePayments) -> Vec<PaymentMatch> {
    receipts.received.iter().map(|one| one.is.clone()).collect()
}

fn same(id: &str) -> PaymentMatch {
    PaymentMatch::Same { payment: payment(id) }
}

#[test]
fn money_that_the_crm_does_not_know_is_imported_once() {
    let mut receipts = empty();
    let notices = receipts.observed(&[received(1, 5_000, 3)]);
    assert!(
        matches!(notices.as_slice(), [PaymentNotice::Imported(one)] if one.inferred_method() == InferredMethod::Bank)
    );
    assert!(receipts.observed(&[received(1, 5_000, 3)]).is_empty());
}

#[test]
fn a_transfer_that_the_crm_recorded_is_linked_and_not_imported_again() {
    let mut receipts = empty();
    receipts.noted(recorded("pay_1", PaymentMethod::BankTransfer, 5_000, 2));
    assert!(receipts.observed(&[received(1, 5_000, 4)]).is_empty());
    assert_eq!(standpoints(&receipts), [same("pay_1")]);
    // Another payment of the same amount is a different payment.
    let notices = receipts.observed(&[received(1, 5_000, 4), received(2, 5_000, 4)]);
    assert_eq!(notices.len(), 1);
}

#[test]
fn what_we_pushed_is_known_by_its_reference_whatever_else_differs() {
    let mut receipts = empty();
    let stripe = RecordedPayment {
        reference: Some("ch_1".to_owned()),
        ..recorded("pay_1", PaymentMethod::Stripe, 5_000, 2)
    };
    receipts.noted(stripe);
    let ours = ReceivedPayment {
        reference: Some("Stripe ch_1 (SC-pay_1)".to_owned()),
        ..received(1, 5_000, 29)
    };
    assert!(receipts.observed(&[ours]).is_empty());
    assert_eq!(standpoints(&receipts), [same("pay_1")]);
    // A bank transfer of the same amount is not the card payment.
    assert_eq!(receipts.observed(&[received(2, 5_000, 2)]).len(), 2);
}

#[test]
fn two_payments_of_one_amount_are_distinguished_by_reference_then_by_day_then_by_arrival() {
    let mut receipts = empty();
    let cheque = RecordedPayment {
        reference: Some("Cheque 100482".to_owned()),
        ..recorded("pay_1", PaymentMethod::Cheque, 5_000, 2)
    };
    receipts.noted(cheque);
    receipts.noted(recorded("pay_2", PaymentMethod::Cash, 5_000, 5));
    receipts.noted(recorded("pay_3", PaymentMethod::Cash, 5_000, 5));
    let banked =
        ReceivedPayment { reference: Some("chq 100482".to_owned()), ..received(1, 5_000, 6) };
    let notices = receipts.observed(&[
        ReceivedPayment { reference: Some("CHEQUE 100482 DEPOSIT".to_owned()), ..banked },
        received(2, 5_000, 5),
        received(3, 5_000, 9),
    ]);
    assert!(notices.is_empty(), "{notices:?}");
    assert_eq!(standpoints(&receipts), [same("pay_1"), same("pay_2"), same("pay_3")]);
}

#[test]
fn an_ambiguous_payment_is_left_to_a_person_and_not_imported() {
    let mut receipts = empty();
    receipts.noted(recorded("pay_1", PaymentMethod::Cheque, 5_000, 1));
    let notices = receipts.observed(&[received(1, 5_000, 20)]);
    let candidates = vec![payment("pay_1")];
    assert!(
        matches!(notices.as_slice(), [PaymentNotice::Unclear { received: _, candidates: one }] if *one == candidates),
        "{notices:?}"
    );
    assert_eq!(standpoints(&receipts), [PaymentMatch::Unclear { candidates }]);
    let mut removed = receipts.clone();
    assert!(matches!(removed.observed(&[]).as_slice(), [PaymentNotice::Resolved(_)]));
    assert_eq!(receipts.unclear_payments().count(), 1);
    let id = XeroPaymentId(Uuid::from_u128(1));
    let mut other = receipts.clone();
    let notices = receipts.resolve_payment(id, PaymentDecision::Same(payment("pay_1"))).unwrap();
    assert!(matches!(notices.as_slice(), [PaymentNotice::Resolved(_)]), "{notices:?}");
    assert_eq!(standpoints(&receipts), [same("pay_1")]);
    assert!(matches!(
        other.resolve_payment(id, PaymentDecision::New).unwrap().as_slice(),
        [PaymentNotice::Imported(_)]
    ));
    assert_eq!(other.resolve_payment(id, PaymentDecision::New), None, "it is settled");
}

#[test]
fn money_of_an_unreadable_date_is_not_imported_beside_a_payment_of_its_amount() {
    let undated = |cents: i64, reference: Option<&str>| {
        let mut receipts = empty();
        let cheque = RecordedPayment {
            reference: Some("Cheque 100482".to_owned()),
            ..recorded("pay_1", PaymentMethod::Cheque, 5_000, 1)
        };
        receipts.noted(cheque);
        let reference = reference.map(str::to_owned);
        receipts.observed(&[ReceivedPayment { date: None, reference, ..received(1, cents, 1) }]);
        standpoints(&receipts).remove(0)
    };
    let candidates = vec![payment("pay_1")];
    assert_eq!(undated(5_000, None), PaymentMatch::Unclear { candidates });
    assert_eq!(undated(5_000, Some("CHEQUE 100482 DEPOSIT")), same("pay_1"));
    assert_eq!(undated(5_001, None), PaymentMatch::Imported);
}

#[test]
fn a_number_that_occurs_within_another_does_not_take_its_money() {
    for order in [[0, 1], [1, 0]] {
        let cheques = [("pay_1", "10048"), ("pay_2", "100482")];
        let mut receipts = empty();
        for (id, number) in order.map(|at: usize| cheques[at]) {
            let reference = Some(number.to_owned());
            let cheque = recorded(id, PaymentMethod::Cheque, 5_000, 2);
            receipts.noted(RecordedPayment { reference, ..cheque });
        }
        let banked = |id: u128, number: &str| ReceivedPayment {
            reference: Some(format!("CHQ {number}")),
            ..received(id, 5_000, 4)
        };
        assert!(receipts.observed(&[banked(1, "100482"), banked(2, "10048")]).is_empty());
        assert_eq!(standpoints(&receipts), [same("pay_2"), same("pay_1")], "{order:?}");
    }
    // Two letters of three bytes each are a short reference, which occurs in many others.
    let mut receipts = empty();
    let short = RecordedPayment {
        reference: Some("李明".to_owned()),
        ..recorded("pay_1", PaymentMethod::BankTransfer, 5_000, 1)
    };
    receipts.noted(short);
    let other =
        ReceivedPayment { reference: Some("李明 12".to_owned()), ..received(1, 5_000, 20) };
    receipts.observed(&[other]);
    let candidates = vec![payment("pay_1")];
    assert_eq!(standpoints(&receipts), [PaymentMatch::Unclear { candidates }]);
}

#[test]
fn an_unclear_payment_is_never_one_that_is_written_to_xero_by_itself() {
    let mut receipts = empty();
    receipts.noted(recorded("pay_1", PaymentMethod::Cheque, 5_000, 1));
    receipts.noted(recorded("pay_2", PaymentMethod::Stripe, 5_000, 1));
    receipts.observed(&[received(1, 5_000, 20)]);
    let id = XeroPaymentId(Uuid::from_u128(1));
    let is_stripe = PaymentDecision::Same(payment("pay_2"));
    assert_eq!(receipts.resolve_payment(id, is_stripe), None);
    assert_eq!(receipts.unclear_payments().count(), 1);
    assert!(receipts.resolve_payment(id, PaymentDecision::Same(payment("pay_1"))).is_some());
}

#[test]
fn payments_that_may_have_been_banked_as_one_are_left_to_a_person() {
    let observed = |cents: i64, day: i8| {
        let mut receipts = empty();
        receipts.noted(recorded("pay_1", PaymentMethod::Cash, 4_000, 2));
        receipts.noted(recorded("pay_2", PaymentMethod::Cheque, 6_000, 9));
        receipts.noted(recorded("pay_3", PaymentMethod::Stripe, 1_000, 9));
        receipts.observed(&[received(1, cents, day)]);
        standpoints(&receipts).remove(0)
    };
    let candidates = vec![payment("pay_1"), payment("pay_2")];
    assert_eq!(observed(10_000, 12), PaymentMatch::Unclear { candidates });
    assert_eq!(observed(4_000, 5), same("pay_1"), "one of them alone");
    // Another sum is other money, and Stripe's payments are never banked by hand.
    assert_eq!(observed(9_999, 12), PaymentMatch::Imported);
    assert_eq!(observed(11_000, 12), PaymentMatch::Imported);
}

#[test]
fn a_payment_that_the_crm_records_after_its_import_removes_the_import() {
    let mut receipts = empty();
    receipts.observed(&[received(1, 5_000, 3)]);
    let notices = receipts.noted(recorded("pay_1", PaymentMethod::BankTransfer, 5_000, 3));
    assert!(
        matches!(notices.as_slice(), [PaymentNotice::Same { payment: one, .. }] if *one == payment("pay_1"))
    );
    assert!(receipts.noted(recorded("pay_1", PaymentMethod::BankTransfer, 5_000, 3)).is_empty());
}

#[test]
fn a_payment_removed_in_xero_is_reported_with_the_payment_it_was() {
    let mut receipts = empty();
    receipts.noted(recorded("pay_1", PaymentMethod::Cash, 5_000, 2));
    receipts.observed(&[received(1, 5_000, 3), received(2, 700, 3)]);
    let notices = receipts.observed(&[]);
    let known = notices.iter().map(|one| match one {
        PaymentNotice::Removed { received: _, payment } => payment.clone(),
        PaymentNotice::Imported(_)
        | PaymentNotice::Same { .. }
        | PaymentNotice::Unclear { .. }
        | PaymentNotice::PossibleDuplicate { .. }
        | PaymentNotice::Resolved(_) => panic!("{one:?}"),
    });
    assert_eq!(known.collect::<Vec<_>>(), [Some(payment("pay_1")), None]);
    assert!(receipts.observed(&[]).is_empty());
    // The recorded cash payment can be recognised again.
    receipts.observed(&[received(3, 5_000, 4)]);
    assert_eq!(receipts.received[2].is, same("pay_1"));
}

#[test]
fn money_that_was_recognised_is_imported_once_the_crm_deletes_its_own_payment() {
    let mut receipts = empty();
    receipts.noted(recorded("pay_1", PaymentMethod::Cash, 5_000, 2));
    receipts.observed(&[received(1, 5_000, 3)]);
    let deleted = RecordedPayment {
        revision: 2,
        standing: PaymentRecordStatus::Deleted,
        ..recorded("pay_1", PaymentMethod::Cash, 5_000, 2)
    };
    let notices = receipts.noted(deleted);
    assert!(matches!(notices.as_slice(), [PaymentNotice::Imported(_)]), "{notices:?}");
}

#[test]
fn a_reference_that_somebody_copied_does_not_hide_money() {
    let mut receipts = empty();
    receipts.noted(recorded("pay_1", PaymentMethod::Stripe, 5_000, 2));
    let tagged = |id| ReceivedPayment {
        reference: Some("Stripe (SC-pay_1)".to_owned()),
        ..received(id, 5_000, 2)
    };
    assert!(receipts.observed(&[tagged(1)]).is_empty());
    let told = receipts.observed(&[tagged(1), tagged(2)]);
    assert!(
        matches!(
            told.as_slice(),
            [PaymentNotice::Imported(_), PaymentNotice::PossibleDuplicate { .. }]
        ),
        "{told:?}"
    );
}

#[test]
fn a_payment_is_recorded_once() {
    let mut receipts = empty();
    receipts.noted(recorded("pay_1", PaymentMethod::Cash, 5_000, 2));
    let other = RecordedPayment { revision: 2, ..recorded("pay_1", PaymentMethod::Cash, 6_000, 2) };
    assert!(receipts.contradicts_recorded(&other));
    assert!(!receipts.contradicts_recorded(&RecordedPayment {
        standing: PaymentRecordStatus::Deleted,
        ..other
    }));
}

#[test]
fn a_payment_that_the_crm_deleted_is_no_candidate() {
    let mut receipts = empty();
    receipts.noted(recorded("pay_1", PaymentMethod::Cash, 5_000, 2));
    let deleted = RecordedPayment {
        revision: 2,
        standing: PaymentRecordStatus::Deleted,
        ..recorded("pay_1", PaymentMethod::Cash, 5_000, 2)
    };
    receipts.noted(deleted);
    assert_eq!(receipts.observed(&[received(1, 5_000, 3)]).len(), 1);
}

proptest! {
    /// For every interleaving of both sides' changes: each payment in Xero is imported exactly once
    /// more often than its import was withdrawn, or it is one of the CRM's payments, or it is left
    /// to a person. No payment of the CRM corresponds to two payments in Xero.
    #[test]
    fn each_payment_counts_once(
        steps in prop::collection::vec((any::<bool>(), 0_usize..4, 1_i64..3, 1_i8..28), 1..24),
    ) {
        let mut receipts = empty();
        let mut present: Vec<ReceivedPayment> = Vec::new();
        let mut counts = std::collections::BTreeMap::<XeroPaymentId, i32>::new();
        for (is_ours, number, cents, day) in steps {
            let notices = if is_ours {
                receipts.noted(recorded(&format!("pay_{number}"), PaymentMethod::Cash, cents * 100, day))
            } else {
                let one = received(u128::try_from(number).unwrap() + 1, cents * 100, day);
                let known = present.iter().position(|other| other.id == one.id);
                match known {
                    Some(at) => { present.remove(at); }
                    None => present.push(one),
                }
                receipts.observed(&present)
            };
            for one in notices {
                match one {
                    PaymentNotice::Imported(one) => *counts.entry(one.id).or_default() += 1,
                    PaymentNotice::Same { received, payment: _ }
                    | PaymentNotice::Removed { received, payment: None } => {
                        *counts.entry(received.id).or_default() -= 1;
                    }
                    PaymentNotice::Removed { received: _, payment: Some(_) }
                    | PaymentNotice::Unclear { received: _, candidates: _ }
                    | PaymentNotice::PossibleDuplicate { .. }
                    | PaymentNotice::Resolved(_) => {}
                }
            }
        }
        for one in &receipts.received {
            let imported = i32::from(one.is == PaymentMatch::Imported);
            prop_assert_eq!(counts.get(&one.id).copied().unwrap_or(0), imported, "{:?}", one);
        }
        for one in &receipts.recorded {
            let counterparts = receipts.received.iter().filter(|other| other.is_same_as(&one.payment));
            prop_assert!(counterparts.count() <= 1, "{:?}", one);
        }
    }
}
