//! Tests of the connection.

use uuid::Uuid;

use super::*;
use crate::ids::UserId;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn organisation(number: u128) -> PinnedOrganisation {
    PinnedOrganisation {
        tenant: TenantId(Uuid::from_u128(number)),
        name: format!("Organisation {number}"),
        xero_connection: XeroConnectionId(Uuid::from_u128(number + 100)),
        grant: GrantId(Uuid::from_u128(number + 200)),
        serial: 1,
    }
}

fn active() -> Connection {
    Connection {
        state: ConnectionState::Active,
        organisation: Some(organisation(1)),
        ..Connection::never_connected(AccountId::new("acc_1").unwrap())
    }
}

fn pending(until: i64) -> PendingConnect {
    let by = UserId::new("usr_1").unwrap();
    PendingConnect { by, until: at(until), state_hash: "hash".to_owned() }
}

#[test]
fn only_an_active_connection_is_usable_and_a_pause_is_honoured() {
    assert!(active().usable_organisation(at(0)).is_ok());
    let paused = Connection { paused_until: Some(at(60)), ..active() };
    assert_eq!(paused.usable_organisation(at(0)), Err(UnusableConnection::PausedUntil(at(60))));
    assert!(paused.usable_organisation(at(60)).is_ok());
    // Xero asks for a day at most. A longer pause was stated by a wrong clock.
    let (day, year) = (24 * 60 * 60, 365 * 24 * 60 * 60);
    let paused = Connection { paused_until: Some(at(day)), ..active() };
    assert_eq!(paused.usable_organisation(at(0)), Err(UnusableConnection::PausedUntil(at(day))));
    let paused = Connection { paused_until: Some(at(year)), ..active() };
    assert!(paused.usable_organisation(at(0)).is_ok());
    for (state, why) in [
        (ConnectionState::Pending, UnusableConnection::NotConnected),
        (ConnectionState::Disconnected, UnusableConnection::NotConnected),
        (ConnectionState::TokenExpired, UnusableConnection::TokenExpired),
        (ConnectionState::Unavailable, UnusableConnection::Unavailable),
    ] {
        assert_eq!(Connection { state, ..active() }.usable_organisation(at(0)), Err(why));
    }
}

#[test]
fn the_status_is_error_only_while_records_are_failing_on_an_active_connection() {
    assert_eq!(active().display_status(false, at(0)), ConnectionStatus::Active);
    assert_eq!(active().display_status(true, at(0)), ConnectionStatus::Error);
    let gone = Connection { state: ConnectionState::Disconnected, ..active() };
    assert_eq!(gone.display_status(true, at(0)), ConnectionStatus::Disconnected);
}

#[test]
fn a_begun_connect_is_pending_until_it_expires_and_hides_no_working_connection() {
    let never = Connection::never_connected(AccountId::new("acc_1").unwrap());
    let begun = Connection { pending: Some(pending(900)), ..never };
    assert_eq!(begun.display_status(false, at(899)), ConnectionStatus::Pending);
    assert_eq!(begun.display_status(false, at(900)), ConnectionStatus::Disconnected);
    let again = Connection { pending: Some(pending(900)), ..active() };
    assert_eq!(again.display_status(false, at(0)), ConnectionStatus::Active);
}

#[test]
fn choosing_another_organisation_leaves_the_old_link_over_and_carries_its_records() {
    let offered = vec![organisation(2)];
    let warnings = vec!["sales names account 200, which is archived in Xero.".to_owned()];
    let before = Connection { offered, warnings, ..active() };
    let chosen = before.after_choice(organisation(2).tenant, at(5)).unwrap();
    assert_eq!(chosen.leftovers, [organisation(1)]);
    assert!(chosen.warnings.is_empty(), "they are about the chart of the other organisation");
    assert_eq!(chosen.carried_from, [organisation(1).tenant]);
    assert_eq!(chosen.tenants, [organisation(1).tenant, organisation(2).tenant]);
    assert_eq!(chosen.epoch, before.epoch + 1);
    assert_eq!(chosen.wanted_claims(), [organisation(2).tenant, organisation(1).tenant]);
}

