//! Tests of observing an invoice in Xero, and of the events that the CRM receives.

#[path = "observe_tests/absence.rs"]
mod absence;
#[path = "observe_tests/known_payments.rs"]
mod known_payments;

use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::crm::payment::{PaymentMethod, PaymentRecordStatus};
use crate::document::invoice::{AppliedCredit, CreditKind, PaymentsAndCredits};
use crate::ids::{PaymentId, XeroInvoiceId, XeroPaymentId};
use crate::invoice_payments::{CHANGES_MAX, PaymentMatch, RecordedPayment};
use crate::mapping::tests::{a_key, a_link, an_unsent_mapping};
use crate::mapping::{CREDITS_MAX, KeptSnapshot};
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
fn a_change_that_shows_nothing_else_is_stored_with_its_instant_and_not_reported() {
    let later = Timestamp::from_second(5).ok();
    let touched = RemoteInvoice { updated_at: later, ..remote(0, 0) };
    let seen = seen(&touched, &[]).unwrap();
    assert!(seen.events.is_empty(), "{:?}", seen.events);
    assert_eq!(seen.payments, receipts());
    assert_eq!(seen.mapping.link.as_ref().unwrap().xero_updated_at, later);
    let there = SeenInvoice::There { invoice: &touched, payments: &[] };
    assert_eq!(observe_invoice(&seen.mapping, &receipts(), there, NOW), None);
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
fn an_answer_that_was_overtaken_is_not_believed() {
    let mut old = remote(11_400, 0);
    old.updated_at = Some(Timestamp::from_second(-1).unwrap());
    assert_eq!(seen(&old, &[]), None);
}

#[test]
fn a_change_dated_in_the_future_hides_no_later_one() {
    let far = Timestamp::from_second(4_102_444_800).unwrap();
    // The row states the year 2100, in this observation or when it was written.
    let odd = RemoteInvoice { updated_at: Some(far), ..remote(5_000, 0) };
    let seen = seen(&odd, &[received(1, 5_000)]).unwrap();
    assert_eq!(kinds(&seen.events), ["imported", "part paid"]);
    assert_eq!(seen.mapping.link.as_ref().unwrap().xero_updated_at, Some(NOW));
    let known = a_mapping().link.unwrap();
    let written = XeroLink { xero_updated_at: Some(far), ..known };
    let written = Mapping { link: Some(written), ..a_mapping() };
    let (paid, payments) = (remote(11_400, 0), [received(1, 11_400)]);
    let there = SeenInvoice::There { invoice: &paid, payments: &payments };
    for mapping in [seen.mapping, written] {
        let later = observe_invoice(&mapping, &receipts(), there, NOW).unwrap();
        assert_eq!(kinds(&later.events), ["imported", "paid"]);
        assert_eq!(later.mapping.link.unwrap().xero_updated_at, Some(NOW));
    }
    // Xero's clock may be ahead, by hours at most.
    let ahead = Timestamp::from_second(60 * 60).unwrap();
    let ahead = RemoteInvoice { updated_at: Some(ahead), ..remote(5_000, 0) };
    let seen = self::seen(&ahead, &[received(1, 5_000)]).unwrap();
    assert_eq!(seen.mapping.link.unwrap().xero_updated_at, ahead.updated_at);
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

/// Observes until the observation is complete, as a poll does. Returns the events of each step.
fn observed_to_the_end(
    mut mapping: Mapping,
    mut known: InvoicePayments,
    invoice: &RemoteInvoice,
    payments: &[ReceivedPayment],
) -> (Mapping, InvoicePayments, Vec<Vec<EventContent>>) {
    let mut steps = Vec::new();
    while let Some(seen) =
        observe_invoice(&mapping, &known, SeenInvoice::There { invoice, payments }, NOW)
    {
        let is_unseen = seen.mapping.link.as_ref().unwrap().xero_updated_at.is_none();
        assert_eq!(is_unseen, !seen.is_all, "an invoice is unseen until all of it is observed");
        (mapping, known) = (seen.mapping, seen.payments);
        steps.push(seen.events);
        if seen.is_all {
            break;
        }
    }
    (mapping, known, steps)
}

fn many(count: usize) -> Vec<ReceivedPayment> {
    (1..=count).map(|id| received(u128::try_from(id).unwrap(), 1)).collect()
}

#[test]
fn a_change_of_any_size_is_reported_in_steps_that_fit_into_a_transaction() {
    for count in [CHANGES_MAX, CHANGES_MAX + 1, 120, 619, 1_300] {
        let (paid, payments) = (remote(5_000, 0), many(count));
        let (mapping, known, imported) =
            observed_to_the_end(a_mapping(), receipts(), &paid, &payments);
        let back = RemoteInvoice { updated_at: Some(NOW), ..remote(0, 0) };
        let (_, _, removed) = observed_to_the_end(mapping, known, &back, &[]);
        for (steps, word) in [(imported, "imported"), (removed, "removed")] {
            assert!(steps.iter().all(|events| events.len() <= CHANGES_MAX + 2), "{count}");
            let events = steps.concat();
            let reported = kinds(&events).iter().filter(|kind| **kind == word).count();
            assert_eq!(reported, count);
            let sequences = events.iter().map(|one| one.invoice_sequence().unwrap().1);
            assert!(sequences.is_sorted(), "{count} {word}");
            // The amounts paid and due are reported once, when all payments have been observed.
            assert_eq!(kinds(&events).len(), count + 1, "{count} {word}");
            assert_ne!(kinds(&events).last(), Some(&word));
        }
    }
}

#[test]
fn the_credits_of_an_invoice_are_kept_up_to_a_limit() {
    for count in [CREDITS_MAX, CREDITS_MAX + 1, CREDITS_MAX * 100] {
        let credit = AppliedCredit {
            kind: CreditKind::Overpayment,
            number: Some("CN-1".to_owned()),
            amount: pounds(1).amount,
        };
        let mut credited = remote(0, 5_000);
        credited.settlement.credits = vec![credit; count];
        let kept = DocumentAmounts::of_invoice(pounds(11_400), &credited);
        assert_eq!(kept.credits.len(), CREDITS_MAX, "{count}");
        assert_eq!(kept.amount_credited, Some(pounds(5_000)), "the sum includes all of them");
    }
}

#[test]
fn payments_beyond_the_limit_are_reported_once_as_more_payments() {
    for (count, followed, beyond) in [
        (PAYMENTS_MAX, PAYMENTS_MAX, false),
        (PAYMENTS_MAX + 1, PAYMENTS_MAX, true),
        (PAYMENTS_MAX * 100, PAYMENTS_MAX, true),
    ] {
        let (paid, payments) = (remote(5_000, 0), many(count));
        let (mapping, known, steps) =
            observed_to_the_end(a_mapping(), receipts(), &paid, &payments);
        // In addition to the payments' events: that there are too many payments, and what is due.
        assert!(steps.iter().all(|events| events.len() <= CHANGES_MAX + 3), "{count}");
        let events = steps.concat();
        let imported = kinds(&events).iter().filter(|kind| **kind == "imported").count();
        assert_eq!((imported, known.received.len()), (followed, followed));
        assert_eq!(known.is_beyond_limit, beyond);
        assert_eq!(kinds(&events).contains(&"status"), beyond);
        let again = SeenInvoice::There { invoice: &paid, payments: &payments };
        assert_eq!(observe_invoice(&mapping, &known, again, NOW), None, "{count}");
        let back = RemoteInvoice { updated_at: Some(NOW), ..remote(0, 0) };
        let (_, _, steps) = observed_to_the_end(mapping, known, &back, &[]);
        assert!(steps.iter().all(|events| events.len() <= CHANGES_MAX + 3), "{count}");
        let removed = kinds(&steps.concat()).into_iter().filter(|kind| *kind == "removed").count();
        assert_eq!(removed, followed, "{count}");
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
