//! Tests of reading Xero's answers.

use domain::document::contact::ContactStatus;
use domain::document::sales::DocumentStatus;
use domain::failure::FailureClass;
use domain::ids::{TenantId, XeroContactId};
use domain::money::Currency;
use jiff::Timestamp;
use jiff::civil::date;
use uuid::Uuid;
use xero::api::{
    WriteOutcome, accounts, contacts, invoices, items, organisation, tax_rates, tracking_categories,
};
use xero::{RateLimitHeaders, RequestSent, TransportErrorKind, XeroError};

use crate::samples::{
    CONTACT, INVOICE, TENANT, a_contact, a_key, a_session, an_invoice, collection, contact_json,
    invoice_json,
};
use crate::scripted::{Answer, Scripted, reply};

#[tokio::test]
async fn an_invoice_keeps_its_digits_and_its_calendar_dates() {
    let body = collection("Invoices", &[invoice_json("")]);
    let session = a_session(Scripted::ok(&body));
    let invoice = invoices::get(&session, INVOICE).await.unwrap().unwrap();
    assert_eq!(invoice.id, INVOICE);
    assert_eq!(invoice.number.as_deref(), Some("#INV-0001"));
    assert!(invoice.is_sales);
    assert_eq!(invoice.status, DocumentStatus::Authorised);
    assert_eq!(invoice.contact_id, Some(CONTACT));
    assert_eq!(invoice.total.to_string(), "GBP 129.4321");
    assert_eq!(invoice.total_tax.to_string(), "GBP 21.57");
    assert_eq!(invoice.amount_due.to_string(), "GBP 129.4321");
    assert_eq!(
        (invoice.date, invoice.due_date),
        (Some(date(2026, 10, 3)), Some(date(2026, 10, 17)))
    );
    assert_eq!(invoice.updated_at, Some("2019-03-07T17:59:28.133Z".parse().unwrap()));
}

#[tokio::test]
async fn a_bill_with_the_same_number_is_distinguished_from_a_sales_invoice() {
    let bill = invoice_json("").replace("ACCREC", "ACCPAY").replace("AUTHORISED", "QUARANTINED");
    let session = a_session(Scripted::ok(&collection("Invoices", &[bill])));
    let found = invoices::find_by_numbers(&session, &["#INV-0001"]).await.unwrap();
    assert!(!found.rows[0].is_sales);
    assert_eq!(found.rows[0].status, DocumentStatus::Other("QUARANTINED".to_owned()));
}

#[tokio::test]
async fn a_contact_is_read_with_its_status_and_its_merge() {
    let merged = r#""ContactStatus":"GDPRREQUEST","MergedToContactID":"00000000-0000-0000-0000-000000000009","#;
    let session = a_session(Scripted::ok(&collection("Contacts", &[contact_json(merged)])));
    let contact = contacts::get(&session, CONTACT).await.unwrap().unwrap();
    assert_eq!(contact.status, ContactStatus::Archived);
    assert_eq!(contact.merged_to, Some(XeroContactId(Uuid::from_u128(9))));
    assert_eq!(contact.email, None, "empty text is no address");
    assert_eq!(contact.tax_number.as_deref(), Some("GB123456789"));
}

#[tokio::test]
async fn the_organisation_is_read_with_its_lock_dates() {
    let body = r#"{"Organisations":[{"OrganisationID":"fe79f7dd-b6d4-4a92-ba7b-538af6289c58",
        "Name":"Ridgeway","BaseCurrency":"GBP","CountryCode":"GB","IsDemoCompany":true,
        "PeriodLockDate":"\/Date(1743379200000+0000)\/","ShortCode":"!23eYt"}]}"#;
    let read = organisation::get_organisation(&a_session(Scripted::ok(body))).await.unwrap();
    assert_eq!(read.id, TenantId(TENANT.0));
    assert_eq!(read.period_lock_date, Some(date(2025, 3, 31)));
    assert_eq!(read.end_of_year_lock_date, None);
    assert_eq!(read.base_currency.as_str(), "GBP");
    assert!(read.is_demo);
}

