//! Tests of observing an invoice in Xero, and of the events that the CRM receives.

#[path = "observe_tests/absence.rs"]
mod absence;
#[path = "observe_tests/instants.rs"]
mod instants;
#[path = "observe_tests/known_payments.rs"]
mod known_payments;
#[path = "observe_tests/limits.rs"]
mod limits;

use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::crm::payment::{PaymentMethod, PaymentRecordStatus};
use crate::document::invoice::{AppliedCredit, CreditKind, PaymentsAndCredits};
use crate::ids::{PaymentId, XeroInvoiceId, XeroPaymentId};
use crate::invoice_payments::{PaymentMatch, RecordedPayment};
use crate::mapping::KeptSnapshot;
use crate::mapping::tests::{a_key, a_link, an_unsent_mapping};
use crate::money::tests::pounds;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// An approved invoice with a total of 114.00, with these amounts paid and credited.
fn remote(paid: i64, credited: i64) -> RemoteInvoice {
    let due = 11_400 - paid - credited;
    RemoteInvoice {
        id: XeroInvoiceId(Uuid::from_u128(5)),
        number: Some("#inv_1".to_owned()),
        is_sales: true,
        status: if due == 0 { DocumentStatus::Paid } else { DocumentStatus::Authorised },
        contact_id: None,
        reference: None,
        url: None,
        total_tax: pounds(1_900),
        total: pounds(11_400),
        amount_due: pounds(due),
        date: Some(date(2026, 11, 1)),
        due_date: Some(date(2026, 11, 30)),
        updated_at: Some(NOW),
        settlement: PaymentsAndCredits {
            paid: pounds(paid).amount,
            credited: pounds(credited).amount,
            paid_on: (due == 0).then(|| date(2026, 11, 9)),
            payments: Vec::new(),
            credits: Vec::new(),
        },
        lines: Vec::new(),
    }
}

/// The mapping of that invoice directly after it was pushed.
fn a_mapping() -> Mapping {
    let snapshot = KeptSnapshot::new(1, "#inv_1".to_owned(), "{}".to_owned());
    let link = XeroLink {
        xero_updated_at: Some(NOW),
        amounts: Some(DocumentAmounts::of_invoice(pounds(11_400), &remote(0, 0))),
        ..a_link(5)
    };
    Mapping { link: Some(link), ..an_unsent_mapping("inv_1", snapshot) }
}

fn receipts() -> InvoicePayments {
    InvoicePayments::new(a_key("inv_1").ledger, a_key("inv_1").crm_id)
}

fn received(id: u128, cents: i64) -> ReceivedPayment {
    ReceivedPayment {
        id: XeroPaymentId(Uuid::from_u128(id)),
        amount: pounds(cents),
        date: Some(date(2026, 11, 9)),
        reference: None,
        account: None,
        batch: None,
        is: PaymentMatch::Imported,
        seen_at: NOW,
        compared_with: Vec::new(),
    }
}

fn seen(invoice: &RemoteInvoice, payments: &[ReceivedPayment]) -> Option<InvoiceObservation> {
    observe_invoice(&a_mapping(), &receipts(), SeenInvoice::There { invoice, payments }, NOW)
}

fn kinds(events: &[EventContent]) -> Vec<&'static str> {
    let kind = |one: &EventContent| match one {
        EventContent::PaymentImported(_) => "imported",
        EventContent::PaymentRemoved { .. } => "removed",
        EventContent::PaymentUnclear { .. } => "unclear",
        EventContent::PaymentStatus { status: PaymentState::Paid, .. } => "paid",
        EventContent::PaymentStatus { status: PaymentState::PartPaid, .. } => "part paid",
        EventContent::PaymentStatus { status: PaymentState::Unpaid, .. } => "unpaid",
        EventContent::XeroStatus { .. } => "status",
        EventContent::PaymentOverpaid(_)
        | EventContent::RefundRemoved(_)
        | EventContent::Skipped { .. }
        | EventContent::Connection { .. }
        | EventContent::RecordSynced(_)
        | EventContent::MessageRefused { .. }
        | EventContent::CreditNoteStatus { .. }
        | EventContent::BooksCompared { .. } => "other",
    };
    events.iter().map(kind).collect()
}

