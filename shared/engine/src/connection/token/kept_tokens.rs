//! Stored tokens: in a grant's secret, and in the memory of a warm process.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::ids::GrantId;
use domain::json_fault::JsonFault;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use xero::TokenSet;

/// Maximum number of grants whose tokens a process remembers. A process serves many accounts.
const CACHED_MAX: usize = 64;

/// The contents of a grant's secret.
#[derive(Clone)]
pub(crate) struct KeptTokens {
    pub(super) access_token: SecretString,
    pub(super) refresh_token: SecretString,
    pub(super) access_expires_at: Timestamp,
    /// The refresh token that was in the secret before. If two processes renewed the tokens despite
    /// the lock, it is the other process's, and Xero may accept only one of the two.
    pub(super) earlier: Option<SecretString>,
    /// The position of this value among all values of the secret; 0 in values of an earlier
    /// release.
    pub(crate) serial: u64,
}

/// The contents as JSON text, the form in which Secrets Manager stores them.
#[derive(Serialize, Deserialize)]
struct KeptText<'a> {
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    #[serde(borrow)]
    refresh_token: Cow<'a, str>,
    access_expires_at: Timestamp,
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    earlier_refresh_token: Option<Cow<'a, str>>,
    #[serde(default)]
    serial: u64,
}

impl KeptTokens {
    /// Creates the secret's value of this serial from a token set that Xero issued at `now`. `None`
    /// if the set has no refresh token.
    pub(crate) fn new(tokens: &TokenSet, serial: u64, now: Timestamp) -> Option<Self> {
        Some(Self::from_token_set(tokens, tokens.refresh_token.clone()?, serial, now))
    }

    /// Creates the value from a token set that Xero issued for the refresh token `used`. If the set
    /// has no refresh token, that one stays valid (RFC 6749, section 6).
    pub(super) fn from_renewal(
        tokens: &TokenSet,
        used: &SecretString,
        serial: u64,
        now: Timestamp,
    ) -> Self {
        let refresh_token = tokens.refresh_token.as_ref().unwrap_or(used).clone();
        Self::from_token_set(tokens, refresh_token, serial, now)
    }

    fn from_token_set(
        tokens: &TokenSet,
        refresh_token: SecretString,
        serial: u64,
        now: Timestamp,
    ) -> Self {
        let life = SignedDuration::from_secs(i64::from(tokens.expires_in_seconds));
        Self {
            access_token: tokens.access_token.clone(),
            refresh_token,
            access_expires_at: now.saturating_add(life).unwrap_or(now),
            earlier: None,
            serial,
        }
    }

    pub(super) fn from_secret(secret: &SecretString) -> Result<Self, JsonFault> {
        let text: KeptText<'_> = serde_json::from_str(secret.expose_secret())?;
        Ok(Self {
            access_token: SecretString::from(text.access_token.into_owned()),
            refresh_token: SecretString::from(text.refresh_token.into_owned()),
            access_expires_at: text.access_expires_at,
            earlier: text.earlier_refresh_token.map(|token| SecretString::from(token.into_owned())),
            serial: text.serial,
        })
    }

    pub(crate) fn to_secret(&self) -> SecretString {
        let text = KeptText {
            access_token: self.access_token.expose_secret().into(),
            refresh_token: self.refresh_token.expose_secret().into(),
            access_expires_at: self.access_expires_at,
            earlier_refresh_token: self.earlier.as_ref().map(|token| token.expose_secret().into()),
            serial: self.serial,
        };
        let json = serde_json::to_string(&text).expect("texts and an instant always make JSON");
        SecretString::from(json)
    }

    pub(super) fn access_token(&self) -> SecretString {
        self.access_token.clone()
    }
}

/// Tokens that a warm process has read or written.
#[derive(Default)]
pub struct TokenCache {
    kept: Mutex<HashMap<GrantId, KeptTokens>>,
}

