//! Records that the CRM ends and has in effect again, or that a user or a bookkeeper has decided
//! about meanwhile: each counts in Xero exactly as often as in the CRM.

use domain::entity::EntityKind::{self, Allocation, CreditNote, Invoice, Payment};
use domain::failure::Failure;
use domain::ids::CrmId;
use domain::operation::OperationState;
use domain::outbound::EventContent;
use engine::commands::attention::{NamedRecord, never_send_records};
use engine::commands::choices::{self, NeverSendOutcome};
use jiff::SignedDuration;
use jiff::civil::date;
use rust_decimal::Decimal;
use tests::World;
use tests::builders::{a_credit_note, a_payment, an_allocation, an_invoice};
use tests::io_monitor::run;
use tests::world::owner;
use xero_sim::{Credit, Fault, FaultKind, Match, Receipt};

use crate::push_payment::count_undeleted;

/// The time in which released work continues.
const SHORTLY: SignedDuration = SignedDuration::from_mins(5);

/// The body of a message at another revision than the first.
fn at_revision(revision: u64, body: &str) -> String {
    assert!(body.contains(r#""revision":1"#), "{body}");
    body.replacen(r#""revision":1"#, &format!(r#""revision":{revision}"#), 1)
}

/// The body of the message that ends a record, at another revision than the second.
fn ended_at_revision(revision: u64, body: &str) -> String {
    assert!(body.contains(r#""revision":2"#), "{body}");
    body.replacen(r#""revision":2"#, &format!(r#""revision":{revision}"#), 1)
}

/// The next call of this method of a path fails.
fn fail_next(world: &World, method: http::Method, path: &str, kind: FaultKind) {
    let on = Match::next(&format!("/api.xro/2.0{path}")).method(method);
    world.inject(Fault { on, kind });
}

/// The time in which an attempt without an answer is repeated.
const UNTIL_REPEATED: SignedDuration = SignedDuration::from_hours(14);

fn failure(world: &World, kind: EntityKind, id: &str) -> Failure {
    world.mapping(kind, id).unwrap().operation.failure.expect("a failure")
}

/// A user marks an invoice as Never send.
fn never_send(world: &World, id: &str) {
    let (account, by, id) = (world.account(), owner(), CrmId::new(id).unwrap());
    let never = choices::never_send_record(&world.engine, &account, &by, Invoice, id);
    assert!(matches!(run(never).unwrap().unwrap(), NeverSendOutcome::Done(_)));
}

/// The total of the invoices in effect less that of the credit notes in effect.
fn receivable(world: &World) -> String {
    let mut receivable: Decimal = world.books(|books| {
        let invoices = books.invoices().filter(|one| !one.status.is_gone());
        let notes = books.credit_notes().filter(|one| !one.status.is_gone());
        let billed: Decimal = invoices.map(|one| one.total).sum();
        let credited: Decimal = notes.map(|one| one.total).sum();
        billed - credited
    });
    receivable.rescale(2);
    receivable.to_string()
}

fn applied(world: &World) -> Vec<String> {
    world.books(|books| books.allocations().map(|one| one.amount.to_string()).collect())
}

#[test]
fn a_payment_of_an_invoice_that_was_voided_unsent_says_so_and_is_sent_after_a_restore() {
    let world = World::with_accounts();
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").voided().body());
    world.advance(SHORTLY);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Skipped);
    let why = failure(&world, Payment, "pay_1.1");
    assert_eq!(why.code, "invoice_gone");
    assert!(why.message.contains("#INV_1 was voided in ServiceCortex"), "{why}");
    assert!(why.remedy.contains("Never send"), "{why}");
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").revision(2).body());
    world.advance(SHORTLY);
    assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
    assert_eq!(count_undeleted(&world), (1, 0));
}

#[test]
fn credit_of_a_note_that_was_voided_unsent_says_so_and_is_applied_after_a_restore() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").voided().body());
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "50.00").body());
    assert_eq!(world.state(Allocation, "al_1"), OperationState::Skipped);
    let why = failure(&world, Allocation, "al_1");
    assert_eq!(why.code, "credit_note_gone");
    assert!(why.message.contains("CN_1 was voided in ServiceCortex"), "{why}");
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").revision(2).body());
    world.advance(SHORTLY);
    assert_eq!(applied(&world), ["50.00"]);
}

#[test]
fn a_payment_that_the_crm_deletes_and_records_again_is_in_the_books_once() {
    for is_observed in [false, true] {
        let world = World::with_seen_invoice();
        let poll = || {
            world.advance(SignedDuration::from_mins(15));
            world.poll();
        };
        let payment = a_payment("pay_1", &[("inv_1", "114.00")]).fee("3.20");
        world.receive(Payment, &payment.body());
        if is_observed {
            poll();
        }
        world.receive(Payment, &payment.clone().deleted().body());
        assert_eq!(count_undeleted(&world), (0, 0));
        let again = at_revision(3, &payment.body());
        for _ in 0..2 {
            world.receive(Payment, &again);
            assert_eq!(count_undeleted(&world), (1, 1), "{is_observed}");
        }
        assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced);
        poll();
        // The CRM still has the payment, so no event reports a removal or another payment.
        let told = world.events.contents();
        let is_about_another = |one: &EventContent| {
            matches!(one, EventContent::PaymentRemoved { .. } | EventContent::PaymentImported(_))
        };
        assert!(!told.iter().any(is_about_another), "{is_observed}: {told:?}");
        assert_eq!(count_undeleted(&world), (1, 1), "{is_observed}");
    }
}

#[test]
fn credit_that_the_crm_removes_and_applies_again_is_applied_once() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    let credit = an_allocation("al_1", "cn_1", "inv_1", "50.00");
    world.receive(CreditNote, &credit.body());
    world.receive(CreditNote, &credit.clone().removed().body());
    assert!(applied(&world).is_empty());
    let again = at_revision(3, &credit.body());
    for _ in 0..2 {
        world.receive(CreditNote, &again);
        assert_eq!(applied(&world), ["50.00"]);
    }
    assert_eq!(world.state(Allocation, "al_1"), OperationState::Synced);
}

