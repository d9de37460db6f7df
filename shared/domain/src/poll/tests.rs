//! Tests of the progress and of walks.

use super::*;
use crate::surplus::SurplusKind;

const YEAR_SECONDS: i64 = 365 * 86_400;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

/// An instant in the year 2100.
fn far() -> Timestamp {
    at(4_102_444_800)
}

/// The first page of at most three rows, in an answer from second 2,000.
fn read(changes: &[Timestamp]) -> ReadPage<'_> {
    read_at(PagePosition::FIRST, changes)
}

/// The same page at another position.
fn read_at(position: PagePosition, changes: &[Timestamp]) -> ReadPage<'_> {
    let next = (changes.len() >= 3).then(|| position.after_full_page(3));
    ReadPage { next, changes, answered_at: Some(at(2_000)), now: at(2_000) }
}

#[test]
fn a_page_that_is_not_full_is_the_last_and_the_next_walk_begins_where_this_one_did() {
    let walk = ChangeWalk::starting_at(at(700));
    let changes = [at(900), at(1_200)];
    assert_eq!(walk.after_page(read(&changes)), WalkStep::Done(at(1_700)));
    // Xero's clock is used if the answer has a time, and the rows' instants if not.
    let silent = ReadPage { answered_at: None, ..read(&changes) };
    assert_eq!(walk.after_page(silent), WalkStep::Done(at(900)));
    assert_eq!(walk.after_page(read(&[at(2_001)])), WalkStep::Done(at(1_701)));
    // Never earlier than the instant from which the walk began.
    let early = ReadPage { answered_at: None, ..read(&changes[..1]) };
    assert_eq!(walk.after_page(early), WalkStep::Done(at(700)));
}

#[test]
fn after_an_empty_list_there_is_nothing_to_remember() {
    assert_eq!(ChangeWalk::starting_at(at(700)).after_page(read(&[])), WalkStep::Done(at(700)));
}

#[test]
fn a_full_page_is_followed_by_what_changed_from_its_end_on() {
    let walk = ChangeWalk::starting_at(at(700));
    let WalkStep::Page(next) = walk.after_page(read(&[at(900), at(1_100), at(1_200)])) else {
        panic!("it is full")
    };
    assert_eq!((next.since, next.newest), (at(1_199), Some(at(1_200))));
    assert_eq!((next.at.page_number(), next.at.page_size()), (1, 3));
    // Changes made while the pages are read happen after the beginning, and are read again.
    let later = ReadPage { answered_at: Some(at(2_060)), ..read(&[]) };
    assert_eq!(next.after_page(later), WalkStep::Done(at(1_700)));
}

#[test]
fn rows_without_an_instant_still_fill_a_page() {
    let changes = [at(1_100), at(1_200)];
    let next = Some(PagePosition::FIRST.after_full_page(3));
    let page = ReadPage { next, ..read(&changes) };
    assert!(matches!(ChangeWalk::starting_at(at(700)).after_page(page), WalkStep::Page(_)));
    // A page of nothing else is followed by the next one, and the rows behind it are not lost.
    let WalkStep::Page(second) =
        ChangeWalk::starting_at(at(700)).after_page(ReadPage { changes: &[], ..page })
    else {
        panic!("it is full")
    };
    assert_eq!((second.since, second.at.page_number()), (at(700), 2));
    assert_eq!(second.after_page(read_at(second.at, &[])), WalkStep::Done(at(1_700)));
}

#[test]
fn a_walk_resumes_behind_the_rows_of_a_second_that_were_read() {
    let walk = ChangeWalk::resume_after_rows(at(1_199), 40);
    assert_eq!((walk.since, walk.at.rows_before(), walk.at.page_number()), (at(1_199), 40, 5));
    // Everything that changed before it began has been read, by it or by the one before.
    assert_eq!(walk.after_page(read_at(walk.at, &[])), WalkStep::Done(at(1_700)));
    assert_eq!(ChangeWalk::resume_after_rows(at(700), 0), ChangeWalk::starting_at(at(700)));
}

