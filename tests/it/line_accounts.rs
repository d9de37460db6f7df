//! Lines that name an account of the chart.

use domain::entity::EntityKind::Invoice;
use domain::operation::OperationState;
use tests::World;
use tests::builders::an_invoice;

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
