//! Tests of the lines of invoices and credit notes: what an amendment sends, and what is read.

use domain::document::amendment::{InvoiceAmendment, LineAmendment};
use domain::document::credit_note::RemoteRefund;
use domain::document::sales::{SalesDocument, TrackingAssignment};
use domain::ids::{XeroCreditNoteId, XeroPaymentId};
use rust_decimal::Decimal;
use uuid::Uuid;
use xero::api::{credit_notes, invoices};

use crate::credit_notes::note_json;
use crate::samples::{INVOICE, a_session, collection, invoice_json};
use crate::scripted::Scripted;

/// Two lines, the second of which has odd tracking options besides a usable one.
const LINES: &str = r#""LineItems":[
    {"LineItemID":"00000000-0000-0000-0000-000000000009","Description":"Pipe","Quantity":1.0000,
    "UnitAmount":10.00,"AccountCode":"200","TaxType":"OUTPUT2","ItemCode":"PIPE-15","Tracking":[]},
    {"LineItemID":"00000000-0000-0000-0000-00000000000a","Description":"Rail","Quantity":1.0000,
    "UnitAmount":10.00,"AccountCode":"260","Tracking":[{"Name":"Region","Option":"North",
    "TrackingCategoryID":"00000000-0000-0000-0000-00000000000b","TrackingOptionID":null},
    {"Name":"Team"},7]}]"#;

fn north() -> TrackingAssignment {
    TrackingAssignment { category: "Region".to_owned(), option: "North".to_owned() }
}

#[tokio::test]
async fn lines_are_read_with_account_item_and_tracking() {
    let row = invoice_json("").replace(r#""LineItems":[]"#, LINES);
    let session = a_session(Scripted::ok(&collection("Invoices", &[row])));
    let invoice = invoices::get(&session, INVOICE).await.unwrap().unwrap();
    let values = invoice.lines.iter().map(|line| {
        (line.account_code.as_deref(), line.item_code.as_deref(), line.tracking.as_slice())
    });
    let taxes = invoice.lines.iter().map(|line| line.tax_type.as_deref());
    assert_eq!(taxes.collect::<Vec<_>>(), [Some("OUTPUT2"), None]);
    assert_eq!(
        values.collect::<Vec<_>>(),
        [(Some("200"), Some("PIPE-15"), &[][..]), (Some("260"), None, &[north()][..])]
    );
    let id = XeroCreditNoteId(Uuid::from_u128(0x7be5));
    let row = note_json("").replace(r#""LineItems":[]"#, LINES);
    let session = a_session(Scripted::ok(&collection("CreditNotes", &[row])));
    let note = credit_notes::get(&session, id).await.unwrap().unwrap();
    assert_eq!(note.line_tracking(), [&[][..], &[north()][..]]);
}

#[tokio::test]
async fn the_refunds_of_a_credit_note_are_read_except_odd_ones() {
    let payments = r#""Payments":[{"PaymentID":"00000000-0000-0000-0000-00000000000c",
        "Date":"\/Date(1790985600000+0000)\/","Amount":20.00,"Reference":"by hand"},7],"#;
    let session = a_session(Scripted::ok(&collection("CreditNotes", &[note_json(payments)])));
    let id = XeroCreditNoteId(Uuid::from_u128(0x7be5));
    let note = credit_notes::get(&session, id).await.unwrap().unwrap();
    let refund = RemoteRefund { id: XeroPaymentId(Uuid::from_u128(12)), amount: Decimal::from(20) };
    assert_eq!(note.refunds, [refund]);
}

#[test]
fn an_amendment_states_only_the_values_of_a_line_that_change() {
    let line = LineAmendment {
        line_id: Uuid::from_u128(9),
        description: "Pipe".to_owned(),
        account_code: None,
        tracking: None,
    };
    let lines = vec![
        line.clone(),
        LineAmendment {
            account_code: Some("260".to_owned()),
            tracking: Some(vec![north()]),
            ..line.clone()
        },
        LineAmendment { tracking: Some(Vec::new()), ..line },
    ];
    let amendment = InvoiceAmendment {
        invoice_id: INVOICE,
        contact: None,
        due_date: None,
        invoice_number: None,
        reference: None,
        url: None,
        lines,
    };
    let body = invoices::amendment_body(&[amendment]);
    let known = r#"{"LineItemID":"00000000-0000-0000-0000-000000000009","Description":"Pipe""#;
    let expected = format!(
        r#"{{"Invoices":[{{"InvoiceID":"{INVOICE}","LineItems":[{known}}},{known},"AccountCode":"260","Tracking":[{{"Name":"Region","Option":"North"}}]}},{known},"Tracking":[]}}]}}]}}"#
    );
    assert_eq!(std::str::from_utf8(&body).unwrap(), expected);
}
