//! Questions about lists and the times of changes.

use bytes::Bytes;
use domain::document::sales::NewStatus;
use domain::entity::EntityKind::Invoice;
use domain::outbound::{EventContent, RemovalReason};
use domain::sync_preferences::SyncPreferences;
use engine::connection::token::{TokenRequest, access_token};
use engine::poll::PollOutcome;
use http::Request;
use jiff::civil::date;
use secrecy::ExposeSecret;
use tests::builders::an_invoice;
use uuid::Uuid;
use xero_sim::Receipt;

use super::*;

pub(super) const SCENARIOS: &[Scenario] = &[
    (
        import_and_remove_payments,
        &[
            "modified_since_inclusive",
            "nothing_modified_is_304",
            "page_size_alone_pages",
            "deleted_payments_in_lists",
            "deleting_moves_payment",
            "updated_strings_have_spaces",
        ],
    ),
    (copy_a_deleted_draft, &["deleted_in_lists", "deleted_frees_number"]),
    (copy_a_voided_invoice, &["voided_frees_number"]),
    (see_a_note, &["notes_move_time"]),
    (read_an_invoice_of_zero, &["approved_zero_is_paid"]),
];

/// A poll, a quarter of an hour after the last one.
fn poll(world: &World) {
    world.advance(MINUTES(15));
    let polled = world.poll();
    assert!(matches!(polled, PollOutcome::Read { .. } | PollOutcome::Idle), "{polled:?}");
}

/// Two polls, and the daily verification.
fn poll_for_a_day(world: &World) {
    poll(world);
    poll(world);
    world.advance(SignedDuration::from_hours(25));
    poll(world);
}

/// What the CRM was told about payments and about documents that are gone.
fn describe_events(world: &World) -> Vec<String> {
    let tell = |content: EventContent| {
        if let EventContent::PaymentImported(payment) = &content {
            return Some(format!("imported {}", payment.amount.amount));
        }
        if let EventContent::PaymentRemoved { payment, reason, .. } = &content {
            assert_eq!(*reason, RemovalReason::RemovedInXero);
            return Some(format!("removed {}", payment.amount.amount));
        }
        let EventContent::XeroStatus { status, .. } = content else { return None };
        ["VOIDED", "DELETED"].contains(&status.as_str()).then_some(status)
    };
    world.events.contents().into_iter().filter_map(tell).collect()
}

fn sent_invoice(world: &World) -> Uuid {
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.books(|books| books.invoices_numbered("#INV_1").next().unwrap().id)
}

/// A bookkeeper records a payment, a poll reads it, and another one is recorded in the same second.
/// Later the first one is removed.
fn import_and_remove_payments(world: &mut World) {
    world.connect();
    sent_invoice(world);
    poll(world);
    world.advance(MINUTES(1));
    let receipt = Receipt::on(date(2026, 11, 2));
    let first = world.is_paid("#INV_1", "14.00", &receipt);
    world.poll();
    world.is_paid("#INV_1", "10.00", &receipt);
    poll(world);
    poll(world);
    assert_eq!(describe_events(world), ["imported 14.00", "imported 10.00"]);
    world.by_hand(|bookkeeper| bookkeeper.remove_payment(first).unwrap());
    poll_for_a_day(world);
    assert_eq!(describe_events(world), ["imported 14.00", "imported 10.00", "removed 14.00"]);
}

/// A user syncs an invoice that is gone in Xero, so that Xero gets a new copy.
fn assert_copied(world: &World) {
    world.sync_now(Invoice, "inv_1");
    assert_synced(world, Invoice, "inv_1");
    assert_eq!(world.mapping(Invoice, "inv_1").unwrap().generation, 2);
    assert_eq!(world.count_live_invoices(), 1);
}

fn copy_a_deleted_draft(world: &mut World) {
    world.connect();
    let drafts = SyncPreferences { new_invoices: NewStatus::Draft, ..SyncPreferences::default() };
    world.choose_preferences(drafts);
    let invoice = sent_invoice(world);
    world.advance(MINUTES(1));
    world.by_hand(|bookkeeper| bookkeeper.delete(invoice).unwrap());
    poll_for_a_day(world);
    assert_eq!(describe_events(world), ["DELETED"]);
    assert_copied(world);
}

fn copy_a_voided_invoice(world: &mut World) {
    world.connect();
    let invoice = sent_invoice(world);
    world.advance(MINUTES(1));
    world.by_hand(|bookkeeper| bookkeeper.void(invoice).unwrap());
    poll_for_a_day(world);
    assert_eq!(describe_events(world), ["VOIDED"]);
    assert_copied(world);
}

/// Another app writes a note on the history page of an invoice.
fn see_a_note(world: &mut World) {
    world.connect();
    let invoice = sent_invoice(world);
    poll(world);
    poll(world);
    let before = world.events.contents().len();
    write_note(world, invoice);
    poll(world);
    poll(world);
    assert_eq!(world.events.contents().len(), before);
    assert_synced(world, Invoice, "inv_1");
}

fn write_note(world: &World, invoice: Uuid) {
    let organisation = world.connection().organisation.unwrap();
    let wanted =
        TokenRequest { grant: organisation.grant, consented: organisation.serial, rejected: None };
    let token = run(access_token(&world.engine, wanted, world.invocation())).unwrap().unwrap();
    let path = format!("https://api.xero.com/api.xro/2.0/Invoices/{invoice}/History");
    let request = Request::put(path)
        .header("authorization", format!("Bearer {}", token.expose_secret()))
        .header("xero-tenant-id", world.tenant().to_string())
        .header("accept", "application/json")
        .body(Bytes::from_static(br#"{"HistoryRecords":[{"Details":"Called."}]}"#))
        .unwrap();
    let answer = run(world.engine.transport.send_request(request)).unwrap().unwrap();
    assert_eq!(answer.status(), 200);
}

/// An invoice with nothing due is paid at once or stays approved. It can be changed only then.
fn read_an_invoice_of_zero(world: &mut World) {
    world.connect();
    let free = an_invoice("inv_1", "cli_1").price("0.00", "0.00");
    world.receive(Invoice, &free.body());
    assert_synced(world, Invoice, "inv_1");
    poll_for_a_day(world);
    assert_eq!(describe_events(world), [""; 0]);
    let is_closed = world.xero().settings().unconfirmed.approved_zero_is_paid;
    world.receive(Invoice, &free.revision(2).price("95.00", "114.00").body());
    if is_closed {
        assert_eq!(failure_code(world, Invoice, "inv_1"), "document_closed");
    } else {
        assert_synced(world, Invoice, "inv_1");
    }
}
