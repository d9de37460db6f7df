//! Changes in Xero that a user's Sync now reads before a poll does.

use domain::document::sales::NewStatus;
use domain::entity::EntityKind::CreditNote;
use domain::sync_preferences::SyncPreferences;
use rust_decimal::Decimal;
use tests::builders::a_credit_note;
use uuid::Uuid;
use xero_sim::InvoiceEdit;

use super::*;

fn the_invoice(world: &World) -> Uuid {
    world.books(|books| books.invoices().next().unwrap().id)
}

/// What the CRM was told about its documents, in sentences.
fn remarks(world: &World) -> Vec<String> {
    let remarks = |content: EventContent| match content {
        EventContent::XeroStatus { remarks, .. }
        | EventContent::CreditNoteStatus { remarks, .. } => Some(remarks),
        EventContent::PaymentImported(_)
        | EventContent::PaymentRemoved { .. }
        | EventContent::PaymentUnclear { .. }
        | EventContent::PaymentStatus { .. }
        | EventContent::PaymentOverpaid(_)
        | EventContent::RefundRemoved(_)
        | EventContent::Skipped { .. }
        | EventContent::Connection { .. }
        | EventContent::RecordSynced(_)
        | EventContent::MessageRefused { .. }
        | EventContent::BooksCompared { .. } => None,
    };
    world.events.contents().into_iter().filter_map(remarks).flatten().collect()
}

#[test]
fn a_changed_total_and_due_date_are_reported_once_although_a_user_sees_them_first() {
    let world = billed();
    world.poll_and_wait();
    let invoice = the_invoice(&world);
    world.by_hand_apart(|bookkeeper| {
        let edit = InvoiceEdit { due_date: Some(date(2026, 12, 24)), ..InvoiceEdit::default() };
        bookkeeper.edit_invoice(invoice, edit).unwrap();
        bookkeeper.change_price(invoice, 0, Decimal::from(100)).unwrap();
    });
    world.sync_now(Invoice, "inv_1");
    let remarked = remarks(&world);
    assert_eq!(remarked.len(), 2, "{remarked:?}");
    assert!(
        remarked[0].starts_with("Its total was changed in Xero: GBP 120.00 there"),
        "{remarked:?}"
    );
    assert!(remarked[1].starts_with("Its due date was changed in Xero"), "{remarked:?}");
    world.poll_and_wait();
    assert_eq!(describe_events(&world), ["AUTHORISED", "unpaid 120.00"]);
    world.poll_and_wait();
    world.sync_now(Invoice, "inv_1");
    world.poll_and_wait();
    assert_eq!(describe_events(&world), ["AUTHORISED", "unpaid 120.00"]);
    // The correction ends what the CRM shows about the total.
    world.by_hand_apart(|bookkeeper| {
        bookkeeper.change_price(invoice, 0, Decimal::from(95)).unwrap();
    });
    world.poll_and_wait();
    let expected = "Its total was changed in Xero to GBP 114.00, as in ServiceCortex.";
    assert_eq!(remarks(&world)[2..], [expected]);
}

#[test]
fn the_approval_of_a_draft_is_reported_once_although_a_user_sees_it_first() {
    let world = World::connected();
    let drafts = SyncPreferences { new_invoices: NewStatus::Draft, ..SyncPreferences::default() };
    world.choose_preferences(drafts);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(QUARTER);
    world.poll_and_wait();
    let invoice = the_invoice(&world);
    world.by_hand_apart(|bookkeeper| bookkeeper.approve(invoice).unwrap());
    world.sync_now(Invoice, "inv_1");
    assert_eq!(remarks(&world), ["It was approved in Xero."]);
    world.poll_and_wait();
    world.poll_and_wait();
    assert_eq!(remarks(&world), ["It was approved in Xero."]);
}

#[test]
fn a_void_that_a_user_sees_first_is_not_reported_because_a_copy_replaces_the_document() {
    let world = billed();
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.advance(QUARTER);
    world.poll_and_wait();
    let invoice = the_invoice(&world);
    let note = world.books(|books| books.credit_notes().next().unwrap().id);
    world.by_hand_apart(|bookkeeper| {
        bookkeeper.void(invoice).unwrap();
        bookkeeper.void_credit_note(note).unwrap();
    });
    world.sync_now(Invoice, "inv_1");
    world.sync_now(CreditNote, "cn_1");
    for kind in [Invoice, CreditNote] {
        let id = if kind == Invoice { "inv_1" } else { "cn_1" };
        assert_eq!(world.mapping(kind, id).unwrap().generation, 2, "{kind}");
    }
    // Xero's credit notes are read once a day.
    for _ in 0..100 {
        world.poll_and_wait();
    }
    assert!(remarks(&world).is_empty(), "{:?}", remarks(&world));
}

#[test]
fn a_copy_of_an_invoice_whose_payment_and_void_no_poll_has_read_reports_its_amounts_once() {
    let world = billed();
    let payment = world.is_paid("#INV_1", "50.00", &today());
    world.poll_and_wait();
    assert_eq!(describe_events(&world), ["imported 50.00", "part paid 64.00"]);
    let invoice = the_invoice(&world);
    world.by_hand_apart(|bookkeeper| {
        bookkeeper.remove_payment(payment).unwrap();
        bookkeeper.void(invoice).unwrap();
    });
    world.sync_now(Invoice, "inv_1");
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().generation, 2);
    for _ in 0..3 {
        world.poll_and_wait();
        let after = ["imported 50.00", "part paid 64.00", "removed 50.00", "unpaid 114.00"];
        assert_eq!(describe_events(&world), after);
    }
}