#[test]
fn a_second_that_holds_more_than_a_page_is_read_by_page_numbers() {
    let walk = ChangeWalk::starting_at(at(1_199));
    let full = [at(1_199), at(1_200), at(1_200)];
    let WalkStep::Page(second) = walk.after_page(read(&full)) else { panic!("it is full") };
    assert_eq!((second.since, second.at.page_number()), (at(1_199), 2));
    assert_eq!(second.after_page(read_at(second.at, &[at(1_200)])), WalkStep::Done(at(1_700)));
}

#[test]
fn open_invoices_are_verified_once_a_day_and_to_the_end() {
    let ledger = crate::mapping::tests::a_key("x").ledger;
    let fresh = PollProgress::new(ledger, at(0));
    assert!(!fresh.is_verification_due(at(86_399)));
    assert!(fresh.is_verification_due(at(86_400)));
    let begun = PollProgress { verifying_after: Some("here".to_owned()), ..fresh };
    assert!(begun.is_verification_due(at(1)));
}

#[test]
fn a_ledger_without_open_invoices_is_verified_again_after_half_a_day() {
    let fresh = PollProgress::new(crate::mapping::tests::a_key("x").ledger, at(0));
    for (second, is_due) in [(43_199, false), (43_200, true), (-43_199, false), (-43_200, true)] {
        assert_eq!(fresh.is_idle_verification_due(at(second)), is_due, "{second}");
    }
    let unchecked = PollProgress { codes_due_since: Some(at(0)), ..fresh.clone() };
    assert!(unchecked.is_idle_verification_due(at(1)));
    let failed = fresh.with_failed_poll(at(1));
    assert!(failed.is_idle_verification_due(at(2)));
    assert!(!failed.with_completed_poll().is_idle_verification_due(at(2)));
}

#[test]
fn after_the_open_invoices_the_credit_notes_since_the_verification_before_are_read() {
    let fresh = PollProgress::new(crate::mapping::tests::a_key("x").ledger, at(10_000));
    let verified = fresh.clone().with_verified_invoices(at(100_000));
    assert!(!verified.is_verification_due(at(100_000)), "no invoice is read again");
    assert!(verified.is_verification_unfinished() && verified.is_surplus_due);
    assert!(verified.is_idle_verification_due(at(100_000)));
    assert_eq!(verified.credit_notes, Some(ListPosition { from: at(9_700), rows_read: 0 }));
    assert!(!verified.is_comparing);
    // A list that was not read to its end continues, however late.
    let position = Some(ListPosition { from: at(50_000), rows_read: 10 });
    let behind = PollProgress { credit_notes: position, ..verified };
    let next_day = behind.with_verified_invoices(at(200_000));
    assert_eq!(next_day.credit_notes, position);
    let read = next_day.with_verified_credit_notes();
    assert!(read.is_comparing && read.is_verification_unfinished(), "the codes are unchecked");
    let checked = PollProgress { codes_due_since: None, stopped_check_due_since: None, ..read };
    assert!(checked.is_verification_unfinished(), "the notes with credit left are unread");
    let half = checked.with_verified_notes(Some("here".to_owned()));
    let place = Some(NoteVerification { after: Some("here".to_owned()) });
    assert_eq!(half.open_notes, place);
    assert!(half.is_verification_unfinished());
    let later = half.clone().with_verified_invoices(at(300_000));
    assert_eq!(later.open_notes, place);
    assert!(!half.with_verified_notes(None).is_verification_unfinished());
    // An instant in the future would leave out every change.
    let position = Some(ListPosition { from: far(), rows_read: 10 });
    let stuck = PollProgress { credit_notes: position, ..fresh };
    let first = ListPosition { from: at(9_700), rows_read: 0 };
    assert_eq!(stuck.without_future(at(10_000)).credit_notes, Some(first));
}

