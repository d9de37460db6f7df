//! Tests of the call budget, against every window that Xero might use.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const TENANT: TenantId = TenantId(Uuid::from_u128(7));

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

fn who(number: u64) -> ClaimId {
    ClaimId(Uuid::from_u128(u128::from(number)))
}

fn go(admission: CallDecision) -> CallBudget {
    match admission {
        CallDecision::Go(call_budget) => call_budget,
        CallDecision::Wait { until, exhausted } => panic!("waits until {until}: {exhausted:?}"),
    }
}

fn refused(admission: &CallDecision) -> (Timestamp, ExhaustedLimit) {
    match admission {
        CallDecision::Go(_) => panic!("goes"),
        CallDecision::Wait { until, exhausted } => (*until, *exhausted),
    }
}

/// A call budget whose last answer, at zero, reported this number of calls left of the day.
fn left(day_remaining: u32) -> CallBudget {
    let call_budget = go(CallBudget::new(TENANT).decide_call(who(0), CallPriority::Person, at(0)));
    call_budget.after_answer(who(0), Some((day_remaining, 9_000)), at(0))
}

#[test]
fn four_concurrent_pushes_leave_one_call_for_a_person_and_none_for_a_sixth_call() {
    let mut call_budget = CallBudget::new(TENANT);
    for number in 0..4 {
        call_budget = go(call_budget.decide_call(who(number), CallPriority::Push, at(0)));
    }
    assert_eq!(
        refused(&call_budget.decide_call(who(4), CallPriority::Push, at(0))).1,
        ExhaustedLimit::Concurrent
    );
    call_budget = go(call_budget.decide_call(who(5), CallPriority::Person, at(0)));
    assert_eq!(
        refused(&call_budget.decide_call(who(6), CallPriority::Person, at(0))).1,
        ExhaustedLimit::Concurrent
    );
    let freed = call_budget.after_answer(who(0), None, at(500));
    go(freed.decide_call(who(6), CallPriority::Person, at(500)));
}

#[test]
fn a_call_whose_process_died_counts_as_in_flight_until_it_can_no_longer_arrive() {
    let mut call_budget = CallBudget::new(TENANT);
    for number in 0..5 {
        let priority = if number == 0 { CallPriority::Push } else { CallPriority::Person };
        call_budget = go(call_budget.decide_call(who(number), priority, at(0)));
    }
    assert!(call_budget.is_busy(at(64_999)));
    assert_eq!(
        refused(&call_budget.decide_call(who(9), CallPriority::Person, at(64_999))).1,
        ExhaustedLimit::Concurrent
    );
    assert!(!call_budget.is_busy(at(65_000)));
    go(call_budget.decide_call(who(9), CallPriority::Person, at(65_000)));
}

#[test]
fn the_reserve_of_the_day_is_a_persons_and_each_plan_has_its_own() {
    for (remaining, priority, goes) in [
        (4_000, CallPriority::Verification, true),
        (51, CallPriority::Push, true),
        (50, CallPriority::Push, false),
        (50, CallPriority::Person, true),
        (150, CallPriority::Poll, false),
        (0, CallPriority::Person, false),
    ] {
        let admission = left(remaining).decide_call(who(1), priority, at(1));
        let went = matches!(admission, CallDecision::Go(_));
        assert_eq!(went, goes, "{remaining} {priority:?}");
    }
    // The day began with 5,000 calls: a twentieth of them is reserved.
    let large = left(4_999).after_answer(who(9), Some((250, 9_000)), at(1));
    assert_eq!(
        refused(&large.decide_call(who(1), CallPriority::Push, at(2))).1,
        ExhaustedLimit::Day
    );
}

#[test]
fn a_used_up_day_is_looked_at_again_by_one_call_an_hour() {
    let spent = left(10);
    let hour = 3_600_000;
    let (until, exhausted) = refused(&spent.decide_call(who(1), CallPriority::Push, at(5)));
    assert_eq!((until, exhausted), (at(hour), ExhaustedLimit::Day));
    let looking = go(spent.decide_call(who(1), CallPriority::Push, at(hour)));
    assert_eq!(
        refused(&looking.decide_call(who(2), CallPriority::Push, at(hour + 1))).1,
        ExhaustedLimit::Day
    );
    let fresh = looking.after_answer(who(1), Some((999, 9_000)), at(hour + 2));
    go(fresh.decide_call(who(2), CallPriority::Push, at(hour + 3)));
}

#[test]
fn when_the_apps_minute_runs_low_everybody_waits_for_the_next() {
    let call_budget = CallBudget::new(TENANT).after_answer(who(0), Some((900, 999)), at(0));
    let (until, exhausted) =
        refused(&call_budget.decide_call(who(1), CallPriority::Person, at(30_000)));
    assert_eq!((until, exhausted), (at(60_000), ExhaustedLimit::AppMinute));
    go(call_budget.decide_call(who(1), CallPriority::Person, at(60_000)));
}

