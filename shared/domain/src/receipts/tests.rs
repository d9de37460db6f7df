//! The same money once.

use jiff::civil::date;
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::*;
use crate::ids::{AccountId, TenantId};
use crate::money::Currency;

fn pounds(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), Currency::new("GBP").unwrap())
}

fn payment(id: &str) -> PaymentId {
    PaymentId::new(id).unwrap()
}

fn empty() -> Receipts {
    let ledger =
        Ledger { account: AccountId::new("acc_1").unwrap(), tenant: TenantId(Uuid::from_u128(1)) };
    Receipts::new(ledger, CrmId::new("inv_1").unwrap())
}

/// A payment that the CRM recorded: by this method, over so many cents, on a day of November.
fn recorded(id: &str, method: Method, cents: i64, day: i8) -> Recorded {
    Recorded {
        payment: payment(id),
        revision: 1,
        method,
        amount: pounds(cents),
        date: date(2026, 11, day),
        reference: None,
        standing: Standing::Recorded,
    }
}

fn received(id: u128, cents: i64, day: i8) -> Received {
    Received {
        id: XeroPaymentId(Uuid::from_u128(id)),
        amount: pounds(cents),
        date: Some(date(2026, 11, day)),
        reference: None,
        account: Some(BankedTo {
            name: "Business account".to_owned(),
            code: Some("090".to_owned()),
            is_bank: true,
        }),
        batch: None,
        is: Standpoint::Imported,
        seen_at: Timestamp::UNIX_EPOCH,
    }
}

fn standpoints(receipts: &Receipts) -> Vec<Standpoint> {
    receipts.received.iter().map(|one| one.is.clone()).collect()
}

fn same(id: &str) -> Standpoint {
    Standpoint::Same { payment: payment(id) }
}

#[test]
fn money_that_the_crm_does_not_know_is_imported_once() {
    let mut receipts = empty();
    let told = receipts.observe(vec![received(1, 5_000, 3)]);
    assert!(
        matches!(told.as_slice(), [Told::Imported(one)] if one.method() == InferredMethod::Bank)
    );
    assert!(receipts.observe(vec![received(1, 5_000, 3)]).is_empty());
}

#[test]
fn a_transfer_that_the_crm_recorded_is_linked_and_not_imported_again() {
    let mut receipts = empty();
    receipts.record(recorded("pay_1", Method::BankTransfer, 5_000, 2));
    assert!(receipts.observe(vec![received(1, 5_000, 4)]).is_empty());
    assert_eq!(standpoints(&receipts), [same("pay_1")]);
    // Another of the same amount is other money.
    let told = receipts.observe(vec![received(1, 5_000, 4), received(2, 5_000, 4)]);
    assert_eq!(told.len(), 1);
}

#[test]
fn what_we_pushed_is_known_by_its_reference_whatever_else_differs() {
    let mut receipts = empty();
    let stripe = Recorded {
        reference: Some("ch_1".to_owned()),
        ..recorded("pay_1", Method::Stripe, 5_000, 2)
    };
    receipts.record(stripe);
    let ours =
        Received { reference: Some("Stripe ch_1 (SC-pay_1)".to_owned()), ..received(1, 5_000, 29) };
    assert!(receipts.observe(vec![ours]).is_empty());
    assert_eq!(standpoints(&receipts), [same("pay_1")]);
    // A bank transfer over the same amount is not the charge.
    assert_eq!(receipts.observe(vec![received(2, 5_000, 2)]).len(), 2);
}

#[test]
fn two_of_one_amount_are_told_apart_by_reference_then_by_day_then_by_arrival() {
    let mut receipts = empty();
    let cheque = Recorded {
        reference: Some("Cheque 100482".to_owned()),
        ..recorded("pay_1", Method::Cheque, 5_000, 2)
    };
    receipts.record(cheque);
    receipts.record(recorded("pay_2", Method::Cash, 5_000, 5));
    receipts.record(recorded("pay_3", Method::Cash, 5_000, 5));
    let banked = Received { reference: Some("chq 100482".to_owned()), ..received(1, 5_000, 6) };
    let told = receipts.observe(vec![
        Received { reference: Some("CHEQUE 100482 DEPOSIT".to_owned()), ..banked },
        received(2, 5_000, 5),
        received(3, 5_000, 9),
    ]);
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(standpoints(&receipts), [same("pay_1"), same("pay_2"), same("pay_3")]);
}

#[test]
fn what_may_be_either_is_left_to_a_person_and_imported_nowhere() {
    let mut receipts = empty();
    receipts.record(recorded("pay_1", Method::Cheque, 5_000, 1));
    assert!(receipts.observe(vec![received(1, 5_000, 20)]).is_empty());
    let candidates = vec![payment("pay_1")];
    assert_eq!(standpoints(&receipts), [Standpoint::Unclear { candidates }]);
    assert_eq!(receipts.unclear().count(), 1);
    let id = XeroPaymentId(Uuid::from_u128(1));
    let mut other = receipts.clone();
    assert_eq!(receipts.settle(id, Answer::Same(payment("pay_1"))), Some(Vec::new()));
    assert_eq!(standpoints(&receipts), [same("pay_1")]);
    assert!(matches!(other.settle(id, Answer::New).unwrap().as_slice(), [Told::Imported(_)]));
    assert_eq!(other.settle(id, Answer::New), None, "it is settled");
}

