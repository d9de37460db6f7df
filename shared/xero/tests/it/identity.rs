//! Tests of consent, tokens and connections.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::failure::FailureClass;
use domain::ids::{TenantId, XeroConnectionId};
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use url::{Url, form_urlencoded};
use uuid::Uuid;
use xero::connections::{TenantType, delete_connection, list_connections};
use xero::{OAuthApp, RequestSent, TransportErrorKind, XeroError};

use crate::samples::{api_url, token};
use crate::scripted::{Answer, Scripted, reply, reply_bytes};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn an_app() -> OAuthApp {
    OAuthApp {
        client_id: "the-app".to_owned(),
        client_secret: "s3cret/+".into(),
        redirect_url: "https://crm.example/oauth/callback/".to_owned(),
        login_url: Url::parse("https://login.xero.com").unwrap(),
        identity_url: Url::parse("https://identity.xero.com").unwrap(),
    }
}

fn verifier() -> SecretString {
    VERIFIER.into()
}

fn jwt(claims: &str) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

fn tokens() -> Answer {
    let access = jwt(
        r#"{"xero_userid":"d1864fa8-b2d7-4f8b-8d3b-5a8a6b1c9f10","iss":"https://identity.xero.com",
        "authentication_event_id":"d99ecdfe-391d-43d2-b834-17636ba90e8d"}"#,
    );
    let id = jwt(r#"{"given_name":"Ana","family_name":"Ridge","email":"ana@ridge.example"}"#);
    let body = format!(
        r#"{{"id_token":"{id}","access_token":"{access}","expires_in":1800,"token_type":"Bearer",
        "refresh_token":"next-refresh-token","scope":"openid accounting.contacts offline_access"}}"#
    );
    reply(200, &[("content-type", "application/json; charset=utf-8")], &body)
}

fn form(body: &[u8]) -> Vec<(String, String)> {
    let mut fields: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
    fields.sort();
    fields
}

#[test]
fn the_consent_page_is_asked_for_with_state_scopes_and_the_hash_of_the_verifier() {
    let url = Url::parse(&an_app().authorize_url("the state/1", &verifier()).unwrap()).unwrap();
    assert_eq!(url.host_str(), Some("login.xero.com"));
    assert_eq!(url.path(), "/identity/connect/authorize");
    let query = form(url.query().unwrap().as_bytes());
    let expected = [
        ("client_id", "the-app"),
        // The pair of values from RFC 7636, appendix B.
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "https://crm.example/oauth/callback/"),
        ("response_type", "code"),
        (
            "scope",
            "openid profile email offline_access accounting.contacts accounting.invoices \
             accounting.payments accounting.banktransactions accounting.settings.read",
        ),
        ("state", "the state/1"),
    ];
    assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn an_invalid_verifier_is_refused_before_it_is_used() {
    for bad in ["short", &"x".repeat(129), &format!("{VERIFIER}="), &format!("{VERIFIER}é")] {
        let error = an_app().authorize_url("state", &bad.into()).unwrap_err();
        assert!(matches!(error, XeroError::Unsendable { .. }), "{bad}");
    }
}