proptest! {
    /// Calls arrive at any time between their admission and their answer, or within a minute after
    /// they were sent if no answer comes.
    #[test]
    fn no_window_of_a_minute_ever_holds_more_than_sixty_calls(
        plan in proptest::collection::vec((0_i64..1_500, 0_i64..25_000, any::<bool>()), 1..400),
    ) {
        let mut call_budget = CallBudget::new(TENANT);
        let mut now = 0;
        let mut arrivals = Vec::new();
        let mut under_way: Vec<(i64, u64)> = Vec::new();
        for (number, (gap, takes, answered)) in (0_u64..).zip(plan) {
            now += gap;
            under_way.sort_unstable();
            while let Some((end, by)) = under_way.first().copied().filter(|(end, _)| *end <= now) {
                under_way.remove(0);
                call_budget = call_budget.after_answer(who(by), None, at(end));
            }
            let decision = call_budget.decide_call(who(number), CallPriority::Person, at(now));
            let CallDecision::Go(next) = decision else {
                continue;
            };
            call_budget = next;
            arrivals.push(if answered { now + takes } else { now + 60_000 });
            if answered {
                under_way.push((now + takes, number));
            }
            prop_assert!(call_budget.in_flight.len() <= 5);
        }
        for start in &arrivals {
            let window = arrivals.iter().filter(|at| (*start..start + 60_000).contains(at));
            prop_assert!(window.count() <= 60);
        }
    }
}

#[test]
fn background_pushes_keep_a_share_of_the_minute_whatever_people_ask_for() {
    let mut call_budget = CallBudget::new(TENANT);
    for number in 0..40 {
        call_budget = go(call_budget.decide_call(who(number), CallPriority::Person, at(0)));
        call_budget = call_budget.after_answer(who(number), None, at(0));
    }
    let (until, exhausted) =
        refused(&call_budget.decide_call(who(40), CallPriority::Person, at(1)));
    assert_eq!((until, exhausted), (at(60_001), ExhaustedLimit::Minute));
    for number in 40..55 {
        call_budget = go(call_budget.decide_call(who(number), CallPriority::Push, at(1)));
        call_budget = call_budget.after_answer(who(number), None, at(1));
    }
    assert_eq!(
        refused(&call_budget.decide_call(who(55), CallPriority::Push, at(2))).1,
        ExhaustedLimit::Minute
    );
    go(call_budget.decide_call(who(55), CallPriority::Person, at(60_001)));
}

#[test]
fn a_row_of_the_previous_release_counts_no_calls_of_people() {
    let json = r#"{"tenant":"00000000-0000-0000-0000-000000000007",
        "lanes":[{"by":"00000000-0000-0000-0000-000000000001","until":"1970-01-01T00:01:00Z"}],
        "ended":["1970-01-01T00:00:00Z"]}"#;
    let call_budget: CallBudget = serde_json::from_str(json).unwrap();
    assert!(call_budget.ended_of_people.is_empty() && !call_budget.in_flight[0].is_of_person);
    assert_eq!(call_budget.ended.len(), 1);
}

#[test]
fn background_pushes_keep_a_share_of_the_day_and_a_call_at_once() {
    // A day of 1,000 calls.
    let mut call_budget = left(1_000);
    let mut now = 0;
    let mut people = 0;
    for number in 1..1_000 {
        now += 2_000;
        let CallDecision::Go(next) =
            call_budget.decide_call(who(number), CallPriority::Person, at(now))
        else {
            break;
        };
        people += 1;
        let left = 1_000 - u32::try_from(number).unwrap();
        call_budget = next.after_answer(who(number), Some((left, 9_000)), at(now));
    }
    assert_eq!(people, 600);
    assert_eq!(
        refused(&call_budget.decide_call(who(2_000), CallPriority::Person, at(now))).1,
        ExhaustedLimit::Day
    );
    go(call_budget.decide_call(who(2_000), CallPriority::Push, at(now)));
    let mut call_budget = CallBudget::new(TENANT);
    for number in 0..4 {
        call_budget = go(call_budget.decide_call(who(number), CallPriority::Person, at(0)));
    }
    assert_eq!(
        refused(&call_budget.decide_call(who(4), CallPriority::Person, at(0))).1,
        ExhaustedLimit::Concurrent
    );
}

