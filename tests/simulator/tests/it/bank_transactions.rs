//! Rules 57 to 59: money spent and received at the bank.

use crate::caller::*;
use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;
use xero_sim::{DepositKind, DepositStatus, Receipt, TransactionStatus};

fn spend(contact: Uuid, amount: &str) -> Value {
    json!({"Type": "SPEND", "Contact": {"ContactID": contact}, "BankAccount": {"Code": "092"},
        "Date": "2026-11-03", "Reference": "txn_1", "LineAmountTypes": "NoTax",
        "LineItems": [{"Description": "Stripe fee", "Quantity": 1, "UnitAmount": amount,
        "AccountCode": "405"}]})
}

fn put(caller: &mut Caller, transaction: &Value) -> Answered {
    caller.put("/BankTransactions", &json!({"BankTransactions": [transaction]}).to_string())
}

fn spent(caller: &mut Caller, amount: &str) -> Uuid {
    let contact = caller.any_contact();
    id(&put(caller, &spend(contact, amount)).first("BankTransactions")["BankTransactionID"])
}

fn delete(caller: &mut Caller, transaction: Uuid) -> Answered {
    caller.post(&format!("/BankTransactions/{transaction}"), r#"{"Status":"DELETED"}"#)
}

fn stripe(caller: &Caller) -> String {
    format!("{:.2}", caller.books().balance_of("092").unwrap())
}

/// Rule 57.
#[test]
fn a_spend_transaction_has_a_bank_account_an_expense_account_and_tax() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let mut body = spend(contact, "10.00");
    body["LineAmountTypes"] = json!("Inclusive");
    body["LineItems"][0]["AccountCode"] = json!("429");
    let answer = put(&mut caller, &body);
    assert_eq!((answer.digits("SubTotal"), answer.digits("TotalTax")), ("8.33", "1.67"));
    assert_eq!((answer.digits("Total"), answer.digits("CurrencyRate")), ("10.00", "1.000000"));
    let row = answer.first("BankTransactions");
    for (key, value) in [
        ("Type", json!("SPEND")),
        ("Status", json!("AUTHORISED")),
        ("Reference", json!("txn_1")),
        ("IsReconciled", json!(false)),
        ("DateString", json!("2026-11-03T00:00:00")),
        ("CurrencyCode", json!("GBP")),
    ] {
        assert_eq!(row[key], value, "{key}");
    }
    assert_eq!(row["BankAccount"]["Name"], "Stripe");
    let line = &row["LineItems"][0];
    assert_eq!((&line["AccountCode"], &line["TaxType"]), (&json!("429"), &json!("INPUT2")));
    assert_eq!(stripe(&caller), "-10.00");
}

/// Rule 57.
#[test]
fn a_bank_transaction_needs_all_required_members() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let archived = caller.contact("Archived");
    caller.bookkeeper().archive_contact(archived).unwrap();
    let unused = "The contact with the specified contact details has been archived. The contact \
                  must be un-archived before creating new invoices or credit notes.";
    let bank = "The bank account must be an active account of the type BANK.";
    let total = "The total of a bank transaction must be greater than zero.";
    for (key, value, message) in [
        ("Contact", Value::Null, "A Contact must be specified for this type of transaction"),
        ("Contact", json!({"ContactID": archived}), unused),
        ("BankAccount", Value::Null, bank),
        ("BankAccount", json!({"Code": "200"}), bank),
        ("BankAccount", json!({"Code": "999"}), bank),
        ("LineItems", json!([]), "One or more line items must be specified"),
        (
            "LineItems",
            json!([{"Description": "x", "UnitAmount": 1}]),
            "Account code must be specified",
        ),
        (
            "LineItems",
            json!([{"UnitAmount": 1, "AccountCode": "404"}]),
            "Description is required for each line item.",
        ),
        (
            "LineItems",
            json!([{"Description": "x", "UnitAmount": 1, "AccountCode": "091"}]),
            "Account code '091' is not a valid code for this document.",
        ),
        (
            "LineItems",
            json!([{"Description": "x", "UnitAmount": 1, "AccountCode": "405", "TaxType": "OUTPUT2"}]),
            "The TaxType code 'OUTPUT2' cannot be used with account code '405'.",
        ),
        (
            "LineItems",
            json!([{"Description": "x", "UnitAmount": 1, "AccountCode": "405", "DiscountRate": 5}]),
            "Discounts are not supported on this document.",
        ),
        ("LineItems", json!([{"Description": "x", "UnitAmount": 0, "AccountCode": "405"}]), total),
        (
            "CurrencyCode",
            json!("EUR"),
            "The currency of a bank transaction is that of its account.",
        ),
        ("Status", json!("DELETED"), "A new bank transaction must be AUTHORISED."),
        (
            "Type",
            json!("TRANSFER"),
            "The type must be SPEND, RECEIVE, RECEIVE-OVERPAYMENT or RECEIVE-PREPAYMENT.",
        ),
    ] {
        let mut body = spend(contact, "1.00");
        body[key] = value;
        let messages = put(&mut caller, &body).messages();
        assert!(messages.contains(&message.to_owned()), "{body}: {messages:?}");
    }
    assert_eq!(caller.books().transactions().count(), 0);
}

