//! Read-only users, and the subscription of an organisation.

use crate::caller::*;
use crate::socket::served;
use serde_json::{Value, json};

/// Rule 77.
#[test]
fn a_read_only_user_can_read_and_not_write() {
    for status in [401, 403] {
        let mut caller =
            Caller::unconfirmed(|switches| switches.missing_permission_status = status);
        let user = caller.user();
        caller.invoice("SC-1");
        caller.bookkeeper().restrict_user(user);
        let refused = caller.put("/Contacts", r#"{"Name":"New"}"#);
        assert_eq!((refused.status, refused.header("www-authenticate")), (status, ""));
        assert_eq!(refused.json()["Detail"], "AuthorizationUnsuccessful");
        assert_eq!(caller.post("/Invoices/SC-1", r#"{"Reference":"x"}"#).status, status);
        assert_eq!(caller.get("/Invoices/SC-1").first("Invoices")["Reference"], "");
        assert_eq!(caller.books().contacts().count(), 1);
        caller.bookkeeper().unrestrict_user(user);
        assert_eq!(caller.put("/Contacts", r#"{"Name":"New"}"#).status, 200);
    }
}

/// Rule 77.
#[test]
fn the_actions_of_a_read_only_user_are_not_allowed() {
    let mut caller = Caller::connected();
    let not_allowed = |caller: &mut Caller| {
        let actions = caller.get("/Organisation/Actions").json()["Actions"].clone();
        let rows = actions.as_array().unwrap().clone();
        let refused = rows.into_iter().filter(|row| row["Status"] == "NOT-ALLOWED");
        refused.map(|row| row["Name"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(not_allowed(&mut caller), Vec::<Value>::new());
    let user = caller.user();
    caller.bookkeeper().restrict_user(user);
    let refused = not_allowed(&mut caller);
    assert!(refused.contains(&json!("CreateApprovedInvoice")));
    assert!(!refused.contains(&json!("ViewContacts")));
}

/// Rule 77.
#[tokio::test]
async fn users_are_restricted_over_the_socket() {
    let served = served().await;
    let path = |action: &str| format!("/_simulator/organisations/{}/{action}", served.tenant());
    let new = r#"{"Contacts":[{"Name":"New"}]}"#;
    let dana = r#"{"user":"dana@ridgeway.example"}"#;
    for (action, body, status) in
        [("restrict", dana, 401), ("unrestrict", dana, 200), ("restrict", "", 401)]
    {
        assert_eq!(served.json("POST", &path(action), body).await.0, 200, "{action}");
        let (answered, _) = served.json("POST", "/api.xro/2.0/Contacts", new).await;
        assert_eq!(answered, status, "{action} {body}");
    }
    let sam = r#"{"user":"sam@ridgeway.example"}"#;
    assert_eq!(served.json("POST", &path("unrestrict"), sam).await.0, 200);
    assert_eq!(served.json("POST", "/api.xro/2.0/Contacts", new).await.0, 401);
    let nobody = r#"{"user":"nobody@x.example"}"#;
    assert_eq!(served.json("POST", &path("restrict"), nobody).await.0, 409);
}

/// Rule 75.
#[tokio::test]
async fn a_trial_can_send_twenty_invoices_a_day_and_the_demo_company_none() {
    let served = served().await;
    let base = format!("/_simulator/organisations/{}", served.tenant());
    let (_, contacts) = served.json("GET", &format!("{base}/contacts"), "").await;
    let contact = contacts[0]["ContactID"].as_str().unwrap();
    let address = r#"{"email":"ap@ridge.example"}"#;
    let edit = format!("{base}/contacts/{contact}/edit");
    assert_eq!(served.json("POST", &edit, address).await.0, 200);
    let kind = format!("{base}/subscription");
    let send = "/api.xro/2.0/Invoices/SC-1/Email";
    assert_eq!(served.json("POST", &kind, r#"{"kind":"trial"}"#).await.0, 200);
    for _ in 0..20 {
        assert_eq!(served.json("POST", send, "").await.0, 204);
    }
    assert_eq!(served.json("POST", send, "").await.0, 400);
    assert_eq!(served.json("POST", &kind, r#"{"kind":"paying"}"#).await.0, 200);
    assert_eq!(served.json("POST", send, "").await.0, 204);
    assert_eq!(served.json("POST", &kind, r#"{"kind":"demo"}"#).await.0, 200);
    assert_eq!(served.json("POST", send, "").await.0, 400);
    let (_, shown) = served.json("GET", "/api.xro/2.0/Organisation", "").await;
    let shown = &shown["Organisations"][0];
    assert_eq!((&shown["IsDemoCompany"], &shown["Class"]), (&json!(true), &json!("DEMO")));
    let (status, refused) = served.json("POST", &kind, r#"{"kind":"free"}"#).await;
    assert_eq!(status, 409);
    assert!(refused["error"].as_str().unwrap().contains("paying, trial, demo"));
}
