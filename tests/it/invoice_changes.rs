//! Invoices that are created as drafts, and changes of invoices that have payments.

use domain::document::sales::{DocumentStatus, NewStatus};
use domain::entity::EntityKind::{Allocation, CreditNote, Invoice, Payment};
use domain::operation::{OperationState, ParkingReason};
use domain::outbound::EventContent;
use domain::sync_preferences::SyncPreferences;
use engine::ports::Clock;
use jiff::SignedDuration;
use jiff::civil::date;
use rust_decimal::Decimal;
use store::table::WriteExpectation;
use tests::World;
use tests::builders::{a_credit_note, a_payment, an_allocation, an_invoice};
use tests::io_monitor::run;
use uuid::Uuid;
use xero_sim::{InvoiceStatus, Receipt};

fn chooses(world: &World, new_invoices: NewStatus, mark_as_sent: bool) {
    let preferences = SyncPreferences { new_invoices, mark_as_sent, ..SyncPreferences::default() };
    world.choose_preferences(preferences);
}

/// The invoice as the books hold it.
fn invoice(world: &World) -> xero_sim::Invoice {
    world.books(|books| books.invoices().next().unwrap().clone())
}

/// A bookkeeper approves or deletes the invoice in Xero.
fn bookkeeper_changes(world: &World, change: impl FnOnce(&mut xero_sim::Bookkeeper<'_>, Uuid)) {
    let id = invoice(world).id;
    world.clock.advance(SignedDuration::from_mins(1));
    world.by_hand(|bookkeeper| change(bookkeeper, id));
}

#[test]
fn an_account_chooses_the_status_of_new_invoices_and_whether_they_are_marked_as_sent() {
    for (new_invoices, mark_as_sent, status, is_marked) in [
        (NewStatus::Draft, true, InvoiceStatus::Draft, false),
        (NewStatus::Submitted, false, InvoiceStatus::Submitted, false),
        (NewStatus::Authorised, false, InvoiceStatus::Authorised, false),
        (NewStatus::Authorised, true, InvoiceStatus::Authorised, true),
    ] {
        let world = World::connected();
        chooses(&world, new_invoices, mark_as_sent);
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        let invoice = invoice(&world);
        assert_eq!((invoice.status, invoice.sent_to_contact), (status, is_marked));
        // A change keeps the status.
        let body = an_invoice("inv_1", "cli_1").revision(2).due_date("2026-12-31").body();
        world.receive(Invoice, &body);
        assert_eq!(world.books(|books| books.invoices().next().unwrap().status), status);
    }
}

#[test]
fn money_waits_for_the_approval_of_a_draft_and_continues_by_itself() {
    let world = World::with_accounts();
    chooses(&world, NewStatus::Draft, false);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "50.00")]).body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.receive(Allocation, &an_allocation("alc_1", "cn_1", "inv_1", "10.00").body());
    let waiting = [(Payment, "pay_1.1"), (Allocation, "alc_1")];
    for (kind, id) in waiting {
        let operation = world.mapping(kind, id).unwrap().operation;
        let is_parked = matches!(
            operation.state,
            OperationState::Parked { on: ParkingReason::Prerequisite { .. } }
        );
        assert!(is_parked, "{id}: {operation:?}");
        assert_eq!(operation.failure.unwrap().code, "prerequisite_not_approved");
    }
    // Nothing is tried while the invoice is a draft.
    let before = world.calls().len();
    world.sweep();
    world.advance(SignedDuration::from_mins(10));
    assert_eq!(world.calls().len(), before);
    bookkeeper_changes(&world, |bookkeeper, id| bookkeeper.approve(id).unwrap());
    world.clock.advance(SignedDuration::from_mins(1));
    world.poll();
    world.advance(SignedDuration::from_secs(2));
    for (kind, id) in waiting {
        assert_eq!(world.state(kind, id), OperationState::Synced, "{id}");
    }
    assert_eq!(invoice(&world).amount_paid, Decimal::from(50));
    let approved = world.events.contents().into_iter().filter_map(|content| {
        let EventContent::XeroStatus { status, remarks, .. } = content else { return None };
        Some((status, remarks))
    });
    let expected = ("AUTHORISED".to_owned(), vec!["It was approved in Xero.".to_owned()]);
    assert_eq!(approved.collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_payment_of_a_draft_that_arrived_during_its_attempt_says_what_it_waits_for() {
    let world = World::with_accounts();
    chooses(&world, NewStatus::Draft, false);
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "50.00")]).body());
    let early = world.mapping(Payment, "pay_1.1").unwrap();
    assert_eq!(early.operation.failure.as_ref().unwrap().code, "prerequisite_not_in_xero");
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.advance(SignedDuration::from_secs(2));
    // As if the attempt had ended after the invoice released what waited for it.
    let store = &world.engine.store;
    let row = run(store.find_mapping(&early.key)).unwrap().unwrap().unwrap();
    let expect = WriteExpectation::Version(row.version);
    run(store.put_mapping(&early, expect, None)).unwrap().unwrap();
    world.sweep();
    world.advance(SignedDuration::from_secs(2));
    let operation = world.mapping(Payment, "pay_1.1").unwrap().operation;
    assert_eq!(operation.failure.unwrap().code, "prerequisite_not_approved");
}

