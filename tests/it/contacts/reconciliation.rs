//! Reconciling all clients with all contacts.

use super::*;

/// Runs a reconciliation from start to end.
fn reconciled(world: &World) -> ContactReconciliation {
    world.start_reconciliation();
    world.advance(MINUTES);
    world.reconciliation()
}

fn found(world: &World) -> Vec<ClientFinding> {
    let mut all = Vec::new();
    for page in 0..world.reconciliation().pages {
        let account = world.account();
        let found = reconcile::find_open_findings(&world.engine, &account, page);
        all.extend(run(found).unwrap().unwrap().unwrap());
    }
    all
}

fn finding(world: &World, id: &str) -> ContactMatch {
    let found = found(world);
    let one = found.iter().find(|one| one.client_id == client(id));
    one.unwrap_or_else(|| panic!("no finding for {id}")).found.clone()
}

#[test]
fn a_reconciliation_links_certain_matches_lists_the_rest_and_creates_nothing() {
    let world = World::connected();
    world.receive(Contact, &a_client("held", 1, "Held Ltd", "push"));
    for (id, name) in
        [("sure", "Ridge Plumbing"), ("twice", "Twin"), ("nobody", "Nobody"), ("old", "Put away")]
    {
        world.receive(Contact, &a_client(id, 1, name, "record"));
    }
    let sure = entered(&world, "RIDGE  plumbing", |one| one.number = Some("OLD-1".to_owned()));
    entered(&world, "Twin", |_| {});
    entered(&world, "Two", |one| one.name = "TWIN ".to_owned());
    let archived = entered(&world, "Put away", |_| {});
    world.by_hand(|bookkeeper| bookkeeper.archive_contact(archived).unwrap());
    let before = world.calls().len();
    let end = reconciled(&world);
    assert_eq!(world.calls().split_off(before), ["GET /Contacts"]);
    assert!(matches!(end.place, ReconciliationProgress::Done { .. }), "{end:?}");
    let counts = end.counts;
    assert_eq!((counts.clients, counts.contacts), (5, 5));
    assert_eq!((counts.linked_before, counts.linked), (1, 1));
    assert_eq!((counts.ambiguous, counts.missing, counts.left_alone), (2, 1, 0));
    assert_eq!(world.contact_of("sure"), Some(sure));
    let by_name = ContactMatch::Confident { contact: XeroContactId(sure), by: MatchEvidence::Name };
    assert_eq!(finding(&world, "sure"), by_name);
    let log = world.log();
    let linked = log.iter().filter(|entry| entry.operation == LoggedOperation::Link);
    let linked = linked.collect::<Vec<_>>();
    let [link] = linked.as_slice() else { panic!("{log:?}") };
    assert_eq!((&link.crm_id, &link.by), (&client("sure"), &Some(owner())));
    assert!(link.message.contains("the same name"), "{}", link.message);
    let ContactMatch::Ambiguous { candidates, why } = finding(&world, "twice") else {
        panic!("twice")
    };
    assert_eq!((candidates.len(), why), (2, MatchDoubt::SeveralContacts));
    let ContactMatch::Ambiguous { why, .. } = finding(&world, "old") else { panic!("old") };
    assert_eq!(why, MatchDoubt::Archived);
    assert_eq!(finding(&world, "nobody"), ContactMatch::Missing);
    assert_eq!(world.books(|books| books.contacts().count()), 5, "nothing is created");
    // Clients that a user has since decided about are no longer listed; later pushes go to the
    // chosen contacts.
    done(links(&world, "twice", candidates[1].id.0));
    assert!(!found(&world).iter().any(|one| one.client_id == client("twice")));
    world.receive(
        Invoice,
        &an_invoice("inv_1", "sure").client_revision(2).client_name("Ridge").body(),
    );
    world.books(|books| {
        assert_eq!(books.invoices().next().unwrap().contact, sure);
        assert_eq!(books.contact(sure).unwrap().number.as_deref(), Some("OLD-1"));
    });
    assert_eq!(reconciled(&world).counts.linked_before, 3);
}

