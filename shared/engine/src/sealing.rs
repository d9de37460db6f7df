//! Encrypts texts that must not be readable in the table, with a key that is not in the table: a
//! ticket, or a data key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};

/// Separates this use of a key from any later one.
const PURPOSE: &[u8] = b"servicecortex-xero consent\0";

/// A key encrypts one text only, so it is never used with the same nonce twice.
const NONCE: [u8; 12] = [0; 12];

/// Encrypts a text with an unguessable key that encrypts no other text. `context` must be the same
/// when the text is decrypted.
pub(crate) fn seal_text(key: &SecretString, context: &str, text: &SecretString) -> String {
    let mut bytes = text.expose_secret().as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key(NONCE);
    derive_key(key)
        .seal_in_place_append_tag(nonce, Aad::from(context.as_bytes()), &mut bytes)
        .expect("a text of a few hundred bytes is never too long to seal");
    STANDARD_NO_PAD.encode(bytes)
}

/// Decrypts the result of [`seal_text`]. `None` if the key or context differs, or the sealed text
/// was changed.
pub(crate) fn open_sealed(key: &SecretString, context: &str, sealed: &str) -> Option<SecretString> {
    let mut bytes = STANDARD_NO_PAD.decode(sealed).ok()?;
    let nonce = Nonce::assume_unique_for_key(NONCE);
    let text =
        derive_key(key).open_in_place(nonce, Aad::from(context.as_bytes()), &mut bytes).ok()?;
    std::str::from_utf8(text).ok().map(SecretString::from)
}

fn derive_key(secret: &SecretString) -> LessSafeKey {
    let material = [PURPOSE, secret.expose_secret().as_bytes()].concat();
    let key = digest(&SHA256, &material);
    let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_ref());
    LessSafeKey::new(key.expect("SHA-256 gives as many bytes as the key needs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_ticket_and_context_open_what_was_sealed() {
        let (ticket, text) = (SecretString::from("ticket"), SecretString::from("code verifier"));
        let sealed = seal_text(&ticket, "acc_1 usr_1", &text);
        assert!(!sealed.contains("code"));
        let opened = open_sealed(&ticket, "acc_1 usr_1", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "code verifier");
        assert!(open_sealed(&SecretString::from("other"), "acc_1 usr_1", &sealed).is_none());
        assert!(open_sealed(&ticket, "acc_2 usr_1", &sealed).is_none());
        assert!(open_sealed(&ticket, "acc_1 usr_1", "AAAA").is_none());
    }
}