#[test]
fn a_draft_that_is_deleted_in_xero_shows_as_deleted() {
    let world = World::connected();
    chooses(&world, NewStatus::Draft, false);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    bookkeeper_changes(&world, |bookkeeper, id| bookkeeper.delete(id).unwrap());
    world.clock.advance(SignedDuration::from_mins(1));
    world.poll();
    let link = world.mapping(Invoice, "inv_1").unwrap().link.unwrap();
    assert_eq!(link.amounts.unwrap().status, DocumentStatus::Deleted);
}

/// A world whose invoice over 114.00 was paid by this amount in Xero.
fn paid(amount: &str) -> World {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.is_paid("#INV_1", amount, &Receipt::on(date(2026, 11, 2)));
    world.clock.advance(SignedDuration::from_mins(1));
    world
}

#[test]
fn due_date_and_reference_of_an_invoice_with_payments_are_changed_without_its_lines() {
    for amount in ["50.00", "114.00"] {
        let world = paid(amount);
        let lines = invoice(&world).lines;
        let edited = an_invoice("inv_1", "cli_1").revision(2).due_date("2026-12-31");
        world.receive(Invoice, &edited.reference("PO 7").body());
        assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced, "{amount}");
        let invoice = invoice(&world);
        assert_eq!(invoice.due_date, Some(date(2026, 12, 31)), "{amount}");
        assert_eq!(invoice.reference.as_deref(), Some("PO 7"), "{amount}");
        assert_eq!(invoice.lines, lines, "{amount}");
    }
}

#[test]
fn a_price_that_changes_after_a_payment_is_explained_and_not_repeated() {
    let world = paid("50.00");
    let dearer = an_invoice("inv_1", "cli_1").revision(2).price("100.00", "120.00");
    world.receive(Invoice, &dearer.body());
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert_eq!(operation.state, OperationState::Skipped);
    let failure = operation.failure.unwrap();
    assert_eq!(failure.code, "invoice_has_payments");
    assert!(failure.remedy.contains("Remove the payments"), "{failure}");
    let before = world.calls().len();
    world.advance(SignedDuration::from_hours(12));
    assert_eq!(world.calls().len(), before, "it is not repeated");
}

#[test]
fn a_paid_invoice_that_takes_no_changes_is_explained() {
    let world = World::with(|settings| {
        settings.unconfirmed.paid_takes_part_paid_edits = false;
    });
    world.connect();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.is_paid("#INV_1", "114.00", &Receipt::on(date(2026, 11, 2)));
    let edited = an_invoice("inv_1", "cli_1").revision(2).due_date("2026-12-31");
    world.receive(Invoice, &edited.body());
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert_eq!(operation.state, OperationState::Skipped);
    assert_eq!(operation.failure.unwrap().code, "invoice_has_payments");
}

