//! Ids and secrets generated from the seed, so that a run can be repeated byte for byte.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A generator of ids: the same seed and the same order of calls give the same ids.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    seed: u64,
    drawn: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The next id, in the format of a random (version 4) UUID.
    pub(crate) fn next(&mut self) -> Uuid {
        uuid_from(self.draw())
    }

    /// Forty-three characters that cannot be derived from earlier ids.
    pub(crate) fn secret(&mut self) -> String {
        URL_SAFE_NO_PAD.encode(self.draw())
    }

    fn draw(&mut self) -> [u8; 32] {
        self.drawn = self.drawn.wrapping_add(1);
        let mut digest = Sha256::new();
        digest.update(self.seed.to_be_bytes());
        digest.update(self.drawn.to_be_bytes());
        digest.finalize().into()
    }
}

/// An id that depends only on `name`; the demo organisations use it.
pub(crate) fn named(name: &str) -> Uuid {
    uuid_from(Sha256::digest(name.as_bytes()).into())
}

fn uuid_from(digest: [u8; 32]) -> Uuid {
    let mut half = [0; 16];
    for (target, source) in half.iter_mut().zip(digest) {
        *target = source;
    }
    uuid::Builder::from_random_bytes(half).into_uuid()
}
