//! Xero keeps the response to a write with an `Idempotency-Key` for six minutes and replays it.

use crate::answer::Answer;
use crate::incoming::Incoming;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Xero: six minutes from the first call.
const KEPT: SignedDuration = SignedDuration::from_mins(6);

/// Xero: longer keys are refused.
const LONGEST_KEY: usize = 128;

/// The scope of a key: the app, and the tenant if keys are per tenant.
pub(crate) type Owner = (String, Option<Uuid>);

/// The kept responses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(BTreeMap<(Owner, String), First>);

/// The first call under a key.
#[derive(Clone, Debug)]
struct First {
    fingerprint: [u8; 32],
    answer: Answer,
    at: Timestamp,
}

/// The state of a key for a call.
#[derive(Debug)]
pub(crate) enum KeyState {
    /// Not seen in the last six minutes.
    New,
    /// Seen with the same request: the kept response.
    Replay(Answer),
    /// Invalid, with the reason.
    Refuse(String),
}

impl Kept {
    pub(crate) fn check_key(
        &mut self,
        owner: &Owner,
        key: &str,
        fingerprint: [u8; 32],
        now: Timestamp,
    ) -> KeyState {
        self.0.retain(|_, first| now.duration_since(first.at) < KEPT);
        if key.len() > LONGEST_KEY {
            let text = format!("Idempotency Key must be at most {LONGEST_KEY} characters.");
            return KeyState::Refuse(text);
        }
        match self.0.get(&(owner.clone(), key.to_owned())) {
            None => KeyState::New,
            Some(first) if first.fingerprint == fingerprint => {
                KeyState::Replay(first.answer.clone())
            }
            Some(_) => KeyState::Refuse(format!(
                "Idempotency Key: {key} is used with a different request."
            )),
        }
    }

    pub(crate) fn keep(
        &mut self,
        owner: Owner,
        key: &str,
        fingerprint: [u8; 32],
        answer: &Answer,
        now: Timestamp,
    ) {
        let first = First { fingerprint, answer: answer.clone(), at: now };
        self.0.insert((owner, key.to_owned()), first);
    }
}

/// The properties that two identical requests share: method, address, tenant and bytes.
pub(crate) fn fingerprint(incoming: &Incoming<'_>, tenant: Uuid) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(tenant.as_bytes());
    for part in [incoming.method.as_str(), incoming.path, incoming.query] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    digest.update(incoming.body);
    digest.finalize().into()
}