#[test]
fn answers_in_another_order_begin_no_new_day_and_change_no_plan() {
    // The day began with 5,000 calls.
    let large = left(4_999).after_answer(who(9), Some((900, 9_000)), at(1));
    let asked = go(large.decide_call(who(1), CallPriority::Person, at(2)));
    let answered = asked.after_answer(who(1), Some((896, 9_000)), at(3));
    let late = answered.after_answer(who(2), Some((899, 9_000)), at(4));
    let seen = late.seen.unwrap();
    assert_eq!((seen.day_limit, seen.of_people), (5_000, 1));
    // On a new day Xero reports more remaining calls, and people have used none of them.
    let fresh = late.after_answer(who(3), Some((4_999, 9_000)), at(5)).seen.unwrap();
    assert_eq!((fresh.day_limit, fresh.of_people), (5_000, 0));
}

#[test]
fn people_have_used_at_most_the_used_calls_of_a_day() {
    let mut call_budget = left(1_000);
    for number in 1..=3 {
        call_budget = go(call_budget.decide_call(who(number), CallPriority::Person, at(0)));
        call_budget = call_budget.after_answer(who(number), Some((997, 9_000)), at(0));
    }
    assert_eq!(call_budget.seen.unwrap().of_people, 3);
    // After a quiet day, the next one begins a few calls higher.
    let fresh = call_budget.after_answer(who(9), Some((999, 9_000)), at(1)).seen.unwrap();
    assert_eq!((fresh.day_limit, fresh.of_people), (1_000, 1));
}

#[test]
fn instants_of_a_clock_that_was_a_day_ahead_delay_no_call() {
    let day = 86_400_000;
    let mut minute = CallBudget::new(TENANT);
    for number in 0..55 {
        minute = go(minute.decide_call(who(number), CallPriority::Push, at(day)));
        minute = minute.after_answer(who(number), None, at(day));
    }
    let mut concurrent = CallBudget::new(TENANT);
    for number in 0..4 {
        concurrent = go(concurrent.decide_call(who(number), CallPriority::Push, at(day)));
    }
    let spent = CallBudget::new(TENANT).after_answer(who(0), Some((0, 0)), at(day));
    for call_budget in [minute, concurrent, spent] {
        let next = go(call_budget.decide_call(who(99), CallPriority::Push, at(0)));
        assert_eq!(next.in_flight.len(), 1);
    }
    // A clock may be a little ahead.
    let ahead = CallBudget::new(TENANT).after_answer(who(0), Some((0, 9_000)), at(120_000));
    let admission = ahead.decide_call(who(1), CallPriority::Push, at(0));
    assert_eq!(refused(&admission).1, ExhaustedLimit::Day);
}

#[test]
fn each_purpose_leaves_calls_at_once_in_a_minute_and_in_a_day_to_more_urgent_ones() {
    // A day of 1,000 calls.
    for (priority, at_once, per_minute, reserved) in [
        (CallPriority::Push, 4, 55, 50),
        (CallPriority::Poll, 3, 45, 150),
        (CallPriority::Lookup, 3, 30, 200),
        (CallPriority::Verification, 2, 30, 400),
    ] {
        let exhausted_by = |call_budget: &CallBudget| {
            refused(&call_budget.decide_call(who(999), priority, at(1))).1
        };
        let mut concurrent = CallBudget::new(TENANT);
        for number in 0..at_once {
            concurrent = go(concurrent.decide_call(who(number), priority, at(0)));
        }
        assert_eq!(exhausted_by(&concurrent), ExhaustedLimit::Concurrent, "{priority:?}");
        let mut minute = CallBudget::new(TENANT);
        for number in 0..per_minute {
            minute = go(minute.decide_call(who(number), priority, at(0)));
            minute = minute.after_answer(who(number), None, at(0));
        }
        assert_eq!(exhausted_by(&minute), ExhaustedLimit::Minute, "{priority:?}");
        go(left(reserved + 1).decide_call(who(1), priority, at(1)));
        assert_eq!(exhausted_by(&left(reserved)), ExhaustedLimit::Day, "{priority:?}");
    }
}

#[test]
fn an_answer_with_up_to_five_more_remaining_calls_is_late_and_one_with_six_begins_a_day() {
    // The day began with 5,000 calls.
    let large = left(4_999).after_answer(who(9), Some((900, 9_000)), at(1));
    let day_limit = |remaining: u32| {
        let answered = large.after_answer(who(8), Some((remaining, 9_000)), at(2));
        answered.seen.unwrap().day_limit
    };
    assert_eq!([905, 906].map(day_limit), [5_000, 1_000]);
}

#[test]
fn a_thousand_calls_left_of_the_apps_minute_are_enough() {
    let call_budget = CallBudget::new(TENANT).after_answer(who(0), Some((900, 1_000)), at(0));
    go(call_budget.decide_call(who(1), CallPriority::Person, at(1)));
}