#[test]
fn what_is_as_it_was_changes_nothing() {
    assert_eq!(seen(&remote(0, 0), &[]), None);
}

#[test]
fn a_payment_is_imported_and_the_invoice_is_paid_in_that_order() {
    let seen = seen(&remote(11_400, 0), &[received(1, 11_400)]).unwrap();
    assert_eq!(kinds(&seen.events), ["imported", "paid"]);
    assert_eq!(seen.mapping.event_sequence, 2);
    let EventContent::PaymentStatus { sequence, paid_on, amount_due, .. } = &seen.events[1] else {
        panic!("{:?}", seen.events)
    };
    assert_eq!((*sequence, *paid_on), (2, Some(date(2026, 11, 9))));
    assert!(amount_due.amount.is_zero());
}

#[test]
fn a_part_payment_and_then_its_removal_are_reported() {
    let part = seen(&remote(5_000, 0), &[received(1, 5_000)]).unwrap();
    assert_eq!(kinds(&part.events), ["imported", "part paid"]);
    let back = RemoteInvoice { updated_at: Some(NOW), ..remote(0, 0) };
    let again = SeenInvoice::There { invoice: &back, payments: &[] };
    let removed = observe_invoice(&part.mapping, &part.payments, again, NOW).unwrap();
    assert_eq!(kinds(&removed.events), ["removed", "unpaid"]);
    assert_eq!(removed.mapping.event_sequence, 4);
}

#[test]
fn a_credit_is_reported_as_such_and_is_no_payment() {
    let mut credited = remote(0, 11_400);
    credited.settlement.credits = vec![AppliedCredit {
        kind: CreditKind::Overpayment,
        number: None,
        amount: pounds(11_400).amount,
    }];
    let seen = seen(&credited, &[]).unwrap();
    assert_eq!(kinds(&seen.events), ["paid"]);
    let EventContent::PaymentStatus { amount_paid, amount_credited, credits, .. } = &seen.events[0]
    else {
        panic!("{:?}", seen.events)
    };
    assert_eq!(
        (amount_paid.amount, amount_credited.amount),
        (pounds(0).amount, pounds(11_400).amount)
    );
    assert_eq!(credits.len(), 1);
}

#[test]
fn a_void_is_reported_and_marks_the_mapping() {
    let mut voided = remote(0, 0);
    voided.status = DocumentStatus::Voided;
    let seen = seen(&voided, &[]).unwrap();
    assert_eq!(kinds(&seen.events), ["status"]);
    assert!(seen.mapping.is_gone_in_xero());
    let afresh = seen.mapping.new_generation();
    assert_eq!((afresh.generation, afresh.previous_xero_ids.len()), (2, 1));
    assert!(afresh.link.is_none());
}

#[test]
fn a_total_or_a_due_date_changed_in_xero_is_reported() {
    let mut edited = remote(0, 0);
    edited.total = pounds(12_000);
    edited.amount_due = pounds(12_000);
    edited.due_date = Some(date(2026, 12, 24));
    let seen = seen(&edited, &[]).unwrap();
    assert_eq!(kinds(&seen.events), ["status", "unpaid"]);
    let EventContent::XeroStatus { remarks, .. } = &seen.events[0] else {
        panic!("{:?}", seen.events)
    };
    assert_eq!(remarks.len(), 2, "{remarks:?}");
}

#[test]
fn a_number_that_was_changed_in_xero_is_remembered_and_that_of_a_copy_stays() {
    let later = Timestamp::from_second(5).ok();
    let renumbered =
        RemoteInvoice { number: Some("#7".to_owned()), updated_at: later, ..remote(0, 0) };
    let number_after = |mapping: &Mapping| {
        let there = SeenInvoice::There { invoice: &renumbered, payments: &[] };
        let seen = observe_invoice(mapping, &receipts(), there, NOW).unwrap();
        assert!(seen.events.is_empty(), "{:?}", seen.events);
        seen.mapping.link.unwrap().number
    };
    let mut mapping = a_mapping();
    assert_eq!(number_after(&mapping).as_deref(), Some("#7"));
    mapping.generation = 2;
    let copy = mapping.copy_number();
    mapping.link.as_mut().unwrap().number = Some(copy.clone());
    assert_eq!(number_after(&mapping), Some(copy));
}