#[test]
fn credit_that_a_bookkeeper_removed_is_applied_again_only_after_the_crm_removed_it_too() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    let credit = an_allocation("al_1", "cn_1", "inv_1", "50.00");
    world.receive(CreditNote, &credit.body());
    let allocation = world.books(|books| books.allocations().next().unwrap().id);
    world.by_hand_apart(|bookkeeper| bookkeeper.remove_allocation(allocation).unwrap());
    world.receive(CreditNote, &at_revision(2, &credit.body()));
    assert!(applied(&world).is_empty());
    assert!(world.is_logged("It was removed in Xero."), "{:?}", world.log());
    let removal = credit.clone().removed().body().replace(r#""revision":2"#, r#""revision":3"#);
    world.receive(CreditNote, &removal);
    world.receive(CreditNote, &at_revision(4, &credit.body()));
    assert_eq!(applied(&world), ["50.00"]);
}

#[test]
fn an_invoice_that_is_never_sent_stays_so_when_its_total_changes_its_sign() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    never_send(&world, "inv_1");
    let negative = an_invoice("inv_1", "cli_1").revision(2).price("-95.00", "-114.00");
    for _ in 0..2 {
        world.receive(Invoice, &negative.body());
        world.advance(SHORTLY);
        assert_eq!(world.state(CreditNote, "inv_1~credit"), OperationState::Withheld);
        assert_eq!(receivable(&world), "114.00");
    }
    let mark = world.mapping(CreditNote, "inv_1~credit").unwrap().withheld;
    assert_eq!(mark.map(|mark| mark.by), Some(owner()));
    // The user decides otherwise: the invoice is the credit note that it is now, and nothing else.
    let shown = world.sync_now(Invoice, "inv_1");
    assert_eq!((shown.entity, shown.revision), (CreditNote, 2));
    assert_eq!(receivable(&world), "-114.00");
    // The decision of that user holds for the credit note, too.
    never_send(&world, "inv_1");
    assert_eq!(world.state(CreditNote, "inv_1~credit"), OperationState::Withheld);
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").revision(3).body());
    world.advance(SHORTLY);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Withheld);
    assert_eq!(receivable(&world), "-114.00");
}