#[test]
fn stopped_payments_are_due_once_for_each_day_whether_the_credit_notes_are_read_or_not() {
    let fresh = PollProgress::new(crate::mapping::tests::a_key("x").ledger, at(0));
    let verified = fresh.with_verified_invoices(at(86_400));
    assert_eq!(verified.stopped_check_due_since, Some(at(86_400)));
    // The reason for another verification may be a list that cannot be read.
    let unread = PollProgress { stopped_check_due_since: None, ..verified };
    let again = unread.clone().with_verified_invoices(at(87_300));
    assert_eq!((again.credit_notes, again.stopped_check_due_since), (unread.credit_notes, None));
    let next_day = again.with_verified_invoices(at(172_800));
    assert_eq!(next_day.stopped_check_due_since, Some(at(172_800)));
    let others = PollProgress { credit_notes: None, open_notes: None, ..next_day };
    let others = PollProgress { codes_due_since: None, ..others };
    assert!(others.is_verification_unfinished());
    assert!(!others.with_completed_verification(at(172_800)).is_verification_unfinished());
}

#[test]
fn polls_that_fail_for_an_hour_in_a_row_are_a_fact_until_one_is_completed() {
    let ledger = crate::mapping::tests::a_key("x").ledger;
    let quarter = |number: i64| at(number * 900);
    let failed = |progress: PollProgress, number| progress.with_failed_poll(quarter(number));
    let mut progress = PollProgress::new(ledger, at(0));
    for number in 1..=4 {
        progress = failed(progress, number);
        assert_eq!(progress.stalled_since(quarter(number)), None, "{number}");
    }
    let fifth = failed(progress, 5);
    assert_eq!(fifth.stalled_since(quarter(5)), Some(quarter(1)));
    assert_eq!(fifth.stalled_since(quarter(8)), Some(quarter(1)));
    // Later it is unknown whether the ledger is polled, and the next failure is the first.
    assert_eq!(fifth.stalled_since(quarter(9)), None);
    for (number, since) in [(8, 1), (9, 9), (100, 100)] {
        let later = failed(fifth.clone(), number);
        assert_eq!(later.failing_since, Some(quarter(since)), "{number}");
    }
    let completed = fifth.with_completed_poll();
    assert_eq!((completed.failing_since, completed.stalled_since(quarter(6))), (None, None));
}

#[test]
fn a_row_dated_in_the_future_does_not_move_the_next_walk() {
    let walk = ChangeWalk::starting_at(at(700));
    let (both, plain, alone) = ([at(1_400), far()], [at(1_400)], [far()]);
    for answered_at in [Some(at(2_000)), None] {
        let after =
            |changes: &[Timestamp]| walk.after_page(ReadPage { answered_at, ..read(changes) });
        assert_eq!(after(&both), after(&plain));
        // A list with nothing else is read again.
        assert_eq!(after(&alone), WalkStep::Done(at(700)));
    }
    // The clocks of Xero's machines differ by minutes at most.
    assert_eq!(walk.after_page(read(&[at(2_300)])), WalkStep::Done(at(2_000)));
    assert_eq!(walk.after_page(read(&[at(2_301)])), WalkStep::Done(at(700)));
}

#[test]
fn a_full_page_with_a_row_dated_in_the_future_is_followed_by_the_rest() {
    let walk = ChangeWalk::starting_at(at(700));
    let WalkStep::Page(next) = walk.after_page(read(&[at(900), at(1_100), far()])) else {
        panic!("it is full")
    };
    assert_eq!((next.since, next.at.page_number(), next.newest), (at(1_099), 1, Some(at(1_100))));
    let WalkStep::Page(next) = next.after_page(read_at(next.at, &[at(1_100), far(), far()])) else {
        panic!("it is full")
    };
    assert_eq!((next.since, next.at.page_number()), (at(1_099), 2));
    assert_eq!(next.after_page(read_at(next.at, &[far()])), WalkStep::Done(at(1_700)));
}

