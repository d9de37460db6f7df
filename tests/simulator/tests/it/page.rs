//! The web page: every action of a bookkeeper in Xero has a form there, which performs it.

use crate::socket::{Served, served};
use serde_json::Value;

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\naccept: text/html\r\n";

/// Submits a form of the page, which must exist with its fields, and expects a redirect to the
/// page.
async fn submit(served: &Served, path: &str, fields: &str) {
    let path = format!("/_simulator/organisations/{}/{path}", served.tenant());
    let page = served.raw("GET", "/_simulator/", "").await;
    let start = format!("action=\"{path}\">");
    let (_, form) = page.split_once(&start).unwrap_or_else(|| panic!("no form for {path}"));
    let (form, _) = form.split_once("</form>").unwrap();
    for (name, _) in fields.split('&').filter_map(|field| field.split_once('=')) {
        assert!(form.contains(&format!("name=\"{name}\"")), "{path}: {name} is not in {form}");
    }
    let answer = served.raw_with("POST", &path, FORM, fields).await;
    assert!(answer.starts_with("HTTP/1.1 303"), "{path}: {answer}");
    assert!(answer.contains("location: /_simulator/\r\n"), "{answer}");
}

/// The rows of the Accounting API below this path.
async fn listed(served: &Served, path: &str, collection: &str) -> Vec<Value> {
    let (_, body) = served.json("GET", &format!("/api.xro/2.0{path}"), "").await;
    body[collection].as_array().unwrap().clone()
}

/// The number of rows of all kinds.
async fn count(served: &Served) -> usize {
    let mut count = 0;
    for collection in ["invoices", "contacts", "payments", "credit-notes"] {
        count += served.rows(collection).await.len();
    }
    count += listed(served, "/Accounts", "Accounts").await.len();
    count + listed(served, "/TaxRates", "TaxRates").await.len()
}

/// The first contact; a test starts with one.
async fn contact(served: &Served) -> String {
    served.rows("contacts").await[0]["ContactID"].as_str().unwrap().to_owned()
}

async fn status(served: &Served, method: &str, path: &str, body: &str) -> u16 {
    served.json(method, &format!("/api.xro/2.0{path}"), body).await.0
}

#[tokio::test]
async fn the_app_is_revoked_on_the_page() {
    let served = served().await;
    assert_eq!(status(&served, "GET", "/Organisation", "").await, 200);
    submit(&served, "disconnect", "").await;
    assert_eq!(status(&served, "GET", "/Organisation", "").await, 403);
    assert_eq!(served.json("GET", "/connections", "").await.1, serde_json::json!([]));
}

#[tokio::test]
async fn the_organisation_is_closed_and_reopened_on_the_page() {
    let served = served().await;
    submit(&served, "close", "").await;
    assert_eq!(status(&served, "GET", "/Organisation", "").await, 403);
    submit(&served, "reopen", "").await;
    assert_eq!(status(&served, "GET", "/Organisation", "").await, 200);
}

#[tokio::test]
async fn a_period_and_a_year_are_locked_on_the_page() {
    let served = served().await;
    for (action, number) in [("lock", "SC-2"), ("lock-year", "SC-3")] {
        submit(&served, action, "through=2026-11-30").await;
        let body = served.invoice_body(number);
        assert_eq!(status(&served, "PUT", "/Invoices", &body).await, 400, "{action}");
        submit(&served, action, "through=").await;
        assert_eq!(status(&served, "PUT", "/Invoices", &body).await, 200, "{action}");
    }
}

#[tokio::test]
async fn a_contact_is_edited_archived_and_restored_on_the_page() {
    let served = served().await;
    let path = format!("contacts/{}", contact(&served).await);
    submit(&served, &format!("{path}/edit"), "name=Ridge+Ltd&number=sc-1&email=a%40b.example")
        .await;
    let row = served.rows("contacts").await[0].clone();
    assert_eq!(row["Name"], "Ridge Ltd");
    assert_eq!(
        (&row["ContactNumber"], &row["EmailAddress"]),
        (&"sc-1".into(), &"a@b.example".into())
    );
    submit(&served, &format!("{path}/archive"), "").await;
    assert_eq!(served.rows("contacts").await[0]["ContactStatus"], "ARCHIVED");
    submit(&served, &format!("{path}/restore"), "").await;
    assert_eq!(served.rows("contacts").await[0]["ContactStatus"], "ACTIVE");
}

