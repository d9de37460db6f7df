//! Totals of the CRM that differ from the sum of the lines.

use super::*;

#[test]
fn a_total_that_rounding_cannot_explain_is_never_written_and_both_totals_are_shown() {
    let world = World::connected();
    let body = an_invoice("inv_1", "cli_1").price("10.00", "1200.00").body();
    assert_eq!(world.receive(Invoice, &body), MessageOutcome::Pushed(PushOutcome::Skipped));
    let failure = world.mapping(Invoice, "inv_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "total_unexplained");
    let log = world.log();
    let message = &log.last().unwrap().message;
    assert!(
        message.contains("The lines add up to 12.00, but the stated total is 1200.00."),
        "{message}"
    );
    assert!(numbers(&world).is_empty());
    world.advance(SignedDuration::from_hours(12));
    assert!(!world.calls().contains(&"PUT /Invoices".to_owned()), "it is not retried");
    let corrected = an_invoice("inv_1", "cli_1").revision(2).price("10.00", "12.00");
    assert_eq!(world.receive(Invoice, &corrected.body()), synced());
}

#[test]
fn a_total_that_is_a_cent_off_where_nothing_was_rounded_is_never_written() {
    let world = World::connected();
    let body = an_invoice("inv_1", "cli_1").price("95.00", "114.01").body();
    assert_eq!(world.receive(Invoice, &body), MessageOutcome::Pushed(PushOutcome::Skipped));
    let failure = world.mapping(Invoice, "inv_1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "total_unexplained");
    assert!(numbers(&world).is_empty());
}

#[test]
fn an_edit_with_an_unexplained_total_leaves_the_invoice_in_xero_unchanged() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let edit = an_invoice("inv_1", "cli_1").revision(2).price("100.00", "100.00");
    assert_eq!(world.receive(Invoice, &edit.body()), MessageOutcome::Pushed(PushOutcome::Skipped));
    let totals =
        world.books(|books| books.invoices().map(|one| one.total.to_string()).collect::<Vec<_>>());
    assert_eq!(totals, ["114.00"]);
}

#[test]
fn a_difference_between_the_totals_is_reported() {
    let world = World::connected();
    // 33.33 plus 6.666 of tax.
    let body = an_invoice("inv_1", "cli_1").price("33.33", "39.99").body();
    assert_eq!(world.receive(Invoice, &body), synced());
    let amounts = world.mapping(Invoice, "inv_1").unwrap().link.unwrap().amounts.unwrap();
    assert_eq!(amounts.total_difference().unwrap().to_string(), "GBP 0.01");
    let log = world.log();
    let message = &log.last().unwrap().message;
    assert!(message.contains("The totals differ"), "{message}");
    assert!(message.contains("Xero rounds the tax of each line."), "{message}");
}
