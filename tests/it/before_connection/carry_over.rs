//! Carrying records over to the connection: limits, concurrent messages and crashes.

use domain::operation::ClaimId;
use engine::ports::Clock;

use super::*;

#[test]
fn beyond_twenty_thousand_records_new_ones_are_refused_and_known_ones_accepted() {
    let world = World::new();
    let account = world.account();
    let kept = KeptRecords { account: account.clone(), count: KEPT_MAX - 1 };
    run(world.engine.store.put_kept_records(&kept, WriteExpectation::Absent)).unwrap().unwrap();
    let last = world.receive(Contact, &a_client("cli_1", 1, "Ridge", "record"));
    assert_eq!(last, MessageOutcome::Recorded);
    let before = world.events.contents().len();
    let refused = world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(refused, MessageOutcome::NotKept);
    assert_eq!(world.receive(Payment, &a_payment("pay_1", &[("inv_1", "1.00")]).body()), refused);
    let contents = world.events.contents().split_off(before);
    assert_eq!(contents.len(), 2, "{contents:?}");
    let EventContent::Skipped { entity, crm_id, code, message, remedy, .. } = &contents[0] else {
        panic!("{contents:?}")
    };
    assert_eq!(
        (*entity, crm_id.as_str(), code.as_str()),
        (Invoice, "inv_1", "too_many_unconnected")
    );
    assert!(message.contains("20000") && remedy.contains("Connect Xero"), "{message} {remedy}");
    let entry = world.log().into_iter().find(|entry| entry.crm_id.as_str() == "inv_1").unwrap();
    assert_eq!(entry.status, LogStatus::Skipped);
    // A newer revision of a kept record does not count towards the limit.
    let newer = world.receive(Contact, &a_client("cli_1", 2, "Ridge Plumbing", "record"));
    assert_eq!(newer, MessageOutcome::Recorded);

    // Once connected the limit is free again, also for the next disconnection.
    connects(&world);
    world.advance(MINUTES(5));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").client_revision(3).body());
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
    world.disconnect();
    let next = world.receive(Invoice, &an_invoice("inv_2", "cli_1").client_revision(3).body());
    assert_eq!(next, MessageOutcome::Pushed(PushOutcome::Parked));
}

#[test]
fn a_message_that_arrives_while_records_are_carried_over_is_not_lost() {
    let day = a_day();
    // The carry-over dies at each step, and the rest of the day is sent before it resumes.
    for step in (1..).step_by(3) {
        let mut world = with_accounts();
        let (account, user, tenant) = (world.account(), world.user(), world.tenant());
        sends(&world, &day[..4]);
        let ticket = world.authorise(&account, user, &[tenant]);
        world.complete(&account, &ticket);
        let wake = world.wake_ups.take(|wake| wake.work == WakeUpKind::Connected).unwrap();
        let died = world.try_wake(&wake, CrashPoint { step, moment: Moment::After }).is_none();
        world.restart();
        sends(&world, &day[4..]);
        world.clock.advance(MINUTES(6));
        world.sweep();
        world.advance(MINUTES(60));
        assert_arrived(&world, &format!("step {step}"));
        if !died {
            assert!(step > 20, "{step}");
            break;
        }
    }
}

#[test]
fn a_record_whose_attempt_died_keeps_its_row_for_the_organisation_that_may_have_it() {
    let world = World::new();
    let all = world.xero().settings().organisations.iter().map(|one| one.id).collect::<Vec<_>>();
    assert!(matches!(world.connect_to(&all), ConnectOutcome::Connected(_)));
    // The first organisation does not accept that currency.
    let kiwi =
        an_invoice("inv_1", "cli_1").currency("NZD").tax_rate("15").price("100.00", "115.00");
    world.receive(Invoice, &kiwi.body());
    let store = &world.engine.store;
    let key = MappingKey::new(world.ledger(), Invoice, CrmId::new("inv_1").unwrap());
    let row = run(store.find_mapping(&key)).unwrap().unwrap().unwrap();
    let mut died = row.record;
    let until = world.clock.now();
    died.operation.state = OperationState::Claimed { by: ClaimId(Uuid::from_u128(7)), until };
    let expect = WriteExpectation::Version(row.version);
    run(store.put_mapping(&died, expect, None)).unwrap().unwrap();
    let (account, second) = (world.account(), TenantId(all[1]));
    let chosen =
        organisation::choose_organisation(&world.engine, &account, second, world.invocation());
    assert_eq!(run(chosen).unwrap().unwrap(), OrganisationChoiceOutcome::Done);
    world.advance(MINUTES(60));
    assert!(mapping_in(&world, all[0], Invoice, "inv_1").is_some());
    let moved = mapping_in(&world, all[1], Invoice, "inv_1").unwrap();
    assert_eq!(moved.operation.state, OperationState::Synced);
}

#[test]
fn carrying_over_that_dies_at_any_step_loses_and_duplicates_nothing() {
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = with_accounts();
            let (account, user, tenant) = (world.account(), world.user(), world.tenant());
            sends(&world, &a_day());
            let ticket = world.authorise(&account, user, &[tenant]);
            world.complete(&account, &ticket);
            assert_eq!(world.connection().state, ConnectionState::Active);
            let wake = world.wake_ups.take(|wake| wake.work == WakeUpKind::Connected).unwrap();
            let died = world.try_wake(&wake, CrashPoint { step, moment }).is_none();
            world.restart();
            // The wake-up is lost with the process: the sweep sends another.
            world.clock.advance(MINUTES(6));
            world.sweep();
            world.advance(MINUTES(90));
            assert_arrived(&world, &format!("step {step} {moment:?}"));
            if !died {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 60, "{crashes} crashes");
}

#[test]
fn a_record_counts_once_however_often_it_is_sent() {
    let world = World::new();
    let gift_card = a_payment("pay_1", &[("inv_1", "20.00")]).method("gift_card");
    let day = [
        (Invoice, an_invoice("inv_1", "cli_1").body()),
        (Contact, a_client("cli_1", 2, "Ridge", "push")),
        (Payment, gift_card.body()),
    ];
    sends(&world, &day);
    let once = counted(&world);
    assert!((3..=4).contains(&once), "{once}");
    sends(&world, &day);
    sends(&world, &[(Invoice, an_invoice("inv_1", "cli_1").revision(2).body())]);
    sends(&world, &[(Payment, gift_card.deleted().body())]);
    assert_eq!(counted(&world), once);
}
