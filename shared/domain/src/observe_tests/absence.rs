//! Invoices that Xero does not show, and payments that an answer does not list.

use jiff::SignedDuration;

use super::*;
use crate::document::invoice::AppliedPayment;

fn minutes_later(minutes: i64) -> Timestamp {
    NOW + SignedDuration::from_mins(minutes)
}

/// Xero does not show the invoice with this id at this time.
fn not_shown(mapping: &Mapping, id: u128, now: Timestamp) -> Option<InvoiceObservation> {
    let missing = SeenInvoice::Missing(XeroInvoiceId(Uuid::from_u128(id)));
    observe_invoice(mapping, &receipts(), missing, now)
}

/// The invoice with this amount paid, by the payments that it lists.
fn paid_by(paid: i64, payments: &[ReceivedPayment]) -> RemoteInvoice {
    let mut invoice = remote(paid, 0);
    let listed = payments.iter().map(|one| AppliedPayment {
        id: one.id,
        amount: one.amount.amount,
        date: one.date,
        reference: None,
    });
    invoice.settlement.payments = listed.collect();
    invoice
}

fn observe_listed(
    before: &InvoiceObservation,
    paid: i64,
    payments: &[ReceivedPayment],
) -> Option<InvoiceObservation> {
    let invoice = paid_by(paid, payments);
    let seen = SeenInvoice::There { invoice: &invoice, payments };
    observe_invoice(&before.mapping, &before.payments, seen, NOW)
}

#[test]
fn an_invoice_that_two_reads_do_not_show_is_reported_like_a_deleted_one() {
    let first = not_shown(&a_mapping(), 5, NOW).unwrap();
    assert!(first.events.is_empty() && first.is_all, "{:?}", first.events);
    assert!(!first.mapping.is_gone_in_xero());
    assert!(first.mapping.open_invoice_link().unwrap().is_unobserved());
    assert_eq!(not_shown(&first.mapping, 5, minutes_later(4)), None, "it is too early");
    let second = not_shown(&first.mapping, 5, minutes_later(5)).unwrap();
    assert_eq!(kinds(&second.events), ["status"]);
    assert!(second.mapping.is_gone_in_xero());
    assert_eq!(second.mapping.open_invoice_link(), None);
    // An earlier copy says nothing about the present one.
    assert_eq!(not_shown(&a_mapping(), 6, NOW), None);
}

#[test]
fn an_invoice_that_is_shown_again_is_as_it_was_and_nothing_is_reported() {
    let first = not_shown(&a_mapping(), 5, NOW).unwrap();
    let invoice = remote(0, 0);
    let there = SeenInvoice::There { invoice: &invoice, payments: &[] };
    let again = observe_invoice(&first.mapping, &receipts(), there, minutes_later(1)).unwrap();
    assert!(again.events.is_empty(), "{:?}", again.events);
    assert_eq!(again.mapping.amounts_in_xero(), a_mapping().amounts_in_xero());
    assert!(!again.mapping.open_invoice_link().unwrap().is_unobserved());
    // Both reads must follow each other.
    let later = not_shown(&again.mapping, 5, minutes_later(60)).unwrap();
    assert!(later.events.is_empty(), "{:?}", later.events);
}

#[test]
fn an_absence_that_is_dated_in_the_future_confirms_nothing() {
    let first = not_shown(&a_mapping(), 5, minutes_later(60)).unwrap();
    let second = not_shown(&first.mapping, 5, NOW).unwrap();
    assert!(second.events.is_empty() && !second.mapping.is_gone_in_xero());
    let third = not_shown(&second.mapping, 5, minutes_later(5)).unwrap();
    assert!(third.mapping.is_gone_in_xero());
}

#[test]
fn a_payment_that_the_invoice_still_counts_was_not_removed_although_it_is_not_listed() {
    let (one, two) = (received(1, 2_000), received(2, 3_000));
    let both = [one.clone(), two.clone()];
    let invoice = paid_by(5_000, &both);
    let known = seen(&invoice, &both).unwrap();
    assert_eq!(observe_listed(&known, 5_000, &[]), None);
    assert_eq!(observe_listed(&known, 5_000, std::slice::from_ref(&one)), None);
    let removed = observe_listed(&known, 2_000, std::slice::from_ref(&one)).unwrap();
    assert_eq!(kinds(&removed.events), ["removed", "part paid"]);
    let none = observe_listed(&removed, 0, &[]).unwrap();
    assert_eq!(kinds(&none.events), ["removed", "unpaid"]);
}

#[test]
fn a_payment_that_another_one_of_the_same_amount_replaces_was_removed() {
    let one = received(1, 5_000);
    let invoice = paid_by(5_000, std::slice::from_ref(&one));
    let known = seen(&invoice, std::slice::from_ref(&one)).unwrap();
    let replaced = observe_listed(&known, 5_000, &[received(2, 5_000)]).unwrap();
    assert_eq!(kinds(&replaced.events), ["removed", "imported"]);
}
