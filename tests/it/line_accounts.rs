//! Lines that name an account of the chart.

use domain::account_codes::AccountCodes;
use domain::entity::EntityKind::Invoice;
use domain::operation::OperationState;
use engine::ports::Clock;
use jiff::SignedDuration;
use tests::World;
use tests::builders::an_invoice;
use tests::world::every_account;

/// An invoice whose line names this account.
fn on_account(id: &str, code: &str) -> String {
    let body = an_invoice(id, "cli_1").body();
    let named = format!(r#""quantity":"1","account_code":"{code}""#);
    assert!(body.contains(r#""quantity":"1""#), "{body}");
    body.replacen(r#""quantity":"1""#, &named, 1)
}

#[test]
fn a_line_is_booked_on_the_account_that_it_names() {
    let world = World::connected();
    world.receive(Invoice, &on_account("inv_1", "260"));
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    let account = |number: &str| {
        world.books(|books| {
            let invoice = books.invoices_numbered(number).next().unwrap();
            invoice.lines[0].account_code.clone()
        })
    };
    assert_eq!(account("#INV_1").as_deref(), Some("260"));
    assert_eq!(account("#INV_2").as_deref(), Some("200"));
}

#[test]
fn an_unknown_account_gives_the_document_up_and_names_possible_ones() {
    let world = World::connected();
    world.receive(Invoice, &on_account("inv_1", "2600"));
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert_eq!(operation.state, OperationState::Skipped);
    let failure = operation.failure.unwrap();
    assert_eq!(failure.code, "line_account_unknown");
    assert!(failure.message.contains("260 (Other Revenue)"), "{failure}");
    assert_eq!(world.books(|books| books.invoices().count()), 0);
}

#[test]
fn an_account_that_cannot_be_read_is_not_said_to_be_missing_in_xero() {
    let world = World::connected();
    world.by_hand(|bookkeeper| bookkeeper.override_account_member("260", "Type", None).unwrap());
    // The stored chart is read again after a day.
    world.clock.advance(SignedDuration::from_hours(25));
    world.receive(Invoice, &on_account("inv_1", "260"));
    let failure = world.mapping(Invoice, "inv_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "line_account_unknown");
    assert!(failure.message.contains("that the integration can read"), "{failure}");
}

#[test]
fn beside_a_tax_rate_that_cannot_be_read_a_person_chooses_the_rate() {
    let world = World::connected();
    let (tenant, now) = (world.tenant(), world.clock.now());
    let overridden = world.xero().bookkeeper(now, tenant).unwrap().override_tax_rate_member(
        "EXEMPTOUTPUT",
        "EffectiveRate",
        Some(r#""five""#),
    );
    overridden.unwrap();
    // The stored chart is read again after a day.
    world.clock.advance(SignedDuration::from_hours(25));
    let reduced = an_invoice("inv_1", "cli_1").tax_rate("5").price("100.00", "105.00");
    world.receive(Invoice, &reduced.body());
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert_eq!(operation.state, OperationState::Skipped);
    let failure = operation.failure.unwrap();
    assert_eq!(failure.code, "tax_rate_ambiguous");
    assert!(failure.message.contains("5% (VAT on Income)"), "{failure}");
    // The default rate of the sales account leaves no choice.
    world.receive(Invoice, &an_invoice("inv_2", "cli_1").body());
    assert_eq!(world.mapping(Invoice, "inv_2").unwrap().operation.state, OperationState::Synced);
    let tax_types = [("5".to_owned(), "RROUTPUT".to_owned())].into();
    world.choose_codes(AccountCodes { tax_types, ..every_account() });
    world.advance(SignedDuration::from_mins(3));
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().operation.state, OperationState::Synced);
}
