//! The system's randomness.

use std::fmt;

use engine::ports::Ids;
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::SecretString;
use uuid::Uuid;

/// Creates identities from the system's random source.
pub struct RandomIds {
    source: SystemRandom,
}

impl RandomIds {
    /// Uses the system's random source.
    pub fn new() -> Self {
        Self { source: SystemRandom::new() }
    }

    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.source.fill(&mut bytes).expect("the system's random source does not fail");
        bytes
    }
}

impl Default for RandomIds {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RandomIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RandomIds")
    }
}

impl Ids for RandomIds {
    fn uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    fn unguessable(&self) -> SecretString {
        use fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in self.bytes::<32>() {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        }
        SecretString::from(text)
    }
}