#[test]
fn a_reconciliation_that_dies_at_any_step_resumes_and_links_no_contact_twice() {
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = World::connected();
            for number in 0..100 {
                let name = format!("Client {number:03}");
                world.receive(Contact, &a_client(&format!("c{number:03}"), 1, &name, "record"));
                if number % 2 == 0 {
                    entered(&world, &name, |_| {});
                }
            }
            world.start_reconciliation();
            world.restart();
            let (at, wake) = world.wake_ups.take_first().unwrap();
            let died = world.try_wake(&wake, CrashPoint { step, moment }).is_none();
            if died {
                // The queue delivers the wake-up again.
                world.clock.advance(SignedDuration::from_mins(6));
                run(world.engine.wake_ups.schedule(&wake, at)).unwrap().unwrap();
                world.advance(SignedDuration::from_hours(1));
            }
            let counts = world.reconciliation().counts;
            assert!(
                matches!(world.reconciliation().place, ReconciliationProgress::Done { .. }),
                "{step} {moment:?}"
            );
            assert_eq!((counts.linked, counts.missing), (50, 50), "{step} {moment:?}");
            assert_eq!(found(&world).len(), 100, "{step} {moment:?}");
            let links = (0..100).filter_map(|number| world.contact_of(&format!("c{number:03}")));
            let links = links.collect::<std::collections::BTreeSet<_>>();
            assert_eq!(links.len(), 50, "{step} {moment:?}");
            if !died {
                assert!(step > 10);
                break;
            }
        }
    }
}

#[test]
fn a_reconciliation_waits_for_xero_and_reports_when_it_gives_up() {
    let world = World::connected();
    world.receive(Contact, &a_client("c", 1, "Ridge", "record"));
    entered(&world, "Ridge", |_| {});
    world.inject(Fault { on: On::next("/api.xro/2.0/Contacts"), kind: FaultKind::Unavailable503 });
    assert!(reconciled(&world).is_comparing());
    world.advance(SignedDuration::from_mins(10));
    assert_eq!(world.reconciliation().counts.linked, 1);
    let (user, tenant) = (world.user(), world.tenant());
    world.xero().disconnect("servicecortex", user, tenant);
    let ReconciliationProgress::Stopped { failure } = reconciled(&world).place else {
        panic!("it did not stop")
    };
    assert!(failure.remedy.contains("connect Xero again"), "{failure}");
}

#[test]
fn ten_thousand_clients_against_ten_thousand_contacts_take_eleven_calls() {
    let world = World::connected();
    let count = 10_000;
    {
        let (tenant, now) = (world.tenant(), world.clock.now());
        let mut xero = world.xero();
        let mut bookkeeper = xero.bookkeeper(now, tenant).unwrap();
        for number in 0..count {
            let id = bookkeeper.add_contact(&format!("Client {number:05}")).unwrap();
            let email = Some(format!("c{number:05}@clients.example"));
            bookkeeper.edit_contact(id, |one| one.email = email).unwrap();
        }
    }
    for number in 0..count {
        world.receive(
            Contact,
            &a_client(&format!("c{number:05}"), 1, &format!("Client {number:05}"), "record"),
        );
    }
    let before = world.calls().len();
    let end = reconciled(&world);
    assert_eq!(end.counts.linked, count);
    let calls = world.calls().len() - before;
    println!("{count} clients, {count} contacts: {calls} calls, {} steps", end.pages);
    assert!(calls <= 40, "{calls} calls");
}

#[test]
fn a_reconciliation_that_cannot_read_a_contact_proposes_matches_and_links_by_number_only() {
    let world = World::connected();
    for (id, name) in [("shared", "Ridge Plumbing"), ("numbered", "Summit")] {
        world.receive(Contact, &a_client(id, 1, name, "record"));
    }
    let ridge = entered(&world, "Ridge Plumbing", |_| {});
    let summit = entered(&world, "Other name", |one| one.number = Some("SC-numbered".to_owned()));
    let odd = entered(&world, "Valley", |_| {});
    world.by_hand(|bookkeeper| {
        bookkeeper.override_member(odd, "ContactID", Some("\"\"")).unwrap();
    });
    let counts = reconciled(&world).counts;
    assert_eq!((counts.contacts, counts.linked, counts.proposed), (2, 1, 1));
    assert_eq!(world.contact_of("numbered"), Some(summit));
    assert_eq!(world.contact_of("shared"), None, "the unreadable contact may be the client's");
    let by_name =
        ContactMatch::Confident { contact: XeroContactId(ridge), by: MatchEvidence::Name };
    assert_eq!(finding(&world, "shared"), by_name);
    // Once every contact can be read, the match is certain.
    world.by_hand(|bookkeeper| {
        let id = format!("\"{odd}\"");
        bookkeeper.override_member(odd, "ContactID", Some(&id)).unwrap();
    });
    assert_eq!(reconciled(&world).counts.linked, 1);
    assert_eq!(world.contact_of("shared"), Some(ridge));
}
