//! The system's randomness.

use std::fmt;

use engine::ports::IdSource;
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

    fn random_bytes<const N: usize>(&self) -> [u8; N] {
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

impl IdSource for RandomIds {
    fn new_uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random_bytes()).into_uuid()
    }

    fn new_secret(&self) -> SecretString {
        use fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in self.random_bytes::<32>() {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        }
        SecretString::from(text)
    }
}
