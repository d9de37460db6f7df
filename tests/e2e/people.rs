//! The users' actions, with a valid token and without one.

use http::Method;
use local::wait::until;
use serde_json::Value;
use tests::builders::an_invoice;

use crate::stack::{PATIENCE, a_known_client, first, is_synced, of, rows, stack};

#[tokio::test]
async fn nothing_is_visible_or_changed_without_a_valid_token() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_roles";
    let owner = stack.connect(account).await;
    let message = of(account, an_invoice("inv_e2e_5", "cli_e2e_5"));
    stack.send(account, "roles-1", &message.body()).await;
    stack.invoice("inv_e2e_5", &owner, is_synced(1)).await;

    let nobody = stack.call(Method::GET, "/v1/connection", None).await;
    assert_eq!(nobody.status(), 401);
    let forged = stack.call(Method::GET, "/v1/connection", Some("a.b.c")).await;
    assert!(matches!(forged.status().as_u16(), 401 | 403), "{}", forged.status());

    let member = stack.token(account, "Member").await;
    assert_eq!(stack.json(Method::GET, "/v1/invoices/inv_e2e_5", &member).await.0, 200);
    let (status, problem) = stack.json(Method::POST, "/v1/invoices/inv_e2e_5/sync", &member).await;
    assert_eq!(status, 403, "{problem}");
    assert_eq!(problem["detail"], "Only an Owner or Admin of the account can do this.");
    assert_eq!(stack.json(Method::POST, "/v1/connection", &member).await.0, 403);

    // A user of another account does not see it.
    let stranger = stack.connect("acc_e2e_stranger").await;
    assert_eq!(stack.json(Method::GET, "/v1/invoices/inv_e2e_5", &stranger).await.0, 404);
    let (_, log) = stack.json(Method::GET, "/v1/sync-log", &stranger).await;
    assert_eq!(log["entries"].as_array().map(Vec::len), Some(0), "{log}");

    let (status, record) = stack.json(Method::POST, "/v1/invoices/inv_e2e_5/sync", &owner).await;
    assert_eq!((status, &record["state"]), (200, &Value::from("synced")), "{record}");
    let (status, problem) = stack.json(Method::GET, "/v1/sync-log?status=maybe", &owner).await;
    assert_eq!(status, 400);
    assert_eq!(problem["field"], "status", "{problem}");
    // API Gateway passes on addresses and methods that do not exist.
    for (method, path, expected) in
        [(Method::GET, "/v1/quotes", 404), (Method::PUT, "/v1/sync-log", 405)]
    {
        let (status, problem) = stack.json(method, path, &owner).await;
        assert_eq!((status, &problem["status"]), (expected, &Value::from(expected)), "{path}");
    }
    assert_eq!(stack.in_xero("#INV_E2E_5").await.len(), 1);
}

#[tokio::test]
async fn a_user_disconnects_and_reconnects_and_nothing_is_created_twice() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_people";
    let token = stack.connect(account).await;
    let message = of(account, an_invoice("inv_e2e_6", "cli_e2e_6"));
    stack.send(account, "people-1", &message.body()).await;
    stack.invoice("inv_e2e_6", &token, is_synced(1)).await;

    let (status, ended) = stack.json(Method::DELETE, "/v1/connection", &token).await;
    assert_eq!((status, &ended["status"]), (200, &Value::from("disconnected")), "{ended}");
    let edited = of(account, an_invoice("inv_e2e_6", "cli_e2e_6")).revision(2);
    stack.send(account, "people-2", &edited.price("100.00", "120.00").body()).await;
    stack.invoice("inv_e2e_6", &token, |record| record["state"] == "parked").await;
    let (status, problem) = stack.json(Method::PUT, "/v1/account-codes", &token).await;
    assert_eq!(status, 400, "{problem}");

    stack.connect(account).await;
    let record = stack.invoice("inv_e2e_6", &token, is_synced(2)).await;
    assert_eq!(record["amounts"]["xero_total"]["amount"], "120.00", "{record}");
    assert_eq!(stack.in_xero("#INV_E2E_6").await.len(), 1);

    let (status, walk) = stack.json(Method::POST, "/v1/sync-all", &token).await;
    assert_eq!(status, 202, "{walk}");
    let done = until(PATIENCE, async || {
        let (_, walk) = stack.json(Method::GET, "/v1/sync-all", &token).await;
        walk["finished_at"].is_string().then_some(walk)
    });
    let done = done.await.expect("a Sync All that finishes");
    assert_eq!((&done["looked_at"], &done["unchanged"]), (&2.into(), &2.into()), "{done}");

    let path = "/v1/invoices/inv_e2e_6/never-send";
    let (status, record) = stack.json(Method::POST, path, &token).await;
    assert_eq!((status, &record["state"]), (200, &Value::from("never_send")), "{record}");
}

