//! Provides the Xero client with the access tokens of one account's connection, renewed if
//! necessary before each call.

use std::fmt;

use async_trait::async_trait;
use domain::connection::{Connection, ConnectionState};
use domain::ids::{AccountId, GrantId};
use jiff::Timestamp;
use secrecy::SecretString;
use xero::{AccessTokens, NoAccessToken};

use crate::connection::change_if_connected;
use crate::connection::token::{TokenError, TokenRequest, access_token};
use crate::error_chain::ErrorChain;
use crate::{Engine, Invocation};

/// The tokens of a grant, as one account uses them.
#[derive(Clone)]
pub(crate) struct GrantTokens {
    pub(crate) engine: Engine,
    pub(crate) grant: GrantId,
    /// The serial of the consent that the account was connected with.
    pub(crate) consented: u64,
    pub(crate) invocation: Invocation,
    /// The account whose connection expires if Xero refuses the grant. `None` while an unused link
    /// is removed.
    pub(crate) connection: Option<(AccountId, Option<Timestamp>)>,
}

impl fmt::Debug for GrantTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GrantTokens({})", self.grant)
    }
}

impl GrantTokens {
    /// Returns an access token that differs from `rejected`, if that is given. If Xero refuses the
    /// grant, the connection becomes Token Expired. Nothing else sets that status.
    pub(crate) async fn get(
        &self,
        rejected: Option<&SecretString>,
    ) -> Result<SecretString, TokenError> {
        let wanted = TokenRequest { grant: self.grant, consented: self.consented, rejected };
        let result = access_token(&self.engine, wanted, self.invocation).await;
        if let Err(error) = &result {
            tracing::warn!(error = %ErrorChain(error), "no access token");
            if let (TokenError::ReconnectNeeded, Some((account, seen))) = (error, &self.connection)
            {
                change_if_connected(&self.engine, account, *seen, mark_expired).await;
            }
        }
        result
    }

    fn no_access_token(&self, error: TokenError) -> NoAccessToken {
        let failure = error.to_failure(self.engine.clock.now());
        NoAccessToken { failure, source: error.into() }
    }
}

fn mark_expired(connection: Connection) -> Connection {
    Connection { state: ConnectionState::TokenExpired, ..connection }
}

#[async_trait]
impl AccessTokens for GrantTokens {
    async fn current_token(&self) -> Result<SecretString, NoAccessToken> {
        self.get(None).await.map_err(|error| self.no_access_token(error))
    }

    async fn renew_token(
        &self,
        rejected: &SecretString,
    ) -> Result<Option<SecretString>, NoAccessToken> {
        self.get(Some(rejected)).await.map(Some).map_err(|error| self.no_access_token(error))
    }
}
