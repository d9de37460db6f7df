//! Rules 63 and 64: two clocks, and tokens whose signatures can be verified.

use crate::caller::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;
use xero_sim::{Consent, Instants, Pace};

const SPEED: i32 = 20;

/// A connected caller and the pace of its Xero.
fn connected_at_speed() -> (Caller, Pace) {
    let mut caller = Caller::unconnected(demo());
    let pace = Pace::new(caller.now, SPEED);
    caller.connect(SCOPES);
    (caller, pace)
}

/// The time of both clocks after some real seconds.
fn after(caller: &Caller, pace: Pace, seconds: i64) -> Instants {
    pace.at(caller.now + SignedDuration::from_secs(seconds))
}

fn get(caller: &mut Caller, at: Instants, path: &str) -> Answered {
    let request = caller.request("GET", path, "").body(Bytes::new()).unwrap();
    answered(caller.simulator.handle(at, &request))
}

#[test]
fn the_books_clock_runs_faster_and_the_other_in_real_time() {
    let start: Timestamp = "2026-11-02T09:00:00Z".parse().unwrap();
    let at = Pace::new(start, SPEED).at(start + SignedDuration::from_secs(3));
    assert_eq!(at.books.to_string(), "2026-11-02T09:01:00Z");
    assert_eq!(at.identity.to_string(), "2026-11-02T09:00:03Z");
    assert_eq!(Pace::new(start, 1).at(at.identity), Instants::from(at.identity));
}

/// Rule 63.
#[test]
fn a_token_expires_in_real_time_while_limits_run_faster() {
    let (mut caller, pace) = connected_at_speed();
    let claimed = claims(&caller.bearer);
    let life = claimed["exp"].as_i64().unwrap() - claimed["iat"].as_i64().unwrap();
    assert_eq!(life, 1_800);
    for seconds in [0, 91, 1_799] {
        let at = after(&caller, pace, seconds);
        assert_eq!(get(&mut caller, at, "/Organisation").status, 200, "{seconds}");
    }
    let at = after(&caller, pace, 1_800);
    let expired = get(&mut caller, at, "/Organisation");
    assert_eq!(expired.status, 401);
    assert_eq!(
        expired.json()["Detail"],
        "TokenExpired: token expired at 11/02/2026 09:30:00",
        "in real time"
    );
}

/// Rule 63.
#[test]
fn a_minute_of_the_limit_lasts_three_seconds() {
    let (mut caller, pace) = connected_at_speed();
    let at = after(&caller, pace, 0);
    while get(&mut caller, at, "/Currencies").status == 200 {}
    assert_eq!(caller.simulator.violations().minute, 1);
    let at = after(&caller, pace, 3);
    assert_eq!(get(&mut caller, at, "/Currencies").status, 200);
}

/// Rule 63.
#[test]
fn codes_grace_periods_and_connections_use_real_time() {
    let (mut caller, pace) = connected_at_speed();
    let (user, tenant) = (caller.user(), caller.tenant);
    let token = |caller: &mut Caller, at: Instants, pairs: &[(&str, &str)]| {
        let request = Request::post("/connect/token")
            .header("authorization", basic(CLIENT, SECRET))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form(pairs)))
            .unwrap();
        answered(caller.simulator.handle(at, &request))
    };
    for (wait, status) in [(299, 200), (300, 400)] {
        let at = after(&caller, pace, 60);
        let url = authorize_url(SCOPES);
        let Consent::Redirect(location) = caller.simulator.consent(at, &url, user, &[tenant])
        else {
            panic!("no redirect")
        };
        let code = parameter(&location, "code").unwrap();
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
        ];
        let at = after(&caller, pace, 60 + wait);
        assert_eq!(token(&mut caller, at, &pairs).status, status, "{wait}");
    }
    let refresh = caller.refresh.clone();
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    for (seconds, status) in [(100, 200), (100 + 1_799, 200), (100 + 1_800, 400)] {
        let at = after(&caller, pace, seconds);
        assert_eq!(token(&mut caller, at, &pairs).status, status, "{seconds}");
    }
    let request = Request::get("/connections")
        .header("authorization", format!("Bearer {}", caller.bearer))
        .body(Bytes::new())
        .unwrap();
    let at = after(&caller, pace, 120);
    let links = answered(caller.simulator.handle(at, &request)).json();
    assert_eq!(links[0]["updatedDateUtc"], "2026-11-02T09:01:00.0000000");
}

/// Whether a token's signature matches a key of a key set.
fn verifies(token: &str, key: &Value) -> bool {
    let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    RsaPublicKeyComponents { n: part("n"), e: part("e") }
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .is_ok()
}

/// Rule 64.
#[test]
fn tokens_are_signed_by_the_key_in_the_discovered_key_set() {
    let mut caller = Caller::unconnected(demo());
    let open = |caller: &mut Caller, path: &str| {
        let request =
            Request::get(path).header("host", "localhost:9800").body(Bytes::new()).unwrap();
        caller.send(&request).json()
    };
    let discovered = open(&mut caller, "/.well-known/openid-configuration");
    assert_eq!(discovered["id_token_signing_alg_values_supported"][0], "RS256");
    let address = discovered["jwks_uri"].as_str().unwrap();
    let path = address.strip_prefix("http://localhost:9800").unwrap();
    let keys = open(&mut caller, path);
    let key = &keys["keys"][0];
    assert_eq!(
        (&key["kty"], &key["use"], &key["alg"]),
        (&"RSA".into(), &"sig".into(), &"RS256".into())
    );

    let url = format!("{}&nonce=n-1", authorize_url(SCOPES));
    let user = caller.user();
    let Consent::Redirect(location) = caller.simulator.consent(caller.now, &url, user, &[]) else {
        panic!("no redirect")
    };
    let tokens = caller.redeem(&parameter(&location, "code").unwrap()).json();
    for name in ["id_token", "access_token"] {
        let token = tokens[name].as_str().unwrap();
        let header = token.split('.').next().unwrap();
        let header: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
        assert_eq!((&header["alg"], &header["kid"]), (&"RS256".into(), &key["kid"]));
        assert!(verifies(token, key), "{name}");
        let forged = token.replacen('.', ".A", 1);
        assert!(!verifies(&forged, key), "{name}");
    }
    let identity = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!((&identity["aud"], &identity["nonce"]), (&CLIENT.into(), &"n-1".into()));
    assert_eq!(identity["iss"], discovered["issuer"]);
}

/// Rule 64, switched off.
#[test]
fn signatures_can_be_switched_off() {
    let mut settings = demo();
    settings.signs_tokens = false;
    let mut caller = Caller::with_settings(settings);
    let request =
        Request::get("/.well-known/openid-configuration/jwks").body(Bytes::new()).unwrap();
    let keys = caller.send(&request).json();
    assert!(!verifies(&caller.bearer, &keys["keys"][0]));
    assert_eq!(caller.get("/Organisation").status, 200);
}
