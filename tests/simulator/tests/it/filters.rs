//! The language of `where` and `order`.

use crate::caller::*;
use serde_json::json;

fn three() -> Caller {
    let mut caller = Caller::connected();
    let contact = caller.contact("Ridge");
    for (number, amount, due) in
        [("SC-1", "10", "2026-11-10"), ("SC-2", "20", "2026-11-20"), ("XX-3", "30", "2026-11-30")]
    {
        let body = json!({"Invoices": [{"Type": "ACCREC", "Contact": {"ContactID": contact},
            "InvoiceNumber": number, "Reference": format!("sc:{number}"), "DueDate": due,
            "LineItems": [{"Description": "x", "UnitAmount": amount, "TaxType": "NONE",
            "AccountCode": "200"}]}]});
        assert_eq!(caller.put("/Invoices", &body.to_string()).status, 200);
        caller.pass(1);
    }
    caller
}

fn numbers(caller: &mut Caller, filter: &str) -> Vec<String> {
    let answer = caller.get(&query("/Invoices", &[("where", filter)]));
    assert_eq!(answer.status, 200, "{filter}: {}", answer.text);
    let rows = answer.json()["Invoices"].as_array().unwrap().clone();
    rows.iter().map(|row| row["InvoiceNumber"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_form_of_a_condition_is_parsed() {
    let mut caller = three();
    let contact = caller.books().contacts().next().unwrap().id;
    let first = caller.books().invoices_numbered("SC-1").next().unwrap().id;
    let by_contact = format!("Contact.ContactID==guid(\"{contact}\")");
    let by_id = format!("InvoiceId=Guid(\"{first}\") OR InvoiceNumber==\"XX-3\"");
    let all = ["SC-1", "SC-2", "XX-3"];
    for (filter, found) in [
        ("Reference==\"sc:SC-2\" AND Type==\"ACCREC\"", &all[1..2]),
        ("Reference = \"sc:SC-2\" && Status==\"DRAFT\"", &all[1..2]),
        ("Reference==\"SC:sc-2\"", &all[..0]),
        ("InvoiceNumber.StartsWith(\"SC\")", &all[..2]),
        ("InvoiceNumber.EndsWith(\"-3\") || InvoiceNumber.Contains(\"C-2\")", &all[1..]),
        ("InvoiceNumber.ToLower()==\"xx-3\"", &all[2..]),
        ("DueDate > DateTime(2026,11,10) AND DueDate<=DateTime(2026, 11, 20)", &all[1..2]),
        ("DueDate>=DateTime(2026,11,20,0,0,0)", &all[1..]),
        ("AmountDue>=20", &all[1..]),
        ("Total<20.00", &all[..1]),
        ("Total > -1", &all[..]),
        ("AmountPaid==0 AND (Total==10 OR Total==30)", &["SC-1", "XX-3"]),
        ("Total==10 OR Total==20 AND Total==30", &all[..1]),
        ("FullyPaidOnDate==null", &all[..]),
        ("FullyPaidOnDate!=null", &all[..0]),
        ("SentToContact==false", &all[..]),
        ("Contact.Name==\"RIDGE\"", &all[..]),
        (by_contact.as_str(), &all[..]),
        (by_id.as_str(), &["SC-1", "XX-3"]),
    ] {
        assert_eq!(numbers(&mut caller, filter), found, "{filter}");
    }
}

#[test]
fn a_method_of_a_value_that_is_not_set_is_an_internal_error() {
    let mut caller = Caller::connected();
    caller.contact("Ridge");
    for (filter, status) in [
        ("ContactNumber.StartsWith(\"A\")", 500),
        ("Name==\"Ridge\" AND ContactNumber.Contains(\"A\")", 500),
        ("Name==\"Other\" AND ContactNumber.Contains(\"A\")", 200),
        ("ContactNumber!=null AND ContactNumber.StartsWith(\"A\")", 200),
        ("ContactNumber==null OR ContactNumber.EndsWith(\"A\")", 200),
    ] {
        let answer = caller.get(&query("/Contacts", &[("where", filter)]));
        assert_eq!(answer.status, status, "{filter}: {}", answer.text);
    }
}

#[test]
fn an_order_may_have_several_keys() {
    let mut caller = three();
    let answer = caller.get(&query("/Invoices", &[("order", "Status ASC, Total DESC")]));
    assert_eq!(answer.first("Invoices")["InvoiceNumber"], "XX-3");
}

#[test]
fn an_invalid_filter_or_order_is_refused() {
    let mut caller = three();
    for filter in [
        "Colour==1",
        "Total==\"10\"",
        "Status==DRAFT",
        "InvoiceID==\"SC-1\"",
        "Status==\"DRAFT",
        "Status==\"DRAFT\" AND",
        "(Status==\"DRAFT\"",
        "Status",
        "Status==\"DRAFT\" Status==\"PAID\"",
        "Total.Contains(\"1\")",
        "Date>=DateTime(2026,13,1)",
        "SentToContact>true",
        "Status.Reverse(\"x\")",
    ] {
        let answer = caller.get(&query("/Invoices", &[("where", filter)]));
        assert_eq!(answer.status, 400, "{filter}: {}", answer.text);
        assert_eq!(answer.json()["ErrorNumber"], 16, "{filter}");
    }
    for order in ["Colour", "Total SIDEWAYS", "Total ASC DESC", ","] {
        let answer = caller.get(&query("/Invoices", &[("order", order)]));
        assert_eq!(answer.json()["ErrorNumber"], 16, "{order}");
    }
    let deep = format!("{}Total==1{}", "(".repeat(60), ")".repeat(60));
    assert_eq!(caller.get(&query("/Invoices", &[("where", &deep)])).status, 400);
}

#[test]
fn every_documented_field_can_be_compared_and_ordered() {
    let mut caller = Caller::connected();
    for (path, fields) in [
        ("/Contacts", &["ContactNumber", "FirstName", "TaxNumber", "IsCustomer"][..]),
        ("/Accounts", &["AccountID", "Name", "SystemAccount", "UpdatedDateUTC"][..]),
        ("/TaxRates", &["Name", "DisplayTaxRate", "CanApplyToExpenses"][..]),
        ("/Currencies", &["Code", "Description"][..]),
        ("/Invoices", &["SubTotal", "CurrencyCode", "Contact.ContactNumber"][..]),
    ] {
        for field in fields {
            let filter = format!("{field}!=null");
            let answer = caller.get(&query(path, &[("where", &filter), ("order", field)]));
            assert_eq!(answer.status, 200, "{path} {field}: {}", answer.text);
        }
    }
}
