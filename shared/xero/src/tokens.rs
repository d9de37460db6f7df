//! The source of a call's access token.
//!
//! Every call requests a token. If Xero rejects it, the token is renewed and the call is repeated
//! once. Only this module does that, so no code path can omit it.

use std::fmt::Debug;

use async_trait::async_trait;
use domain::failure::Failure;
use secrecy::SecretString;

use crate::error::XeroError;
use crate::transport::BoxError;

/// The access tokens of one Xero user.
#[async_trait]
pub trait AccessTokens: Send + Sync + Debug {
    /// Returns a token for the next call.
    async fn current_token(&self) -> Result<SecretString, NoAccessToken>;

    /// Returns another token in place of this one, which Xero has just rejected. `None` means that
    /// there is no other token, so the rejection stands.
    async fn renew_token(
        &self,
        rejected: &SecretString,
    ) -> Result<Option<SecretString>, NoAccessToken>;
}

/// The reason why there is no access token.
#[derive(Debug, thiserror::Error)]
#[error("there is no access token")]
pub struct NoAccessToken {
    /// The meaning for the operation, and the message for people.
    pub failure: Failure,
    /// The cause.
    #[source]
    pub source: BoxError,
}

/// A single token that is not renewed. It is used directly after a consent, when there is no older
/// token to renew.
#[derive(Debug, Clone)]
pub struct FixedToken(pub SecretString);

#[async_trait]
impl AccessTokens for FixedToken {
    async fn current_token(&self) -> Result<SecretString, NoAccessToken> {
        Ok(self.0.clone())
    }

    async fn renew_token(
        &self,
        _rejected: &SecretString,
    ) -> Result<Option<SecretString>, NoAccessToken> {
        Ok(None)
    }
}

/// The token for a call's first try.
pub(crate) async fn first_token(tokens: &dyn AccessTokens) -> Result<SecretString, XeroError> {
    tokens
        .current_token()
        .await
        .map_err(|source| XeroError::NoAccessToken { is_answered: false, source })
}

/// The token for a call's second try, if `error` is a rejection of the first one and there is
/// another token.
pub(crate) async fn second_token(
    tokens: &dyn AccessTokens,
    rejected: &SecretString,
    error: &XeroError,
) -> Result<Option<SecretString>, XeroError> {
    if !matches!(error, XeroError::TokenRejected { expired: _ }) {
        return Ok(None);
    }
    let renewed = tokens.renew_token(rejected).await;
    renewed.map_err(|source| XeroError::NoAccessToken { is_answered: true, source })
}
