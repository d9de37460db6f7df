//! Allocations of overpayments and prepayments.

use super::*;

#[test]
fn an_allocation_pays_an_invoice_without_a_payment() {
    type Receive = fn(&mut Bookkeeper<'_>, Uuid) -> Uuid;
    let kinds: [(&str, &str, Receive); 2] = [
        ("Overpayments", "OverpaymentID", |hand, contact| {
            hand.receive_overpayment(contact, 150.into(), &receipt()).unwrap()
        }),
        ("Prepayments", "PrepaymentID", |hand, contact| {
            hand.prepay(contact, 150.into(), &receipt()).unwrap()
        }),
    ];
    for (collection, key, receive) in kinds {
        let mut caller = Caller::with_allocation_ids();
        let invoice = caller.invoice("SC-1");
        let contact = caller.any_contact();
        let credit = receive(&mut caller.bookkeeper(), contact);
        caller.pass(60);
        let path = format!("/{collection}/{credit}");
        let answer = allocate(&mut caller, &path, invoice, "120.00");
        let row = answer.first("Allocations");
        assert_eq!((answer.digits("Amount"), &row["ValidationErrors"]), ("120.00", &json!([])));
        assert_eq!(id(&row["Invoice"]["InvoiceID"]), invoice);
        assert_eq!(id(&row[collection.trim_end_matches('s')][key]), credit);

        let paid = caller.get("/Invoices/SC-1");
        assert_eq!((paid.digits("AmountCredited"), paid.digits("AmountDue")), ("120.00", "0.00"));
        assert_eq!(paid.digits("AmountPaid"), "0.00");
        let paid = paid.first("Invoices");
        assert_eq!((&paid["Status"], &paid["Payments"]), (&json!("PAID"), &json!([])));
        assert_eq!(paid["FullyPaidOnDate"], "/Date(1793664000000+0000)/");
        let nested = &paid[collection][0];
        assert_eq!(id(&nested[key]), credit);
        assert_eq!(nested["AppliedAmount"].to_string(), "120.0");
        assert_eq!(nested["Total"].to_string(), "150.0");
        assert_eq!(caller.books().invoice(invoice).unwrap().updated_at, caller.now);

        let left = caller.get(&path);
        assert_eq!(left.digits("RemainingCredit"), "30.00");
        let left = left.first(collection);
        assert_eq!((&left["Status"], &left["ID"]), (&json!("AUTHORISED"), &left[key]));
        assert_eq!(left["Allocations"][0]["AllocationID"], row["AllocationID"]);
        assert_eq!(left["Allocations"][0]["Invoice"]["InvoiceNumber"], "SC-1");
        assert_eq!(caller.books().payments().count(), 0);
        assert_eq!(caller.books().deposit(credit).unwrap().updated_at, caller.now);
    }
}

#[test]
fn an_allocation_is_refused_with_all_reasons() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 500);
    let path = format!("/Overpayments/{credit}");
    assert_eq!(allocate(&mut caller, &path, invoice, "120.01").messages(), [TOO_MUCH]);
    let nothing = "The amount of an allocation must be greater than zero.";
    assert_eq!(allocate(&mut caller, &path, invoice, "0").messages(), [nothing]);
    // The XML name of the amount is not valid in JSON.
    let row = json!({"Invoice": {"InvoiceID": invoice}, "AppliedAmount": 5, "Date": "2026-11-04"});
    let body = json!({"Allocations": [row]}).to_string();
    let answer = caller.put(&format!("{path}/Allocations"), &body);
    assert_eq!(answer.messages(), [nothing]);
    let unknown = allocate(&mut caller, &path, Uuid::from_u128(9), "1");
    assert_eq!(
        unknown.messages(),
        ["The document with the supplied id was not found for this endpoint."]
    );

    let other = caller.contact("Other");
    let row = caller.put("/Invoices", &crate::caller::invoice(other, "SC-2", "DRAFT"));
    let theirs = id(&row.first("Invoices")["InvoiceID"]);
    assert_eq!(
        allocate(&mut caller, &path, theirs, "1").messages(),
        [
            "The invoice and the credit must have the same contact.",
            "The invoice you are trying to allocate to is not authorised."
        ]
    );
    let bill = crate::caller::invoice(caller.any_contact(), "B-1", "AUTHORISED")
        .replace("ACCREC", "ACCPAY")
        .replace("\"200\",\"TaxType\":\"OUTPUT2\"", "\"404\"");
    let bill = id(&caller.put("/Invoices", &bill).first("Invoices")["InvoiceID"]);
    let text = "Overpayment cannot be allocated to an incorrect invoice type";
    assert_eq!(allocate(&mut caller, &path, bill, "1").messages(), [text]);

    caller.bookkeeper().apply_payment(invoice, 120.into(), date(2026, 11, 3)).unwrap();
    assert_eq!(
        allocate(&mut caller, &path, invoice, "1").messages(),
        ["The invoice you are trying to allocate to has already been paid off", TOO_MUCH]
    );
    assert_eq!(caller.books().allocations().count(), 0);
    assert_eq!(allocate(&mut caller, "/Overpayments/x", invoice, "1").status, 404);
    let elsewhere = format!("/Prepayments/{credit}");
    assert_eq!(allocate(&mut caller, &elsewhere, invoice, "1").status, 404);
    assert_eq!(caller.get(&format!("{path}/Allocations")).status, 501);
}