#[test]
fn an_invoice_of_zero_counts_as_paid_and_its_change_says_what_a_person_can_do() {
    let free = an_invoice("inv_1", "cli_1").price("0.00", "0.00");
    for (changed, paid_takes_part_paid_edits) in [
        (free.clone().revision(2).price("95.00", "114.00"), true),
        (free.clone().revision(2).due_date("2026-12-31"), false),
        (free.clone().revision(2).voided(), true),
    ] {
        let world = World::with(|settings| {
            settings.unconfirmed.paid_takes_part_paid_edits = paid_takes_part_paid_edits;
            settings.unconfirmed.approved_zero_is_paid = true;
        });
        world.connect();
        world.receive(Invoice, &free.body());
        assert_eq!(invoice(&world).status, InvoiceStatus::Paid);
        world.receive(Invoice, &changed.body());
        let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
        assert_eq!(operation.state, OperationState::Skipped, "{changed:?}");
        let failure = operation.failure.unwrap();
        assert_eq!(failure.code, "document_closed", "{failure}");
        assert!(failure.message.contains("is 0.00 in Xero"), "{failure}");
        assert!(!failure.remedy.contains("payment"), "{failure}");
    }
}

#[test]
fn an_invoice_that_was_voided_in_xero_says_what_a_person_can_do() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    bookkeeper_changes(&world, |bookkeeper, id| bookkeeper.void(id).unwrap());
    let edited = an_invoice("inv_1", "cli_1").revision(2).due_date("2026-12-31");
    world.receive(Invoice, &edited.body());
    let operation = world.mapping(Invoice, "inv_1").unwrap().operation;
    assert_eq!(operation.state, OperationState::Skipped);
    let failure = operation.failure.unwrap();
    assert_eq!(failure.code, "invoice_gone");
    assert!(failure.remedy.contains("new copy"), "{failure}");
}

#[test]
fn a_change_of_a_credit_note_that_is_applied_or_gone_is_explained_and_not_repeated() {
    for is_applied in [true, false] {
        let world = World::connected();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
        if is_applied {
            world.receive(Allocation, &an_allocation("alc_1", "cn_1", "inv_1", "10.00").body());
        } else {
            let note = world.books(|books| books.credit_notes().next().unwrap().id);
            world.by_hand(|bookkeeper| bookkeeper.void_credit_note(note).unwrap());
        }
        let edited = a_credit_note("cn_1", "cli_1").revision(2).reference("PO 7");
        world.receive(CreditNote, &edited.body());
        let operation = world.mapping(CreditNote, "cn_1").unwrap().operation;
        assert_eq!(operation.state, OperationState::Skipped, "{is_applied}");
        let expected = if is_applied { "credit_note_applied" } else { "credit_note_gone" };
        assert_eq!(operation.failure.unwrap().code, expected);
        let before = world.calls().len();
        world.advance(SignedDuration::from_hours(12));
        assert_eq!(world.calls().len(), before, "it is not repeated");
    }
}