#[test]
fn what_the_crm_records_after_its_import_takes_the_import_back() {
    let mut receipts = empty();
    receipts.observe(vec![received(1, 5_000, 3)]);
    let told = receipts.record(recorded("pay_1", Method::BankTransfer, 5_000, 3));
    assert!(
        matches!(told.as_slice(), [Told::Same { payment: one, .. }] if *one == payment("pay_1"))
    );
    assert!(receipts.record(recorded("pay_1", Method::BankTransfer, 5_000, 3)).is_empty());
}

#[test]
fn a_payment_removed_in_xero_is_told_with_the_payment_it_was() {
    let mut receipts = empty();
    receipts.record(recorded("pay_1", Method::Cash, 5_000, 2));
    receipts.observe(vec![received(1, 5_000, 3), received(2, 700, 3)]);
    let told = receipts.observe(Vec::new());
    let known = told.iter().map(|one| match one {
        Told::Removed { received: _, payment } => payment.clone(),
        Told::Imported(_) | Told::Same { .. } => panic!("{one:?}"),
    });
    assert_eq!(known.collect::<Vec<_>>(), [Some(payment("pay_1")), None]);
    assert!(receipts.observe(Vec::new()).is_empty());
    // The cash is free to be recognised again.
    receipts.observe(vec![received(3, 5_000, 4)]);
    assert_eq!(receipts.received[2].is, same("pay_1"));
}

#[test]
fn money_that_was_recognised_is_imported_once_the_crm_deletes_its_own_payment() {
    let mut receipts = empty();
    receipts.record(recorded("pay_1", Method::Cash, 5_000, 2));
    receipts.observe(vec![received(1, 5_000, 3)]);
    let deleted = Recorded {
        revision: 2,
        standing: Standing::Deleted,
        ..recorded("pay_1", Method::Cash, 5_000, 2)
    };
    let told = receipts.record(deleted);
    assert!(matches!(told.as_slice(), [Told::Imported(_)]), "{told:?}");
}

#[test]
fn a_reference_that_somebody_copied_does_not_hide_money() {
    let mut receipts = empty();
    receipts.record(recorded("pay_1", Method::Stripe, 5_000, 2));
    let tagged =
        |id| Received { reference: Some("Stripe (SC-pay_1)".to_owned()), ..received(id, 5_000, 2) };
    assert!(receipts.observe(vec![tagged(1)]).is_empty());
    assert_eq!(receipts.observe(vec![tagged(1), tagged(2)]).len(), 1);
}

#[test]
fn a_payment_is_recorded_once() {
    let mut receipts = empty();
    receipts.record(recorded("pay_1", Method::Cash, 5_000, 2));
    let other = Recorded { revision: 2, ..recorded("pay_1", Method::Cash, 6_000, 2) };
    assert!(receipts.contradicts(&other));
    assert!(!receipts.contradicts(&Recorded { standing: Standing::Deleted, ..other }));
}

#[test]
fn a_payment_that_the_crm_deleted_is_no_candidate() {
    let mut receipts = empty();
    receipts.record(recorded("pay_1", Method::Cash, 5_000, 2));
    let deleted = Recorded {
        revision: 2,
        standing: Standing::Deleted,
        ..recorded("pay_1", Method::Cash, 5_000, 2)
    };
    receipts.record(deleted);
    assert_eq!(receipts.observe(vec![received(1, 5_000, 3)]).len(), 1);
}

proptest! {
    /// However the two sides' news are mixed, each payment in Xero is either imported exactly once more
    /// often than it was taken back, or one of the CRM's, or a person's to say; and no payment of the CRM is two in Xero.
    #[test]
    fn each_money_counts_once(
        steps in prop::collection::vec((any::<bool>(), 0_usize..4, 1_i64..3, 1_i8..28), 1..24),
    ) {
        let mut receipts = empty();
        let mut present: Vec<Received> = Vec::new();
        let mut counts = std::collections::BTreeMap::<XeroPaymentId, i32>::new();
        for (is_ours, number, cents, day) in steps {
            let told = if is_ours {
                receipts.record(recorded(&format!("pay_{number}"), Method::Cash, cents * 100, day))
            } else {
                let one = received(u128::try_from(number).unwrap() + 1, cents * 100, day);
                let known = present.iter().position(|other| other.id == one.id);
                match known {
                    Some(at) => { present.remove(at); }
                    None => present.push(one),
                }
                receipts.observe(present.clone())
            };
            for one in told {
                match one {
                    Told::Imported(one) => *counts.entry(one.id).or_default() += 1,
                    Told::Same { received, payment: _ }
                    | Told::Removed { received, payment: None } => {
                        *counts.entry(received.id).or_default() -= 1;
                    }
                    Told::Removed { received: _, payment: Some(_) } => {}
                }
            }
        }
        for one in &receipts.received {
            let imported = i32::from(one.is == Standpoint::Imported);
            prop_assert_eq!(counts.get(&one.id).copied().unwrap_or(0), imported, "{:?}", one);
        }
        for one in &receipts.recorded {
            let counterparts = receipts.received.iter().filter(|other| other.is_same_as(&one.payment));
            prop_assert!(counterparts.count() <= 1, "{:?}", one);
        }
    }
}
