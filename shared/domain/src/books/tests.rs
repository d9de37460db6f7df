//! Tests of the comparison of the books.

mod tally;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::date;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::*;
use crate::crm::payment::{PaymentMethod, PaymentRecordStatus};
use crate::document::sales::DocumentStatus;
use crate::entity::EntityKind;
use crate::ids::{PaymentId, XeroPaymentId};
use crate::invoice_payments::{InvoicePayments, PaymentMatch, ReceivedPayment, RecordedPayment};
use crate::mapping::tests::{a_key, a_link, an_unsent_mapping, document_amounts};
use crate::mapping::{CreditUse, CreditUser, DocumentAmounts, KeptSnapshot, Mapping, XeroLink};
use crate::money::Currency;
use crate::money::tests::pounds;
use crate::operation::OperationState;

fn a_snapshot(total: &str, standing: &str) -> String {
    format!(
        r##"{{"id":"inv_1","revision":1,"number":"#INV-1","client_id":"cli_1","issue_date":"2026-11-02",
        "currency":"GBP","lines":[{{"name":"Work","quantity":"1","unit_price":"{total}"}}],
        "total":"{total}","standing":"{standing}"}}"##
    )
}

/// An invoice over this total that was not sent yet.
fn unsent(total: &str) -> Mapping {
    let snapshot = KeptSnapshot::new(1, "#INV-1".to_owned(), a_snapshot(total, "sent"));
    an_unsent_mapping("inv_1", snapshot)
}

/// An invoice over 100.00 whose document in Xero has this status and these amounts in cents.
fn sent(status: DocumentStatus, due: i64, paid: i64, credited: i64) -> Mapping {
    let amounts = DocumentAmounts {
        xero_total: pounds(due + paid + credited),
        amount_paid: Some(pounds(paid)),
        amount_credited: Some(pounds(credited)),
        ..document_amounts(status, due)
    };
    let mut mapping = unsent("100.00");
    mapping.synced_revision = Some(1);
    mapping.operation.state = OperationState::Synced;
    mapping.link = Some(XeroLink {
        xero_updated_at: Some(Timestamp::UNIX_EPOCH),
        amounts: Some(amounts),
        ..a_link(1)
    });
    mapping
}

fn recorded(id: &str, method: PaymentMethod, cents: i64) -> RecordedPayment {
    RecordedPayment {
        payment: PaymentId::new(id).unwrap(),
        revision: 1,
        method,
        amount: pounds(cents),
        date: date(2026, 11, 2),
        reference: None,
        standing: PaymentRecordStatus::Recorded,
    }
}

fn received(cents: i64, is: PaymentMatch) -> ReceivedPayment {
    ReceivedPayment {
        id: XeroPaymentId(Uuid::from_u128(7)),
        amount: pounds(cents),
        date: None,
        reference: None,
        account: None,
        batch: None,
        is,
        seen_at: Timestamp::UNIX_EPOCH,
        compared_with: Vec::new(),
    }
}

fn payments(recorded: Vec<RecordedPayment>, received: Vec<ReceivedPayment>) -> InvoicePayments {
    let key = a_key("inv_1");
    InvoicePayments { recorded, received, ..InvoicePayments::new(key.ledger, key.crm_id) }
}

fn same_as(id: &str) -> PaymentMatch {
    PaymentMatch::Same { payment: PaymentId::new(id).unwrap() }
}

/// The reasons why the balances differ, with their amounts; their sum is the difference.
fn reasons(mapping: &Mapping, known: &InvoicePayments) -> Vec<(DifferenceCode, String)> {
    let compared = compare_invoice(mapping, Some(known), &BTreeSet::new()).unwrap();
    let Some(difference) = compared.difference else {
        assert_eq!(compared.crm.amount, compared.xero.amount);
        return Vec::new();
    };
    let total: Decimal = difference.reasons.iter().map(|reason| reason.amount.amount).sum();
    assert_eq!(total, compared.crm.amount - compared.xero.amount);
    let reason = |one: DifferenceReason| (one.code, one.amount.amount.to_string());
    difference.reasons.into_iter().map(reason).collect()
}

fn none() -> InvoicePayments {
    payments(Vec::new(), Vec::new())
}

