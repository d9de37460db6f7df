//! Where a call's access token comes from.
//!
//! Every call asks for a token, and a token that Xero rejects is renewed once and the call made again.
//! That happens here and nowhere else, so that no path can forget it.

use std::fmt::Debug;

use async_trait::async_trait;
use domain::failure::Failure;
use secrecy::SecretString;

use crate::error::XeroError;
use crate::transport::BoxError;

/// The access tokens of one Xero user.
#[async_trait]
pub trait AccessTokens: Send + Sync + Debug {
    /// A token for the next call.
    async fn current(&self) -> Result<SecretString, NoAccessToken>;

    /// Another token than this one, which Xero has just rejected. `None` if there can be no other: then
    /// the rejection stands.
    async fn renewed(&self, rejected: &SecretString)
    -> Result<Option<SecretString>, NoAccessToken>;
}

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
#[error("there is no access token")]
pub struct NoAccessToken {
    /// What it means for the operation, and what a person reads.
    pub failure: Failure,
    /// The cause.
    #[source]
    pub source: BoxError,
}

/// One token, which is not renewed: right after a consent there is no older one to renew.
#[derive(Debug, Clone)]
pub struct FixedToken(pub SecretString);

#[async_trait]
impl AccessTokens for FixedToken {
    async fn current(&self) -> Result<SecretString, NoAccessToken> {
        Ok(self.0.clone())
    }

    async fn renewed(
        &self,
        _rejected: &SecretString,
    ) -> Result<Option<SecretString>, NoAccessToken> {
        Ok(None)
    }
}

/// The token for a call's first try.
pub(crate) async fn first_token(tokens: &dyn AccessTokens) -> Result<SecretString, XeroError> {
    tokens.current().await.map_err(|source| XeroError::NoAccessToken { is_answered: false, source })
}

/// The token for a call's second try, if `error` is a rejection of the first one and another can be had.
pub(crate) async fn second_token(
    tokens: &dyn AccessTokens,
    rejected: &SecretString,
    error: &XeroError,
) -> Result<Option<SecretString>, XeroError> {
    if !matches!(error, XeroError::TokenRejected { expired: _ }) {
        return Ok(None);
    }
    let renewed = tokens.renewed(rejected).await;
    renewed.map_err(|source| XeroError::NoAccessToken { is_answered: true, source })
}
