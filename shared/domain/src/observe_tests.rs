//! What Xero may say of an invoice, and what the CRM hears of it.

use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::document::invoice::{AppliedCredit, CreditKind, Settlement};
use crate::ids::{XeroId, XeroInvoiceId, XeroPaymentId};
use crate::mapping::tests::a_key;
use crate::mapping::{Accepted, KeptSnapshot};
use crate::money::Currency;
use crate::receipts::Standpoint;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn pounds(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), Currency::new("GBP").unwrap())
}

/// An approved invoice over 114.00, of which so much was paid and credited.
fn remote(paid: i64, credited: i64) -> RemoteInvoice {
    let due = 11_400 - paid - credited;
    RemoteInvoice {
        id: XeroInvoiceId(Uuid::from_u128(5)),
        number: Some("#inv_1".to_owned()),
        is_sales: true,
        status: if due == 0 { DocumentStatus::Paid } else { DocumentStatus::Authorised },
        contact_id: None,
        reference: None,
        url: None,
        total_tax: pounds(1_900),
        total: pounds(11_400),
        amount_due: pounds(due),
        date: Some(date(2026, 11, 1)),
        due_date: Some(date(2026, 11, 30)),
        updated_at: Some(NOW),
        settlement: Settlement {
            paid: pounds(paid).amount,
            credited: pounds(credited).amount,
            paid_on: (due == 0).then(|| date(2026, 11, 9)),
            payments: Vec::new(),
            credits: Vec::new(),
        },
    }
}

/// The mapping of that invoice as it was when we had pushed it.
fn a_mapping() -> Mapping {
    let snapshot = KeptSnapshot::new(1, "#inv_1".to_owned(), "{}".to_owned());
    let Accepted::Newer(mapping) = Mapping::accept(None, &a_key("inv_1"), snapshot, NOW) else {
        panic!("a first snapshot is news")
    };
    let link = Link {
        xero_id: XeroId(Uuid::from_u128(5)),
        number: None,
        xero_updated_at: Some(NOW),
        amounts: Some(Amounts::observed(pounds(11_400), &remote(0, 0))),
    };
    Mapping { link: Some(link), ..*mapping }
}

fn receipts() -> Receipts {
    Receipts::new(a_key("inv_1").ledger, a_key("inv_1").crm_id)
}

fn received(id: u128, cents: i64) -> Received {
    Received {
        id: XeroPaymentId(Uuid::from_u128(id)),
        amount: pounds(cents),
        date: Some(date(2026, 11, 9)),
        reference: None,
        account: None,
        batch: None,
        is: Standpoint::Imported,
        seen_at: NOW,
    }
}

fn seen(invoice: &RemoteInvoice, payments: Vec<Received>) -> Option<Observation> {
    observe(&a_mapping(), &receipts(), Seen::There { invoice, payments }, NOW)
}

fn kinds(news: &[News]) -> Vec<&'static str> {
    let kind = |one: &News| match one {
        News::PaymentImported(_) => "imported",
        News::PaymentRemoved { .. } => "removed",
        News::PaymentStatus { status: PaymentState::Paid, .. } => "paid",
        News::PaymentStatus { status: PaymentState::PartPaid, .. } => "part paid",
        News::PaymentStatus { status: PaymentState::Unpaid, .. } => "unpaid",
        News::XeroStatus { .. } => "status",
        News::Skipped { .. } | News::Connection { .. } => "other",
    };
    news.iter().map(kind).collect()
}

#[test]
fn what_is_as_it_was_changes_nothing() {
    assert_eq!(seen(&remote(0, 0), Vec::new()), None);
}

#[test]
fn a_payment_is_imported_and_the_invoice_is_paid_in_that_order() {
    let seen = seen(&remote(11_400, 0), vec![received(1, 11_400)]).unwrap();
    assert_eq!(kinds(&seen.news), ["imported", "paid"]);
    assert_eq!(seen.mapping.told, 2);
    let News::PaymentStatus { sequence, paid_on, amount_due, .. } = &seen.news[1] else {
        panic!("{:?}", seen.news)
    };
    assert_eq!((*sequence, *paid_on), (2, Some(date(2026, 11, 9))));
    assert!(amount_due.amount.is_zero());
}

