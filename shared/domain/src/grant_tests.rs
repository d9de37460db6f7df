//! Tests of the grant row.

use uuid::Uuid;

use super::*;

const HOLDER: ClaimId = ClaimId(Uuid::from_u128(1));
const SECRET: SecretVersion = SecretVersion { id: Uuid::from_u128(2), serial: 7 };

#[test]
fn a_secret_that_is_missing_or_older_than_the_row_is_not_visible_yet_for_five_minutes() {
    let grant = a_grant().after_renewal(SECRET, at(0));
    assert_eq!(grant.secret_visibility(Some(7), at(0)), SecretVisibility::Current);
    assert_eq!(grant.secret_visibility(Some(8), at(0)), SecretVisibility::Current);
    for read in [None, Some(6)] {
        assert_eq!(grant.secret_visibility(read, at(299)), SecretVisibility::NotYet);
        // The writer's clock may be ahead of ours.
        assert_eq!(grant.secret_visibility(read, at(-120)), SecretVisibility::NotYet);
    }
    assert_eq!(grant.secret_visibility(Some(6), at(300)), SecretVisibility::Current);
}

#[test]
fn a_secret_is_gone_after_it_has_been_missing_for_five_minutes_however_old_it_is() {
    let grant = a_grant().after_renewal(SECRET, at(0));
    assert_eq!(grant.secret_visibility(None, at(90_000)), SecretVisibility::NotYet, "a first look");
    let missed = Grant { missing_since: Some(at(90_000)), ..grant.clone() };
    assert_eq!(missed.secret_visibility(None, at(90_299)), SecretVisibility::NotYet);
    assert_eq!(missed.secret_visibility(None, at(90_300)), SecretVisibility::Gone);
    assert_eq!(
        missed.secret_visibility(Some(7), at(90_300)),
        SecretVisibility::Current,
        "it is there again"
    );
    assert_eq!(missed.after_renewal(SECRET, at(90_400)).missing_since, None);
    // The row was written after the first reads that found no secret.
    let fresh = Grant { missing_since: Some(at(-400)), ..grant };
    assert_eq!(fresh.secret_visibility(None, at(299)), SecretVisibility::NotYet);
}

#[test]
fn the_serial_of_a_value_is_higher_than_those_before_it_even_after_a_restore() {
    let grant = a_grant().after_consent(SECRET, at(0));
    assert_eq!(Grant::next_serial(9, grant.newest_serial()), 9);
    // The version of a restored row is lower than the serials in the secret.
    assert_eq!(Grant::next_serial(4, grant.newest_serial()), 8);
    assert_eq!(Grant::next_serial(4, a_grant().newest_serial()), 4);
}

#[test]
fn a_row_of_an_earlier_release_is_about_any_secret() {
    assert_eq!(a_grant().secret_visibility(Some(0), at(0)), SecretVisibility::Current);
    assert_eq!(a_grant().secret_visibility(None, at(299)), SecretVisibility::NotYet);
    let missed = Grant { missing_since: Some(at(0)), ..a_grant() };
    assert_eq!(missed.secret_visibility(None, at(300)), SecretVisibility::Gone);
}

#[test]
fn a_newer_consent_keeps_a_grant_from_being_ended_until_it_is_settled() {
    let grant = a_grant().after_consent(SECRET, at(0));
    assert!(!grant.may_be_consented(7, at(1)), "it is the one that ends");
    assert!(grant.may_be_consented(5, at(599)));
    assert!(!grant.may_be_consented(5, at(600)));
    assert_eq!(
        grant.clone().after_renewal(SecretVersion { serial: 9, ..SECRET }, at(5)).consent,
        grant.consent
    );
}

