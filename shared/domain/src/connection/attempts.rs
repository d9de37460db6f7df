//! An authorisation in progress: a user begins it here, Xero answers it, and the same user
//! completes it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, GrantId, TenantId, UserId};

/// A connect that a user has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingConnect {
    /// The user who began it.
    pub by: UserId,
    /// The latest instant at which it can be finished.
    pub until: Timestamp,
    /// The hash of the `state` parameter, which identifies the connect.
    pub state_hash: String,
}

/// An authorisation in progress. It is bound to the account and the user who began it, and is used
/// once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthAttempt {
    /// The hash of the `state` parameter. The parameter itself is not stored.
    pub state_hash: String,
    /// The account that is to be connected.
    pub account: AccountId,
    /// The user who began it.
    pub user: UserId,
    /// The PKCE verifier. It is useless without the code that Xero sends to the redirect URL.
    pub pkce_verifier: String,
    /// When it was begun.
    #[serde(default)]
    pub begun_at: Option<Timestamp>,
    /// The end of the period in which the callback is accepted.
    pub expires_at: Timestamp,
}

/// An authorisation that Xero has answered and that the user who began it must still complete.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentAttempt {
    /// The hash of the ticket. The ticket itself is not stored.
    pub ticket_hash: String,
    /// The hash of the `state` parameter, which identifies the connect.
    pub state_hash: String,
    /// The account that is to be connected.
    pub account: AccountId,
    /// The user who began it. No other user can complete it.
    pub user: UserId,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// The end of the period in which it can be completed.
    pub expires_at: Timestamp,
    /// The stage that the authorisation has reached.
    pub stage: ConsentStage,
}

/// The stage of an authorisation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "name")]
pub enum ConsentStage {
    /// Xero's code has been received.
    Coded {
        /// The code and the PKCE verifier, encrypted under the ticket.
        sealed: String,
    },
    /// The code is being exchanged. A code works once.
    Exchanging,
    /// The tokens are stored.
    Exchanged {
        /// The grant that the tokens belong to.
        grant: GrantId,
        /// The serial of the secret's value that holds the tokens.
        serial: u64,
        /// The id of the consent, as it appears in Xero's list of links.
        event: Option<uuid::Uuid>,
        /// The Xero user's name or e-mail address.
        by: Option<String>,
    },
}

/// Prints neither the hash nor the encrypted values.
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

/// The claim of an account on an organisation. It is written in the transaction that connects the
/// account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantClaim {
    /// The organisation.
    pub tenant: TenantId,
    /// The account that holds the claim.
    pub account: AccountId,
}

/// The fact that an account uses a grant. The row is written when the use begins and deleted when
/// it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantUse {
    /// The grant.
    pub grant: GrantId,
    /// The account that uses it.
    pub account: AccountId,
}

/// Does not print the verifier.
impl fmt::Debug for OAuthAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OAuthAttempt({} by {})", self.account, self.user)
    }
}

/// How long a user may take on Xero's consent page, in minutes.
pub const OAUTH_ATTEMPT_MINUTES: i64 = 15;
/// How long a consent can be completed, in minutes. Xero's code expires after the same time.
pub const TICKET_MINUTES: i64 = 5;
