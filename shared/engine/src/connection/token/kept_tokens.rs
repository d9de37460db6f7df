//! Tokens as they are kept: in a grant's secret, and in the memory of a warm process.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::ids::GrantId;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use xero::TokenSet;

/// A process serves many accounts in its life; it remembers the tokens of this many.
const CACHED_MAX: usize = 64;

/// What a grant's secret holds.
#[derive(Clone)]
pub(crate) struct KeptTokens {
    pub(super) access_token: SecretString,
    pub(super) refresh_token: SecretString,
    pub(super) access_expires_at: Timestamp,
    /// The refresh token that was in the secret before. Where two processes renewed after all, it
    /// is the other one's, and one of the two may be the one that Xero honours.
    pub(super) earlier: Option<SecretString>,
    /// The place of this value among all that the secret had; 0 in what an earlier release wrote.
    pub(crate) serial: u64,
}

/// The same as the JSON text that Secrets Manager keeps.
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
    /// What is kept of a token set that Xero gave at `now`, as the secret's value of that serial.
    /// `None` when the set has no refresh token.
    pub(crate) fn new(tokens: &TokenSet, serial: u64, now: Timestamp) -> Option<Self> {
        Some(Self::from_token_set(tokens, tokens.refresh_token.clone()?, serial, now))
    }

    /// The same, of a token set that Xero gave for the refresh token `used`. A set without a
    /// refresh token leaves that one valid (RFC 6749, section 6).
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

    pub(super) fn from_secret(secret: &SecretString) -> Option<Self> {
        let text: KeptText<'_> = serde_json::from_str(secret.expose_secret()).ok()?;
        Some(Self {
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

/// Access tokens a warm process has read before.
#[derive(Default)]
pub struct TokenCache {
    kept: Mutex<HashMap<GrantId, KeptTokens>>,
}

impl TokenCache {
    /// What this process knows of a grant, unless it is of an older consent than the one of this
    /// serial: those tokens may cover less.
    pub(super) fn get(&self, grant: GrantId, consented: u64) -> Option<KeptTokens> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&grant).filter(|tokens| tokens.serial >= consented).cloned()
    }

    /// Keeps what was read or written of a grant, unless it is older than what is known.
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