/// Rule 43.
#[test]
fn no_allocation_is_created_or_removed_on_a_locked_day() {
    let mut caller = Caller::with_allocation_ids();
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 50);
    let path = format!("/Overpayments/{credit}");
    let made = allocate(&mut caller, &path, invoice, "5").first("Allocations");
    caller.bookkeeper().lock_period(Some(date(2026, 11, 4)));
    let start = "The document date cannot be before the period lock date";
    assert!(allocate(&mut caller, &path, invoice, "5").messages()[0].starts_with(start));
    let own = format!("{path}/Allocations/{}", made["AllocationID"].as_str().unwrap());
    assert!(caller.call("DELETE", &own, "").messages()[0].starts_with(start));
    assert!(caller.bookkeeper().remove_allocation(id(&made["AllocationID"])).is_err());
}

#[test]
fn removing_an_allocation_reopens_both_documents() {
    let mut caller = Caller::with_allocation_ids();
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 120);
    let path = format!("/Overpayments/{credit}");
    let made = allocate(&mut caller, &path, invoice, "120").first("Allocations");
    assert_eq!(caller.invoice_status(invoice), InvoiceStatus::Paid);
    caller.pass(60);
    let own = format!("{path}/Allocations/{}", made["AllocationID"].as_str().unwrap());
    let removed = caller.call("DELETE", &own, "");
    assert_eq!(removed.status, 200);
    let removed = removed.json();
    assert_eq!(
        (&removed["IsDeleted"], &removed["AllocationID"]),
        (&json!(true), &made["AllocationID"])
    );
    assert_eq!(id(&removed["Invoice"]["InvoiceID"]), invoice);
    let row = caller.books().invoice(invoice).unwrap();
    assert_eq!((row.status, row.amount_credited), (InvoiceStatus::Authorised, 0.into()));
    assert_eq!((row.fully_paid_on, row.updated_at), (None, caller.now));
    let left = caller.books().remaining_credit(Credit::Overpayment(credit));
    assert_eq!(left, 120.into());
    assert_eq!(caller.books().deposit(credit).unwrap().status, DepositStatus::Authorised);
    assert_eq!(caller.call("DELETE", &own, "").status, 404);
    assert_eq!(caller.call("DELETE", "/Overpayments", "").status, 501);
}

/// Rules 24 and 36.
#[test]
fn allocations_follow_the_common_rules_of_writes() {
    let mut caller = Caller::connected();
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 50);
    let row = |amount: i64| json!({"Invoice": {"InvoiceNumber": "SC-1"}, "Amount": amount});
    let body = json!({"Allocations": [row(20), row(40)]}).to_string();
    let path = format!("/Overpayments/{credit}/Allocations");
    assert_eq!(caller.put(&path, &body).messages(), [TOO_MUCH]);
    assert_eq!(caller.books().allocations().count(), 0);
    let apart = format!("{path}?summarizeErrors=false");
    let rows = answered(caller.with_key("PUT", &apart, &body, "k-1")).json();
    let states: Vec<&Value> =
        (0..2).map(|n| &rows["Allocations"][n]["StatusAttributeString"]).collect();
    assert_eq!(states, ["OK", "ERROR"]);
    answered(caller.with_key("PUT", &apart, &body, "k-1"));
    assert_eq!(caller.books().allocations_to(invoice).count(), 1);
    assert_eq!(caller.put(&path, "{}").json()["ErrorNumber"], 17);
}

/// Rule 60.
#[test]
fn an_allocation_has_the_later_date_of_its_documents_and_no_id_in_its_answer() {
    let mut caller = Caller::unconfirmed(|switches| switches.allocation_needs_one_currency = false);
    let contact = caller.any_contact();
    let body = invoice(contact, "SC-1", "AUTHORISED")
        .replace("\"Status\"", "\"CurrencyCode\":\"EUR\",\"Status\"");
    let invoice = id(&caller.put("/Invoices", &body).first("Invoices")["InvoiceID"]);
    let credit = overpaid(&mut caller, 50);
    let row = allocate(&mut caller, &format!("/Overpayments/{credit}"), invoice, "5");
    let row = row.first("Allocations");
    assert!(row.get("AllocationID").is_none());
    assert_eq!(row["Date"], "/Date(1793664000000+0000)/", "the later of the two documents");
    let mut strict = Caller::connected();
    strict.any_contact();
    let contact = strict.any_contact();
    let body = body.replace(&caller.any_contact().to_string(), &contact.to_string());
    let invoice = id(&strict.put("/Invoices", &body).first("Invoices")["InvoiceID"]);
    let credit = overpaid(&mut strict, 50);
    let refused = allocate(&mut strict, &format!("/Overpayments/{credit}"), invoice, "5");
    assert_eq!(refused.messages(), ["The invoice and the credit must have the same currency."]);
}

/// Rule 60, switched.
#[test]
fn an_allocation_may_keep_its_date_and_have_an_id_in_its_answer() {
    let mut caller = Caller::unconfirmed(|switches| {
        switches.allocation_keeps_date = true;
        switches.allocation_answer_has_id = true;
    });
    let invoice = caller.invoice("SC-1");
    let credit = overpaid(&mut caller, 50);
    let row = allocate(&mut caller, &format!("/Overpayments/{credit}"), invoice, "5");
    let row = row.first("Allocations");
    assert_eq!(row["Date"], "/Date(1793750400000+0000)/", "the sent date");
    let kept = caller.books().allocations().next().unwrap().id;
    assert_eq!(id(&row["AllocationID"]), kept);
}