#[tokio::test]
async fn accounts_without_a_code_are_left_out_and_archived_ones_are_marked() {
    let body = r#"{"Accounts":[
        {"Code":"200","Name":"Sales","Type":"REVENUE","Status":"ACTIVE","TaxType":"OUTPUT2"},
        {"Code":"201","Name":"Old","Type":"REVENUE","Status":"ARCHIVED","TaxType":"OUTPUT2"},
        {"Code":"","Name":"Cash","Type":"BANK","Status":"ACTIVE","TaxType":"NONE"},
        {"Name":"Card","Type":"BANK","Status":"ACTIVE"}]}"#;
    let chart = accounts::list_accounts(&a_session(Scripted::ok(body))).await.unwrap();
    let read: Vec<_> =
        chart.with_code.iter().map(|account| (account.code.as_str(), account.is_active)).collect();
    assert_eq!(read, [("200", true), ("201", false)]);
}

#[tokio::test]
async fn a_bank_account_whose_currency_cannot_be_read_does_not_count_as_one_in_the_base_currency() {
    let body = r#"{"Accounts":[
        {"Code":"090","Name":"Dollars","Type":"BANK","CurrencyCode":"usd"},
        {"Code":"091","Name":"Pounds","Type":"BANK","CurrencyCode":""},
        {"Code":"092","Name":"Odd","Type":"BANK","CurrencyCode":"$"}]}"#;
    let chart = accounts::list_accounts(&a_session(Scripted::ok(body))).await.unwrap();
    let read = chart.with_code.iter().map(|account| (&*account.code, account.currency));
    let dollars = Currency::new("USD").unwrap();
    assert_eq!(read.collect::<Vec<_>>(), [("090", Some(dollars)), ("091", None)]);
    assert_eq!(chart.undecodable.len(), 1);
}

#[tokio::test]
async fn money_goes_to_bank_accounts_with_or_without_a_code_and_to_accounts_that_enable_payments() {
    let body = r#"{"Accounts":[
        {"AccountID":"00000000-0000-0000-0000-000000000001","Code":"090","Name":"Stripe","Type":"BANK","EnablePaymentsToAccount":false},
        {"AccountID":"00000000-0000-0000-0000-000000000002","Code":"","Name":"Till","Type":"BANK"},
        {"AccountID":"00000000-0000-0000-0000-000000000003","Name":"Old card","Type":"BANK","Status":"ARCHIVED"},
        {"AccountID":"00000000-0000-0000-0000-000000000004","Code":"840","Name":"Gift cards","Type":"CURRLIAB","EnablePaymentsToAccount":"true"},
        {"AccountID":"00000000-0000-0000-0000-000000000005","Code":"200","Name":"Sales","Type":"REVENUE","EnablePaymentsToAccount":null},
        {"Code":"091","Name":"No id","Type":"BANK"}]}"#;
    let chart = accounts::list_accounts(&a_session(Scripted::ok(body))).await.unwrap();
    let read: Vec<_> = chart
        .for_money
        .iter()
        .map(|one| {
            let account = &one.account;
            (one.id.0.as_u128(), account.code.as_deref(), &*account.name, account.is_bank)
        })
        .collect();
    let expected = [
        (1, Some("090"), "Stripe", true),
        (2, None, "Till", true),
        // Payments made to the account before it was archived still refer to it.
        (3, None, "Old card", true),
        (4, Some("840"), "Gift cards", false),
    ];
    assert_eq!(read, expected);
    let enabled = chart.with_code.iter().filter(|account| account.enables_payments);
    assert_eq!(enabled.map(|account| &*account.code).collect::<Vec<_>>(), ["840"]);
    let taking = chart.with_code.iter().filter(|account| account.takes_payments());
    assert_eq!(taking.map(|account| &*account.code).collect::<Vec<_>>(), ["090", "840", "091"]);
}

#[tokio::test]
async fn items_are_sold_unless_xero_says_otherwise() {
    let body = r#"{"Items":[{"Code":"A","Name":"Guitars","IsSold":true},{"Code":"B"},
        {"Code":"C","Name":"Van hire","IsSold":"false"},{"Name":"without a code"}]}"#;
    let items = items::list_items(&a_session(Scripted::ok(body))).await.unwrap();
    let read = items.rows.iter().map(|item| (item.code.as_str(), item.name.as_str(), item.is_sold));
    let expected = [("A", "Guitars", true), ("B", "", true), ("C", "Van hire", false)];
    assert_eq!(read.collect::<Vec<_>>(), expected);
    assert_eq!(items.undecodable.len(), 1);
}