#[test]
fn an_answer_dated_in_the_future_does_not_move_the_next_walk() {
    let walk = ChangeWalk::starting_at(at(700));
    let changes = [at(900), at(1_200)];
    let dated = |answered_at| ReadPage { answered_at: Some(answered_at), ..read(&changes) };
    // By the rows' instants, as after an answer without a time.
    assert_eq!(walk.after_page(dated(far())), WalkStep::Done(at(900)));
    // An instant less than an hour ahead is used.
    assert_eq!(walk.after_page(dated(at(5_000))), WalkStep::Done(at(4_700)));
}

#[test]
fn stored_progress_in_the_future_is_read_again_from_the_last_verification() {
    let ledger = crate::mapping::tests::a_key("x").ledger;
    let healthy = PollProgress { verified_at: at(50_000), ..PollProgress::new(ledger, at(90_000)) };
    assert_eq!(healthy.clone().without_future(at(90_000)), healthy);
    let ahead = PollProgress { invoices_from: at(93_600), ..healthy.clone() };
    assert_eq!(ahead.clone().without_future(at(90_000)), ahead, "Xero's clock may be ahead");
    let stuck = PollProgress { invoices_from: far(), ..healthy.clone() };
    let corrected = stuck.without_future(at(90_000));
    assert_eq!(corrected.invoices_from, at(49_700));
    assert_eq!(corrected.payments_from, healthy.payments_from);
    let stuck = PollProgress { payments_from: far(), verified_at: far(), ..healthy };
    assert!(stuck.is_verification_due(at(90_000)));
    assert_eq!(stuck.without_future(at(90_000)).payments_from, at(89_700));
}

#[test]
fn overpayments_are_first_read_from_a_year_before_the_connect_and_then_from_their_position() {
    let ledger = crate::mapping::tests::a_key("x").ledger;
    let fresh = PollProgress { verified_at: at(50_000), ..PollProgress::new(ledger, at(90_000)) };
    let begun = fresh.with_surplus_positions();
    let first = ListPosition { from: at(50_000 - YEAR_SECONDS), rows_read: 0 };
    for kind in SurplusKind::ALL {
        assert_eq!(begun.surplus_position(kind), Some(first));
        let next = ListPosition { from: at(80_000), rows_read: 3 };
        let read = begun.clone().with_surplus_position(kind, next).with_surplus_positions();
        assert_eq!(read.surplus_position(kind), Some(next));
        let stuck = ListPosition { from: far(), rows_read: 0 };
        let stuck = begun.clone().with_surplus_position(kind, stuck);
        let corrected = stuck.without_future(at(90_000)).with_surplus_positions();
        assert_eq!(corrected.surplus_position(kind), Some(first));
    }
}

#[test]
fn overpayments_are_read_again_from_a_year_before_unless_earlier_ones_are_still_to_be_read() {
    let ledger = crate::mapping::tests::a_key("x").ledger;
    let fresh = PollProgress::new(ledger, at(90_000));
    let again = ListPosition { from: at(50_000 - YEAR_SECONDS), rows_read: 0 };
    let earlier = ListPosition { from: at(49_999 - YEAR_SECONDS), rows_read: 7 };
    for kind in SurplusKind::ALL {
        let unread = fresh.clone().with_surpluses_to_read_again(at(50_000));
        assert_eq!((unread.surplus_position(kind), unread.is_surplus_due), (Some(again), true));
        for (before, after) in [
            (ListPosition { from: at(80_000), rows_read: 3 }, again),
            (ListPosition { from: at(50_000 - YEAR_SECONDS), rows_read: 3 }, again),
            (earlier, earlier),
        ] {
            let read = fresh.clone().with_surplus_position(kind, before);
            let read = read.with_surpluses_to_read_again(at(50_000));
            assert_eq!((read.surplus_position(kind), read.is_surplus_due), (Some(after), true));
        }
    }
}

