//! Tests of the progress and of walks.

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// The first page of at most three rows, in an answer from second 2,000.
fn read(changes: &[Timestamp]) -> ReadPage<'_> {
    read_at(Position::FIRST, changes)
}

/// The same page at another position.
fn read_at(position: Position, changes: &[Timestamp]) -> ReadPage<'_> {
    let next = (changes.len() >= 3).then(|| position.after_full_page(3));
    ReadPage { next, changes, answered_at: Some(at(2_000)) }
}

#[test]
fn a_page_that_is_not_full_is_the_last_and_the_next_walk_begins_where_this_one_did() {
    let walk = Walk::from(at(700));
    let changes = [at(900), at(1_200)];
    assert_eq!(walk.after(read(&changes)), Next::Done(at(1_700)));
    // Xero's clock is used if the answer has a time, and the rows' instants if not.
    let silent = ReadPage { answered_at: None, ..read(&changes) };
    assert_eq!(walk.after(silent), Next::Done(at(900)));
    assert_eq!(walk.after(read(&[at(2_001)])), Next::Done(at(1_701)));
    // Never earlier than the instant from which the walk began.
    let early = ReadPage { answered_at: None, ..read(&changes[..1]) };
    assert_eq!(walk.after(early), Next::Done(at(700)));
}

#[test]
fn after_an_empty_list_there_is_nothing_to_remember() {
    assert_eq!(Walk::from(at(700)).after(read(&[])), Next::Done(at(700)));
}

#[test]
fn a_full_page_is_followed_by_what_changed_from_its_end_on() {
    let walk = Walk::from(at(700));
    let Next::Page(next) = walk.after(read(&[at(900), at(1_100), at(1_200)])) else {
        panic!("it is full")
    };
    assert_eq!((next.since, next.newest), (at(1_199), Some(at(1_200))));
    assert_eq!((next.at.number(), next.at.size()), (1, 3));
    // Changes made while the pages are read happen after the beginning, and are read again.
    let later = ReadPage { answered_at: Some(at(2_060)), ..read(&[]) };
    assert_eq!(next.after(later), Next::Done(at(1_700)));
}

#[test]
fn rows_without_an_instant_still_fill_a_page() {
    let changes = [at(1_100), at(1_200)];
    let next = Some(Position::FIRST.after_full_page(3));
    let page = ReadPage { next, ..read(&changes) };
    assert!(matches!(Walk::from(at(700)).after(page), Next::Page(_)));
    // A page of nothing else is followed by the next one, and the rows behind it are not lost.
    let Next::Page(second) = Walk::from(at(700)).after(ReadPage { changes: &[], ..page }) else {
        panic!("it is full")
    };
    assert_eq!((second.since, second.at.number()), (at(700), 2));
    assert_eq!(second.after(read_at(second.at, &[])), Next::Done(at(1_700)));
}

#[test]
fn a_walk_resumes_behind_the_rows_of_a_second_that_were_read() {
    let walk = Walk::behind(at(1_199), 40);
    assert_eq!((walk.since, walk.at.rows_before(), walk.at.number()), (at(1_199), 40, 5));
    // Everything that changed before it began has been read, by it or by the one before.
    assert_eq!(walk.after(read_at(walk.at, &[])), Next::Done(at(1_700)));
    assert_eq!(Walk::behind(at(700), 0), Walk::from(at(700)));
}

#[test]
fn a_second_that_holds_more_than_a_page_is_read_by_page_numbers() {
    let walk = Walk::from(at(1_199));
    let full = [at(1_199), at(1_200), at(1_200)];
    let Next::Page(second) = walk.after(read(&full)) else { panic!("it is full") };
    assert_eq!((second.since, second.at.number()), (at(1_199), 2));
    assert_eq!(second.after(read_at(second.at, &[at(1_200)])), Next::Done(at(1_700)));
}

#[test]
fn open_invoices_are_verified_once_a_day_and_to_the_end() {
    let ledger = crate::mapping::tests::a_key("x").ledger;
    let fresh = Progress::new(ledger, at(0));
    assert!(!fresh.is_verification_due(at(86_399)));
    assert!(fresh.is_verification_due(at(86_400)));
    let begun = Progress { verifying_after: Some("here".to_owned()), ..fresh };
    assert!(begun.is_verification_due(at(1)));
}

#[test]
fn polls_that_fail_for_an_hour_in_a_row_are_a_fact_until_one_is_completed() {
    let ledger = crate::mapping::tests::a_key("x").ledger;
    let quarter = |number: i64| at(number * 900);
    let failed = |progress: Progress, number| progress.with_failed_poll(quarter(number));
    let mut progress = Progress::new(ledger, at(0));
    for number in 1..=4 {
        progress = failed(progress, number);
        assert_eq!(progress.stalled_since(quarter(number)), None, "{number}");
    }
    let fifth = failed(progress, 5);
    assert_eq!(fifth.stalled_since(quarter(5)), Some(quarter(1)));
    assert_eq!(fifth.stalled_since(quarter(8)), Some(quarter(1)));
    // Later it is unknown whether the ledger is polled, and the next failure is the first.
    assert_eq!(fifth.stalled_since(quarter(9)), None);
    let later = failed(fifth.clone(), 100);
    assert_eq!(later.failing_since, Some(quarter(100)));
    let completed = fifth.with_completed_poll();
    assert_eq!((completed.failing_since, completed.stalled_since(quarter(6))), (None, None));
}
