//! The tokens of the CRM's users: JSON Web Tokens signed with RS256 (RFC 7515, RFC 7518), the one
//! algorithm that API Gateway's JWT authorizers are asked for most and that the local AWS checks.

use crate::children::Children;
use crate::clock;
use crate::failure::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use serde::Serialize;
use std::path::Path;
use tokio::process::Command;

/// How long a token is good for: a working day, so that a stack that stays up stays usable.
const GOOD_FOR_SECONDS: i64 = 12 * 60 * 60;

/// Tokens are dated back a little: the local AWS refuses one that was issued in the current second.
const BACKDATED_SECONDS: i64 = 5;

/// The name of the only key.
const KEY_ID: &str = "local";

/// `ring` signs with RSA keys but does not make them; Python's `cryptography` is there anyway.
const MAKE_KEY: &str = "import base64
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
print(base64.b64encode(der).decode())";

/// A user of the CRM, as its tokens describe one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Who.
    pub sub: String,
    /// Which customer of ServiceCortex they work for.
    pub account_id: String,
    /// `Owner`, `Admin` or `Member`.
    pub role: String,
    /// Their name, for people.
    pub name: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    #[serde(flatten)]
    user: &'a User,
}

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
    kid: &'static str,
}

#[derive(Serialize)]
struct Keys {
    keys: [PublicKey; 1],
}

#[derive(Serialize)]
struct PublicKey {
    kty: &'static str,
    #[serde(rename = "use")]
    purpose: &'static str,
    alg: &'static str,
    kid: &'static str,
    n: String,
    e: String,
}

/// Signs tokens in the name of `issuer` for `audience`.
#[derive(Debug)]
pub struct Signer {
    key: KeyPair,
    issuer: String,
    audience: String,
}

impl Signer {
    /// A signer with a key made just now, in memory, by the Python of the virtual environment.
    pub async fn make(
        children: &Children,
        environment: &Path,
        issuer: String,
        audience: &str,
    ) -> Result<Self, Failure> {
        let cannot = || Failure::new("Cannot make the key that signs the CRM's tokens");
        let mut make = Command::new(environment.join("bin/python"));
        make.args(["-c", MAKE_KEY]);
        let said = children.ask(&mut make).await.map_err(|error| cannot().because(error))?;
        let said = said.ok_or_else(cannot)?;
        let der = STANDARD.decode(said.trim()).map_err(|error| cannot().because(error))?;
        let key = KeyPair::from_pkcs8(&der).map_err(|error| cannot().because(error.to_string()))?;
        Ok(Self { key, issuer, audience: audience.to_owned() })
    }

    /// A token for the user, good for twelve hours from now.
    pub fn token(&self, user: &User) -> Result<String, Failure> {
        let now = clock::now().as_second();
        let claims = Claims {
            iss: &self.issuer,
            aud: &self.audience,
            iat: now.saturating_sub(BACKDATED_SECONDS),
            exp: now.saturating_add(GOOD_FOR_SECONDS),
            user,
        };
        let header = Header { alg: "RS256", typ: "JWT", kid: KEY_ID };
        let signed = format!("{}.{}", part(&header)?, part(&claims)?);
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|error| Failure::new("Cannot sign a token").because(error.to_string()))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The discovery document (`OpenID` Connect Discovery 1.0), as far as an authorizer reads it.
    pub fn discovery(&self) -> String {
        let issuer = &self.issuer;
        format!(r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/.well-known/jwks.json"}}"#)
    }

    /// The public key as a JSON Web Key Set (RFC 7517).
    pub fn keys(&self) -> Result<String, Failure> {
        let public: PublicKeyComponents<Vec<u8>> = self.key.public().into();
        let key = PublicKey {
            kty: "RSA",
            purpose: "sig",
            alg: "RS256",
            kid: KEY_ID,
            n: URL_SAFE_NO_PAD.encode(public.n),
            e: URL_SAFE_NO_PAD.encode(public.e),
        };
        serde_json::to_string(&Keys { keys: [key] })
            .map_err(|error| Failure::new("Cannot write the public key").because(error))
    }
}

fn part(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_vec(value)
        .map_err(|error| Failure::new("Cannot write a token").because(error))?;
    Ok(URL_SAFE_NO_PAD.encode(text))
}