#[test]
fn requests_to_read_overpayments_again_lead_to_one_reading_after_the_one_that_has_begun() {
    let ledger = crate::mapping::tests::a_key("x").ledger;
    let first = ListPosition { from: at(50_000 - YEAR_SECONDS), rows_read: 0 };
    let reached = ListPosition { from: at(40_000), rows_read: 2 };
    let mut progress = PollProgress::new(ledger, at(90_000));
    for kind in SurplusKind::ALL {
        progress = progress.with_surplus_position(kind, reached);
    }
    let mut progress = progress.with_read_surpluses(true);
    for _ in 0..3 {
        progress = progress.with_surpluses_to_read_again(at(50_000));
        for kind in SurplusKind::ALL {
            assert_eq!(progress.surplus_position(kind), Some(reached));
        }
    }
    let same = progress.clone().with_surpluses_to_read_again(at(50_000));
    assert_eq!(same, progress, "a further request stores nothing");
    let again = progress.with_read_surpluses(true).with_read_surpluses(false);
    assert!(again.is_surplus_due);
    for kind in SurplusKind::ALL {
        assert_eq!(again.surplus_position(kind), Some(first));
    }
    let ended = again.with_read_surpluses(true).with_read_surpluses(false);
    assert_eq!((ended.is_surplus_due, ended.surplus_reading), (false, None));
}

#[test]
fn credit_notes_that_xero_did_not_show_are_read_again_up_to_a_limit() {
    let ledger = crate::mapping::tests::a_key("x").ledger;
    let fresh = PollProgress::new(ledger, at(0));
    assert!(!fresh.is_verification_unfinished());
    let note = |number: usize| CrmId::new(format!("crn_{number}")).unwrap();
    let absent = fresh.with_absent_notes(vec![note(0), note(1)]).with_absent_notes(vec![note(0)]);
    assert_eq!(absent.absent_notes, [note(0), note(1)]);
    assert!(absent.is_verification_unfinished());
    let many = absent.with_absent_notes((0..2 * ABSENT_NOTES_MAX).map(note).collect());
    assert_eq!(many.absent_notes.len(), ABSENT_NOTES_MAX);
}

#[test]
fn progress_of_an_earlier_release_has_no_positions_of_overpayments() {
    let ledger = crate::mapping::tests::a_key("x").ledger;
    let fresh = PollProgress::new(ledger, at(0));
    let text = serde_json::to_string(&fresh).unwrap();
    assert!(!text.contains("overpayments") && !text.contains("surplus"), "{text}");
    assert_eq!(serde_json::from_str::<PollProgress>(&text).unwrap(), fresh);
}

#[test]
fn changes_were_read_since_an_instant_only_if_the_last_poll_was_between_it_and_now() {
    let fresh = PollProgress::new(crate::mapping::tests::a_key("x").ledger, at(0));
    assert!(!fresh.is_checked_since(at(0), at(900)), "it was never polled");
    let checked = PollProgress { checked_at: Some(at(900)), ..fresh };
    for (since, now, is_checked) in
        [(900, 1_000, true), (800, 900, true), (901, 1_000, false), (800, 899, false)]
    {
        assert_eq!(checked.is_checked_since(at(since), at(now)), is_checked, "{since} {now}");
    }
}

#[test]
fn refunds_that_are_still_to_be_read_leave_a_verification_unfinished() {
    let fresh = PollProgress::new(crate::mapping::tests::a_key("x").ledger, at(0));
    let position = ListPosition { from: at(100), rows_read: 3 };
    let behind = PollProgress { refunds: Some(position), ..fresh };
    assert!(behind.is_verification_unfinished());
    assert_eq!(behind.clone().without_future(at(200)).refunds, Some(position));
    let later = PollProgress { refunds: Some(ListPosition { from: far(), ..position }), ..behind };
    let restart = ListPosition { from: subtract_overlap(at(0)), rows_read: 0 };
    assert_eq!(later.clone().without_future(at(200)).refunds, Some(restart));
    assert!(!later.with_completed_verification(at(200)).is_verification_unfinished());
}
