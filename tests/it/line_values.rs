//! Lines that name an item or tracking options.

use domain::entity::EntityKind::{CreditNote, Invoice};
use domain::operation::OperationState;
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::builders::{a_credit_note, an_invoice};

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
    let (tenant, now) = (world.tenant(), world.clock.now());
    world.xero().bookkeeper(now, tenant).unwrap().add_item("SOLDER", "Solder wire").unwrap();
    world.receive(Invoice, &invoice_naming("inv_2", r#""item_code":"SOLDER""#));
    let operation = world.mapping(Invoice, "inv_2").unwrap().operation;
    assert_eq!(operation.state, OperationState::Synced);
}