#[tokio::test]
async fn tracking_categories_and_options_are_read_with_their_status() {
    let body = r#"{"TrackingCategories":[
        {"Name":"Region","Status":"ACTIVE","Options":[{"Name":"North","Status":"ACTIVE"},
            {"Name":"West","Status":"ARCHIVED"}]},
        {"Name":"Season","Status":"ARCHIVED","Options":[]}]}"#;
    let session = a_session(Scripted::ok(body));
    let read = tracking_categories::list_tracking_categories(&session).await.unwrap().rows;
    assert_eq!((read[0].name.as_str(), read[0].is_active), ("Region", true));
    let options = read[0].options.iter().map(|option| (option.name.as_str(), option.is_active));
    assert_eq!(options.collect::<Vec<_>>(), [("North", true), ("West", false)]);
    assert!(!read[1].is_active);
}

#[tokio::test]
async fn a_tracking_category_or_option_that_cannot_be_read_is_left_out_and_known_to_be_missing() {
    let region = r#"{"Name":"Region","Options":[{"Name":"North"}]}"#;
    let listed = |more: &str| format!(r#"{{"TrackingCategories":[{region}{more}]}}"#);
    for (more, is_partial) in [
        ("", false),
        (r#",{"Name":"Team","Options":null}"#, false),
        (r#",{"Name":"Team","Options":[{"Name":null},{"Name":"Plumbing"}]}"#, true),
        (r#",{"TrackingCategoryID":"00000000-0000-0000-0000-000000000bad"}"#, true),
    ] {
        let session = a_session(Scripted::ok(&listed(more)));
        let read = tracking_categories::list_tracking_categories(&session).await.unwrap();
        assert_eq!(read.is_partial, is_partial, "{more}");
        assert_eq!(read.rows[0].options.len(), 1, "{more}");
        assert!(read.rows.iter().flat_map(|one| &one.options).all(|one| !one.name.is_empty()));
    }
}

#[tokio::test]
async fn lists_that_only_check_lines_may_be_too_large_to_be_read() {
    let too_large =
        || Scripted::new([Answer::Unfinished(RequestSent::Unknown, TransportErrorKind::TooLarge)]);
    let items = items::list_items(&a_session(too_large())).await.unwrap();
    assert_eq!((items.rows.len(), items.undecodable.len()), (0, 1));
    let session = a_session(too_large());
    let tracking = tracking_categories::list_tracking_categories(&session).await.unwrap();
    assert!(tracking.rows.is_empty() && tracking.is_partial);
}

#[tokio::test]
async fn tax_rates_are_exact_and_booleans_in_quotes_are_booleans() {
    let body = r#"{"TaxRates":[
        {"Name":"20%","TaxType":"OUTPUT2","Status":"ACTIVE","EffectiveRate":20.0000,"CanApplyToRevenue":true},
        {"Name":"Odd","TaxType":"TAX001","Status":"DELETED","EffectiveRate":17.4999,"CanApplyToRevenue":"true"},
        {"Name":"Bills","TaxType":"INPUT2","Status":"ACTIVE","EffectiveRate":"5.0"}]}"#;
    let rates = tax_rates::list_tax_rates(&a_session(Scripted::ok(body))).await.unwrap();
    let read: Vec<_> = rates
        .rows
        .iter()
        .map(|rate| (rate.effective_rate.to_string(), rate.is_active, rate.can_apply_to_revenue))
        .collect();
    let expected = [("20.0000", true, true), ("17.4999", false, true), ("5.0", true, false)];
    assert_eq!(read, expected.map(|(rate, active, revenue)| (rate.to_owned(), active, revenue)));
}

#[tokio::test]
async fn one_bad_document_affects_no_other() {
    let refused = r#"{"InvoiceID":"00000000-0000-0000-0000-000000000000","StatusAttributeString":"ERROR",
        "ValidationErrors":[{"Message":"Account code '9' is not a valid code for this document."}]}"#;
    let second = invoice_json(
        r#""Warnings":[{"Message":"Sent to contact was ignored"}],"StatusAttributeString":"WARNING","#,
    );
    let body = collection("Invoices", &[refused.to_owned(), second]);
    let session = a_session(Scripted::ok(&body));
    let outcomes =
        invoices::create_invoices(&session, &[an_invoice(), an_invoice()], &a_key()).await.unwrap();
    let WriteOutcome::Refused(XeroError::Rejected { messages }) = &outcomes[0] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(messages, &["Account code '9' is not a valid code for this document."]);
    let WriteOutcome::Done { remote, warnings } = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!(remote.id, INVOICE);
    assert_eq!(warnings, &["Sent to contact was ignored"]);
}

#[tokio::test]
async fn any_one_sign_of_a_refusal_is_enough() {
    for sign in [
        r#""StatusAttributeString":"ERROR","#,
        r#""HasErrors":true,"#,
        r#""HasErrors":"true","#,
        r#""HasValidationErrors":true,"#,
        r#""HasErrors":1,"#,
        r#""HasValidationErrors":"1","#,
        r#""ValidationErrors":[{"Message":"No."}],"#,
        r#""ValidationErrors":[{}],"#,
        r#""ValidationErrors":{"Message":"No."},"#,
        r#""ValidationErrors":"No.","#,
        r#""ContactPersons":[{"ValidationErrors":[{"Message":"No."}]}],"#,
    ] {
        let session = a_session(Scripted::ok(&collection("Contacts", &[contact_json(sign)])));
        let outcomes = contacts::create_contacts(&session, &[a_contact()], &a_key()).await.unwrap();
        assert!(matches!(outcomes[0], WriteOutcome::Refused(XeroError::Rejected { .. })), "{sign}");
    }
}

#[tokio::test]
async fn what_is_no_sign_of_a_refusal_refuses_nothing() {
    for sign in [
        r#""StatusAttributeString":"WARNING","#,
        r#""HasErrors":0,"#,
        r#""HasErrors":"false","HasValidationErrors":null,"#,
        r#""ValidationErrors":null,"#,
        r#""ValidationErrors":[],"#,
        r#""ValidationErrors":{},"#,
        r#""ContactPersons":[{"ValidationErrors":[]}],"#,
    ] {
        let session = a_session(Scripted::ok(&collection("Contacts", &[contact_json(sign)])));
        let outcomes = contacts::create_contacts(&session, &[a_contact()], &a_key()).await.unwrap();
        assert!(matches!(outcomes[0], WriteOutcome::Done { .. }), "{sign}: {outcomes:?}");
    }
}

#[tokio::test]
async fn a_taken_name_inside_a_batch_is_looked_up_and_not_believed() {
    let sign = r#""StatusAttributeString":"ERROR","ValidationErrors":[{"Description":"The contact name A is already assigned to another contact."}],"#;
    let session = a_session(Scripted::ok(&collection("Contacts", &[contact_json(sign)])));
    let outcomes = contacts::create_contacts(&session, &[a_contact()], &a_key()).await.unwrap();
    let WriteOutcome::Refused(error) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(error.failure_class(), FailureClass::Uncertain);
    assert_eq!(error.to_failure(Timestamp::UNIX_EPOCH).code, "contact_name_taken");
}

#[tokio::test]
async fn an_id_that_names_nothing_is_never_believed() {
    let nothing = invoice_json("").replace(&INVOICE.to_string(), &Uuid::nil().to_string());
    let session = a_session(Scripted::ok(&collection("Invoices", &[nothing])));
    let outcomes = invoices::create_invoices(&session, &[an_invoice()], &a_key()).await.unwrap();
    let WriteOutcome::Refused(error) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert!(matches!(error, XeroError::Unidentified { endpoint: "/Invoices" }), "{error:?}");
    assert_eq!(error.failure_class(), FailureClass::Uncertain);
    assert_eq!(error.to_failure(Timestamp::UNIX_EPOCH).code, "answer_incomplete");
}

#[tokio::test]
async fn numbers_beyond_one_query_are_asked_for_in_the_next() {
    let none = || reply(200, &[], r#"{"Invoices":[]}"#);
    let transport = Scripted::new([none(), none()]);
    let numbers: Vec<String> = (0..60).map(|at| format!("#INV-{at:04}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let session = a_session(transport.clone());
    assert!(invoices::find_by_numbers(&session, &numbers).await.unwrap().is_empty());
    assert_eq!(transport.asked().len(), 2);
}

#[tokio::test]
async fn a_session_remembers_the_budget_of_its_last_answers() {
    let first = [("X-DayLimit-Remaining", "4990"), ("X-MinLimit-Remaining", "59")];
    let second = [("X-DayLimit-Remaining", "4989"), ("X-AppMinLimit-Remaining", "9999")];
    let transport =
        Scripted::new([reply(200, &first, r#"{"Accounts":[]}"#), reply(500, &second, "")]);
    let session = a_session(transport);
    assert_eq!(session.remaining_calls(), RateLimitHeaders::default());
    accounts::list_accounts(&session).await.unwrap();
    accounts::list_accounts(&session).await.unwrap_err();
    let expected = RateLimitHeaders {
        day_remaining: Some(4989),
        minute_remaining: Some(59),
        app_minute_remaining: Some(9999),
    };
    assert_eq!(session.remaining_calls(), expected);
}
