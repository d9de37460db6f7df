//! The reasons why a match is left to a person.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::MatchEvidence;
use crate::ids::CrmId;

/// The reason why a client's contact is uncertain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum MatchDoubt {
    /// Several contacts match the client, and no evidence distinguishes them.
    SeveralContacts,
    /// The contact matches other clients equally well.
    SeveralClients {
        /// The other clients, at most [`RIVALS_MAX`](super::RIVALS_MAX).
        others: Vec<CrmId>,
    },
    /// Another client is linked to the contact, is named by its contact number, or matches it more
    /// strongly.
    HeldByAnotherClient {
        /// The other client.
        owner: CrmId,
    },
    /// The contact that matches the client is archived: Xero accepts no documents for it.
    Archived,
    /// The contact matches the client in one respect and contradicts it in another: in a number
    /// that is unique to a business, or, if only the names agree, in e-mail address, telephone
    /// number or postal address.
    Contradiction {
        /// The value that differs.
        field: MatchEvidence,
    },
}

impl MatchDoubt {
    /// A sentence that says what was found.
    pub fn doubt_message(&self) -> String {
        match self {
            Self::SeveralContacts => {
                "Several contacts in Xero match this client equally well.".to_owned()
            }
            Self::SeveralClients { others } => {
                let others = others.iter().map(CrmId::as_str).collect::<Vec<_>>().join(", ");
                format!(
                    "The contact that matches this client also matches other clients: {others}."
                )
            }
            Self::HeldByAnotherClient { owner } => {
                format!("The contact that matches this client belongs to another client: {owner}.")
            }
            Self::Archived => {
                "The contact that matches this client is archived in Xero.".to_owned()
            }
            Self::Contradiction { field } => {
                format!("The contact that matches this client has a different {field}.")
            }
        }
    }

    /// A sentence that says what a person can do about it.
    pub const fn doubt_remedy(&self) -> &'static str {
        match self {
            Self::SeveralContacts => {
                "Link the client to the right contact, or merge the contacts in Xero."
            }
            Self::SeveralClients { others: _ } => {
                "Link the contact to the client it belongs to. If they are the same business, keep only one of the clients."
            }
            Self::HeldByAnotherClient { owner: _ } => {
                "Link this client to another contact. If both are the same business, keep only one of the clients."
            }
            Self::Archived => "Restore the contact in Xero, or link the client to another contact.",
            Self::Contradiction { field: _ } => {
                "Correct the wrong value, or link the client to the contact if they are the same business."
            }
        }
    }
}

/// Prints one line for people: the message, followed by the remedy.
impl fmt::Display for MatchDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.doubt_message(), self.doubt_remedy())
    }
}
