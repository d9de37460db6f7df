//! Why a match is left to a person.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Evidence;
use crate::ids::CrmId;

/// Why a client's contact is not sure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Doubt {
    /// Several contacts agree with the client, and nothing tells them apart.
    SeveralContacts,
    /// Other clients agree with the same contact no less.
    SeveralClients {
        /// The others, or some of them where they are many.
        others: Vec<CrmId>,
    },
    /// Another client is linked to the contact, has its number on it, or agrees with it more strongly.
    HeldByAnotherClient {
        /// Whose it is.
        owner: CrmId,
    },
    /// What agrees with the client is archived: Xero takes no document for it.
    Archived,
    /// The contact agrees with the client in one thing and differs in another that is only its own.
    Contradiction {
        /// In what it differs: the VAT number or the company number.
        field: Evidence,
    },
}

impl Doubt {
    /// What was found, in a sentence.
    pub fn message(&self) -> String {
        match self {
            Self::SeveralContacts => {
                "Several contacts in Xero agree with this client equally well.".to_owned()
            }
            Self::SeveralClients { others } => {
                let others = others.iter().map(CrmId::as_str).collect::<Vec<_>>().join(", ");
                format!(
                    "The contact that agrees with this client agrees with other clients as well: {others}."
                )
            }
            Self::HeldByAnotherClient { owner } => {
                format!("The contact that agrees with this client belongs to another one: {owner}.")
            }
            Self::Archived => {
                "The contact that agrees with this client is archived in Xero.".to_owned()
            }
            Self::Contradiction { field } => {
                format!("The contact that agrees with this client has another {field}.")
            }
        }
    }

    /// What a person can do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::SeveralContacts => {
                "Link the client to the right one, or merge the contacts in Xero."
            }
            Self::SeveralClients { others: _ } => {
                "Link the contact to the client it belongs to. If they are the same business, keep one of the clients."
            }
            Self::HeldByAnotherClient { owner: _ } => {
                "Link this client to another contact. If both are the same business, keep one of the clients."
            }
            Self::Archived => "Restore the contact in Xero, or link the client to another contact.",
            Self::Contradiction { field: _ } => {
                "Correct the number that is wrong, or link the client to the contact if they are the same business."
            }
        }
    }
}

/// One line for people: what was found, then what to do.
impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.message(), self.remedy())
    }
}
