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

fn go(admission: Admission) -> Meter {
    match admission {
        Admission::Go(meter) => meter,
        Admission::Wait { until, exhausted } => panic!("waits until {until}: {exhausted:?}"),
    }
}

fn refused(admission: &Admission) -> (Timestamp, Exhausted) {
    match admission {
        Admission::Go(_) => panic!("goes"),
        Admission::Wait { until, exhausted } => (*until, *exhausted),
    }
}

/// A meter whose last answer, at zero, reported this number of calls left of the day.
fn left(day_remaining: u32) -> Meter {
    let meter = go(Meter::new(TENANT).admit(who(0), Priority::Person, at(0)));
    meter.answered(who(0), Some((day_remaining, 9_000)), at(0))
}

#[test]
fn four_pushes_at_once_leave_a_lane_for_a_person_and_none_for_a_sixth_call() {
    let mut meter = Meter::new(TENANT);
    for number in 0..4 {
        meter = go(meter.admit(who(number), Priority::Push, at(0)));
    }
    assert_eq!(refused(&meter.admit(who(4), Priority::Push, at(0))).1, Exhausted::Lanes);
    meter = go(meter.admit(who(5), Priority::Person, at(0)));
    assert_eq!(refused(&meter.admit(who(6), Priority::Person, at(0))).1, Exhausted::Lanes);
    let freed = meter.answered(who(0), None, at(500));
    go(freed.admit(who(6), Priority::Person, at(500)));
}

#[test]
fn a_call_whose_process_died_keeps_its_lane_until_it_cannot_arrive_any_more() {
    let mut meter = Meter::new(TENANT);
    for number in 0..5 {
        let priority = if number == 0 { Priority::Push } else { Priority::Person };
        meter = go(meter.admit(who(number), priority, at(0)));
    }
    assert!(meter.is_busy(at(64_999)));
    assert_eq!(refused(&meter.admit(who(9), Priority::Person, at(64_999))).1, Exhausted::Lanes);
    assert!(!meter.is_busy(at(65_000)));
    go(meter.admit(who(9), Priority::Person, at(65_000)));
}

#[test]
fn the_reserve_of_the_day_is_a_persons_and_each_plan_has_its_own() {
    for (remaining, priority, goes) in [
        (4_000, Priority::Verification, true),
        (51, Priority::Push, true),
        (50, Priority::Push, false),
        (50, Priority::Person, true),
        (150, Priority::Poll, false),
        (0, Priority::Person, false),
    ] {
        let admission = left(remaining).admit(who(1), priority, at(1));
        let went = matches!(admission, Admission::Go(_));
        assert_eq!(went, goes, "{remaining} {priority:?}");
    }
    // The day began with 5,000 calls: a twentieth of them is reserved.
    let large = left(4_999).answered(who(9), Some((250, 9_000)), at(1));
    assert_eq!(refused(&large.admit(who(1), Priority::Push, at(2))).1, Exhausted::Day);
}

#[test]
fn a_used_up_day_is_looked_at_again_by_one_call_an_hour() {
    let spent = left(10);
    let hour = 3_600_000;
    let (until, exhausted) = refused(&spent.admit(who(1), Priority::Push, at(5)));
    assert_eq!((until, exhausted), (at(hour), Exhausted::Day));
    let looking = go(spent.admit(who(1), Priority::Push, at(hour)));
    assert_eq!(refused(&looking.admit(who(2), Priority::Push, at(hour + 1))).1, Exhausted::Day);
    let fresh = looking.answered(who(1), Some((999, 9_000)), at(hour + 2));
    go(fresh.admit(who(2), Priority::Push, at(hour + 3)));
}

#[test]
fn when_the_apps_minute_runs_low_everybody_waits_for_the_next() {
    let meter = Meter::new(TENANT).answered(who(0), Some((900, 999)), at(0));
    let (until, exhausted) = refused(&meter.admit(who(1), Priority::Person, at(30_000)));
    assert_eq!((until, exhausted), (at(60_000), Exhausted::AppMinute));
    go(meter.admit(who(1), Priority::Person, at(60_000)));
}

