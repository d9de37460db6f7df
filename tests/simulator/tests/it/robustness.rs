//! Every request of a caller gets a valid response.

use crate::caller::*;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Values that often cause failures.
fn odd() -> impl Strategy<Value = Value> {
    select(vec![
        Value::Null,
        json!(true),
        json!(""),
        json!("x"),
        json!([]),
        json!({}),
        json!([1]),
        json!(0),
        json!(-1),
        json!("79228162514264337593543950335"),
        json!("-79228162514264337593543950335"),
        json!("1e28"),
        json!("1e-28"),
        json!("9999999999999.9999"),
        json!("2026-02-30"),
        json!("2026-11-02"),
        json!("/Date(-9223372036854775808)/"),
        json!("200"),
        json!("OUTPUT2"),
        json!("AUTHORISED"),
        json!("Inclusive"),
        json!("£‰\u{0}🙂"),
    ])
}

fn members(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::collection::vec((select(names), odd()), 0..6).prop_map(|pairs| {
        Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    })
}

fn merged(mut base: Map<String, Value>, change: Value) -> Value {
    if let Value::Object(change) = change {
        base.extend(change);
    }
    Value::Object(base)
}

const LINE: &[&str] = &[
    "Description",
    "Quantity",
    "UnitAmount",
    "LineAmount",
    "DiscountRate",
    "DiscountAmount",
    "TaxAmount",
    "TaxType",
    "AccountCode",
    "AccountID",
    "LineItemID",
    "ItemCode",
];
const INVOICE: &[&str] = &[
    "Type",
    "InvoiceNumber",
    "Reference",
    "Date",
    "DueDate",
    "Status",
    "LineAmountTypes",
    "Url",
    "CurrencyCode",
    "CurrencyRate",
    "BrandingThemeID",
    "SentToContact",
    "InvoiceID",
];
const CONTACT: &[&str] = &[
    "Name",
    "ContactNumber",
    "EmailAddress",
    "ContactStatus",
    "Phones",
    "Addresses",
    "ContactPersons",
    "PaymentTerms",
    "ContactID",
    "TaxNumber",
];

const PAYMENT: &[&str] = &[
    "PaymentID",
    "Invoice",
    "InvoiceNumber",
    "Account",
    "Date",
    "Amount",
    "BankAmount",
    "CurrencyRate",
    "Reference",
    "IsReconciled",
    "Status",
];

const TRANSACTION: &[&str] = &[
    "BankTransactionID",
    "Type",
    "BankAccount",
    "Contact",
    "Date",
    "Reference",
    "Url",
    "Status",
    "LineAmountTypes",
    "CurrencyCode",
    "CurrencyRate",
    "IsReconciled",
];

