//! Tests of the bodies that the client sends: idempotency keys cover their bytes, so the same
//! document must give the same bytes in every release.

use domain::contact_fields::WrittenContact;
use domain::document::allocation::{AllocationDocument, InvoiceReference};
use domain::document::contact::{ContactDocument, ContactPerson, ContactPhone, PhoneType};
use domain::document::invoice::InvoiceDocument;
use domain::document::payment::{PaymentDocument, PaymentTarget};
use domain::document::sales::{LineAmountTypes, LineItem, TrackingAssignment};
use domain::ids::XeroCreditNoteId;
use jiff::civil::date;
use rust_decimal::Decimal;
use xero::api::{bank_transactions, contacts, credit_notes, invoices, payments};

use crate::samples::{CONTACT, INVOICE, a_contact, a_fee, a_payment, a_surcharge, an_invoice};

fn text(body: &[u8]) -> &str {
    std::str::from_utf8(body).unwrap()
}

/// A contact of which the CRM knows the number and the name alone.
fn a_bare_contact() -> ContactDocument {
    ContactDocument {
        contact_id: None,
        contact_number: Some("SC-c".to_owned()),
        name: Some("山田 太郎".to_owned()),
        first_name: None,
        last_name: None,
        email_address: None,
        company_number: None,
        tax_number: None,
        phones: Vec::new(),
        addresses: Vec::new(),
        persons: None,
        known: WrittenContact::default(),
    }
}