#[test]
fn a_part_payment_and_then_its_removal_are_told() {
    let part = seen(&remote(5_000, 0), vec![received(1, 5_000)]).unwrap();
    assert_eq!(kinds(&part.news), ["imported", "part paid"]);
    let back = RemoteInvoice { updated_at: Some(NOW), ..remote(0, 0) };
    let again = Seen::There { invoice: &back, payments: Vec::new() };
    let removed = observe(&part.mapping, &part.receipts, again, NOW).unwrap();
    assert_eq!(kinds(&removed.news), ["removed", "unpaid"]);
    assert_eq!(removed.mapping.told, 4);
}

#[test]
fn a_credit_is_reported_as_such_and_is_no_payment() {
    let mut credited = remote(0, 11_400);
    credited.settlement.credits = vec![AppliedCredit {
        kind: CreditKind::Overpayment,
        number: None,
        amount: pounds(11_400).amount,
    }];
    let seen = seen(&credited, Vec::new()).unwrap();
    assert_eq!(kinds(&seen.news), ["paid"]);
    let News::PaymentStatus { amount_paid, amount_credited, credits, .. } = &seen.news[0] else {
        panic!("{:?}", seen.news)
    };
    assert_eq!(
        (amount_paid.amount, amount_credited.amount),
        (pounds(0).amount, pounds(11_400).amount)
    );
    assert_eq!(credits.len(), 1);
}

#[test]
fn a_void_is_told_and_marks_the_mapping() {
    let mut voided = remote(0, 0);
    voided.status = DocumentStatus::Voided;
    let seen = seen(&voided, Vec::new()).unwrap();
    assert_eq!(kinds(&seen.news), ["status"]);
    assert!(seen.mapping.is_gone_in_xero());
    let afresh = seen.mapping.afresh();
    assert_eq!((afresh.generation, afresh.left.len()), (2, 1));
    assert!(afresh.link.is_none());
}

#[test]
fn an_invoice_that_xero_has_no_longer_is_told_like_a_deleted_one() {
    let seen = observe(&a_mapping(), &receipts(), Seen::Missing, NOW).unwrap();
    assert_eq!(kinds(&seen.news), ["status"]);
    assert!(seen.mapping.is_gone_in_xero());
}

#[test]
fn a_total_or_a_due_date_changed_in_xero_is_told() {
    let mut edited = remote(0, 0);
    edited.total = pounds(12_000);
    edited.amount_due = pounds(12_000);
    edited.due_date = Some(date(2026, 12, 24));
    let seen = seen(&edited, Vec::new()).unwrap();
    assert_eq!(kinds(&seen.news), ["status", "unpaid"]);
    let News::XeroStatus { remarks, .. } = &seen.news[0] else { panic!("{:?}", seen.news) };
    assert_eq!(remarks.len(), 2, "{remarks:?}");
}

#[test]
fn an_answer_that_was_overtaken_is_not_believed() {
    let mut old = remote(11_400, 0);
    old.updated_at = Some(Timestamp::from_second(-1).unwrap());
    assert_eq!(seen(&old, Vec::new()), None);
}

#[test]
fn what_a_write_has_shown_is_told_though_the_amounts_are_known() {
    let paid = remote(11_400, 0);
    let known = a_mapping().link.unwrap();
    let amounts = Amounts::observed(pounds(11_400), &paid);
    assert!(is_news(Some(&known), known.xero_id, &amounts));
    assert!(is_news(None, known.xero_id, &amounts));
    let unseen = Link { amounts: Some(amounts.clone()), xero_updated_at: None, ..known };
    assert!(is_news(Some(&unseen), unseen.xero_id, &amounts));
    let mapping = Mapping { link: Some(unseen.clone()), ..a_mapping() };
    let there = |payments| Seen::There { invoice: &paid, payments };
    let seen = observe(&mapping, &receipts(), there(vec![received(1, 11_400)]), NOW).unwrap();
    assert_eq!(kinds(&seen.news), ["imported", "paid"]);
    let link = seen.mapping.link.clone().unwrap();
    assert!(!is_news(Some(&link), link.xero_id, &amounts));
    let again = observe(&seen.mapping, &seen.receipts, there(vec![received(1, 11_400)]), NOW);
    assert_eq!(again, None);
}

#[test]
fn an_invoice_on_which_nothing_happened_has_nothing_to_observe() {
    let known = a_mapping().link.unwrap();
    let amounts = Amounts::observed(pounds(12_000), &remote(0, 0));
    assert!(!is_news(Some(&known), known.xero_id, &amounts));
    assert!(!is_news(None, known.xero_id, &amounts));
}
