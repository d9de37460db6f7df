//! A consent belongs to the user who began it: forwarded links, stolen tickets, tickets that are
//! used twice or too late; and completions that fail or die at any step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::connection::{ConnectionState, ConnectionStatus};
use domain::entity::EntityKind::Invoice;
use domain::ids::{AccountId, TenantId, UserId};
use domain::operation::OperationState;
use engine::commands::connect::{ConnectOutcome, complete_connect};
use engine::commands::organisation::{self, OrganisationChoiceOutcome};
use engine::ports::Clock;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use tests::World;
use tests::builders::an_invoice;
use tests::io_monitor::{CrashPoint, Moment, run};
use tests::ports::{Intercepted, not_sent};
use tests::world::{callback, owner};
use xero_sim::{Fault, FaultKind, Match};

const TOKEN: &str = "/connect/token";
const MINUTES: fn(i64) -> SignedDuration = SignedDuration::from_mins;

fn other() -> AccountId {
    AccountId::new("acc_summit").unwrap()
}

fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

/// The account's owner has given consent for the first organisation and not completed the connect.
fn authorised(world: &World) -> SecretString {
    let (account, login, tenant) = (world.account(), world.user(), world.tenant());
    world.authorise(&account, login, &[tenant])
}

fn presents(
    world: &World,
    account: &AccountId,
    by: &UserId,
    ticket: &SecretString,
) -> ConnectOutcome {
    world.try_complete(account, by, ticket).unwrap()
}

fn is_connected(completed: &ConnectOutcome) -> bool {
    matches!(completed, ConnectOutcome::Connected(_))
}

#[test]
fn a_link_that_was_forwarded_to_a_victim_gives_the_attacker_nothing() {
    let world = World::new();
    let attacker = world.account();
    // The attacker begins; the victim gives consent on Xero's genuine page, in their own browser.
    // The victim's browser receives the ticket.
    let address = world.begin_for(&attacker);
    let (login, tenant) = (world.user(), world.tenant());
    let location = world.consent(&address, login, &[tenant]);
    let outcome = world.follow_callback(&location);
    let engine::commands::connect::CallbackOutcome::Authorised { ticket } = outcome else {
        panic!()
    };
    // The victim is logged in to the CRM with another account, or as another user.
    assert_eq!(presents(&world, &other(), &user("usr_victim"), &ticket), ConnectOutcome::NotYours);
    assert_eq!(presents(&world, &attacker, &user("usr_victim"), &ticket), ConnectOutcome::NotYours);
    assert_eq!(world.calls_of(TOKEN), 0, "the code was not exchanged");
    assert!(world.secrets.is_empty());
    assert_ne!(world.connection_of(&attacker).state, ConnectionState::Active);
    // The attacker cannot use the same state a second time.
    let again = world.follow_callback(&location);
    assert!(matches!(again, engine::commands::connect::CallbackOutcome::Expired), "{again:?}");
}

#[test]
fn a_stolen_ticket_is_refused_and_still_works_for_its_owner() {
    let world = World::new();
    let ticket = authorised(&world);
    assert_eq!(presents(&world, &other(), &owner(), &ticket), ConnectOutcome::NotYours);
    assert_eq!(
        presents(&world, &world.account(), &user("usr_admin"), &ticket),
        ConnectOutcome::NotYours
    );
    let guessed = SecretString::from("0".repeat(64));
    assert_eq!(presents(&world, &world.account(), &owner(), &guessed), ConnectOutcome::Expired);
    assert!(is_connected(&presents(&world, &world.account(), &owner(), &ticket)));
}

#[test]
fn a_ticket_works_once() {
    let world = World::new();
    let ticket = authorised(&world);
    let account = world.account();
    assert!(is_connected(&world.complete(&account, &ticket)));
    let exchanges = world.calls_of(TOKEN);
    assert_eq!(world.complete(&account, &ticket), ConnectOutcome::Expired);
    assert_eq!(world.calls_of(TOKEN), exchanges);
    assert_eq!(world.connection().state, ConnectionState::Active);
}

#[test]
fn a_ticket_works_for_five_minutes() {
    for (seconds, works) in [(299, true), (300, false)] {
        let world = World::new();
        let ticket = authorised(&world);
        world.clock.advance(SignedDuration::from_secs(seconds));
        let completed = world.complete(&world.account(), &ticket);
        if works {
            assert!(is_connected(&completed), "{completed:?}");
            continue;
        }
        assert_eq!(completed, ConnectOutcome::Expired);
        assert_eq!(world.calls_of(TOKEN), 0);
        assert_eq!(
            world.status().status,
            ConnectionStatus::Disconnected,
            "nothing is pending any more"
        );
    }
}