#[test]
fn an_invoice_with_the_same_payments_and_credits_on_both_sides_is_equal() {
    let cash = recorded("pay_1", PaymentMethod::Cash, 3_000);
    let cases = [
        (sent(DocumentStatus::Authorised, 10_000, 0, 0), none()),
        (sent(DocumentStatus::Authorised, 8_000, 0, 2_000), none()),
        (
            sent(DocumentStatus::Authorised, 6_000, 4_000, 0),
            payments(Vec::new(), vec![received(4_000, PaymentMatch::Imported)]),
        ),
        (
            sent(DocumentStatus::Authorised, 7_000, 3_000, 0),
            payments(vec![cash], vec![received(3_000, same_as("pay_1"))]),
        ),
        (
            sent(DocumentStatus::Authorised, 10_000, 0, 0),
            payments(Vec::new(), vec![received(4_000, PaymentMatch::Removed)]),
        ),
    ];
    for (mapping, known) in cases {
        assert!(reasons(&mapping, &known).is_empty(), "{known:?}");
    }
}

#[test]
fn a_payment_that_only_one_side_counts_is_named() {
    let unpaid = sent(DocumentStatus::Authorised, 10_000, 0, 0);
    let paid = sent(DocumentStatus::Paid, 0, 10_000, 0);
    let cash = recorded("pay_1", PaymentMethod::Cash, 3_000);
    let deleted = RecordedPayment { standing: PaymentRecordStatus::Deleted, ..cash.clone() };
    let stripe = recorded("pay_1", PaymentMethod::Stripe, 3_000);
    let unclear = PaymentMatch::Unclear { candidates: Vec::new() };
    let less = sent(DocumentStatus::Authorised, 8_000, 2_000, 0);
    for (mapping, known, expected) in [
        (
            &unpaid,
            payments(vec![cash.clone()], Vec::new()),
            ("-30.00", DifferenceCode::PaymentNotBanked),
        ),
        (&unpaid, payments(vec![stripe], Vec::new()), ("-30.00", DifferenceCode::PaymentNotSent)),
        (
            &paid,
            payments(Vec::new(), vec![received(10_000, unclear)]),
            ("100.00", DifferenceCode::PaymentUnclear),
        ),
        (
            &less,
            payments(vec![deleted], vec![received(2_000, same_as("pay_1"))]),
            ("20.00", DifferenceCode::PaymentDeleted),
        ),
        (
            &less,
            payments(vec![cash], vec![received(2_000, same_as("pay_1"))]),
            ("-10.00", DifferenceCode::PaymentAmountDiffers),
        ),
        (&paid, none(), ("100.00", DifferenceCode::Unexplained)),
    ] {
        let (amount, code) = expected;
        assert_eq!(reasons(mapping, &known), [(code, amount.to_owned())]);
    }
}

