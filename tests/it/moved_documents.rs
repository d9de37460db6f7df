//! Documents that move to another client, such as those of a client that the CRM merged into
//! another one.

use domain::entity::EntityKind::{CreditNote, Invoice};
use domain::operation::OperationState;
use jiff::SignedDuration;
use jiff::civil::date;
use tests::World;
use tests::builders::{a_credit_note, an_invoice};
use xero_sim::Receipt;

#[test]
fn the_documents_of_a_merged_client_move_to_the_contact_of_the_client_that_is_left() {
    let world = World::connected();
    for invoice in ["inv_1", "inv_2"] {
        world.receive(Invoice, &an_invoice(invoice, "cli_1").body());
    }
    world.is_paid("#INV_2", "50.00", &Receipt::on(date(2026, 11, 2)));
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.clock.advance(SignedDuration::from_mins(1));
    // The CRM merges cli_1 into cli_2.
    for invoice in ["inv_1", "inv_2"] {
        world.receive(Invoice, &an_invoice(invoice, "cli_2").revision(2).body());
    }
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_2").revision(2).body());
    for (kind, id) in [(Invoice, "inv_1"), (Invoice, "inv_2"), (CreditNote, "cn_1")] {
        assert_eq!(world.state(kind, id), OperationState::Synced, "{id}");
    }
    let kept = world.contact_of("cli_2").unwrap();
    assert_ne!(world.contact_of("cli_1"), Some(kept));
    let (invoices, notes) = world.books(|books| {
        let invoices = books.invoices().map(|invoice| invoice.contact).collect::<Vec<_>>();
        (invoices, books.credit_notes().map(|note| note.contact).collect::<Vec<_>>())
    });
    assert_eq!((invoices, notes), (vec![kept; 2], vec![kept]));
}