#[test]
fn who_marked_a_record_as_never_to_be_sent_is_known_after_the_first_connect() {
    let world = World::new();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    never_send(&world, "inv_1");
    world.connect();
    let carried = world.mapping(Invoice, "inv_1").unwrap();
    assert_eq!(carried.operation.state, OperationState::Withheld);
    assert_eq!(carried.withheld.map(|mark| mark.by), Some(owner()));
}

#[test]
fn a_payment_that_is_recorded_again_and_sent_without_an_answer_is_in_the_books_once() {
    for kind in [FaultKind::LostBefore, FaultKind::LostAfter] {
        for path in ["/Payments", "/BankTransactions"] {
            let world = World::with_seen_invoice();
            let payment = a_payment("pay_1", &[("inv_1", "114.00")]).fee("3.20");
            world.receive(Payment, &payment.body());
            world.receive(Payment, &payment.clone().deleted().body());
            fail_next(&world, http::Method::PUT, path, kind.clone());
            world.receive(Payment, &at_revision(3, &payment.body()));
            world.advance(UNTIL_REPEATED);
            for part in ["pay_1.1", "pay_1.fee"] {
                assert_eq!(world.state(Payment, part), OperationState::Synced, "{kind:?} {path}");
            }
            assert_eq!(count_undeleted(&world), (1, 1), "{kind:?} {path}");
        }
    }
}

#[test]
fn a_payment_whose_deletion_has_no_answer_is_in_the_books_once_after_it_is_recorded_again() {
    for kind in [FaultKind::LostBefore, FaultKind::LostAfter] {
        let world = World::with_seen_invoice();
        let payment = a_payment("pay_1", &[("inv_1", "114.00")]);
        world.receive(Payment, &payment.body());
        fail_next(&world, http::Method::POST, "/Payments", kind.clone());
        world.receive(Payment, &payment.clone().deleted().body());
        world.receive(Payment, &at_revision(3, &payment.body()));
        world.advance(UNTIL_REPEATED);
        assert_eq!(world.state(Payment, "pay_1.1"), OperationState::Synced, "{kind:?}");
        assert_eq!(count_undeleted(&world), (1, 0), "{kind:?}");
    }
}

#[test]
fn a_payment_that_is_deleted_again_while_its_second_write_has_no_answer_leaves_the_books() {
    for kind in [FaultKind::LostBefore, FaultKind::LostAfter] {
        for path in ["/Payments", "/BankTransactions"] {
            let world = World::with_seen_invoice();
            let payment = a_payment("pay_1", &[("inv_1", "114.00")]).fee("3.20");
            world.receive(Payment, &payment.body());
            let deletion = payment.clone().deleted().body();
            world.receive(Payment, &deletion);
            fail_next(&world, http::Method::PUT, path, kind.clone());
            world.receive(Payment, &at_revision(3, &payment.body()));
            world.receive(Payment, &ended_at_revision(4, &deletion));
            world.advance(UNTIL_REPEATED);
            for part in ["pay_1.1", "pay_1.fee"] {
                assert_eq!(world.state(Payment, part), OperationState::Synced, "{kind:?} {path}");
            }
            assert_eq!(count_undeleted(&world), (0, 0), "{kind:?} {path}");
        }
    }
}

