//! An authorisation on its way: begun here, answered by Xero, completed by the person who began it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, GrantId, TenantId, UserId};

/// An authorisation under way: bound to the account and the person who started it, used once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthAttempt {
    /// The hash of the `state` parameter; the parameter itself is not kept.
    pub state_hash: String,
    /// Whose connection is being made.
    pub account: AccountId,
    /// Who started it.
    pub user: UserId,
    /// The PKCE verifier. Worthless without the code that Xero sends to our redirect URL.
    pub pkce_verifier: String,
    /// When it was begun.
    #[serde(default)]
    pub begun_at: Option<Timestamp>,
    /// Until when the callback is accepted.
    pub expires_at: Timestamp,
}

/// An authorisation that Xero has answered, and that the person who began it has still to complete.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentAttempt {
    /// The hash of the ticket; the ticket itself is not kept.
    pub ticket_hash: String,
    /// The hash that names the connect.
    pub state_hash: String,
    /// Whose connection is being made.
    pub account: AccountId,
    /// Who began it: nobody else can complete it.
    pub user: UserId,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// Until when it can be completed.
    pub expires_at: Timestamp,
    /// How far it is.
    pub stage: ConsentStage,
}

/// How far an authorisation is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "name")]
pub enum ConsentStage {
    /// Xero's code has come.
    Coded {
        /// Code and PKCE verifier, encrypted under the ticket.
        sealed: String,
    },
    /// Somebody is exchanging the code, which works once.
    Exchanging,
    /// The tokens are kept.
    Exchanged {
        /// Whose they are.
        grant: GrantId,
        /// The serial of the secret's value that holds them.
        serial: u64,
        /// The consent, as Xero's links name it.
        event: Option<uuid::Uuid>,
        /// The Xero user's name or e-mail address.
        by: Option<String>,
    },
}

/// Neither the hash nor what is sealed is shown.
impl fmt::Debug for ConsentAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConsentAttempt({} by {})", self.account, self.user)
    }
}

impl fmt::Debug for ConsentStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Coded { sealed: _ } => "Coded",
            Self::Exchanging => "Exchanging",
            Self::Exchanged { .. } => "Exchanged",
        })
    }
}

/// That an organisation belongs to an account. Written once, in the transaction that connects them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantClaim {
    /// The organisation.
    pub tenant: TenantId,
    /// Whose it is.
    pub account: AccountId,
}

/// That an account uses a grant. Written once, and removed when it no longer does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantUse {
    /// The grant.
    pub grant: GrantId,
    /// Who uses it.
    pub account: AccountId,
}

/// The verifier is not shown.
impl fmt::Debug for OAuthAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OAuthAttempt({} by {})", self.account, self.user)
    }
}

/// How long a person may take on Xero's consent page, in minutes.
pub const OAUTH_ATTEMPT_MINUTES: i64 = 15;
/// How long a consent can be completed, in minutes: Xero's code lives no longer.
pub const TICKET_MINUTES: i64 = 5;
