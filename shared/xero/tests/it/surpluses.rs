//! Tests of overpayments and prepayments: the request of a page, and its rows.

use domain::surplus::{RemoteSurplus, SurplusKind};
use jiff::civil::date;
use uuid::Uuid;
use xero::api::{PagePosition, RowPage, surpluses};

use crate::samples::{a_session, collection};
use crate::scripted::Scripted;

fn row(id_member: &str, members: &str) -> String {
    let id = Uuid::from_u128(7);
    let contact = Uuid::from_u128(8);
    format!(
        r#"{{"{id_member}":"{id}","ID":"{id}","Contact":{{"ContactID":"{contact}","Name":"Ridge"}},
        "DateString":"2026-11-03T00:00:00","CurrencyCode":"GBP","Total":13.94,{members}
        "UpdatedDateUTC":"/Date(1793664000000+0000)/","Allocations":[]}}"#
    )
}

async fn read(kind: SurplusKind, row: String) -> RowPage<RemoteSurplus> {
    let name = match kind {
        SurplusKind::Overpayment => "Overpayments",
        SurplusKind::Prepayment => "Prepayments",
    };
    let session = a_session(Scripted::ok(&collection(name, &[row])));
    let since = "2026-11-01T00:00:00Z".parse().unwrap();
    surpluses::read_changed_page(&session, kind, since, PagePosition::FIRST).await.unwrap()
}

#[tokio::test]
async fn a_page_requests_the_changes_of_one_kind_oldest_first() {
    for (kind, name) in
        [(SurplusKind::Overpayment, "Overpayments"), (SurplusKind::Prepayment, "Prepayments")]
    {
        let xero = Scripted::ok(&collection(name, &[]));
        let session = a_session(xero.clone());
        let since = "2026-11-01T00:00:00Z".parse().unwrap();
        let page = surpluses::read_changed_page(&session, kind, since, PagePosition::FIRST).await;
        assert_eq!(page.unwrap().next_position(), None);
        let asked = xero.asked();
        assert_eq!(asked.len(), 1);
        assert!(asked[0].uri().path().ends_with(&format!("/{name}")), "{}", asked[0].uri());
        let query = asked[0].uri().query().unwrap();
        assert!(query.contains("page=1") && query.contains("UpdatedDateUTC"), "{query}");
        assert_eq!(asked[0].headers()["if-modified-since"], "2026-11-01T00:00:00");
    }
}

#[tokio::test]
async fn a_row_is_read_with_every_field_in_either_form_of_its_type() {
    for (kind, member, names) in [
        (SurplusKind::Overpayment, "OverpaymentID", ["RECEIVE-OVERPAYMENT", "AROVERPAYMENT"]),
        (SurplusKind::Prepayment, "PrepaymentID", ["RECEIVE-PREPAYMENT", "ARPREPAYMENT"]),
    ] {
        for name in names {
            let members = format!(
                r#""Type":"{name}","Status":"AUTHORISED","RemainingCredit":3.94,"Reference":"Ridge","#
            );
            let page = read(kind, row(member, &members)).await;
            let [surplus] = page.rows.as_slice() else { panic!("{page:?}") };
            assert_eq!(surplus.id.0, Uuid::from_u128(7));
            assert!(surplus.is_from_customer && surplus.counts, "{name}");
            assert_eq!(surplus.contact.map(|id| id.0), Some(Uuid::from_u128(8)));
            assert_eq!(surplus.total.to_string(), "GBP 13.94");
            assert_eq!(surplus.remaining.to_string(), "GBP 3.94");
            assert_eq!(surplus.date, Some(date(2026, 11, 3)));
            assert_eq!(surplus.reference.as_deref(), Some("Ridge"));
            assert!(surplus.updated_at.is_some());
        }
    }
}

#[tokio::test]
async fn money_paid_to_suppliers_and_voided_money_is_recognised() {
    let kind = SurplusKind::Overpayment;
    for (name, status, is_from_customer, counts) in [
        ("SPEND-OVERPAYMENT", "AUTHORISED", false, true),
        ("APOVERPAYMENT", "PAID", false, true),
        ("RECEIVE-OVERPAYMENT", "VOIDED", true, false),
        ("RECEIVE-OVERPAYMENT", "INVENTED", true, false),
    ] {
        let members = format!(r#""Type":"{name}","Status":"{status}","#);
        let page = read(kind, row("OverpaymentID", &members)).await;
        let [surplus] = page.rows.as_slice() else { panic!("{page:?}") };
        assert_eq!((surplus.is_from_customer, surplus.counts), (is_from_customer, counts));
    }
}

#[tokio::test]
async fn a_row_without_a_remaining_amount_is_unused_only_while_it_is_authorised() {
    for (status, remaining) in [("AUTHORISED", "13.94"), ("PAID", "0")] {
        let members = format!(r#""Type":"RECEIVE-OVERPAYMENT","Status":"{status}","#);
        let page = read(SurplusKind::Overpayment, row("OverpaymentID", &members)).await;
        let [surplus] = page.rows.as_slice() else { panic!("{page:?}") };
        assert_eq!(surplus.remaining.amount.to_string(), remaining);
    }
}