#[test]
fn a_first_connect_carries_what_waited_for_it_and_a_reconnect_carries_nothing() {
    let never = Connection::never_connected(AccountId::new("acc_1").unwrap());
    let first = Connection { offered: vec![organisation(1)], ..never };
    let first = first.after_choice(organisation(1).tenant, at(1)).unwrap();
    assert_eq!(first.carried_from, [TenantId::NONE]);
    let ended = Connection { carried_from: Vec::new(), ..first }.after_disconnect(at(1));
    let again = Connection { offered: vec![organisation(1)], ..ended };
    let again = again.after_choice(organisation(1).tenant, at(2)).unwrap();
    assert!(again.carried_from.is_empty() && again.leftovers.is_empty());
}

#[test]
fn an_organisation_is_claimed_from_the_connect_until_its_link_is_removed() {
    assert_eq!(active().wanted_claims(), [organisation(1).tenant]);
    let ended = active().after_disconnect(at(1));
    assert_eq!(ended.wanted_claims(), [organisation(1).tenant], "its link is still there");
    let removed = Connection { leftovers: Vec::new(), ..ended };
    assert!(removed.wanted_claims().is_empty() && removed.wanted_grants().is_empty());
}

#[test]
fn a_refused_organisation_is_looked_at_a_handful_of_times_a_day() {
    let mut unavailable = UnavailablePeriod::starting_at(at(0));
    let day = at(24 * 3_600);
    let mut looks = 0;
    while unavailable.look_at < day {
        looks += 1;
        unavailable = unavailable.after_refused_check(unavailable.look_at);
    }
    assert!((3..=6).contains(&looks), "{looks}");
    assert_eq!(unavailable.since, at(0));
}

#[test]
fn a_row_of_the_previous_release_is_read() {
    let row = r#"{"account":"acc_1","state":"pending","organisation":null,"connected_at":null,"connected_by":null,"paused_until":null}"#;
    let read: Connection = serde_json::from_str(row).unwrap();
    assert_eq!(read, Connection::never_connected(AccountId::new("acc_1").unwrap()));
    assert_eq!(read.display_status(false, at(0)), ConnectionStatus::Disconnected);
}

fn organisations(count: usize) -> Vec<PinnedOrganisation> {
    (1..=count).map(|number| organisation(u128::try_from(number).unwrap())).collect()
}

#[test]
fn the_lists_of_a_connection_are_kept_up_to_their_limits() {
    for count in [
        ORGANISATIONS_MAX,
        ORGANISATIONS_MAX + 1,
        LEFTOVERS_MAX + 1,
        WARNINGS_MAX + 1,
        WARNINGS_MAX * 100,
    ] {
        let organisations = organisations(count);
        let kept = Connection {
            offered: organisations.clone(),
            leftovers: organisations.clone(),
            warnings: vec!["The sales account is archived.".to_owned(); count],
            ..active()
        };
        let kept = kept.within_limits();
        assert_eq!(kept.offered.len(), count.min(ORGANISATIONS_MAX));
        assert_eq!(kept.offered.first(), organisations.first());
        assert_eq!(kept.leftovers.len(), count.min(LEFTOVERS_MAX));
        assert_eq!(kept.leftovers.last(), organisations.last());
        assert_eq!(kept.warnings.len(), count.min(WARNINGS_MAX));
    }
}

#[test]
fn the_texts_of_a_connection_are_cut_at_their_limits() {
    for (length, is_cut) in [(NAME_MAX, false), (NAME_MAX + 1, true), (NAME_MAX * 100, true)] {
        let name = "水".repeat(length);
        let named = PinnedOrganisation { name: name.clone(), ..organisation(1) };
        let kept = Connection {
            organisation: Some(named.clone()),
            offered: vec![named.clone()],
            leftovers: vec![named],
            connected_by: Some(name.clone()),
            offered_by: Some(name.clone()),
            warnings: vec![name.clone(), "水".repeat(WARNING_MAX)],
            ..active()
        };
        let kept = kept.within_limits();
        let expected: String = name.chars().take(NAME_MAX).collect();
        assert_eq!(expected == name, !is_cut, "{length}");
        let organisations = kept.organisation.iter().chain(&kept.offered).chain(&kept.leftovers);
        assert!(organisations.clone().all(|one| one.name == expected), "{length}");
        assert_eq!(organisations.count(), 3);
        assert_eq!((kept.connected_by, kept.offered_by), (Some(expected.clone()), Some(expected)));
        assert!(kept.warnings.iter().all(|one| one.chars().count() <= WARNING_MAX), "{length}");
        assert_eq!(kept.warnings.last().map(|one| one.chars().count()), Some(WARNING_MAX));
    }
}