#[tokio::test]
async fn contacts_are_merged_on_the_page() {
    let served = served().await;
    let from = contact(&served).await;
    let body = r#"{"Contacts":[{"Name":"Ridge Ltd","ContactNumber":"sc-2"}]}"#;
    assert_eq!(status(&served, "PUT", "/Contacts", body).await, 200);
    submit(&served, &format!("contacts/{from}/merge"), "into=sc-2").await;
    assert_eq!(served.rows("invoices").await[0]["Contact"]["Name"], "Ridge Ltd");
}

#[tokio::test]
async fn an_account_is_archived_and_restored_on_the_page() {
    let served = served().await;
    let body = served.invoice_body("SC-2");
    submit(&served, "accounts/200/archive", "").await;
    assert_eq!(status(&served, "PUT", "/Invoices", &body).await, 400);
    submit(&served, "accounts/200/restore", "").await;
    assert_eq!(status(&served, "PUT", "/Invoices", &body).await, 200);
}

#[tokio::test]
async fn every_odd_row_is_inserted_on_the_page() {
    let served = served().await;
    for row in xero_sim::OddRow::ALL {
        let before = count(&served).await;
        submit(&served, "odd", &format!("row={}", row.as_str())).await;
        assert!(count(&served).await > before, "{row:?}");
    }
}

#[tokio::test]
async fn every_kind_of_row_is_overridden_on_the_page() {
    let served = served().await;
    let id = contact(&served).await;
    submit(&served, &format!("contacts/{id}/override"), "member=Surprise&value=%5B1%5D").await;
    assert_eq!(served.rows("contacts").await[0]["Surprise"], serde_json::json!([1]));
    submit(&served, "odd", "row=payment-without-amount").await;
    let payment = served.rows("payments").await[0]["PaymentID"].as_str().unwrap().to_owned();
    submit(&served, &format!("payments/{payment}/override"), "member=Status&value=LOST").await;
    assert_eq!(served.rows("payments").await[0]["Status"], "LOST");
    submit(&served, "odd", "row=credit-note-without-total").await;
    let note = served.rows("credit-notes").await[0]["CreditNoteID"].as_str().unwrap().to_owned();
    submit(&served, &format!("credit-notes/{note}/override"), "member=Type&value=").await;
    assert!(served.rows("credit-notes").await[0].get("Type").is_none());
    submit(&served, "accounts/200/override", "member=Type&value=").await;
    let accounts = listed(&served, "/Accounts", "Accounts").await;
    let account = accounts.iter().find(|account| account["Code"] == "200").unwrap();
    assert!(account.get("Type").is_none(), "{account}");
    let rates = listed(&served, "/TaxRates", "TaxRates").await;
    let code = rates[0]["TaxType"].as_str().unwrap();
    let path = format!("tax-rates/{code}/override");
    submit(&served, &path, "member=EffectiveRate&value=a+lot").await;
    let rates = listed(&served, "/TaxRates", "TaxRates").await;
    assert_eq!(rates[0]["EffectiveRate"], "a lot");
    submit(&served, "override", "member=Name&value=12").await;
    assert_eq!(listed(&served, "/Organisation", "Organisations").await[0]["Name"], 12);
    submit(&served, "connections/override", "member=tenantName&value=").await;
    let (_, links) = served.json("GET", "/connections", "").await;
    assert!(links[0].get("tenantName").is_none(), "{links}");
}

#[tokio::test]
async fn users_are_restricted_and_the_subscription_changed_on_the_page() {
    let served = served().await;
    let body = served.invoice_body("SC-2");
    submit(&served, "restrict", "").await;
    assert_eq!(status(&served, "PUT", "/Invoices", &body).await, 401);
    submit(&served, "unrestrict", "").await;
    assert_eq!(status(&served, "PUT", "/Invoices", &body).await, 200);
    submit(&served, "subscription", "kind=demo").await;
    let (_, shown) = served.json("GET", "/api.xro/2.0/Organisation", "").await;
    assert_eq!(shown["Organisations"][0]["IsDemoCompany"], true);
}
