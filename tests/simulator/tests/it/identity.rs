//! Rules 1 to 11: consent, tokens, connections.

use crate::caller::*;
use bytes::Bytes;
use http::Request;
use sha2::{Digest as _, Sha256};
use xero_sim::{App, Consent, ScopeSet};

const DAY: i64 = 86_400;

fn error(answer: &Answered) -> (u16, String) {
    (answer.status, answer.json()["error"].as_str().unwrap().to_owned())
}

fn browse(caller: &mut Caller, url: &str) -> Answered {
    let (_, path) = url.split_once("login.xero.com").unwrap();
    let request = Request::get(path).body(Bytes::new()).unwrap();
    caller.send(&request)
}

/// Rule 1.
#[test]
fn an_untrusted_request_shows_the_error_page() {
    let mut caller = Caller::unconnected(demo());
    let good = authorize_url(SCOPES);
    for (bad, word) in [
        (good.replace("client_id=client-1", "client_id=other"), "unauthorized_client"),
        (good.replace("callback", "callback%2F"), "unauthorized_client"),
        (good.replace("accounting.contacts", "accounting.everything"), "invalid_scope"),
        (good.replace("accounting.contacts", "accounting.transactions"), "invalid_scope"),
        (good.replace("response_type=code", "response_type=token"), "unsupported_response_type"),
    ] {
        let page = browse(&mut caller, &bad);
        assert_eq!(page.status, 400);
        assert_eq!(page.header("location"), "");
        assert!(page.text.contains(word), "{bad}: {}", page.text);
        let user = caller.user();
        let consent = caller.simulator.consent(caller.now, &bad, user, &[]);
        assert!(matches!(consent, Consent::ErrorPage(text) if text.starts_with(word)));
    }
}

/// Rule 1: only apps from before the granular scopes may use broad ones.
#[test]
fn an_old_app_may_still_request_broad_scopes() {
    let mut settings = demo();
    settings.apps[0].scopes = ScopeSet::Broad;
    let mut caller = Caller::unconnected(settings);
    caller.connect("offline_access accounting.transactions accounting.contacts");
    assert_eq!(caller.get("/Invoices").status, 200);
}

/// Rule 2.
#[test]
fn a_cancelled_consent_returns_with_access_denied_and_the_state() {
    let mut caller = Caller::unconnected(demo());
    let denied = caller.simulator.deny(caller.now, &authorize_url(SCOPES));
    let Consent::Redirect(location) = denied else { panic!("{denied:?}") };
    assert!(location.starts_with(CALLBACK));
    assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&location, "state").as_deref(), Some("s-1"));
    assert_eq!(parameter(&location, "code"), None);
}

#[test]
fn the_page_offers_the_users_organisations_and_refuses_frames() {
    let mut caller = Caller::unconnected(demo());
    let page = browse(&mut caller, &authorize_url(SCOPES));
    assert_eq!(page.status, 200);
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert!(page.text.contains("Ridgeway Property Services Ltd"));
    assert!(page.text.contains("Kauri Grove"));
    let sam = format!("{}&login_hint=sam%40ridgeway.example", authorize_url(SCOPES));
    let page = browse(&mut caller, &sam);
    assert!(page.text.contains("Signed in as Sam Okafor"));
    assert!(!page.text.contains("Kauri Grove"), "Sam may not connect it");
}

#[test]
fn the_form_of_the_page_connects_the_ticked_organisations() {
    let mut caller = Caller::unconnected(demo());
    let (_, query) =
        authorize_url(SCOPES).split_once('?').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (user, tenant) = (caller.user().to_string(), caller.tenant.to_string());
    let mut fields = vec![
        ("request", query.as_str()),
        ("user", &user),
        ("tenant", &tenant),
        ("decision", "allow"),
    ];
    let answer = caller.post_form("/identity/connect/authorize", "", &fields);
    assert_eq!(answer.status, 302);
    let location = answer.header("location").to_owned();
    assert_eq!(parameter(&location, "state").as_deref(), Some("s-1"));
    let code = parameter(&location, "code").unwrap();
    assert_eq!(caller.redeem(&code).status, 200);
    assert!(caller.simulator.is_connected(CLIENT, caller.tenant));

    fields[3].1 = "cancel";
    let answer = caller.post_form("/identity/connect/authorize", "", &fields);
    assert!(answer.header("location").contains("error=access_denied"));
}

