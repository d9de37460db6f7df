//! Money that was returned: a credit note is created if the money of an invoice is returned, and
//! credit is refunded, exactly once.

mod accounts;
mod limits;
mod removed;
mod withheld;

use domain::entity::EntityKind::{Allocation, CreditNote, Invoice, Payment};
use domain::operation::OperationState;
use jiff::SignedDuration;
use rust_decimal::Decimal;
use tests::World;
use tests::builders::{self, a_credit_note, a_payment, an_allocation, an_invoice};
use xero_sim::{Fault, FaultKind, InvoiceStatus, Match, PaymentStatus};

use crate::payment_currencies::{forget_amounts, holding};

/// A refund of this amount by Stripe; `fields` are its other fields.
fn a_refund(currency: &str, amount: &str, fields: &str) -> String {
    let message = builders::a_refund("ref_1", amount).currency(currency).reference("re_1");
    message.fields(fields).body()
}

/// An invoice over 120.00 in this currency, free of tax.
fn bill(world: &World, currency: &str) {
    let invoice = an_invoice("inv_1", "cli_1").currency(currency).price("120.00", "120.00");
    world.receive(Invoice, &invoice.tax_rate("0").body());
}

fn refund(world: &World, message: &str) {
    world.receive(Payment, message);
    world.advance(SignedDuration::from_hours(1));
}

/// The number, the status and the total of every credit note in Xero.
fn notes(world: &World) -> Vec<(String, InvoiceStatus, Decimal)> {
    world.books(|books| {
        let notes = books.credit_notes();
        let shown = |note: &xero_sim::CreditNote| {
            (note.number.clone().unwrap_or_default(), note.status, note.total.normalize())
        };
        notes.map(shown).collect()
    })
}

/// The number of refunds and payments that are not deleted.
fn money(world: &World) -> usize {
    world.books(|books| {
        books.payments().filter(|one| one.status == PaymentStatus::Authorised).count()
    })
}

#[test]
fn a_part_of_a_foreign_payment_is_returned_and_the_account_has_stripes_balance() {
    let world = holding("GBP");
    bill(&world, "EUR");
    let payment = a_payment("pay_1", &[("inv_1", "120.00")]).currency("EUR");
    world.receive(Payment, &payment.settlement("GBP", "102.56", "0.854667").fee("3.21").body());
    let settlement =
        r#""invoice_id":"inv_1","settlement":{"currency":"GBP","amount":"34.50","rate":"0.8625"}"#;
    refund(&world, &a_refund("EUR", "40.00", settlement));
    // 102.56 - 3.21 - 34.50
    assert_eq!(world.balance_of("092"), "64.85");
    assert_eq!(
        notes(&world),
        [("REFUND-ref_1".to_owned(), InvoiceStatus::Paid, Decimal::from(40))]
    );
    let invoice = world.books(|books| books.invoices().next().unwrap().status);
    assert_eq!(invoice, InvoiceStatus::Paid);
    // The same message again changes nothing.
    refund(&world, &a_refund("EUR", "40.00", settlement));
    assert_eq!(
        (world.balance_of("092").as_str(), notes(&world).len(), money(&world)),
        ("64.85", 1, 2)
    );
}

#[test]
fn a_part_of_a_payment_settled_in_a_foreign_currency_is_returned() {
    let world = holding("EUR");
    bill(&world, "GBP");
    let payment = a_payment("pay_1", &[("inv_1", "120.00")]);
    world.receive(Payment, &payment.settlement("EUR", "138.31", "1.152583").fee("4.27").body());
    let settlement =
        r#""invoice_id":"inv_1","settlement":{"currency":"EUR","amount":"46.20","rate":"1.155"}"#;
    refund(&world, &a_refund("GBP", "40.00", settlement));
    assert_eq!(world.balance_of("092"), "87.84");
}