#[test]
fn a_disconnect_ends_a_connect_that_is_under_way() {
    let world = World::new();
    let ticket = authorised(&world);
    world.clock.advance(SignedDuration::from_secs(1));
    world.disconnect();
    assert_eq!(world.status().status, ConnectionStatus::Disconnected);
    assert_eq!(world.complete(&world.account(), &ticket), ConnectOutcome::Expired);
    assert_eq!(world.connection().state, ConnectionState::Disconnected);
    assert!(world.secrets.is_empty());
}

#[test]
fn neither_the_code_nor_the_ticket_can_be_read_in_the_table() {
    let world = World::new();
    let (login, tenant) = (world.user(), world.tenant());
    let location = world.consent(&world.begin(), login, &[tenant]);
    let code = callback(&location).code.unwrap();
    let outcome = world.follow_callback(&location);
    let engine::commands::connect::CallbackOutcome::Authorised { ticket } = outcome else {
        panic!()
    };
    let items = world.table.all_items();
    for secret in [code.expose_secret(), ticket.expose_secret()] {
        let is_shown = items.iter().any(|item| {
            item.record.contains(secret)
                || item.key.sk.contains(secret)
                || item.key.pk.contains(secret)
        });
        assert!(!is_shown, "a secret is in the table");
    }
}

#[test]
fn another_organisation_is_shown_with_the_xero_user_before_it_is_used() {
    let world = World::connected();
    let (account, login) = (world.account(), world.user());
    let first = world.tenant();
    let second = world.xero().settings().organisations[1].clone();
    world.xero().disconnect("servicecortex", login, first);
    let ConnectOutcome::OtherOrganisation { by, offered, is_any_in_use: false } =
        world.connect_to(&[second.id])
    else {
        panic!("it is a question")
    };
    assert_eq!(by.as_deref(), Some("Dana Whitlock"));
    let names = offered.iter().map(|one| one.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, [second.name.as_str()]);
    // Nothing changes until a user confirms it.
    assert_eq!(world.connection().organisation.unwrap().tenant.0, first);
    let view = world.status();
    assert_eq!(view.choices.len(), 1);
    assert_eq!(view.choices_by.as_deref(), Some("Dana Whitlock"));
    let chosen = organisation::choose_organisation(
        &world.engine,
        &account,
        TenantId(second.id),
        world.invocation(),
    );
    assert_eq!(run(chosen).unwrap().unwrap(), OrganisationChoiceOutcome::Done);
    world.follow_connects();
    let connection = world.connection();
    assert_eq!(connection.organisation.unwrap().tenant.0, second.id);
    assert_eq!(connection.connected_by.as_deref(), Some("Dana Whitlock"));
}

#[test]
fn a_code_that_was_never_sent_is_sent_with_the_same_ticket() {
    let mut world = World::new();
    let ticket = authorised(&world);
    let is_down = Arc::new(AtomicBool::new(true));
    let down = is_down.clone();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), move |request| {
        let is_met = request.uri().path() == TOKEN && down.load(Ordering::SeqCst);
        is_met.then(|| Err(not_sent()))
    });
    let account = world.account();
    assert!(world.try_complete(&account, &owner(), &ticket).is_err());
    assert_eq!(world.status().status, ConnectionStatus::Pending, "it can still be completed");
    is_down.store(false, Ordering::SeqCst);
    assert!(is_connected(&world.complete(&account, &ticket)));
}

#[test]
fn an_exchange_whose_answer_was_lost_ends_the_connect_and_leaves_nothing_pending() {
    let world = World::new();
    let ticket = authorised(&world);
    world.inject(Fault { on: Match::next(TOKEN), kind: FaultKind::LostAfter });
    let account = world.account();
    assert!(world.try_complete(&account, &owner(), &ticket).is_err());
    assert_eq!(world.status().status, ConnectionStatus::Disconnected);
    assert_eq!(world.complete(&account, &ticket), ConnectOutcome::Expired);
    assert!(world.secrets.is_empty());
    connects_again(&world);
}