/// Rule 3.
#[test]
fn a_code_works_once_for_five_minutes_with_its_redirect_uri() {
    let mut caller = Caller::unconnected(demo());
    let tenant = caller.tenant;
    let code = caller.code(SCOPES, &[tenant]);
    assert_eq!(caller.redeem(&code).status, 200);
    assert_eq!(error(&caller.redeem(&code)), (400, "invalid_grant".to_owned()));

    let late = caller.code(SCOPES, &[tenant]);
    caller.pass(300);
    assert_eq!(error(&caller.redeem(&late)), (400, "invalid_grant".to_owned()));

    let code = caller.code(SCOPES, &[tenant]);
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "http://localhost:3000/callback/"),
    ];
    assert_eq!(error(&caller.token(&pairs)), (400, "invalid_grant".to_owned()));
}

/// Rules 3 and 7.
#[test]
fn another_app_can_use_neither_code_nor_refresh_token() {
    let mut settings = demo();
    let other = App { client_id: "other".to_owned(), ..settings.apps[0].clone() };
    settings.apps.push(other);
    let mut caller = Caller::unconnected(settings);
    let tenant = caller.tenant;
    let code = caller.code(SCOPES, &[tenant]);
    let theirs = basic("other", SECRET);
    let pairs =
        [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
    let stolen = caller.post_form("/connect/token", &theirs, &pairs);
    assert_eq!(error(&stolen), (400, "invalid_grant".to_owned()));
    let refresh = caller.redeem(&code).json()["refresh_token"].as_str().unwrap().to_owned();
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let stolen = caller.post_form("/connect/token", &theirs, &pairs);
    assert_eq!(error(&stolen), (400, "invalid_grant".to_owned()));
    caller.post_form("/connect/revocation", &theirs, &[("token", &refresh)]);
    assert_eq!(caller.renew(&refresh).status, 200, "it cannot revoke it either");
}

/// Rule 4.
#[test]
fn wrong_credentials_are_an_invalid_client() {
    let mut caller = Caller::connected();
    let refresh = caller.refresh.clone();
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let answer = caller.post_form("/connect/token", &basic(CLIENT, "wrong"), &pairs);
    assert_eq!(error(&answer), (400, "invalid_client".to_owned()));
    let answer = caller.post_form("/connect/token", &basic("nobody", SECRET), &pairs);
    assert_eq!(error(&answer), (400, "invalid_client".to_owned()));
    assert_eq!(caller.renew(&refresh).status, 200, "the token remains valid");

    let mut caller = Caller::unconfirmed(|switches| switches.bad_client_status = 401);
    let answer = caller.post_form("/connect/token", &basic(CLIENT, "wrong"), &pairs);
    assert_eq!(error(&answer), (401, "invalid_client".to_owned()));
}

#[test]
fn credentials_may_be_in_the_form() {
    let mut caller = Caller::connected();
    let refresh = caller.refresh.clone();
    let request = Request::post("/connect/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(form(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &refresh),
            ("client_id", CLIENT),
            ("client_secret", SECRET),
        ])))
        .unwrap();
    assert_eq!(caller.send(&request).status, 200);
}