#[tokio::test]
async fn a_user_searches_links_and_unlinks_a_contact_that_only_one_client_can_have() {
    let Some(stack) = stack() else { return };
    let account = "acc_e2e_contacts";
    // The other app enters contacts in this login's organisation.
    let token = stack.connect_as(account, "dana@ridgeway.example").await;
    let (client, second) = ("cli_e2e_ferry", "cli_e2e_boatyard");
    for (id, name) in [(client, "Hinksey Ferry Company"), (second, "Osney Boatyard")] {
        let body = a_known_client(account, id, name);
        stack.send_to(&stack.contacts, account, &format!("contacts-{id}"), &body).await;
        let known = stack.record(&format!("/v1/clients/{id}"), &token, |_| true).await;
        assert_eq!(known["xero_id"], Value::Null, "{known}");
    }

    stack.enter_contact("Hinksey Ferries (since 1974)").await;
    let member = stack.token(account, "Member").await;
    let search = "/v1/contacts?query=hinksey";
    let (status, problem) = stack.json(Method::GET, search, &member).await;
    assert_eq!(status, 403, "{problem}");
    let found = stack.record(search, &token, |_| true).await;
    assert_eq!(rows(&found).len(), 1, "{found}");
    let contact = first(&found);
    assert_eq!(contact["name"], "Hinksey Ferries (since 1974)", "{contact}");
    assert_eq!((&contact["is_archived"], &contact["client_id"]), (&false.into(), &Value::Null));
    let contact = contact["contact_id"].as_str().unwrap();
    let (status, problem) = stack.json(Method::GET, "/v1/contacts?query=h", &token).await;
    assert_eq!((status, &problem["field"]), (400, &Value::from("query")), "{problem}");

    let (status, problem) = stack.link(client, contact, &member).await;
    assert_eq!(status, 403, "{problem}");
    // The tests share Xero's limit per minute: a user who meets it gets an error, and tries again.
    let linked = until(PATIENCE, async || {
        let (status, linked) = stack.link(client, contact, &token).await;
        (status == 200).then_some(linked)
    });
    let linked = linked.await.expect("a client that is linked");
    assert_eq!(linked["xero_id"], contact, "{linked}");
    let refused = until(PATIENCE, async || {
        let (status, problem) = stack.link(second, contact, &token).await;
        assert_eq!(status, 409, "{problem}");
        problem["detail"].as_str().unwrap().contains(client).then_some(())
    });
    refused.await.expect("a refusal that names the client whose contact it is");
    let found = stack.record(search, &token, |_| true).await;
    assert_eq!(first(&found)["client_id"], client, "{found}");

    // Linking writes nothing to the contact, so the client is in sync at once.
    let one = format!("/v1/clients/{client}");
    let synced = stack.record(&one, &token, |record| record["state"] == "synced").await;
    assert_eq!(synced["xero_id"], contact, "{synced}");
    let path = format!("{one}/contact");
    assert_eq!(stack.json(Method::DELETE, &path, &member).await.0, 403);
    let (status, unlinked) = stack.json(Method::DELETE, &path, &token).await;
    assert_eq!((status, &unlinked["xero_id"]), (200, &Value::Null), "{unlinked}");
    assert_eq!(first(&unlinked["earlier_xero_ids"]), contact, "{unlinked}");
    let found = stack.record(search, &token, |_| true).await;
    assert_eq!(first(&found)["contact_id"], contact, "the contact stays: {found}");
    assert_eq!(first(&found)["client_id"], Value::Null, "{found}");
}