/// Connects after an interrupted consent. Its link exists, and may keep the id of that consent:
/// then the user is asked.
fn connects_again(world: &World) {
    let again = world.connect();
    if let ConnectOutcome::OtherOrganisation { offered, .. } = &again {
        let (account, tenant) = (world.account(), offered[0].tenant);
        let choice =
            organisation::choose_organisation(&world.engine, &account, tenant, world.invocation());
        assert_eq!(run(choice).unwrap().unwrap(), OrganisationChoiceOutcome::Done);
        world.follow_connects();
    }
    assert_eq!(world.connection().state, ConnectionState::Active, "{again:?}");
}

#[test]
fn a_code_that_xero_no_longer_takes_ends_the_connect() {
    let world = World::new();
    let ticket = authorised(&world);
    // By Xero's clock the code has expired; by ours the ticket has not.
    world.xero_clock.set_ahead(MINUTES(6));
    assert_eq!(world.complete(&world.account(), &ticket), ConnectOutcome::Refused);
    let view = world.status();
    assert_eq!((view.status, view.pending), (ConnectionStatus::Disconnected, None));
}

#[test]
fn a_completion_that_fails_after_the_exchange_is_resumed_with_the_same_ticket() {
    let world = World::new();
    let ticket = authorised(&world);
    world.inject(Fault { on: Match::next("/connections"), kind: FaultKind::Unavailable503 });
    let account = world.account();
    assert!(world.try_complete(&account, &owner(), &ticket).is_err());
    assert!(is_connected(&world.complete(&account, &ticket)));
    assert_eq!(world.calls_of(TOKEN), 1, "the code is exchanged once");
}

/// Whether the claims and uses in the table are those of the account's connection, and no others.
fn assert_claims_agree(world: &World, at: CrashPoint) {
    let connection = world.connection();
    let items = world.table.all_items();
    let claims = items.iter().filter(|item| item.key.sk == "CLAIM").count();
    let uses = items.iter().filter(|item| item.key.sk.starts_with("USE#")).count();
    assert_eq!((claims, uses), (connection.claims.len(), connection.grants.len()), "{at:?}");
    assert_eq!(connection.claims.len(), usize::from(connection.state.is_connected()), "{at:?}");
}

#[test]
fn a_completion_that_dies_at_any_step_is_completed_or_begun_again_and_tells_the_crm_once() {
    let mut crashes = 0;
    for moment in [Moment::Before, Moment::After] {
        for step in 1.. {
            let mut world = World::new();
            let (ticket, account) = (authorised(&world), world.account());
            let at = CrashPoint { step, moment };
            world.io.crash_at(Some(at));
            let invocation = world.invocation();
            let first =
                run(complete_connect(&world.engine, &account, &owner(), &ticket, invocation));
            world.io.crash_at(None);
            world.restart();
            assert_claims_agree(&world, at);
            let again = world.complete(&account, &ticket);
            match again {
                ConnectOutcome::Connected(_) => {}
                // The code may have been exchanged, and works once; or the ticket is used.
                ConnectOutcome::InProgress | ConnectOutcome::Expired => {
                    if !world.connection().state.is_connected() {
                        world.clock.advance(MINUTES(6));
                        assert_eq!(
                            world.complete(&account, &ticket),
                            ConnectOutcome::Expired,
                            "{at:?}"
                        );
                        assert_eq!(world.status().status, ConnectionStatus::Disconnected, "{at:?}");
                        connects_again(&world);
                    }
                }
                other @ (ConnectOutcome::NoOrganisation
                | ConnectOutcome::OrganisationInUse
                | ConnectOutcome::OtherOrganisation { .. }
                | ConnectOutcome::NotYours
                | ConnectOutcome::Refused) => panic!("{at:?}: {other:?}"),
            }
            // The sweep sends and removes what the dead process did not.
            world.clock.advance(MINUTES(5));
            world.sweep();
            world.advance(MINUTES(5));
            assert_claims_agree(&world, at);
            let connection = world.connection();
            assert_eq!(connection.state, ConnectionState::Active, "{at:?}");
            assert!(connection.carried_from.is_empty(), "{at:?}");
            assert_eq!(connection.pending_connect(world.clock.now()), None, "{at:?}");
            assert_eq!(world.reported_statuses(&account), [ConnectionStatus::Active], "{at:?}");
            assert_eq!(world.secrets.len(), 1, "{at:?}");
            world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
            let state = world.mapping(Invoice, "inv_1").unwrap().operation.state;
            assert_eq!(state, OperationState::Synced, "{at:?}");
            if first.is_some() {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 40, "{crashes} crashes");
}