#[test]
fn a_contact_has_only_the_members_that_are_known() {
    let body = contacts::contact_body(&[a_bare_contact()]);
    assert_eq!(text(&body), r#"{"Contacts":[{"ContactNumber":"SC-c","Name":"山田 太郎"}]}"#);
    let update = ContactDocument { contact_id: Some(CONTACT), name: None, ..a_bare_contact() };
    let body = contacts::contact_body(&[update]);
    assert_eq!(
        text(&body),
        format!(r#"{{"Contacts":[{{"ContactID":"{CONTACT}","ContactNumber":"SC-c"}}]}}"#)
    );
}

#[test]
fn the_persons_of_a_contact_are_sent_only_if_they_change() {
    // An empty list may remove the existing ones.
    assert!(!text(&contacts::contact_body(&[a_contact()])).contains("ContactPersons"));
    let with = |persons: Vec<ContactPerson>| {
        let document = ContactDocument { persons: Some(persons), ..a_bare_contact() };
        text(&contacts::contact_body(&[document])).to_owned()
    };
    let person = ContactPerson {
        first_name: Some("Ana".to_owned()),
        email_address: Some("ana@ridge.example".to_owned()),
        ..ContactPerson::default()
    };
    let persons = r#""ContactPersons":[{"FirstName":"Ana","EmailAddress":"ana@ridge.example","IncludeInEmails":false}]}]}"#;
    assert!(with(vec![person]).ends_with(persons));
    assert!(with(vec![ContactPerson::default()]).ends_with(r#""ContactPersons":[{}]}]}"#));
}

#[test]
fn a_telephone_number_that_replaces_another_clears_its_codes() {
    let phones = vec![ContactPhone {
        phone_type: PhoneType::Mobile,
        phone_number: String::new(),
        clears_codes: true,
    }];
    let body = contacts::contact_body(&[ContactDocument { phones, ..a_bare_contact() }]);
    let phone = r#""Phones":[{"PhoneType":"MOBILE","PhoneNumber":"","PhoneAreaCode":"","PhoneCountryCode":""}]}]}"#;
    assert!(text(&body).ends_with(phone));
}

#[test]
fn a_line_has_the_discount_that_it_was_given_and_no_other() {
    let line = |discount_rate: Option<Decimal>, discount_amount: Option<Decimal>| {
        let line = LineItem { discount_rate, discount_amount, ..an_invoice().line_items.remove(0) };
        let document = InvoiceDocument { line_items: vec![line], ..an_invoice() };
        text(&invoices::invoice_body(&[document])).to_owned()
    };
    let five = Some(Decimal::new(500, 2));
    for (rate, amount, end) in [
        (None, None, r#""TaxType":"OUTPUT2"}]}]}"#),
        (five, None, r#""TaxType":"OUTPUT2","DiscountRate":5.00}]}]}"#),
        (None, five, r#""TaxType":"OUTPUT2","DiscountAmount":5.00}]}]}"#),
    ] {
        let body = line(rate, amount);
        assert!(body.ends_with(end), "{body}");
    }
}

#[test]
fn a_line_names_its_item_and_tracking_options_behind_everything_else() {
    let tracking = |category: &str, option: &str| TrackingAssignment {
        category: category.to_owned(),
        option: option.to_owned(),
    };
    let line = LineItem {
        discount_rate: None,
        item_code: Some("GRAB-RAIL".to_owned()),
        tracking: vec![tracking("Region", "North"), tracking("Team", "Plumbing")],
        ..an_invoice().line_items.remove(0)
    };
    let document = InvoiceDocument { line_items: vec![line], ..an_invoice() };
    let body = invoices::invoice_body(&[document]);
    let end = concat!(
        r#""TaxType":"OUTPUT2","ItemCode":"GRAB-RAIL","Tracking":[{"Name":"Region","#,
        r#""Option":"North"},{"Name":"Team","Option":"Plumbing"}]}]}]}"#
    );
    assert!(text(&body).ends_with(end), "{}", text(&body));
}

#[test]
fn a_document_whose_prices_contain_tax_says_so() {
    let document =
        InvoiceDocument { line_amount_types: LineAmountTypes::Inclusive, ..an_invoice() };
    let body = invoices::invoice_body(&[document]);
    assert!(text(&body).contains(r#""LineAmountTypes":"Inclusive","InvoiceNumber""#));
}

#[test]
fn money_is_sent_with_exactly_its_digits() {
    let body = payments::payment_body(&[a_payment()]);
    assert_eq!(
        text(&body),
        format!(
            r#"{{"Payments":[{{"Invoice":{{"InvoiceID":"{INVOICE}"}},"Account":{{"Code":"090"}},"Date":"2026-10-20","Amount":120.50,"Reference":"Stripe pi_3Q9 (SC-pay_0001)"}}]}}"#
        )
    );
    let note = XeroCreditNoteId(INVOICE.0);
    let refund = PaymentDocument { target: PaymentTarget::CreditNote(note), ..a_payment() };
    let expected = format!(r#"{{"Payments":[{{"CreditNote":{{"CreditNoteID":"{note}"}},"Account""#);
    let body = payments::payment_body(&[refund]);
    assert!(text(&body).starts_with(&expected), "{}", text(&body));
    let rate = Some(Decimal::new(1_170_047, 6));
    let body = payments::payment_body(&[PaymentDocument { currency_rate: rate, ..a_payment() }]);
    let expected = r#""Amount":120.50,"CurrencyRate":1.170047,"Reference""#;
    assert!(text(&body).contains(expected), "{}", text(&body));
    let allocation = AllocationDocument {
        invoice: InvoiceReference { invoice_id: INVOICE },
        amount: Decimal::new(60_500, 3),
        date: date(2026, 11, 20),
    };
    let body = credit_notes::allocation_body(&allocation);
    assert_eq!(
        text(&body),
        format!(
            r#"{{"Allocations":[{{"Invoice":{{"InvoiceID":"{INVOICE}"}},"Amount":60.500,"Date":"2026-11-20"}}]}}"#
        )
    );
}

#[test]
fn a_bank_transaction_names_its_contact_by_name_or_by_id() {
    let body = bank_transactions::bank_transaction_body(&[a_fee()]);
    assert_eq!(
        text(&body),
        r#"{"BankTransactions":[{"Type":"SPEND","Contact":{"Name":"Stripe"},"BankAccount":{"Code":"090"},"LineAmountTypes":"Inclusive","CurrencyCode":"GBP","LineItems":[{"Description":"Stripe fee of payment pay_0001","Quantity":1,"UnitAmount":2.10,"AccountCode":"404"}],"Date":"2026-10-20","Reference":"Stripe fee pi_3Q9 (SC-pay_0001)","Status":"AUTHORISED"}]}"#
    );
    let body = bank_transactions::bank_transaction_body(&[a_surcharge()]);
    let start = format!(
        r#"{{"BankTransactions":[{{"Type":"RECEIVE","Contact":{{"ContactID":"{CONTACT}"}},"#
    );
    assert!(text(&body).starts_with(&start), "{}", text(&body));
}