#[test]
fn credit_that_is_removed_again_while_its_second_write_has_no_answer_is_not_applied() {
    for kind in [FaultKind::LostBefore, FaultKind::LostAfter] {
        let world = World::connected();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
        let credit = an_allocation("al_1", "cn_1", "inv_1", "50.00");
        world.receive(CreditNote, &credit.body());
        let removal = credit.clone().removed().body();
        world.receive(CreditNote, &removal);
        fail_next(&world, http::Method::PUT, "/CreditNotes/", kind.clone());
        world.receive(CreditNote, &at_revision(3, &credit.body()));
        world.receive(CreditNote, &ended_at_revision(4, &removal));
        world.advance(UNTIL_REPEATED);
        assert_eq!(world.state(Allocation, "al_1"), OperationState::Synced, "{kind:?}");
        assert!(applied(&world).is_empty(), "{kind:?}");
    }
}

#[test]
fn of_two_equal_uses_of_credit_one_is_removed_and_the_log_asks_the_user_to_check() {
    for kind in [FaultKind::LostBefore, FaultKind::LostAfter] {
        let world = World::connected();
        world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
        world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
        let credit = an_allocation("al_1", "cn_1", "inv_1", "20.00");
        fail_next(&world, http::Method::PUT, "/CreditNotes/", kind.clone());
        world.receive(CreditNote, &credit.body());
        let before = applied(&world).len();
        // A bookkeeper applies the credit by hand.
        let [note, invoice] = [(CreditNote, "cn_1"), (Invoice, "inv_1")]
            .map(|(kind, id)| world.mapping(kind, id).unwrap().link.unwrap().xero_id.0);
        let (amount, day) = ("20.00".parse().unwrap(), date(2026, 11, 2));
        let by_hand = Credit::CreditNote(note);
        world.by_hand_apart(|hand| hand.allocate(by_hand, invoice, amount, day)).unwrap();
        world.receive(CreditNote, &credit.removed().body());
        world.advance(UNTIL_REPEATED);
        assert_eq!(world.state(Allocation, "al_1"), OperationState::Synced, "{kind:?}");
        assert_eq!(applied(&world).len(), before, "{kind:?}");
        let log = world.log();
        let message = &log.iter().rfind(|entry| entry.crm_id.as_str() == "al_1").unwrap().message;
        assert!(message.contains("apply it there again"), "{kind:?}: {message}");
    }
}

#[test]
fn never_send_in_the_list_of_failures_marks_the_voided_document_that_is_listed_and_no_other() {
    let world = World::connected();
    world.receive(Invoice, &an_invoice("inv_1", "cli_1").body());
    let invoice = world.books(|books| books.invoices().next().unwrap().id);
    let receipt = Receipt::on(date(2026, 11, 2));
    world.by_hand_apart(|bookkeeper| {
        bookkeeper.pay(invoice, "50.00".parse().unwrap(), &receipt).unwrap();
    });
    let negative = an_invoice("inv_1", "cli_1").revision(2).price("-95.00", "-114.00");
    world.receive(Invoice, &negative.body());
    // Xero does not void an invoice with a payment.
    let _refusal = failure(&world, Invoice, "inv_1");
    assert_eq!(world.state(CreditNote, "inv_1~credit"), OperationState::Synced);
    let listed = vec![NamedRecord { kind: Invoice, crm_id: CrmId::new("inv_1").unwrap() }];
    let (account, by) = (world.account(), owner());
    let marked = never_send_records(&world.engine, &account, &by, listed.clone());
    assert_eq!(run(marked).unwrap().unwrap().done, listed);
    assert_eq!(world.state(Invoice, "inv_1"), OperationState::Withheld);
    assert_eq!(world.state(CreditNote, "inv_1~credit"), OperationState::Synced);
    // Nothing fails any more, so the id names the document in effect.
    let marked = never_send_records(&world.engine, &account, &by, listed.clone());
    assert_eq!(run(marked).unwrap().unwrap().done, listed);
    assert_eq!(world.state(CreditNote, "inv_1~credit"), OperationState::Withheld);
}