#[test]
fn the_largest_connection_fits_into_a_row() {
    const ROW_MAX: usize = 400 * 1024;
    // Control characters take the most bytes in JSON, six each.
    let text = "\u{1}".repeat(1_000);
    let named = |one: PinnedOrganisation| PinnedOrganisation { name: text.clone(), ..one };
    let tenants: Vec<TenantId> = organisations(TENANTS_MAX).iter().map(|one| one.tenant).collect();
    let many: Vec<PinnedOrganisation> = organisations(1_000).into_iter().map(named).collect();
    let largest = Connection {
        organisation: many.first().cloned(),
        connected_by: Some(text.clone()),
        offered_by: Some(text.clone()),
        offered: many.clone(),
        leftovers: many,
        warnings: vec![text; 1_000],
        carried_from: tenants.clone(),
        tenants,
        ..active()
    };
    let largest = largest.within_limits();
    let (claims, grants) = (largest.wanted_claims(), largest.wanted_grants());
    let row = serde_json::to_string(&Connection { claims, grants, ..largest }).unwrap();
    assert!(row.len() < ROW_MAX - 4 * 1024, "{} bytes", row.len());
}

#[test]
fn a_disconnect_keeps_the_link_in_use_and_those_that_were_offered() {
    let offered = organisations(ORGANISATIONS_MAX + 1).split_off(1);
    let older = organisations(2 * ORGANISATIONS_MAX + 2).split_off(ORGANISATIONS_MAX + 1);
    let before = Connection { offered: offered.clone(), leftovers: older, ..active() };
    let after = before.within_limits().after_disconnect(at(1)).within_limits();
    let kept: Vec<PinnedOrganisation> = [organisation(1)].into_iter().chain(offered).collect();
    assert_eq!(after.leftovers, kept);
}

#[test]
fn an_account_has_records_in_a_limited_number_of_organisations() {
    for count in [TENANTS_MAX - 1, TENANTS_MAX, TENANTS_MAX * 100] {
        let known: Vec<TenantId> = organisations(count).iter().map(|one| one.tenant).collect();
        let new = organisation(u128::try_from(count + 1).unwrap());
        let before = Connection {
            organisation: Some(organisation(1)),
            offered: vec![organisation(2), new.clone()],
            tenants: known,
            ..active()
        };
        // An organisation that the account has used before can always be chosen again.
        assert!(before.after_choice(organisation(2).tenant, at(1)).is_some(), "{count}");
        assert_eq!(
            before.after_choice(new.tenant, at(1)).is_some(),
            count < TENANTS_MAX,
            "{count}"
        );
    }
}

#[test]
fn claims_that_are_not_needed_any_more_make_a_connection_due_at_once() {
    let claimed = |connection: Connection| {
        let (claims, grants) = (connection.wanted_claims(), connection.wanted_grants());
        Connection { claims, grants, ..connection }
    };
    let settled = claimed(active());
    assert_eq!((settled.has_unneeded_claims(), settled.due_at()), (false, None));
    let mut claims = settled.claims.clone();
    claims.push(organisation(2).tenant);
    let surplus = Connection { claims, ..settled.clone() };
    assert_eq!((surplus.has_unneeded_claims(), surplus.due_at()), (true, Some(at(0))));
    let mut grants = settled.grants.clone();
    grants.push(organisation(2).grant);
    let surplus = Connection { grants, ..settled };
    assert_eq!((surplus.has_unneeded_claims(), surplus.due_at()), (true, Some(at(0))));
}

#[test]
fn a_place_belongs_to_the_walk_between_the_same_organisations_after_the_same_request() {
    let [source, target, other] = [1, 2, 3].map(|number| organisation(number).tenant);
    let start = CarryOverCursor::at_walk_start(source, target, 4);
    let later = CarryOverCursor { after: Some("MAP#contact#c".to_owned()), ..start.clone() };
    assert!(later.is_same_walk(&start));
    for another in [
        CarryOverCursor::at_walk_start(other, target, 4),
        CarryOverCursor::at_walk_start(source, other, 4),
        CarryOverCursor::at_walk_start(source, target, 5),
    ] {
        assert!(!later.is_same_walk(&another), "{another:?}");
    }
}