fn base(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("{value} is not an object") };
    object
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn odd_invoices_are_saved_or_refused(
        change in members(INVOICE), lines in prop::collection::vec(members(LINE), 1..3),
    ) {
        let mut caller = Caller::connected();
        let contact = caller.any_contact();
        let line = base(json!({"Description": "x", "Quantity": 1, "UnitAmount": 10,
            "AccountCode": "200"}));
        let lines: Vec<Value> = lines.into_iter().map(|one| merged(line.clone(), one)).collect();
        let invoice = base(json!({"Type": "ACCREC", "Contact": {"ContactID": contact},
            "LineItems": lines}));
        let body = json!({"Invoices": [merged(invoice, change)]}).to_string();
        for method in ["PUT", "POST"] {
            let answer = caller.call(method, "/Invoices", &body);
            prop_assert!([200, 400].contains(&answer.status), "{}", answer.text);
        }
        prop_assert_eq!(caller.get("/Invoices?page=1").status, 200);
    }

    #[test]
    fn odd_contacts_are_saved_or_refused(change in members(CONTACT)) {
        let mut caller = Caller::connected();
        let body = json!({"Contacts": [merged(base(json!({"Name": "Ridge"})), change)]});
        for method in ["PUT", "POST"] {
            let answer = caller.call(method, "/Contacts", &body.to_string());
            prop_assert!([200, 400].contains(&answer.status), "{}", answer.text);
        }
        prop_assert_eq!(caller.get("/Contacts?page=1").status, 200);
    }

    #[test]
    fn odd_payments_are_saved_or_refused(change in members(PAYMENT)) {
        let mut caller = Caller::connected();
        let invoice = caller.invoice("SC-1");
        let payment = base(json!({"Invoice": {"InvoiceID": invoice}, "Amount": 10,
            "Account": {"Code": "090"}}));
        let body = json!({"Payments": [merged(payment, change)]}).to_string();
        for method in ["PUT", "POST"] {
            let answer = caller.call(method, "/Payments", &body);
            prop_assert!([200, 400].contains(&answer.status), "{}", answer.text);
        }
        prop_assert_eq!(caller.get("/Payments?page=1").status, 200);
        prop_assert!(caller.books().invoice(invoice).unwrap().amount_due() >= 100.into());
    }

    #[test]
    fn odd_bank_transactions_are_saved_or_refused(
        change in members(TRANSACTION), lines in prop::collection::vec(members(LINE), 1..3),
        kind in select(vec!["SPEND", "RECEIVE", "RECEIVE-OVERPAYMENT", "RECEIVE-PREPAYMENT"]),
    ) {
        let mut caller = Caller::connected();
        let contact = caller.any_contact();
        let line = base(json!({"Description": "x", "Quantity": 1, "UnitAmount": 10,
            "AccountCode": "404"}));
        let lines: Vec<Value> = lines.into_iter().map(|one| merged(line.clone(), one)).collect();
        let transaction = base(json!({"Type": kind, "Contact": {"ContactID": contact},
            "BankAccount": {"Code": "090"}, "LineItems": lines}));
        let body = json!({"BankTransactions": [merged(transaction, change)]}).to_string();
        for method in ["PUT", "POST"] {
            let answer = caller.call(method, "/BankTransactions", &body);
            prop_assert!([200, 400].contains(&answer.status), "{}", answer.text);
        }
        prop_assert_eq!(caller.get("/BankTransactions?page=1").status, 200);
    }

    #[test]
    fn odd_credit_notes_are_saved_or_refused(
        change in members(INVOICE), lines in prop::collection::vec(members(LINE), 1..3),
    ) {
        let mut caller = Caller::connected();
        let contact = caller.any_contact();
        let line = base(json!({"Description": "x", "Quantity": 1, "UnitAmount": 10,
            "AccountCode": "200"}));
        let lines: Vec<Value> = lines.into_iter().map(|one| merged(line.clone(), one)).collect();
        let mut note = base(json!({"Contact": {"ContactID": contact}, "LineItems": lines}));
        if let Value::Object(change) = change {
            note.extend(change);
        }
        note.insert("Type".to_owned(), json!("ACCRECCREDIT"));
        let body = json!({"CreditNotes": [note]}).to_string();
        for method in ["PUT", "POST"] {
            let answer = caller.call(method, "/CreditNotes", &body);
            prop_assert!([200, 400].contains(&answer.status), "{}", answer.text);
        }
        prop_assert_eq!(caller.get("/CreditNotes?page=1").status, 200);
    }

    #[test]
    fn odd_filters_are_parsed_or_refused(
        filter in "(Total|Date|Name|\\(|\\)|==|>=|AND|OR|-|guid\\(\"|\"|1|\\.|Contains|é| ){0,12}",
    ) {
        let mut caller = Caller::connected();
        for path in ["/Invoices", "/Contacts", "/Payments", "/BankTransactions", "/CreditNotes"] {
            let pairs = [("where", filter.as_str()), ("order", filter.as_str())];
            let answer = caller.get(&query(path, &pairs));
            prop_assert!([200, 400].contains(&answer.status), "{}", answer.text);
        }
    }

    #[test]
    fn odd_bytes_are_refused(body in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut caller = Caller::connected();
        let request = caller.request("PUT", "/Invoices", "x").body(body.into()).unwrap();
        prop_assert_eq!(caller.send(&request).status, 400);
    }
}