proptest! {
    /// Calls arrive at any time between their admission and their answer, or within a minute after
    /// they were sent if no answer comes.
    #[test]
    fn no_window_of_a_minute_ever_holds_more_than_sixty_calls(
        plan in proptest::collection::vec((0_i64..1_500, 0_i64..25_000, any::<bool>()), 1..400),
    ) {
        let mut meter = Meter::new(TENANT);
        let mut now = 0;
        let mut arrivals = Vec::new();
        let mut under_way: Vec<(i64, u64)> = Vec::new();
        for (number, (gap, takes, answered)) in (0_u64..).zip(plan) {
            now += gap;
            under_way.sort_unstable();
            while let Some((end, by)) = under_way.first().copied().filter(|(end, _)| *end <= now) {
                under_way.remove(0);
                meter = meter.answered(who(by), None, at(end));
            }
            let Admission::Go(next) = meter.admit(who(number), Priority::Person, at(now)) else {
                continue;
            };
            meter = next;
            arrivals.push(if answered { now + takes } else { now + 60_000 });
            if answered {
                under_way.push((now + takes, number));
            }
            prop_assert!(meter.lanes.len() <= 5);
        }
        for start in &arrivals {
            let window = arrivals.iter().filter(|at| (*start..start + 60_000).contains(at));
            prop_assert!(window.count() <= 60);
        }
    }
}

#[test]
fn background_pushes_keep_a_share_of_the_minute_whatever_people_ask_for() {
    let mut meter = Meter::new(TENANT);
    for number in 0..40 {
        meter = go(meter.admit(who(number), Priority::Person, at(0)));
        meter = meter.answered(who(number), None, at(0));
    }
    let (until, exhausted) = refused(&meter.admit(who(40), Priority::Person, at(1)));
    assert_eq!((until, exhausted), (at(60_001), Exhausted::Minute));
    for number in 40..55 {
        meter = go(meter.admit(who(number), Priority::Push, at(1)));
        meter = meter.answered(who(number), None, at(1));
    }
    assert_eq!(refused(&meter.admit(who(55), Priority::Push, at(2))).1, Exhausted::Minute);
    go(meter.admit(who(55), Priority::Person, at(60_001)));
}

#[test]
fn a_row_of_the_previous_release_counts_no_calls_of_people() {
    let json = r#"{"tenant":"00000000-0000-0000-0000-000000000007",
        "lanes":[{"by":"00000000-0000-0000-0000-000000000001","until":"1970-01-01T00:01:00Z"}],
        "ended":["1970-01-01T00:00:00Z"]}"#;
    let meter: Meter = serde_json::from_str(json).unwrap();
    assert!(meter.ended_of_people.is_empty() && !meter.lanes[0].is_of_person);
    assert_eq!(meter.ended.len(), 1);
}

#[test]
fn background_pushes_keep_a_share_of_the_day_and_a_call_at_once() {
    // A day of 1,000 calls.
    let mut meter = left(1_000);
    let mut now = 0;
    let mut people = 0;
    for number in 1..1_000 {
        now += 2_000;
        let Admission::Go(next) = meter.admit(who(number), Priority::Person, at(now)) else {
            break;
        };
        people += 1;
        let left = 1_000 - u32::try_from(number).unwrap();
        meter = next.answered(who(number), Some((left, 9_000)), at(now));
    }
    assert_eq!(people, 600);
    assert_eq!(refused(&meter.admit(who(2_000), Priority::Person, at(now))).1, Exhausted::Day);
    go(meter.admit(who(2_000), Priority::Push, at(now)));
    let mut meter = Meter::new(TENANT);
    for number in 0..4 {
        meter = go(meter.admit(who(number), Priority::Person, at(0)));
    }
    assert_eq!(refused(&meter.admit(who(4), Priority::Person, at(0))).1, Exhausted::Lanes);
}