#[test]
fn the_end_of_a_connection_names_who_ended_it_and_a_second_disconnect_changes_nothing() {
    let by = UserId::new("usr_1").unwrap();
    let ended = active().after_disconnect_by(Some(&by), at(1));
    assert_eq!(ended.ended, Some(ConnectionEnd { at: at(1), by: Some(by) }));
    let again = ended.clone().after_disconnect(at(2));
    assert_eq!(again.ended, ended.ended);
    let unlinked = active().after_unlink(at(3));
    assert_eq!(unlinked.ended, Some(ConnectionEnd { at: at(3), by: None }));
    let never = Connection::never_connected(AccountId::new("acc_1").unwrap());
    assert_eq!(never.after_disconnect_by(None, at(4)).ended, None);
}

#[test]
fn an_offer_ends_at_its_instant_except_for_organisations_of_the_grant_in_use() {
    assert_eq!(active().without_ended_offer(at(10)), None, "nothing is offered");
    let own = PinnedOrganisation { grant: organisation(1).grant, ..organisation(3) };
    let offered = Connection {
        offered: vec![organisation(2), own.clone()],
        offered_by: Some("Ana Ruiz".to_owned()),
        offered_until: Some(at(10)),
        ..active()
    };
    assert_eq!(offered.clone().without_ended_offer(at(9)), None);
    let ended = offered.clone().without_ended_offer(at(10)).unwrap();
    assert_eq!((ended.offered_until, ended.offered_by.is_some()), (None, true));
    assert_eq!((ended.offered, ended.leftovers), (vec![own], vec![organisation(2)]));
    // Without a connection no grant is in use.
    let alone = Connection { state: ConnectionState::Disconnected, ..offered };
    let ended = alone.without_ended_offer(at(10)).unwrap();
    assert_eq!((ended.offered.len(), ended.leftovers.len(), ended.offered_by), (0, 2, None));
}

#[test]
fn a_connection_is_due_when_its_offer_ends_or_its_refused_organisation_is_checked() {
    let (claims, grants) = (active().wanted_claims(), active().wanted_grants());
    let settled = Connection { claims, grants, ..active() };
    let refused = settled.clone().after_refusal(at(0));
    assert_eq!(refused.due_at(), Some(at(15 * 60)));
    for (until, due) in [(60, 60), (3_600, 15 * 60)] {
        let asked = Connection { offered_until: Some(at(until)), ..refused.clone() };
        assert_eq!(asked.due_at(), Some(at(due)));
    }
    let works = Connection { state: ConnectionState::Active, ..refused };
    assert_eq!(works.due_at(), None, "it is no longer refused");
    // Records are carried over while the account is connected, and calls can be made.
    let carried = Connection { carried_from: vec![organisation(2).tenant], ..settled };
    assert_eq!(carried.due_at(), Some(at(0)));
    let expired = Connection { state: ConnectionState::TokenExpired, ..carried };
    assert_eq!(expired.due_at(), None);
}

#[test]
fn neither_the_verifier_nor_a_hash_nor_the_code_of_an_authorisation_is_printed() {
    let (account, user) = (AccountId::new("acc_1").unwrap(), UserId::new("usr_1").unwrap());
    let secret = || "SECRET".to_owned();
    let begun = OAuthAttempt {
        state_hash: secret(),
        account: account.clone(),
        user: user.clone(),
        pkce_verifier: secret(),
        begun_at: None,
        expires_at: at(900),
    };
    let stage = ConsentStage::Coded { sealed: secret() };
    let consent = ConsentAttempt {
        ticket_hash: secret(),
        state_hash: secret(),
        account,
        user,
        begun_at: at(0),
        expires_at: at(300),
        stage: stage.clone(),
    };
    let printed = format!("{begun:?} {consent:?} {stage:?}");
    assert!(printed.contains("acc_1") && !printed.contains("SECRET"), "{printed}");
}
