//! Limits: how much of an invoice is followed, and how much of a change fits into a transaction.

use super::*;
use crate::invoice_payments::CHANGES_MAX;
use crate::mapping::CREDITS_MAX;

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