#[test]
fn a_grant_does_not_end_while_a_delayed_process_may_still_store_tokens() {
    let storing = a_grant().awaiting_use(at(0));
    assert!(storing.may_be_consented(0, at(20 * 60 - 1)));
    assert!(!storing.may_be_consented(0, at(20 * 60)));
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn a_grant() -> Grant {
    Grant::new(GrantId(Uuid::from_u128(9)), at(0))
}

#[test]
fn a_grant_is_idle_after_twenty_days_and_with_every_new_month() {
    let granted = |day: &str| Grant::new(GrantId(Uuid::from_u128(9)), day.parse().unwrap());
    let idle = |granted: &Grant, day: &str| granted.is_idle(day.parse().unwrap());
    let first = granted("2026-11-02T09:00:00Z");
    assert!(!idle(&first, "2026-11-22T08:59:59Z"));
    assert!(idle(&first, "2026-11-22T09:00:00Z"));
    let last = granted("2026-11-30T23:00:00Z");
    assert!(!idle(&last, "2026-11-30T23:59:59Z"));
    assert!(idle(&last, "2026-12-01T00:00:00Z"));
    assert!(idle(&granted("2026-12-31T23:00:00Z"), "2027-01-01T03:17:00Z"));
    assert!(!idle(
        &last.after_refusal("2026-12-01T00:00:00Z".parse().unwrap()),
        "2027-02-01T00:00:00Z"
    ));
}

#[test]
fn a_refresh_is_unsettled_from_its_beginning_until_its_end_is_known() {
    let locked = a_grant().after_lock(HOLDER, at(30), at(5));
    assert_eq!(locked.unsettled_since, Some(at(5)));
    let again = locked.clone().after_unknown_outcome().after_lock(HOLDER, at(90), at(60));
    assert_eq!(again.unsettled_since, Some(at(5)), "the first one counts");
    assert_eq!(again.clone().after_renewal(SECRET, at(61)).unsettled_since, None);
    assert_eq!(again.clone().after_refusal(at(61)).unsettled_since, None);
    assert_eq!(again.after_unlock().unsettled_since, None);
}

#[test]
fn a_token_is_used_until_two_minutes_before_it_expires() {
    assert_eq!(a_grant().plan_token_access(at(1800), at(1679)), TokenPlan::Use);
    assert_eq!(a_grant().plan_token_access(at(1800), at(1680)), TokenPlan::Refresh);
}

#[test]
fn everyone_else_waits_while_one_refreshes_and_a_lapsed_lock_is_free() {
    let locked = a_grant().after_lock(HOLDER, at(30), at(0));
    assert_eq!(locked.plan_token_access(at(0), at(29)), TokenPlan::WaitUntil(at(30)));
    assert_eq!(locked.plan_token_access(at(0), at(30)), TokenPlan::Refresh);
}

#[test]
fn a_refused_grant_needs_a_reconnect_and_a_renewal_clears_it() {
    let refused = a_grant().after_lock(HOLDER, at(30), at(0)).after_refusal(at(5));
    assert_eq!(refused.plan_token_access(at(0), at(6)), TokenPlan::Reconnect);
    assert_eq!(
        refused.after_renewal(SECRET, at(7)).plan_token_access(at(1800), at(8)),
        TokenPlan::Use
    );
}

#[test]
fn tokens_are_settled_some_time_after_their_renewal_unless_a_process_may_write_them() {
    let grant = a_grant().after_renewal(SECRET, at(0));
    assert_eq!(grant.settled_version(at(1_199)), None);
    assert_eq!(grant.settled_version(at(1_200)), Some(SECRET.id));
    let locked = grant.clone().after_lock(HOLDER, at(1_240), at(1_200));
    assert_eq!(locked.settled_version(at(9_000)), None);
    assert_eq!(locked.after_unknown_outcome().settled_version(at(9_000)), None);
    assert_eq!(grant.clone().awaiting_use(at(1_200)).settled_version(at(9_000)), None);
    assert_eq!(grant.while_ending(at(1_300)).settled_version(at(9_000)), None);
    assert_eq!(a_grant().settled_version(at(9_000)), None, "of an earlier release");
}