/// The second revision of the invoice, with further fields on its line.
fn renamed_values(fields: &str) -> String {
    let body = an_invoice("inv_1", "cli_1").revision(2).body();
    assert!(body.contains(r#""quantity":"1""#), "{body}");
    body.replacen(r#""quantity":"1""#, &format!(r#""quantity":"1",{fields}"#), 1)
}

#[test]
fn account_and_tracking_of_a_paid_invoice_are_changed_and_nothing_else() {
    for amount in ["50.00", "114.00"] {
        let world = paid(amount);
        let before = invoice(&world).lines[0].clone();
        let tracking = r#""tracking":[{"category":"Region","option":"North"}]"#;
        world.receive(Invoice, &renamed_values(&format!(r#""account_code":"260",{tracking}"#)));
        assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced, "{amount}");
        let line = invoice(&world).lines[0].clone();
        assert_eq!(line.account_code.as_deref(), Some("260"), "{amount}");
        assert_eq!(line.tracking[0].option_name, "North", "{amount}");
        assert_eq!((line.id, line.amounts), (before.id, before.amounts), "{amount}");
        assert_eq!((line.tax_type, line.description), (before.tax_type, before.description));
    }
}

#[test]
fn a_changed_item_of_a_paid_invoice_stays_in_xero_and_is_explained() {
    let world = paid("50.00");
    world.receive(Invoice, &renamed_values(r#""item_code":"PIPE-15""#));
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
    assert_eq!(invoice(&world).lines[0].item_code, None);
    let message = world.log().last().unwrap().message.clone();
    assert!(message.contains("The item of line 1 stays as it is"), "{message}");
    assert!(message.contains("remove the payments and credits in Xero"), "{message}");
}

#[test]
fn a_changed_tax_rate_of_a_paid_invoice_that_charges_the_same_stays_in_xero_and_is_explained() {
    let world = World::connected();
    let free = || an_invoice("inv_1", "cli_1").price("114.00", "114.00").tax_rate("0");
    world.receive(Invoice, &free().body());
    world.is_paid("#INV_1", "50.00", &Receipt::on(date(2026, 11, 2)));
    world.clock.advance(SignedDuration::from_mins(1));
    let before = invoice(&world).lines[0].tax_type.clone();
    let body = free().revision(2).body();
    let exempt = r#""quantity":"1","tax_name":"Exempt Income""#;
    world.receive(Invoice, &body.replacen(r#""quantity":"1""#, exempt, 1));
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
    assert_eq!(invoice(&world).lines[0].tax_type, before);
    let message = world.log().last().unwrap().message.clone();
    assert!(message.contains("The tax rate of line 1 stays as it is"), "{message}");
}

#[test]
fn tracking_is_removed_from_a_paid_invoice_or_the_log_says_that_xero_kept_it() {
    for removes in [true, false] {
        let world = World::with(|settings| settings.unconfirmed.empty_tracking_removes = removes);
        world.connect();
        let tracking = r#""tracking":[{"category":"Region","option":"North"}]"#;
        let first = renamed_values(tracking).replace(r#""revision":2"#, r#""revision":1"#);
        world.receive(Invoice, &first);
        world.is_paid("#INV_1", "50.00", &Receipt::on(date(2026, 11, 2)));
        world.clock.advance(SignedDuration::from_mins(1));
        world.receive(Invoice, &renamed_values(r#""tracking":[]"#));
        assert_eq!(world.state(Invoice, "inv_1"), OperationState::Synced);
        assert_eq!(invoice(&world).lines[0].tracking.is_empty(), removes);
        let message = world.log().last().unwrap().message.clone();
        assert_eq!(
            message.contains("did not remove the tracking of line 1"),
            !removes,
            "{message}"
        );
    }
}

#[test]
fn an_option_that_xero_drops_from_a_paid_invoice_is_remarked_on() {
    let world = paid("50.00");
    let tracking = r#""tracking":[{"category":"Region","option":"North"}]"#;
    let other = renamed_values(tracking).replace("inv_1", "inv_2").replace("INV_1", "INV_2");
    world.receive(Invoice, &other);
    world.clock.advance(SignedDuration::from_mins(10));
    let (tenant, now) = (world.tenant(), world.clock.now());
    let archived =
        world.xero().bookkeeper(now, tenant).unwrap().archive_tracking_option("Region", "North");
    archived.unwrap();
    world.receive(Invoice, &renamed_values(tracking));
    let message = world.log().last().unwrap().message.clone();
    assert!(message.contains("Xero did not keep option North"), "{message}");
    assert_eq!(world.calls_of("/api.xro/2.0/TrackingCategories"), 1);
    world.receive(Invoice, &renamed_values(tracking).replace(r#""revision":2"#, r#""revision":3"#));
    assert_eq!(world.calls_of("/api.xro/2.0/TrackingCategories"), 2);
}