/// Rule 43.
#[test]
fn no_bank_transaction_is_created_or_deleted_on_a_locked_day() {
    let mut caller = Caller::connected();
    let made = spent(&mut caller, "1.00");
    caller.bookkeeper().lock_period(Some(date(2026, 11, 3)));
    let start = "The document date cannot be before the period lock date";
    assert!(delete(&mut caller, made).messages()[0].starts_with(start));
    let contact = caller.any_contact();
    assert!(put(&mut caller, &spend(contact, "1.00")).messages()[0].starts_with(start));
}

/// Rule 58.
#[test]
fn a_deleted_bank_transaction_is_still_listed_and_does_not_count() {
    let mut caller = Caller::connected();
    let kept = spent(&mut caller, "2.00");
    let gone = spent(&mut caller, "3.00");
    assert_eq!(stripe(&caller), "-5.00");
    caller.pass(60);
    assert_eq!(delete(&mut caller, gone).first("BankTransactions")["Status"], "DELETED");
    assert_eq!(stripe(&caller), "-2.00");
    let changed =
        caller.since("/BankTransactions", "2026-11-02T09:01:00").first("BankTransactions");
    assert_eq!(id(&changed["BankTransactionID"]), gone);
    assert_eq!(delete(&mut caller, gone).messages(), ["The bank transaction has been deleted."]);
    assert_eq!(caller.books().transaction(kept).unwrap().status, TransactionStatus::Authorised);
}

/// Rule 58, switched.
#[test]
fn a_deleted_bank_transaction_may_be_omitted_from_lists() {
    let mut caller = Caller::unconfirmed(|switches| switches.deleted_transactions_in_lists = false);
    let gone = spent(&mut caller, "3.00");
    delete(&mut caller, gone).first("BankTransactions");
    assert_eq!(caller.get("/BankTransactions").json()["BankTransactions"], json!([]));
    let asked = caller.get(&query("/BankTransactions", &[("where", "Status==\"DELETED\"")]));
    assert_eq!(id(&asked.first("BankTransactions")["BankTransactionID"]), gone);
}

/// Rule 58.
#[test]
fn a_reconciled_bank_transaction_cannot_be_changed() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let mut body = spend(contact, "1.00");
    body["IsReconciled"] = json!(true);
    let made = id(&put(&mut caller, &body).first("BankTransactions")["BankTransactionID"]);
    let text =
        "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement.";
    assert_eq!(delete(&mut caller, made).messages(), [text]);
    let edit = caller.post(&format!("/BankTransactions/{made}"), r#"{"Reference":"x"}"#);
    assert_eq!(edit.messages(), [text]);
    assert_eq!(stripe(&caller), "-1.00");
}