#[test]
fn cash_that_the_integration_writes_is_not_sent_yet_instead_of_not_banked() {
    let mapping = sent(DocumentStatus::Authorised, 10_000, 0, 0);
    let known = payments(vec![recorded("pay_1", PaymentMethod::Cash, 3_000)], Vec::new());
    for (written, expected) in [
        (BTreeSet::new(), DifferenceCode::PaymentNotBanked),
        (BTreeSet::from([PaymentId::new("pay_1").unwrap()]), DifferenceCode::PaymentNotSent),
    ] {
        let compared = compare_invoice(&mapping, Some(&known), &written).unwrap();
        let codes = compared.difference.unwrap().reasons.into_iter().map(|reason| reason.code);
        assert_eq!(codes.collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn several_reasons_add_up_to_the_difference() {
    let mut mapping = sent(DocumentStatus::Authorised, 9_000, 0, 0);
    let cash = recorded("pay_1", PaymentMethod::Cash, 3_000);
    let known = payments(vec![cash], Vec::new());
    let banked = (DifferenceCode::PaymentNotBanked, "-30.00".to_owned());
    let total = (DifferenceCode::TotalDiffers, "10.00".to_owned());
    assert_eq!(reasons(&mapping, &known), [total, banked.clone()]);
    // The CRM's newest version was not sent.
    mapping.operation.state = OperationState::Skipped;
    let given_up = (DifferenceCode::GivenUp, "10.00".to_owned());
    assert_eq!(reasons(&mapping, &known), [given_up, banked]);
}

#[test]
fn an_invoice_that_xero_does_not_count_says_why() {
    let mut withheld = unsent("100.00");
    withheld.operation.state = OperationState::Withheld;
    for (mapping, code) in [
        (unsent("100.00"), DifferenceCode::NotSent),
        (withheld, DifferenceCode::NeverSend),
        (sent(DocumentStatus::Voided, 10_000, 0, 0), DifferenceCode::GoneInXero),
        (sent(DocumentStatus::Draft, 10_000, 0, 0), DifferenceCode::NotApproved),
    ] {
        assert_eq!(reasons(&mapping, &none()), [(code, "100.00".to_owned())]);
    }
}

#[test]
fn a_voided_invoice_is_open_on_neither_side_once_xero_has_voided_it() {
    let voided = |status, due| {
        let mut mapping = sent(status, due, 0, 0);
        mapping.snapshot.json = a_snapshot("100.00", "voided");
        mapping
    };
    assert!(reasons(&voided(DocumentStatus::Voided, 10_000), &none()).is_empty());
    let pending = [(DifferenceCode::ChangeNotSent, "-100.00".to_owned())];
    assert_eq!(reasons(&voided(DocumentStatus::Authorised, 10_000), &none()), pending);
}

#[test]
fn a_change_that_was_not_read_and_another_currency_are_reasons_of_their_own() {
    let mut unread = sent(DocumentStatus::Authorised, 6_000, 4_000, 0);
    unread.link.as_mut().unwrap().xero_updated_at = None;
    let expected = [(DifferenceCode::ChangeUnread, "40.00".to_owned())];
    assert_eq!(reasons(&unread, &none()), expected);
    let mut other = sent(DocumentStatus::Authorised, 10_000, 0, 0);
    let amounts = other.link.as_mut().unwrap().amounts.as_mut().unwrap();
    amounts.amount_due.currency = Currency::new("EUR").unwrap();
    let compared = compare_invoice(&other, None, &BTreeSet::new()).unwrap();
    let difference = compared.difference.unwrap();
    assert_eq!(difference.reasons[0].code, DifferenceCode::CurrencyDiffers);
    assert_eq!((difference.crm, difference.xero.currency.as_str()), (pounds(10_000), "EUR"));
}

#[test]
fn an_invoice_without_its_text_is_compared_by_the_total_that_was_sent() {
    let sent = sent(DocumentStatus::Authorised, 10_000, 0, 0).without_text();
    assert!(reasons(&sent, &none()).is_empty());
    assert_eq!(compare_invoice(&unsent("100.00").without_text(), None, &BTreeSet::new()), None);
}

fn an_allocation(standing: &str) -> Mapping {
    let json = format!(
        r##"{{"id":"alo_1","revision":1,"credit_note_id":"cn_1","credit_note_number":"CN-1",
        "invoice_id":"inv_1","invoice_number":"#INV-1","amount":"20.00","currency":"GBP",
        "date":"2026-11-02","standing":"{standing}"}}"##
    );
    let mut mapping = unsent("100.00");
    mapping.key.kind = EntityKind::Allocation;
    mapping.snapshot = KeptSnapshot::new(1, "CN-1 on #INV-1".to_owned(), json);
    mapping
}

#[test]
fn an_allocation_that_xero_lacks_or_still_has_is_a_difference() {
    let linked = |mut mapping: Mapping| {
        mapping.link = sent(DocumentStatus::Authorised, 0, 0, 0).link;
        mapping
    };
    let done = |mut mapping: Mapping| {
        mapping.synced_revision = Some(1);
        mapping.operation.state = OperationState::Synced;
        mapping
    };
    for (mapping, expected) in [
        (an_allocation("applied"), Some((-2_000, DifferenceCode::NotSent))),
        (linked(an_allocation("removed")), Some((2_000, DifferenceCode::ChangeNotSent))),
        (done(linked(an_allocation("applied"))), None),
        (done(linked(an_allocation("removed"))), None),
        (an_allocation("removed"), None),
    ] {
        let compared = compare_allocation(&mapping).unwrap();
        assert_eq!(compared.crm, pounds(expected.map_or(0, |(cents, _)| cents)));
        let code = compared.difference.map(|difference| difference.reasons[0].code);
        assert_eq!(code, expected.map(|(_, code)| code));
    }
}

/// A credit note over 100.00, voided or in effect.
fn a_credit_note(mut mapping: Mapping, standing: &str) -> Mapping {
    mapping.key.kind = EntityKind::CreditNote;
    mapping.snapshot.json = a_snapshot("100.00", standing);
    mapping
}

#[test]
fn a_credit_note_that_only_one_side_has_or_with_another_total_is_a_difference() {
    let in_xero = |status, credit| sent(status, credit, 0, 0);
    let unsynced = |mut mapping: Mapping| {
        mapping.synced_revision = None;
        mapping
    };
    for (mapping, expected) in [
        (a_credit_note(in_xero(DocumentStatus::Authorised, 10_000), "sent"), None),
        (a_credit_note(in_xero(DocumentStatus::Paid, 10_000), "sent"), None),
        (a_credit_note(in_xero(DocumentStatus::Voided, 10_000), "voided"), None),
        (a_credit_note(unsent("100.00"), "voided"), None),
        (a_credit_note(unsent("100.00"), "sent"), Some((-10_000, 0, DifferenceCode::NotSent))),
        (
            a_credit_note(in_xero(DocumentStatus::Authorised, 9_000), "sent"),
            Some((-10_000, -9_000, DifferenceCode::TotalDiffers)),
        ),
        (
            a_credit_note(unsynced(in_xero(DocumentStatus::Authorised, 9_000)), "sent"),
            Some((-10_000, -9_000, DifferenceCode::ChangeNotSent)),
        ),
        (
            a_credit_note(unsynced(in_xero(DocumentStatus::Authorised, 10_000)), "voided"),
            Some((0, -10_000, DifferenceCode::ChangeNotSent)),
        ),
        (
            a_credit_note(in_xero(DocumentStatus::Deleted, 10_000), "sent"),
            Some((-10_000, 0, DifferenceCode::GoneInXero)),
        ),
    ] {
        let compared = compare_credit_note(&mapping, &[]).unwrap();
        let (crm, xero) = expected.map_or((0, 0), |(crm, xero, _)| (crm, xero));
        assert_eq!((compared.crm, compared.xero), (pounds(crm), pounds(xero)), "{mapping:?}");
        let reasons = compared.difference.map(|difference| difference.reasons);
        let reasons = reasons.map(|reasons| (reasons[0].code, reasons[0].amount, reasons.len()));
        assert_eq!(reasons, expected.map(|(crm, xero, code)| (code, pounds(crm - xero), 1)));
    }
}

#[test]
fn credit_that_only_xero_has_used_is_a_difference_of_the_credit_that_is_left() {
    // 100.00 of credit, of which 30.00 is applied on both sides and 50.00 was refunded in Xero.
    let note = |total: i64| {
        let mut mapping = a_credit_note(sent(DocumentStatus::Authorised, total, 0, 0), "sent");
        let amounts = mapping.link.as_mut().unwrap().amounts.as_mut().unwrap();
        amounts.amount_due = pounds(total - 8_000);
        mapping
    };
    let used = DifferenceCode::CreditUsedInXero;
    for (total, crm, xero, expected) in [
        (10_000, -7_000, -2_000, vec![(used, pounds(-5_000))]),
        (
            9_000,
            -7_000,
            -1_000,
            vec![(DifferenceCode::TotalDiffers, pounds(-1_000)), (used, pounds(-5_000))],
        ),
    ] {
        let refund = XeroPaymentId(Uuid::from_u128(8));
        let by_hand = CreditUse { by: CreditUser::Refund(refund), amount: pounds(5_000) };
        let compared = compare_credit_note(&note(total), &[by_hand]).unwrap();
        assert_eq!((compared.crm, compared.xero), (pounds(crm), pounds(xero)), "{total}");
        let reasons = compared.difference.unwrap().reasons.into_iter();
        let reasons = reasons.map(|reason| (reason.code, reason.amount)).collect::<Vec<_>>();
        assert_eq!(reasons, expected, "{total}");
    }
}

#[test]
fn totals_that_differ_are_not_said_to_have_been_changed_without_a_doubt() {
    let said = DifferenceCode::TotalDiffers.explanation();
    assert!(
        said.contains("rounds the tax of each line") && said.contains("changed there"),
        "{said}"
    );
}