#[tokio::test]
async fn a_code_becomes_tokens_and_the_user_behind_them() {
    let transport = Scripted::new([tokens()]);
    let set = an_app().exchange_code(&*transport, &"the-code".into(), &verifier()).await.unwrap();
    assert_eq!(set.refresh_token.as_ref().unwrap().expose_secret(), "next-refresh-token");
    assert_eq!(set.expires_in_seconds, 1800);
    assert_eq!(set.granted_scopes, ["openid", "accounting.contacts", "offline_access"]);
    assert_eq!(set.identity.xero_user_id.to_string(), "d1864fa8-b2d7-4f8b-8d3b-5a8a6b1c9f10");
    assert_eq!(
        set.identity.authentication_event_id.unwrap().to_string(),
        "d99ecdfe-391d-43d2-b834-17636ba90e8d"
    );
    assert_eq!(set.identity.name.as_deref(), Some("Ana Ridge"));
    assert_eq!(set.identity.email.as_deref(), Some("ana@ridge.example"));

    let request = transport.asked().remove(0);
    assert_eq!(request.uri(), "https://identity.xero.com/connect/token");
    let basic = STANDARD.encode("the-app:s3cret%2F%2B");
    assert_eq!(request.headers()[AUTHORIZATION], format!("Basic {basic}"));
    let expected = [
        ("code", "the-code"),
        ("code_verifier", VERIFIER),
        ("grant_type", "authorization_code"),
        ("redirect_uri", "https://crm.example/oauth/callback/"),
    ];
    assert_eq!(
        form(request.body()),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[tokio::test]
async fn a_claim_that_cannot_be_read_loses_no_tokens() {
    for claims in [r#""authentication_event_id":7"#, r#""authentication_event_id":"none""#] {
        let user = r#""xero_userid":"d1864fa8-b2d7-4f8b-8d3b-5a8a6b1c9f10""#;
        let (access, id) =
            (jwt(&format!("{{{user},{claims}}}")), jwt(r#"{"name":{},"email":"a@b"}"#));
        let body = format!(
            r#"{{"access_token":"{access}","id_token":"{id}","token_type":"Bearer","expires_in":1800,
            "refresh_token":"next-refresh-token"}}"#
        );
        let json = [("content-type", "application/json; charset=utf-8")];
        let transport = Scripted::new([reply(200, &json, &body)]);
        let set = an_app().refresh_tokens(&*transport, &"old-refresh-token".into()).await.unwrap();
        assert_eq!(set.refresh_token.unwrap().expose_secret(), "next-refresh-token", "{claims}");
        assert_eq!(set.identity.authentication_event_id, None, "{claims}");
        assert_eq!(set.identity.email.as_deref(), Some("a@b"), "{claims}");
        assert_eq!(set.identity.name, None, "{claims}");
    }
}

#[tokio::test]
async fn a_token_is_never_printed() {
    let transport = Scripted::new([tokens()]);
    let set = an_app().refresh_tokens(&*transport, &"old-refresh-token".into()).await.unwrap();
    let printed = format!("{set:?} {:?}", an_app());
    for secret in ["next-refresh-token", "s3cret", set.access_token.expose_secret()] {
        assert!(!printed.contains(secret));
    }
}

#[tokio::test]
async fn a_refresh_sends_the_refresh_token_and_gives_the_next() {
    let transport = Scripted::new([tokens()]);
    let set = an_app().refresh_tokens(&*transport, &"old-refresh-token".into()).await.unwrap();
    assert!(set.refresh_token.is_some());
    let request = transport.asked().remove(0);
    let expected = [("grant_type", "refresh_token"), ("refresh_token", "old-refresh-token")];
    assert_eq!(
        form(request.body()),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[tokio::test]
async fn only_an_explicit_invalid_grant_ends_a_grant() {
    use FailureClass::{Defect, Transient, Unauthorized};
    let json = [("content-type", "application/json")];
    let oauth = |status, code: &str| reply(status, &json, &format!(r#"{{"error":"{code}"}}"#));
    let silence = Answer::Unfinished(RequestSent::Unknown, TransportErrorKind::Timeout);
    let rows = [
        ("spent", oauth(400, "invalid_grant"), Unauthorized, "connection_expired"),
        ("wrong secret", oauth(400, "invalid_client"), Defect, "app_refused"),
        ("wrong secret, 401", oauth(401, "invalid_client"), Defect, "app_refused"),
        ("app not allowed", oauth(400, "unauthorized_client"), Defect, "app_refused"),
        ("scope", oauth(400, "invalid_scope"), Defect, "app_refused"),
        ("grant type", oauth(400, "unsupported_grant_type"), Defect, "app_refused"),
        ("malformed", oauth(400, "invalid_request"), Defect, "app_refused"),
        ("unheard of", oauth(400, "<script>alert(1)"), Defect, "app_refused"),
        ("too many calls", oauth(429, "invalid_grant"), Transient, "login_unavailable"),
        ("a fault", oauth(500, "invalid_grant"), Transient, "login_unavailable"),
        ("an outage", reply(503, &[], "<html>"), Transient, "login_unavailable"),
        ("silence", silence, Transient, "login_unavailable"),
        ("a page", reply(403, &[], "<html>"), Transient, "login_unavailable"),
        ("a page, 400", reply(400, &[], "<!DOCTYPE html>"), Transient, "login_unavailable"),
        ("a page, 200", reply(200, &[], "<html>"), Transient, "login_unavailable"),
        ("a page, 302", reply(302, &[], "<html>"), Transient, "login_unavailable"),
        ("nothing, 400", reply(400, &[], ""), Transient, "login_unavailable"),
        ("nothing, 200", reply(200, &[], ""), Transient, "login_unavailable"),
        ("spent, 201", oauth(201, "invalid_grant"), Defect, "answer_unreadable"),
        ("no JSON, 400", reply(400, &[], "invalid_grant"), Transient, "login_unavailable"),
        ("no token in it", reply(200, &json, "{}"), Defect, "answer_unreadable"),
        ("a redirect", reply(302, &[], ""), Transient, "login_unavailable"),
        ("a redirect, 307", reply(307, &[], "Moved"), Transient, "login_unavailable"),
        (
            "wrong secret, after a byte order mark",
            reply(400, &json, "\u{feff}{\"error\":\"invalid_client\"}"),
            Defect,
            "app_refused",
        ),
    ];
    for (row, answer, class, code) in rows {
        let transport = Scripted::new([answer]);
        let error = an_app().refresh_tokens(&*transport, &"old".into()).await.unwrap_err();
        let failure = error.to_failure(Timestamp::UNIX_EPOCH);
        assert_eq!((error.failure_class(), failure.code.as_ref()), (class, code), "{row}: {error}");
        assert!(!format!("{error} {failure}").contains('<'), "{row}");
        assert_eq!(matches!(error, XeroError::GrantRefused), row == "spent", "{row}");
    }
}

#[tokio::test]
async fn a_token_that_says_nothing_about_its_user_is_not_used() {
    let body = r#"{"access_token":"opaque","token_type":"Bearer","expires_in":1800}"#;
    let transport = Scripted::new([reply(200, &[], body)]);
    let error = an_app().refresh_tokens(&*transport, &"old".into()).await.unwrap_err();
    assert!(matches!(error, XeroError::Undecodable { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("opaque"));
}

#[tokio::test]
async fn a_revocation_names_the_refresh_token_and_ends_quietly() {
    let transport = Scripted::new([reply(200, &[], "")]);
    an_app().revoke_token(&*transport, &"old".into()).await.unwrap();
    let request = transport.asked().remove(0);
    assert_eq!(request.uri(), "https://identity.xero.com/connect/revocation");
    let expected = [("token", "old"), ("token_type_hint", "refresh_token")];
    assert_eq!(
        form(request.body()),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let refused = Scripted::new([reply(400, &[], r#"{"error":"invalid_client"}"#)]);
    let error = an_app().revoke_token(&*refused, &"old".into()).await.unwrap_err();
    assert!(matches!(error, XeroError::OperatorFault { .. }), "{error:?}");
    let pages = [
        reply(403, &[], "<html>"),
        reply(200, &[], "<html>"),
        reply(400, &[], ""),
        reply(302, &[], ""),
    ];
    for page in pages {
        let error =
            an_app().revoke_token(&*Scripted::new([page]), &"old".into()).await.unwrap_err();
        assert!(matches!(error, XeroError::IdentityUnavailable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_unreadable_link_counts_as_a_link() {
    let transport = Scripted::ok(
        r#"[{"id":"not an id","tenantId":"fe79f7dd-b6d4-4a92-ba7b-538af6289c58","tenantType":"ORGANISATION"},
        {"id":"7cb59f93-2964-421d-bb5e-a0f7a4572a45","tenantId":"fe79f7dd-b6d4-4a92-ba7b-538af6289c59",
        "tenantType":"ORGANISATION","authEventId":"none","createdDateUtc":"9999-99-99"}]"#,
    );
    let read = list_connections(&*transport, &api_url(), &token()).await.unwrap();
    assert_eq!((read.rows.len(), read.undecodable.len(), read.len()), (1, 1, 2));
    assert_eq!((read.rows[0].auth_event_id, read.rows[0].created_at), (None, None));
    assert!(!read.is_empty());
    let tenant = "fe79f7dd-b6d4-4a92-ba7b-538af6289c58".parse().unwrap();
    assert!(read.undecodable[0].may_belong_to(tenant));
    assert!(!read.undecodable[0].may_belong_to(Uuid::from_u128(1)));
}

#[tokio::test]
async fn an_html_page_instead_of_the_connections_ends_no_connection() {
    let id = XeroConnectionId(Uuid::from_u128(7));
    for status in [200, 302, 400, 401, 403, 404, 405, 503] {
        let page = || Scripted::new([reply(status, &[], "<html><title>Blocked</title></html>")]);
        if matches!(status, 200 | 302 | 400..=499) {
            let nothing = || Scripted::new([reply(status, &[], " \r\n")]);
            let listed = list_connections(&*nothing(), &api_url(), &token()).await.unwrap_err();
            assert!(matches!(listed, XeroError::Edge { .. }), "{status}: {listed:?}");
            let deleted = delete_connection(&*nothing(), &api_url(), &token(), id).await;
            assert!(matches!(deleted, Err(XeroError::Edge { .. })), "{status}: {deleted:?}");
        }
        let listed = list_connections(&*page(), &api_url(), &token()).await.unwrap_err();
        let token = token();
        let deleted = delete_connection(&*page(), &api_url(), &token, id).await.unwrap_err();
        for error in [listed, deleted] {
            assert!(matches!(error, XeroError::Edge { .. }), "{status}: {error:?}");
            assert_eq!(error.failure_class(), FailureClass::Transient, "{status}");
        }
    }
}

#[tokio::test]
async fn a_faulty_character_in_a_name_makes_no_connection_unreadable() {
    let link = |name: &[u8]| {
        let start = br#"[{"id":"7cb59f93-2964-421d-bb5e-a0f7a4572a44","tenantType":"ORGANISATION",
            "tenantId":"fe79f7dd-b6d4-4a92-ba7b-538af6289c58","tenantName":""#;
        [b"\xef\xbb\xbf".as_slice(), start.as_slice(), name, br#""}]"#.as_slice()].concat()
    };
    for (name, shown) in [
        (b"Ridge \xf0\x9f\x98".as_slice(), "Ridge \u{fffd}"),
        (br"Ridge \ud83d".as_slice(), "Ridge \u{fffd}"),
        (b"Ridge\x0bLtd".as_slice(), "Ridge Ltd"),
    ] {
        let transport = Scripted::new([reply_bytes(200, link(name))]);
        let read = list_connections(&*transport, &api_url(), &token()).await.unwrap();
        assert!(read.undecodable.is_empty(), "{shown}");
        assert_eq!(read.rows[0].tenant_name, shown);
    }
}

#[tokio::test]
async fn connections_are_read_with_seven_digits_and_no_offset() {
    let transport = Scripted::ok(
        r#"[{"id":"7cb59f93-2964-421d-bb5e-a0f7a4572a44","authEventId":"d99ecdfe-391d-43d2-b834-17636ba90e8d",
        "tenantId":"fe79f7dd-b6d4-4a92-ba7b-538af6289c58","tenantType":"ORGANISATION","tenantName":"Demo Company (NZ)",
        "createdDateUtc":"2026-01-12T18:46:19.5165400","updatedDateUtc":"2026-01-12T18:46:19.5187840"},
        {"id":"7cb59f93-2964-421d-bb5e-a0f7a4572a45","tenantId":"fe79f7dd-b6d4-4a92-ba7b-538af6289c59",
        "tenantType":"PRACTICEMANAGER","tenantName":null}]"#,
    );
    let read = list_connections(&*transport, &api_url(), &token()).await.unwrap().rows;
    assert_eq!(read[0].tenant, TenantId("fe79f7dd-b6d4-4a92-ba7b-538af6289c58".parse().unwrap()));
    assert_eq!(read[0].tenant_type, TenantType::Organisation);
    assert_eq!(read[0].tenant_name, "Demo Company (NZ)");
    assert_eq!(read[0].created_at, Some("2026-01-12T18:46:19.51654Z".parse().unwrap()));
    assert_eq!(read[1].tenant_type, TenantType::Other("PRACTICEMANAGER".to_owned()));
    assert_eq!(read[1].auth_event_id, None);
}

#[tokio::test]
async fn a_connection_that_had_ended_before_is_distinguished_from_one_that_is_not_ours() {
    let id = XeroConnectionId(Uuid::from_u128(7));
    let delete = async |answer| {
        let transport = Scripted::new([answer]);
        delete_connection(&*transport, &api_url(), &token(), id).await
    };
    assert!(delete(reply(204, &[], "")).await.is_ok());
    let gone = delete(reply(404, &[], "The resource you're looking for cannot be found")).await;
    assert!(matches!(gone, Err(XeroError::NotFound { .. })));
    let foreign = delete(reply(403, &[], r#"{"Detail":"AuthenticationUnsuccessful"}"#)).await;
    assert!(matches!(foreign, Err(XeroError::TenantRefused)));
}

#[test]
fn every_call_can_move_between_threads() {
    fn is_send<T: Send>(_: T) {}
    let (app, transport, secret) = (an_app(), Scripted::new([]), verifier());
    is_send(app.exchange_code(&*transport, &secret, &secret));
    is_send(app.refresh_tokens(&*transport, &secret));
    is_send(app.revoke_token(&*transport, &secret));
    is_send(list_connections(&*transport, &api_url(), &token()));
    let session = crate::samples::a_session(transport.clone());
    is_send(xero::api::organisation::get_organisation(&session));
    is_send(xero::api::invoices::create_invoices(&session, &[], &crate::samples::a_key()));
    is_send(xero::api::payments::create_payments(&session, &[], &crate::samples::a_key()));
    is_send(xero::api::bank_transactions::create_bank_transactions(
        &session,
        &[],
        &crate::samples::a_key(),
    ));
}
