//! Lines that name an item or tracking options.

use domain::entity::EntityKind::{self, CreditNote, Invoice};
use domain::ids::CrmId;
use domain::operation::OperationState;
use engine::ports::{Clock, Metric};
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_credit_note, an_invoice};
use tests::ports::{Intercepted, respond};
use tests::world::ACCOUNT;
use xero_sim::{Fault, FaultKind, Match};

use crate::function::{PLENTY, a_record, a_worker, returned};

const ITEM: &str = r#""item_code":"PIPE-15""#;
const TRACKING: &str = r#""tracking":[{"category":"Region","option":"North"},
    {"category":"Team","option":"Plumbing"}]"#;

/// A message whose line has these further fields.
fn naming(body: &str, fields: &str) -> String {
    assert!(body.contains(r#""quantity":"1""#), "{body}");
    body.replacen(r#""quantity":"1""#, &format!(r#""quantity":"1",{fields}"#), 1)
}

fn invoice_naming(id: &str, fields: &str) -> String {
    naming(&an_invoice(id, "cli_1").body(), fields)
}

fn count_calls(world: &World, call: &str) -> usize {
    world.calls().iter().filter(|made| *made == call).count()
}

fn assert_refused(world: &World, id: &str, code: &str, candidates: &str) {
    let operation = world.mapping(Invoice, id).unwrap().operation;
    assert_eq!(operation.state, OperationState::Skipped);
    let failure = operation.failure.unwrap();
    assert_eq!(&*failure.code, code);
    assert!(failure.message.ends_with(candidates), "{failure}");
}

#[test]
fn a_line_has_the_item_and_the_tracking_options_that_it_names() {
    let world = World::connected();
    world.receive(Invoice, &invoice_naming("inv_1", &format!("{ITEM},{TRACKING}")));
    let note = a_credit_note("cn_1", "cli_1").body();
    world.receive(CreditNote, &naming(&note, &format!("{ITEM},{TRACKING}")));
    world.books(|books| {
        let invoice = books.invoices_numbered("#INV_1").next().unwrap();
        let note = books.credit_notes().next().unwrap();
        for line in [&invoice.lines[0], &note.lines[0]] {
            assert_eq!(line.item_code.as_deref(), Some("PIPE-15"));
            let options = line.tracking.iter().map(|one| one.option_name.as_str());
            assert_eq!(options.collect::<Vec<_>>(), ["North", "Plumbing"]);
        }
    });
}

#[test]
fn items_and_tracking_categories_are_read_once_a_day_and_only_if_lines_name_them() {
    let world = World::connected();
    let reads =
        || (count_calls(&world, "GET /Items"), count_calls(&world, "GET /TrackingCategories"));
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    assert_eq!(reads(), (0, 0));
    world.receive(Invoice, &invoice_naming("inv_2", ITEM));
    assert_eq!(reads(), (1, 0));
    world.clock.advance(SignedDuration::from_hours(20));
    world.receive(Invoice, &invoice_naming("inv_3", &format!("{ITEM},{TRACKING}")));
    assert_eq!(reads(), (1, 1));
    world.clock.advance(SignedDuration::from_hours(5));
    world.receive(Invoice, &invoice_naming("inv_4", &format!("{ITEM},{TRACKING}")));
    assert_eq!(reads(), (2, 1));
}

#[test]
fn an_unknown_or_unsold_item_gives_the_document_up_and_names_possible_ones() {
    let world = World::connected();
    world.receive(Invoice, &invoice_naming("inv_1", r#""item_code":"PIPE""#));
    assert_refused(
        &world,
        "inv_1",
        "line_item_unknown",
        "Possible items: PIPE-15 (Copper pipe 15 mm, per metre).",
    );
    world.receive(Invoice, &invoice_naming("inv_2", r#""item_code":"VAN-HIRE""#));
    let possible = "Possible items: BOILER-SERVICE (Boiler service), GRAB-RAIL (Grab rail, fitted), \
                    PIPE-15 (Copper pipe 15 mm, per metre).";
    assert_refused(&world, "inv_2", "line_item_not_sold", possible);
    assert_eq!(world.books(|books| books.invoices().count()), 0);
}

#[test]
fn an_unknown_or_archived_tracking_option_gives_the_document_up_and_names_possible_ones() {
    let world = World::connected();
    for (id, category, option, code, candidates) in [
        ("inv_1", "Area", "North", "line_tracking_unknown", "Possible categories: Region, Team."),
        ("inv_2", "Season", "Winter", "line_tracking_archived", "categories: Region, Team."),
        ("inv_3", "Region", "East", "line_tracking_unknown", "Possible options: North, South."),
        ("inv_4", "Region", "West", "line_tracking_archived", "options: North, South."),
    ] {
        let tracking = format!(r#""tracking":[{{"category":"{category}","option":"{option}"}}]"#);
        world.receive(Invoice, &invoice_naming(id, &tracking));
        assert_refused(&world, id, code, candidates);
    }
    assert_eq!(world.books(|books| books.invoices().count()), 0);
}

#[test]
fn an_item_that_was_just_added_in_xero_is_accepted_at_once() {
    let world = World::connected();
    world.receive(Invoice, &invoice_naming("inv_1", ITEM));
    world.clock.advance(SignedDuration::from_mins(10));
    world.by_hand(|bookkeeper| bookkeeper.add_item("SOLDER", "Solder wire").unwrap());
    world.receive(Invoice, &invoice_naming("inv_2", r#""item_code":"SOLDER""#));
    let operation = world.mapping(Invoice, "inv_2").unwrap().operation;
    assert_eq!(operation.state, OperationState::Synced);
}

/// What the newest entry of a record in the sync log says.
fn last_message(world: &World, kind: EntityKind, id: &str) -> String {
    let (log, id) = (world.log(), CrmId::new(id).unwrap());
    let entry = log.iter().rev().find(|entry| entry.entity == kind && entry.crm_id == id);
    entry.unwrap().message.clone()
}

fn archive(world: &World, category: &str, option: &str) {
    world.by_hand(|bookkeeper| bookkeeper.archive_tracking_option(category, option).unwrap());
}

/// The tracking options that the line of a document has in Xero.
fn written_options(world: &World, kind: EntityKind, id: &str) -> Vec<String> {
    let number = id.to_uppercase();
    world.books(|books| {
        let line = if kind == CreditNote {
            &books.credit_notes_numbered(&number).next().unwrap().lines[0]
        } else {
            &books.invoices_numbered(&format!("#{number}")).next().unwrap().lines[0]
        };
        line.tracking.iter().map(|one| one.option_name.clone()).collect()
    })
}

fn message_naming(kind: EntityKind, id: &str, fields: &str) -> String {
    if kind == CreditNote {
        naming(&a_credit_note(id, "cli_1").body(), fields)
    } else {
        invoice_naming(id, fields)
    }
}

#[test]
fn an_option_that_xero_drops_is_remarked_on_and_the_list_is_read_again() {
    for kind in [Invoice, CreditNote] {
        let world = World::connected();
        world.receive(kind, &message_naming(kind, "doc_1", TRACKING));
        assert!(!last_message(&world, kind, "doc_1").contains("did not keep"));
        world.clock.advance(SignedDuration::from_mins(10));
        archive(&world, "Region", "North");
        world.receive(kind, &message_naming(kind, "doc_2", TRACKING));
        assert_eq!(world.mapping(kind, "doc_2").unwrap().operation.state, OperationState::Synced);
        assert_eq!(written_options(&world, kind, "doc_2"), ["Plumbing"], "{kind}");
        let message = last_message(&world, kind, "doc_2");
        let lost = "Xero did not keep option North of tracking category Region on line 1. ";
        assert!(message.contains(lost), "{message}");
        assert!(message.contains("send the document again"), "{message}");
        // The list says that the option is active until it is read again, by the next document.
        assert_eq!(count_calls(&world, "GET /TrackingCategories"), 1);
        world.receive(kind, &message_naming(kind, "doc_3", TRACKING));
        assert_eq!(count_calls(&world, "GET /TrackingCategories"), 2);
        let failure = world.mapping(kind, "doc_3").unwrap().operation.failure.unwrap();
        assert_eq!(&*failure.code, "line_tracking_archived");
    }
}

#[test]
fn an_archived_option_that_xero_keeps_is_not_remarked_on() {
    let world = World::with(|settings| settings.unconfirmed.archived_tracking_is_kept = true);
    world.connect();
    world.receive(Invoice, &invoice_naming("inv_1", TRACKING));
    world.clock.advance(SignedDuration::from_mins(10));
    archive(&world, "Region", "North");
    world.receive(Invoice, &invoice_naming("inv_2", TRACKING));
    assert_eq!(written_options(&world, Invoice, "inv_2"), ["North", "Plumbing"]);
    assert!(!last_message(&world, Invoice, "inv_2").contains("did not keep"));
}

#[test]
fn an_option_that_is_lost_on_an_update_is_remarked_on() {
    let world = World::connected();
    world.receive(Invoice, &invoice_naming("inv_1", TRACKING));
    world.clock.advance(SignedDuration::from_mins(10));
    archive(&world, "Team", "Plumbing");
    let edited = an_invoice("inv_1", "cli_1").revision(2).due_date("2026-12-31").body();
    world.receive(Invoice, &naming(&edited, TRACKING));
    let message = last_message(&world, Invoice, "inv_1");
    assert!(message.contains("option Plumbing of tracking category Team on line 1"), "{message}");
}

#[test]
fn many_documents_with_values_that_xero_lacks_read_each_list_once_in_five_minutes() {
    let region = r#""tracking":[{"category":"Region","option":"East"}]"#;
    for (fields, list) in [
        (r#""item_code":"SOLDER""#, "GET /Items"),
        (region, "GET /TrackingCategories"),
        (r#""account_code":"9999""#, "GET /Accounts"),
    ] {
        let world = World::connected();
        world.receive(Invoice, &invoice_naming("inv_0", fields));
        assert_eq!(count_calls(&world, list), 1, "{list}");
        let begun = world.clock.now();
        for (second, reads) in [(1, 1), (60, 1), (299, 1), (300, 2), (301, 2), (599, 2), (600, 3)] {
            let elapsed = world.clock.now().duration_since(begun);
            world.clock.advance(SignedDuration::from_secs(second) - elapsed);
            for number in 0..3 {
                let id = format!("inv_{second}_{number}");
                world.receive(Invoice, &invoice_naming(&id, fields));
            }
            assert_eq!(count_calls(&world, list), reads, "{list} {second}");
        }
    }
}

#[test]
fn sync_now_reads_the_lists_again_after_a_minute() {
    let world = World::connected();
    world.receive(Invoice, &invoice_naming("inv_1", r#""item_code":"SOLDER""#));
    let state = || world.mapping(Invoice, "inv_1").unwrap().operation.state;
    assert_eq!(state(), OperationState::Skipped);
    world.by_hand(|bookkeeper| bookkeeper.add_item("SOLDER", "Solder wire").unwrap());
    for (seconds, expected, reads) in
        [(59, OperationState::Skipped, 1), (1, OperationState::Synced, 2)]
    {
        world.clock.advance(SignedDuration::from_secs(seconds));
        world.sync_now(Invoice, "inv_1");
        assert_eq!(state(), expected);
        assert_eq!(count_calls(&world, "GET /Items"), reads);
    }
}

#[test]
fn items_and_categories_that_cannot_be_read_are_counted_and_refuse_no_line() {
    let mut world = World::connected();
    world.engine.transport = Intercepted::on(world.engine.transport.clone(), |request| {
        let body = match request.uri().path() {
            "/api.xro/2.0/Items" => r#"{"Items":[{"Name":"without a code"}]}"#,
            "/api.xro/2.0/TrackingCategories" => r#"{"TrackingCategories":[{"Name":null}]}"#,
            _ => return None,
        };
        Some(Ok(respond(200, body)))
    });
    world.receive(Invoice, &invoice_naming("inv_1", &format!("{ITEM},{TRACKING}")));
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert_eq!(operation.state, OperationState::Synced, "{operation:?}");
    let line = world.books(|books| {
        let invoice = books.invoices_numbered("#INV_1").next().unwrap();
        (invoice.lines[0].item_code.clone(), invoice.lines[0].tracking.len())
    });
    assert_eq!(line, (Some("PIPE-15".to_owned()), 2));
    let odd = world.metrics.all().into_iter().filter(|one| *one == Metric::OddRows(1));
    assert_eq!(odd.count(), 2);
}

#[test]
fn if_one_list_cannot_be_read_the_documents_that_need_the_other_are_written() {
    for (path, failed, written) in [
        ("/api.xro/2.0/Items", "inv_1", "inv_2"),
        ("/api.xro/2.0/TrackingCategories", "inv_2", "inv_1"),
    ] {
        let world = World::connected();
        world.inject(Fault { on: Match::every(path), kind: FaultKind::Status500 });
        let (worker, _, _) = a_worker(&world);
        let records = vec![
            a_record("m1", ACCOUNT, invoice_naming("inv_1", ITEM)),
            a_record("m2", ACCOUNT, invoice_naming("inv_2", TRACKING)),
            a_record("m3", ACCOUNT, an_invoice("inv_3", "cli_1").body()),
        ];
        assert!(returned(&world, &worker, records, PLENTY).is_empty(), "{path}");
        let operation = |id: &str| world.mapping(Invoice, id).unwrap().operation;
        for id in [written, "inv_3"] {
            assert_eq!(operation(id).state, OperationState::Synced, "{path} {id}");
        }
        let operation = operation(failed);
        assert!(matches!(operation.state, OperationState::Waiting { .. }), "{path}: {operation:?}");
        assert_eq!(operation.failure.unwrap().code, "xero_faulty", "{path}");
    }
}
