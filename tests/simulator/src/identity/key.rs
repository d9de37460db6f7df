//! The key that signs tokens. It is committed with the simulator, so it protects nothing; it only
//! lets clients verify signatures as they verify those of Xero.

use crate::json::{Json, Object};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use std::sync::LazyLock;

/// The key id in tokens and in the key set.
pub(super) const KEY_ID: &str = "simulated";

static KEY: LazyLock<RsaKeyPair> = LazyLock::new(|| {
    RsaKeyPair::from_pkcs8(include_bytes!("simulated.pk8"))
        .expect("the committed key is an RSA key in PKCS #8")
});

/// The RS256 signature of a message. PKCS #1 signatures contain no randomness: a message has the
/// same signature in every run.
pub(super) fn sign(message: &str) -> Vec<u8> {
    let mut signature = vec![0; KEY.public().modulus_len()];
    KEY.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .expect("the signature is as long as the key's modulus");
    signature
}

/// The key set with the public half of the key.
pub(super) fn key_set() -> Object {
    let public: PublicKeyComponents<Vec<u8>> = PublicKeyComponents::from(KEY.public());
    let key = Object::new()
        .with("kty", "RSA")
        .with("use", "sig")
        .with("kid", KEY_ID)
        .with("alg", "RS256")
        .with("n", URL_SAFE_NO_PAD.encode(public.n))
        .with("e", URL_SAFE_NO_PAD.encode(public.e));
    Object::new().with("keys", vec![Json::from(key)])
}