#[test]
fn a_whole_payment_is_returned_with_the_fee_of_the_refund() {
    let world = holding("GBP");
    bill(&world, "GBP");
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "120.00")]).body());
    refund(&world, &a_refund("GBP", "120.00", r#""invoice_id":"inv_1","fee":"0.30""#));
    for part in ["ref_1.note", "ref_1.1", "ref_1.fee"] {
        assert_eq!(world.state(Payment, part), OperationState::Synced, "{part}");
    }
    assert_eq!(world.balance_of("092"), "-0.30");
}

#[test]
fn credit_of_a_credit_note_is_paid_out_without_another_note() {
    let world = holding("GBP");
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    refund(&world, &a_refund("GBP", "50.00", r#""credit_note_id":"cn_1""#));
    assert_eq!(world.state(Payment, "ref_1.1"), OperationState::Synced);
    assert_eq!(world.balance_of("092"), "-50.00");
    assert_eq!(notes(&world), [("CN_1".to_owned(), InvoiceStatus::Authorised, Decimal::from(114))]);
}

#[test]
fn credit_in_another_currency_is_not_paid_out_even_if_the_row_of_its_note_has_no_amounts() {
    for is_early in [false, true] {
        let world = holding("GBP");
        world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
        if is_early {
            forget_amounts(&world, "MAP#credit_note#cn_1");
        }
        refund(&world, &a_refund("EUR", "50.00", r#""credit_note_id":"cn_1""#));
        let failure = world.mapping(Payment, "ref_1.1").unwrap().operation.failure.unwrap();
        assert_eq!(failure.code, "payment_currency_differs", "{is_early}");
        assert_eq!(money(&world), 0, "{is_early}");
    }
}

#[test]
fn a_refund_waits_until_its_document_is_in_xero() {
    let world = holding("GBP");
    refund(&world, &a_refund("GBP", "50.00", r#""credit_note_id":"cn_1""#));
    assert!(matches!(world.state(Payment, "ref_1.1"), OperationState::Parked { .. }));
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.advance(SignedDuration::from_mins(5));
    assert_eq!(world.state(Payment, "ref_1.1"), OperationState::Synced);

    let world = holding("GBP");
    refund(&world, &a_refund("GBP", "40.00", r#""invoice_id":"inv_1""#));
    assert!(matches!(world.state(Payment, "ref_1.note"), OperationState::Parked { .. }));
    bill(&world, "GBP");
    world.advance(SignedDuration::from_mins(5));
    assert_eq!(world.state(Payment, "ref_1.1"), OperationState::Synced);
    assert_eq!(world.balance_of("092"), "-40.00");
}

#[test]
fn a_lost_answer_creates_no_second_note_and_no_second_refund() {
    for path in ["/api.xro/2.0/CreditNotes", "/api.xro/2.0/Payments"] {
        for kind in [FaultKind::LostAfter, FaultKind::LostBefore] {
            let world = holding("GBP");
            bill(&world, "GBP");
            world.receive(Payment, &a_payment("pay_1", &[("inv_1", "120.00")]).body());
            let on = Match { method: Some(http::Method::PUT), ..Match::next(path) };
            world.inject(Fault { on, kind });
            refund(&world, &a_refund("GBP", "40.00", r#""invoice_id":"inv_1""#));
            assert_eq!(world.balance_of("092"), "80.00", "{path}");
            assert_eq!((notes(&world).len(), money(&world)), (1, 2), "{path}");
        }
    }
}

#[test]
fn a_refund_is_recognised_whatever_the_answer_calls_its_document() {
    for names_note in [true, false] {
        let world = World::with(|settings| {
            settings.unconfirmed.refund_answers_name_note = names_note;
        });
        world.connect();
        world.choose_accounts();
        world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
        refund(&world, &a_refund("GBP", "50.00", r#""credit_note_id":"cn_1""#));
        assert_eq!(world.state(Payment, "ref_1.1"), OperationState::Synced);
        assert_eq!(money(&world), 1);
    }
}

#[test]
fn more_than_an_invoice_has_is_not_returned() {
    let world = holding("GBP");
    bill(&world, "GBP");
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "120.00")]).body());
    refund(&world, &a_refund("GBP", "120.01", r#""invoice_id":"inv_1""#));
    let operation = world.mapping(Payment, "ref_1.note").unwrap().operation;
    assert_eq!(operation.state, OperationState::Skipped);
    assert_eq!(operation.failure.unwrap().code, "refund_exceeds_invoice");
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("120.00", 0));
}

#[test]
fn a_refund_of_more_than_a_credit_note_has_left_names_the_credit() {
    let world = holding("GBP");
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.receive(Payment, &a_refund("GBP", "100.00", r#""credit_note_id":"cn_1""#));
    let again = a_refund("GBP", "20.00", r#""credit_note_id":"cn_1""#);
    world.receive(Payment, &again.replace("ref_1", "ref_2"));
    let failure = world.mapping(Payment, "ref_2.1").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "credit_over_left");
    assert_eq!(
        failure.message,
        "CN_1 is AUTHORISED in Xero with GBP 14.00 of credit left, so GBP 20.00 cannot be paid back."
    );
    assert!(!failure.remedy.contains("invoice"), "{failure}");
    assert_eq!((world.balance_of("092").as_str(), money(&world)), ("-100.00", 1));
}

#[test]
fn money_of_an_invoice_that_was_voided_in_xero_is_not_returned() {
    let world = holding("GBP");
    bill(&world, "GBP");
    world.clock.advance(SignedDuration::from_mins(1));
    let id = world.books(|books| books.invoices().next().unwrap().id);
    world.by_hand(|bookkeeper| bookkeeper.void(id).unwrap());
    world.poll();
    world.receive(Payment, &a_refund("GBP", "40.00", r#""invoice_id":"inv_1""#));
    let failure = world.mapping(Payment, "ref_1.note").unwrap().operation.failure.unwrap();
    assert_eq!(failure.code, "invoice_gone");
    assert_eq!((world.balance_of("092").as_str(), notes(&world).len()), ("0.00", 0));
}

#[test]
fn a_refund_by_a_method_without_an_account_is_logged_and_not_sent() {
    let world = holding("GBP");
    bill(&world, "GBP");
    let message = a_refund("GBP", "40.00", r#""invoice_id":"inv_1""#);
    refund(&world, &message.replace(r#""method":"stripe""#, r#""method":"cash""#));
    assert!(world.mapping(Payment, "ref_1.note").is_none());
    let logged = world.log().into_iter().any(|entry| entry.message.contains("(Cash)"));
    assert!(logged, "{:?}", world.log());
}

#[test]
fn money_for_an_invoice_that_is_a_credit_note_in_xero_is_explained_and_refunds_of_it_are_paid() {
    let world = holding("GBP");
    let negative = an_invoice("inv_1", "cli_1").price("-95.00", "-114.00");
    world.receive(Invoice, &negative.body());
    world.receive(Payment, &a_payment("pay_1", &[("inv_1", "114.00")]).body());
    world.receive(CreditNote, &a_credit_note("cn_1", "cli_1").body());
    world.receive(CreditNote, &an_allocation("al_1", "cn_1", "inv_1", "10.00").body());
    refund(&world, &a_refund("GBP", "50.00", r#""invoice_id":"inv_1""#));
    for (kind, id) in [(Payment, "pay_1.1"), (Payment, "ref_1.note"), (Allocation, "al_1")] {
        let failure = world.mapping(kind, id).unwrap().operation.failure.unwrap();
        assert_eq!(failure.code, "invoice_is_credit", "{id}");
        assert!(failure.message.starts_with("#INV_1 has a negative total"), "{failure}");
    }
    assert_eq!((world.balance_of("092").as_str(), money(&world)), ("0.00", 0));
    let named = a_refund("GBP", "50.00", r#""credit_note_id":"inv_1""#).replace("ref_1", "ref_2");
    refund(&world, &named);
    assert_eq!((world.balance_of("092").as_str(), money(&world)), ("-50.00", 1));
}