#[test]
fn an_unreconciled_bank_transaction_can_be_edited() {
    let mut caller = Caller::connected();
    let made = spent(&mut caller, "1.00");
    caller.pass(60);
    let edit = json!({"BankTransactionID": made, "Reference": "txn_2",
        "LineItems": [{"Description": "Fee", "UnitAmount": "1.40", "AccountCode": "405"}]});
    let row = caller.post("/BankTransactions", &edit.to_string()).first("BankTransactions");
    assert_eq!((&row["Reference"], &row["BankAccount"]["Code"]), (&json!("txn_2"), &json!("092")));
    assert_eq!(stripe(&caller), "-1.40");
    assert_eq!(caller.books().transaction(made).unwrap().updated_at, caller.now);
    let path = format!("/BankTransactions/{made}");
    assert_eq!(caller.post(&path, r#"{"Type":"RECEIVE"}"#).messages().len(), 1);
    assert_eq!(caller.post(&path, r#"{"BankAccount":{"Code":"200"}}"#).messages().len(), 1);
    let unknown = json!({"BankTransactionID": Uuid::from_u128(1), "Status": "DELETED"});
    let text = "The document with the supplied id was not found for this endpoint.";
    assert_eq!(caller.post("/BankTransactions", &unknown.to_string()).messages(), [text]);
    assert_eq!(delete(&mut caller, Uuid::from_u128(1)).status, 404);
}

/// Rule 59.
#[test]
fn a_balance_is_receipts_less_payments() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let receipt = Receipt { account: Some("092".to_owned()), ..Receipt::on(date(2026, 11, 3)) };
    caller.bookkeeper().pay(invoice, 100.into(), &receipt).unwrap();
    let fee = spent(&mut caller, "1.95");
    let contact = caller.any_contact();
    let mut surcharge = spend(contact, "2.50");
    surcharge["Type"] = json!("RECEIVE");
    surcharge["LineItems"][0]["AccountCode"] = json!("210");
    put(&mut caller, &surcharge).first("BankTransactions");
    assert_eq!(stripe(&caller), "100.55");
    let stray = spent(&mut caller, "7.00");
    delete(&mut caller, stray).first("BankTransactions");
    assert_eq!(stripe(&caller), "100.55");
    delete(&mut caller, fee).first("BankTransactions");
    assert_eq!(stripe(&caller), "102.50");
}

#[test]
fn an_overpayment_and_a_prepayment_are_received_at_the_bank() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    for (kind, key, account, expected) in [
        ("RECEIVE-OVERPAYMENT", "OverpaymentID", Value::Null, DepositKind::Overpayment),
        ("RECEIVE-PREPAYMENT", "PrepaymentID", json!("200"), DepositKind::Prepayment),
    ] {
        let mut body = spend(contact, "40.00");
        body["Type"] = json!(kind);
        body["LineItems"][0]["AccountCode"] = account;
        let row = put(&mut caller, &body).first("BankTransactions");
        let brought = caller.books().deposit(id(&row[key])).unwrap().clone();
        assert_eq!((brought.kind, brought.status), (expected, DepositStatus::Authorised));
        let transaction = id(&row["BankTransactionID"]);
        assert_eq!(brought.transaction, transaction);
        assert_ne!(brought.id, transaction);
        let path = format!("/BankTransactions/{transaction}");
        assert_eq!(
            caller.post(&path, r#"{"Reference":"x"}"#).messages(),
            ["An overpayment or prepayment cannot be modified, only deleted."]
        );
        delete(&mut caller, transaction).first("BankTransactions");
        assert_eq!(caller.books().deposit(brought.id).unwrap().status, DepositStatus::Voided);
    }
    let mut wrong = spend(contact, "40.00");
    wrong["Type"] = json!("RECEIVE-OVERPAYMENT");
    let text = "Account code '405' is not a valid code for this document.";
    assert_eq!(put(&mut caller, &wrong).messages(), [text]);
    assert_eq!(stripe(&caller), "0.00");
}

/// Rule 27.
#[test]
fn a_list_of_bank_transactions_without_pages_has_no_lines() {
    let mut caller = Caller::connected();
    let made = spent(&mut caller, "1.00");
    let listed = caller.get("/BankTransactions").first("BankTransactions");
    assert_eq!(listed["LineItems"], json!([]));
    let page = caller.get("/BankTransactions?page=1");
    assert_eq!(page.json()["pagination"]["itemCount"], 1);
    let row = page.first("BankTransactions");
    assert_eq!(row["LineItems"][0]["AccountCode"], "405");
    assert!(row["Contact"].get("ContactStatus").is_none());
    let single = caller.get(&format!("/BankTransactions/{made}")).first("BankTransactions");
    assert_eq!(single["Contact"]["ContactStatus"], "ACTIVE");
    assert_eq!(caller.get("/BankTransactions/x").status, 404);
}

#[test]
fn bank_transactions_are_found_by_reference_type_status_and_account() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    for (reference, kind, account) in
        [("a", "SPEND", "092"), ("b", "RECEIVE", "092"), ("c", "SPEND", "090")]
    {
        let mut body = spend(contact, "1.00");
        body["Reference"] = json!(reference);
        body["Type"] = json!(kind);
        body["BankAccount"] = json!({"Code": account});
        if kind == "RECEIVE" {
            body["LineItems"][0]["AccountCode"] = json!("210");
        }
        put(&mut caller, &body).first("BankTransactions");
        caller.pass(1);
    }
    let account = caller.books().organisation().account("092").unwrap().id;
    for (filter, expected) in [
        ("Reference==\"b\"", "b"),
        ("Type==\"SPEND\"", "ac"),
        ("Status==\"AUTHORISED\"", "abc"),
        ("Status==\"DELETED\"", ""),
        (&format!("BankAccount.AccountID==guid(\"{account}\")"), "ab"),
        (&format!("Contact.ContactID==guid(\"{contact}\") AND Total==1.00"), "abc"),
    ] {
        let pairs = [("where", filter), ("order", "Reference ASC"), ("page", "1")];
        let rows = caller.get(&query("/BankTransactions", &pairs)).json();
        let rows = rows["BankTransactions"].as_array().unwrap().clone();
        let found: Vec<&str> = rows.iter().map(|row| row["Reference"].as_str().unwrap()).collect();
        assert_eq!(found.concat(), expected, "{filter}");
    }
    let since = caller.since("/BankTransactions", "2026-11-02T09:00:02").json();
    assert_eq!(since["BankTransactions"].as_array().unwrap().len(), 1);
}

/// Rule 15.
#[test]
fn bank_transactions_have_their_own_scope() {
    let mut reader = Caller::unconnected(demo());
    reader.connect("accounting.contacts accounting.banktransactions.read");
    let contact = reader.any_contact();
    assert_eq!(reader.get("/BankTransactions").status, 200);
    assert_eq!(put(&mut reader, &spend(contact, "1.00")).status, 401);
    let mut other = Caller::unconnected(demo());
    other.connect("accounting.contacts accounting.payments");
    assert_eq!(other.get("/BankTransactions").status, 401);
}

/// Rules 24 and 36.
#[test]
fn bank_transactions_follow_the_common_rules_of_writes() {
    let mut caller = Caller::connected();
    let contact = caller.any_contact();
    let body = json!({"BankTransactions": [spend(contact, "1"), spend(contact, "0")]}).to_string();
    assert_eq!(caller.put("/BankTransactions", &body).messages().len(), 1);
    assert_eq!(caller.books().transactions().count(), 0);
    let path = "/BankTransactions?summarizeErrors=false";
    let first = answered(caller.with_key("PUT", path, &body, "k-1")).json();
    let rows = &first["BankTransactions"];
    assert_eq!(rows[0]["StatusAttributeString"], "OK");
    assert_eq!(rows[1]["StatusAttributeString"], "ERROR");
    answered(caller.with_key("PUT", path, &body, "k-1"));
    assert_eq!(caller.books().transactions().count(), 1);
}