/// Rule 5.
#[test]
fn a_verifier_must_match_its_challenge() {
    use base64::Engine as _;
    let mut settings = demo();
    settings.apps.push(App {
        client_id: "public".to_owned(),
        client_secret: None,
        name: "Public".to_owned(),
        redirect_uris: vec![CALLBACK.to_owned()],
        scopes: ScopeSet::Granular,
    });
    let mut caller = Caller::unconnected(settings);
    let verifier = "a".repeat(43);
    let challenge =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    let without = authorize_url(SCOPES).replace(CLIENT, "public");
    let user = caller.user();
    let refused = caller.simulator.consent(caller.now, &without, user, &[]);
    assert!(matches!(refused, Consent::ErrorPage(_)), "an app without a secret needs PKCE");

    let url = format!("{without}&code_challenge={challenge}&code_challenge_method=S256");
    for (sent, status) in [("b".repeat(43), 400), ("a".repeat(42), 400), (verifier, 200)] {
        let Consent::Redirect(location) = caller.simulator.consent(caller.now, &url, user, &[])
        else {
            panic!("no redirect")
        };
        let code = parameter(&location, "code").unwrap();
        let request = Request::post("/connect/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form(&[
                ("grant_type", "authorization_code"),
                ("client_id", "public"),
                ("code", &code),
                ("redirect_uri", CALLBACK),
                ("code_verifier", &sent),
            ])))
            .unwrap();
        let answer = caller.send(&request);
        assert_eq!(answer.status, status, "{sent}: {}", answer.text);
        if status == 400 {
            assert_eq!(error(&answer).1, "invalid_grant");
        }
    }
}

/// Rule 6.
#[test]
fn scopes_determine_which_tokens_are_issued() {
    let mut caller = Caller::unconnected(demo());
    let tenant = caller.tenant;
    let code = caller.code("accounting.contacts", &[tenant]);
    let tokens = caller.redeem(&code).json();
    assert!(tokens.get("refresh_token").is_none());
    assert!(tokens.get("id_token").is_none());
    assert_eq!(tokens["expires_in"], 1800);
    assert_eq!(tokens["token_type"], "Bearer");

    let code = caller.code("openid offline_access", &[tenant]);
    let tokens = caller.redeem(&code).json();
    assert!(tokens["refresh_token"].is_string());
    assert!(tokens["id_token"].is_string());
    assert!(tokens["scope"].as_str().unwrap().contains("accounting.contacts"), "consent adds");
}

#[test]
fn an_access_token_contains_its_claims() {
    use base64::Engine as _;
    let caller = Caller::connected();
    let payload = caller.bearer.split('.').nth(1).unwrap();
    let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&decoded).unwrap();
    assert_eq!(claims["iss"], "https://identity.xero.com");
    assert_eq!(claims["xero_userid"], caller.user().to_string());
    assert_eq!(claims["client_id"], CLIENT);
    assert!(claims["authentication_event_id"].is_string());
    let life = claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap();
    assert_eq!(life, 1800);
}

/// Rule 7.
#[test]
fn a_refresh_rotates_and_the_old_token_has_a_grace_period_of_thirty_minutes() {
    let mut caller = Caller::connected();
    let old = caller.refresh.clone();
    let first = caller.renew(&old).json();
    assert_ne!(first["refresh_token"], old.as_str());
    assert_ne!(first["access_token"], caller.bearer.as_str());
    caller.pass(29 * 60);
    let second = caller.renew(&old).json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    for token in [&first["refresh_token"], &second["refresh_token"]] {
        assert_eq!(caller.renew(token.as_str().unwrap()).status, 200);
    }
    caller.pass(60);
    assert_eq!(error(&caller.renew(&old)), (400, "invalid_grant".to_owned()));
}

/// Rule 7, switched.
#[test]
fn a_use_within_the_grace_period_may_return_the_same_refresh_token() {
    let mut caller = Caller::unconfirmed(|switches| switches.grace_repeats_the_pair = true);
    let old = caller.refresh.clone();
    let first = caller.renew(&old).json();
    assert_eq!(caller.renew(&old).json()["refresh_token"], first["refresh_token"]);
}

/// Rule 8.
#[test]
fn a_refresh_token_expires_after_sixty_days_and_renewal_restarts_them() {
    let mut caller = Caller::connected();
    let old = caller.refresh.clone();
    caller.pass(59 * DAY);
    let renewed = caller.renew(&old).json()["refresh_token"].as_str().unwrap().to_owned();
    caller.pass(59 * DAY);
    let renewed = caller.renew(&renewed).json()["refresh_token"].as_str().unwrap().to_owned();
    caller.pass(60 * DAY);
    assert_eq!(error(&caller.renew(&renewed)), (400, "invalid_grant".to_owned()));
}