#[test]
fn the_result_of_a_write_is_reported_although_the_amounts_are_known() {
    let paid = remote(11_400, 0);
    let known = a_mapping().link.unwrap();
    let amounts = DocumentAmounts::of_invoice(pounds(11_400), &paid);
    assert!(has_unreported_changes(Some(&known), known.xero_id, &amounts));
    assert!(has_unreported_changes(None, known.xero_id, &amounts));
    let unseen = XeroLink { amounts: Some(amounts.clone()), xero_updated_at: None, ..known };
    assert!(has_unreported_changes(Some(&unseen), unseen.xero_id, &amounts));
    let mapping = Mapping { link: Some(unseen.clone()), ..a_mapping() };
    let payments = vec![received(1, 11_400)];
    let there = SeenInvoice::There { invoice: &paid, payments: &payments };
    let seen = observe_invoice(&mapping, &receipts(), there, NOW).unwrap();
    assert_eq!(kinds(&seen.events), ["imported", "paid"]);
    let link = seen.mapping.link.clone().unwrap();
    assert!(!has_unreported_changes(Some(&link), link.xero_id, &amounts));
    let again = observe_invoice(&seen.mapping, &seen.payments, there, NOW);
    assert_eq!(again, None);
}

#[test]
fn an_invoice_on_which_nothing_happened_has_nothing_to_observe() {
    let known = a_mapping().link.unwrap();
    let amounts = DocumentAmounts::of_invoice(pounds(12_000), &remote(0, 0));
    assert!(!has_unreported_changes(Some(&known), known.xero_id, &amounts));
    assert!(!has_unreported_changes(None, known.xero_id, &amounts));
}

#[test]
fn the_approval_of_a_draft_is_reported_once() {
    for status in [DocumentStatus::Draft, DocumentStatus::Submitted] {
        let mut mapping = a_mapping();
        mapping.link.as_mut().unwrap().amounts.as_mut().unwrap().status = status;
        let invoice = remote(0, 0);
        let seen = SeenInvoice::There { invoice: &invoice, payments: &[] };
        let seen = |mapping: &Mapping| observe_invoice(mapping, &receipts(), seen, NOW);
        let first = seen(&mapping).unwrap();
        let [EventContent::XeroStatus { status, remarks, .. }] = first.events.as_slice() else {
            panic!("{:?}", first.events);
        };
        assert_eq!(status, "AUTHORISED");
        assert_eq!(remarks.as_slice(), ["It was approved in Xero."]);
        assert_eq!(seen(&first.mapping), None);
    }
}

#[test]
fn a_payment_that_may_repeat_a_pushed_one_is_reported_with_the_remedy_and_counts() {
    let recorded = RecordedPayment {
        payment: PaymentId::new("pay_1").unwrap(),
        revision: 1,
        method: PaymentMethod::Stripe,
        amount: pounds(5_000),
        date: date(2026, 11, 8),
        reference: None,
        standing: PaymentRecordStatus::Recorded,
    };
    let known = InvoicePayments { recorded: vec![recorded], ..receipts() };
    let reference = Some("Stripe (SC-pay_1)".to_owned());
    let payments = [ReceivedPayment { reference, ..received(1, 5_000) }, received(2, 5_000)];
    let (invoice, mapping) = (remote(10_000, 0), a_mapping());
    let seen = SeenInvoice::There { invoice: &invoice, payments: &payments };
    let observed = observe_invoice(&mapping, &known, seen, NOW).unwrap();
    assert_eq!(kinds(&observed.events), ["imported", "status", "part paid"]);
    let EventContent::XeroStatus { status, remarks, sequence, .. } = &observed.events[1] else {
        panic!("{:?}", observed.events)
    };
    assert_eq!((status.as_str(), *sequence), ("AUTHORISED", 2));
    assert_eq!(
        remarks.as_slice(),
        [
            "It has two payments of GBP 50.00 in Xero that may be the same money: the payment pay_1 of \
          2026-11-08, which ServiceCortex sent, and one of 2026-11-09, which was entered in Xero. Both \
          count. If they are the same, remove the one that was entered: ServiceCortex then drops it as \
          well. If not, nothing needs to be done."
        ]
    );
}
