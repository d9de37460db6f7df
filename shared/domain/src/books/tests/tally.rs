//! Tests of the tally of a comparison, and of its progress.

use super::*;

/// A record with this balance in the CRM, in cents of a currency, and none in Xero.
fn a_record(cents: i64, currency: &str) -> ComparedRecord {
    let currency = Currency::new(currency).unwrap();
    let crm = Money::new(Decimal::new(cents, 2), currency);
    let xero = Money::new(Decimal::ZERO, currency);
    let mut compared = compare_invoice(&unsent("100.00"), None, &BTreeSet::new()).unwrap();
    let difference = compared.difference.take().unwrap();
    ComparedRecord { crm, xero, difference: Some(BalanceDifference { crm, xero, ..difference }) }
}

#[test]
fn a_tally_sums_each_currency_and_lists_a_limited_number_of_differences() {
    let mut tally = BooksTally::default();
    assert!(tally.is_empty());
    for number in 0..DIFFERENCES_MAX * 2 {
        let currency = if number % 2 == 0 { "GBP" } else { "EUR" };
        tally.add_record(EntityKind::Invoice, Some(a_record(100, currency)));
    }
    let balances = tally.balances.iter().map(|sums| sums.crm.to_string()).collect::<Vec<_>>();
    assert_eq!(balances, ["EUR 50.00", "GBP 50.00"]);
    assert_eq!(tally.differences.len(), DIFFERENCES_MAX);
    assert_eq!((tally.difference_count, tally.invoices), (100, 100));
    assert!(!tally.is_equal());
}

#[test]
fn a_record_that_cannot_be_compared_makes_the_books_unequal() {
    let mut tally = BooksTally::default();
    let equal =
        compare_invoice(&sent(DocumentStatus::Authorised, 10_000, 0, 0), None, &BTreeSet::new());
    tally.add_record(EntityKind::Invoice, equal);
    assert!(tally.is_equal());
    tally.add_record(EntityKind::Invoice, None);
    assert!(!tally.is_equal());
    assert_eq!((tally.invoices, tally.not_compared), (1, 1));
}

#[test]
fn a_result_has_a_limited_number_of_currencies() {
    let mut tally = BooksTally::default();
    let letters = || b'A'..=b'Z';
    for first in letters() {
        for second in letters() {
            let code = format!("X{}{}", char::from(first), char::from(second));
            tally.add_record(EntityKind::Invoice, Some(a_record(100, &code)));
        }
    }
    assert!(tally.balances.len() <= CURRENCIES_MAX);
    assert_eq!(tally.invoices + tally.not_compared, 26 * 26);
    tally.add_record(EntityKind::Invoice, Some(a_record(100, "XAA")));
    assert_eq!(tally.balances[0].crm.to_string(), "XAA 2.00");
}

#[test]
fn a_comparison_reads_invoices_then_credit_and_is_made_once_for_each_verification() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let books = BooksComparison::new(a_key("inv_1").ledger);
    let mut running = books.resume_after(at(1)).unwrap();
    assert_eq!((running.kind, running.after.as_deref()), (EntityKind::Invoice, None));
    assert!(!running.advance_after(Some("here".to_owned())));
    let books = books.with_running(running.clone());
    assert_eq!(books.resume_after(at(1)), Some(running.clone()));
    // A newer verification starts again.
    assert_eq!(books.resume_after(at(2)).unwrap().after, None);
    assert!(!running.advance_after(None));
    assert_eq!((running.kind, running.after.as_deref()), (EntityKind::CreditNote, None));
    assert!(!running.advance_after(None));
    assert_eq!((running.kind, running.after.as_deref()), (EntityKind::Allocation, None));
    assert!(running.advance_after(None));
    let books = books.with_completed(running, at(5));
    assert_eq!(books.resume_after(at(1)), None);
    assert_eq!((books.running.is_none(), books.newest.unwrap().compared_at), (true, at(5)));
}