/// Rule 9.
#[test]
fn revocation_ends_the_tokens_and_the_users_connections() {
    let mut caller = Caller::connected();
    let refresh = caller.refresh.clone();
    let answer =
        caller.post_form("/connect/revocation", &basic(CLIENT, SECRET), &[("token", &refresh)]);
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(error(&caller.renew(&refresh)), (400, "invalid_grant".to_owned()));
    assert!(!caller.simulator.is_connected(CLIENT, caller.tenant));
    let call = caller.get("/Organisation");
    assert_eq!((call.status, &call.json()["Detail"]), (403, &"AuthenticationUnsuccessful".into()));
}

fn connections(caller: &mut Caller, query: &str) -> serde_json::Value {
    let request = Request::get(format!("/connections{query}"))
        .header("authorization", format!("Bearer {}", caller.bearer))
        .body(Bytes::new())
        .unwrap();
    let answer = caller.send(&request);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// Rule 10.
#[test]
fn connections_are_per_user_and_filtered_by_consent() {
    let mut caller = Caller::unconnected(demo());
    let tenants: Vec<_> = demo().organisations.iter().map(|one| one.id).collect();
    let code = caller.code(SCOPES, &tenants[..1]);
    let tokens = caller.redeem(&code).json();
    caller.take_up(&tokens);
    let first = connections(&mut caller, "")[0]["authEventId"].as_str().unwrap().to_owned();
    caller.pass(60);
    let code = caller.code(SCOPES, &tenants);
    let tokens = caller.redeem(&code).json();
    caller.take_up(&tokens);

    let all = connections(&mut caller, "");
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(all[0]["tenantType"], "ORGANISATION");
    assert_eq!(all[0]["tenantName"], "Ridgeway Property Services Ltd");
    assert_eq!(all[0]["createdDateUtc"], "2026-11-02T09:00:00.0000000");
    assert_eq!(all[0]["updatedDateUtc"], "2026-11-02T09:01:00.0000000");
    let filtered = connections(&mut caller, &format!("?authEventId={first}"));
    assert_eq!(filtered.as_array().unwrap().len(), 1);
    assert_eq!(filtered[0]["id"], all[0]["id"], "a renewed consent keeps the first event");

    let sam = demo().users[1].id;
    let consent = caller.simulator.consent(caller.now, &authorize_url(SCOPES), sam, &[]);
    let Consent::Redirect(location) = consent else { panic!("{consent:?}") };
    let tokens = caller.redeem(&parameter(&location, "code").unwrap()).json();
    caller.take_up(&tokens);
    assert_eq!(connections(&mut caller, ""), serde_json::json!([]));
}

/// Rule 11.
#[test]
fn a_connection_is_deleted_by_its_own_id_only() {
    let mut caller = Caller::connected();
    let one = connections(&mut caller, "")[0].clone();
    let delete = |caller: &mut Caller, id: &str| {
        let request = Request::delete(format!("/connections/{id}"))
            .header("authorization", format!("Bearer {}", caller.bearer))
            .body(Bytes::new())
            .unwrap();
        caller.send(&request)
    };
    let tenant = one["tenantId"].as_str().unwrap();
    let answer = delete(&mut caller, tenant);
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["Detail"], "AuthenticationUnsuccessful");
    assert_eq!(delete(&mut caller, one["authEventId"].as_str().unwrap()).status, 403);
    assert_eq!(delete(&mut caller, &uuid::Uuid::nil().to_string()).status, 404);
    let gone = delete(&mut caller, one["id"].as_str().unwrap());
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(delete(&mut caller, one["id"].as_str().unwrap()).status, 404);
    assert_eq!(caller.get("/Organisation").status, 403);
    assert_eq!(connections(&mut caller, ""), serde_json::json!([]));
}

#[test]
fn discovery_refers_to_the_server_that_served_it() {
    let mut caller = Caller::unconnected(demo());
    let request = Request::get("/.well-known/openid-configuration")
        .header("host", "localhost:9800")
        .body(Bytes::new())
        .unwrap();
    let document = caller.send(&request).json();
    assert_eq!(document["issuer"], "https://identity.xero.com");
    assert_eq!(document["token_endpoint"], "http://localhost:9800/connect/token");
}
