//! The message of the queue of polls: a chunk of ledgers.

use std::collections::BTreeSet;

use domain::dead_letter::DeadLetterReason;
use domain::ids::Ledger;
use domain::poll::CHUNK;
use serde::{Deserialize, Serialize};

/// Maximum bytes of a message body: more than [`CHUNK`] ledgers with the longest ids need.
const BODY_LIMIT_BYTES: usize = 32 * 1024;

/// A message of the queue of polls.
#[derive(Debug, Serialize, Deserialize)]
pub struct PollMessage {
    /// Ledgers to be polled together: 1 to [`CHUNK`].
    pub ledgers: Vec<Ledger>,
}

impl PollMessage {
    /// The message's body.
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).expect("ids always make JSON")
    }

    /// Parses a body. A body beyond a limit is refused; duplicate ledgers are removed.
    pub fn from_body(body: &str) -> Result<Self, DeadLetterReason> {
        if body.len() > BODY_LIMIT_BYTES {
            let text = format!("a chunk of ledgers has at most {BODY_LIMIT_BYTES} bytes");
            return Err(DeadLetterReason::new("oversized", &text));
        }
        let Ok(Self { mut ledgers }) = serde_json::from_str(body) else {
            return Err(DeadLetterReason::new("not_a_chunk", "the body is not a chunk of ledgers"));
        };
        if !(1..=CHUNK).contains(&ledgers.len()) {
            let text = format!("ledgers: must name 1 to {CHUNK} ledgers");
            return Err(DeadLetterReason::new("field", &text));
        }
        let mut seen = BTreeSet::new();
        ledgers.retain(|ledger| seen.insert(ledger.clone()));
        Ok(Self { ledgers })
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::{AccountId, TenantId};

    use super::*;

    #[test]
    fn a_chunk_is_read_within_its_limits_and_each_ledger_once() {
        let ledger = |number: usize| Ledger {
            account: AccountId::new(format!("{number:040}")).unwrap(),
            tenant: TenantId(uuid::Uuid::from_u128(4)),
        };
        let body =
            |count: usize| PollMessage { ledgers: (0..count).map(ledger).collect() }.to_body();
        let refusal =
            |body: &str| PollMessage::from_body(body).unwrap_err().sentence_text().to_owned();
        assert_eq!(PollMessage::from_body(&body(CHUNK)).unwrap().ledgers.len(), CHUNK);
        assert!(refusal(&body(0)).contains("1 to 100 ledgers"));
        assert!(refusal(&body(CHUNK + 1)).contains("1 to 100 ledgers"));
        assert!(refusal(&body(20_000)).contains("32768 bytes"));
        assert!(refusal(r#"{"version":1}"#).contains("not a chunk"));
        let long = body(1).replace(&"0".repeat(40), &"0".repeat(41));
        assert!(refusal(&long).contains("not a chunk"));
        let twice = PollMessage { ledgers: vec![ledger(1), ledger(1)] }.to_body();
        assert_eq!(PollMessage::from_body(&twice).unwrap().ledgers, [ledger(1)]);
    }
}