impl TokenCache {
    /// Returns the known tokens of a grant, unless they belong to a consent older than this serial:
    /// those may cover fewer permissions.
    pub(super) fn get(&self, grant: GrantId, consented: u64) -> Option<KeptTokens> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&grant).filter(|tokens| tokens.serial >= consented).cloned()
    }

    /// Remembers tokens that were read or written, unless newer ones are known.
    pub(super) fn put_newer(&self, grant: GrantId, tokens: KeptTokens) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.get(&grant).is_some_and(|known| known.serial > tokens.serial) {
            return;
        }
        if kept.len() >= CACHED_MAX {
            kept.clear();
        }
        kept.insert(grant, tokens);
    }

    /// Forgets a grant.
    pub(super) fn forget_grant(&self, grant: GrantId) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&grant);
    }
}

impl std::fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenCache(..)")
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const GRANT: GrantId = GrantId(Uuid::from_u128(1));

    fn kept(serial: u64) -> KeptTokens {
        let text = format!(
            r#"{{"access_token":"SECRET-1","refresh_token":"SECRET-2",
            "access_expires_at":"2026-11-02T09:30:00Z","serial":{serial}}}"#
        );
        KeptTokens::from_secret(&SecretString::from(text)).unwrap()
    }

    fn known(cache: &TokenCache, consented: u64) -> Option<u64> {
        cache.get(GRANT, consented).map(|tokens| tokens.serial)
    }

    #[test]
    fn older_tokens_do_not_replace_newer_ones() {
        let cache = TokenCache::default();
        for (serial, newest) in [(2, 2), (1, 2), (3, 3)] {
            cache.put_newer(GRANT, kept(serial));
            assert_eq!(known(&cache, 0), Some(newest), "{serial}");
        }
        cache.forget_grant(GRANT);
        assert_eq!(known(&cache, 0), None);
    }

    #[test]
    fn tokens_of_an_earlier_consent_are_not_used() {
        let cache = TokenCache::default();
        cache.put_newer(GRANT, kept(5));
        assert_eq!(known(&cache, 5), Some(5));
        assert_eq!(known(&cache, 6), None);
    }

    #[test]
    fn the_tokens_of_a_limited_number_of_grants_are_remembered_and_none_is_printed() {
        let cache = TokenCache::default();
        for number in (0_u128..).take(3 * CACHED_MAX) {
            cache.put_newer(GrantId(Uuid::from_u128(number)), kept(1));
            assert!(cache.kept.lock().unwrap().len() <= CACHED_MAX, "{number}");
        }
        assert!(!format!("{cache:?}").contains("SECRET"));
    }

    #[test]
    fn tokens_are_read_back_from_their_secret() {
        let earlier = Some(SecretString::from("SECRET-0"));
        let tokens = KeptTokens { earlier, ..kept(7) };
        let read = KeptTokens::from_secret(&tokens.to_secret()).unwrap();
        assert_eq!((read.serial, read.access_expires_at), (7, tokens.access_expires_at));
        assert_eq!(read.access_token.expose_secret(), "SECRET-1");
        assert_eq!(read.refresh_token.expose_secret(), "SECRET-2");
        assert_eq!(read.earlier.unwrap().expose_secret(), "SECRET-0");
    }

    #[test]
    fn a_secret_that_cannot_be_read_says_why_and_quotes_no_value() {
        let lacking = r#"{"access_token":"SECRET-1","refresh_token":"SECRET-2"}"#;
        for (text, expected) in [
            (lacking, "it lacks the field access_expires_at"),
            (r#"{"access_token":["SECRET-1"]}"#, "a value has another form than expected"),
            ("SECRET-1", "it is not JSON"),
        ] {
            let read = KeptTokens::from_secret(&SecretString::from(text)).map(drop);
            let fault = read.unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{fault}");
            assert!(!fault.contains("SECRET"), "{fault}");
        }
    }
}
