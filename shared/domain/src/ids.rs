//! Identities. Each is a type of its own, so that a client's id cannot be passed for an invoice's.
//!
//! CRM ids are text: 1 to 40 characters of `A-Z a-z 0-9 _ - .`. A mapping's id may be longer, because it may name a part of a
//! record. The character `#` separates the parts of a table key and `~` an id from what is derived of it, so neither can be part
//! of an id that the CRM sends. Xero ids are UUIDs.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_LENGTH} letters, digits, '_', '-' or '.'")]
pub struct InvalidId;

/// What a mapping is about may be a part of a record, named behind the record's id.
const MAX_PART_LENGTH: usize = MAX_LENGTH + 16;

/// The longest CRM id. `SC-` and an id must fit into the 50 characters of a Xero contact number.
const MAX_LENGTH: usize = 40;

/// Separates an id of the CRM from what is derived of it. No id of the CRM holds it, so what is derived is never equal
/// to what is received.
pub(crate) const DERIVED: char = '~';

/// What may be derived of an id: small letters and digits.
const MAX_DERIVED_LENGTH: usize = 15;

fn is_id(text: &str) -> bool {
    is_plain(text, MAX_LENGTH)
}

/// An id of the CRM, one with a point and a part behind it, or one with something derived behind it.
fn is_record_id(text: &str) -> bool {
    let Some((id, derived)) = text.split_once(DERIVED) else {
        return is_plain(text, MAX_PART_LENGTH);
    };
    let is_word = derived.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    is_id(id) && is_word && (1..=MAX_DERIVED_LENGTH).contains(&derived.len())
}

fn is_plain(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        text_id!($(#[$doc])* $name, is_id);
    };
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text; see the module for the alphabet.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                if $check(&text) { Ok(Self(text)) } else { Err(InvalidId) }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

text_id!(
    /// A ServiceCortex customer: the business whose books we keep in step.
    AccountId
);
text_id!(
    /// A person who uses the CRM.
    UserId
);
text_id!(
    /// The CRM's id of a client. Its counterpart in Xero is a contact.
    ClientId
);
text_id!(
    /// The CRM's id of an invoice.
    InvoiceId
);
text_id!(
    /// The CRM's id of a credit note.
    CreditNoteId
);
text_id!(
    /// The CRM's id of an allocation: credit of a note that is applied to an invoice.
    AllocationId
);
text_id!(
    /// The CRM's id of whatever a mapping is about, when its kind is known from elsewhere; of a payment,
    /// of one of its parts; of a negative invoice, of the credit note that it is in Xero.
    CrmId,
    is_record_id
);
text_id!(
    /// The CRM's id of a payment.
    PaymentId
);
text_id!(
    /// The CRM's id of a queue message.
    MessageId
);

uuid_id!(
    /// A Xero organisation, as in the header `xero-tenant-id`.
    TenantId
);
impl TenantId {
    /// The place of records that arrive before their account has ever been connected.
    pub const NONE: Self = Self(Uuid::nil());
}

uuid_id!(
    /// A contact in Xero.
    XeroContactId
);
uuid_id!(
    /// An invoice in Xero.
    XeroInvoiceId
);
uuid_id!(
    /// A credit note in Xero.
    XeroCreditNoteId
);
uuid_id!(
    /// An allocation of a credit note in Xero.
    XeroAllocationId
);
uuid_id!(
    /// A payment in Xero: money on one document.
    XeroPaymentId
);
uuid_id!(
    /// A bank transaction in Xero: money spent or received.
    XeroBankTransactionId
);
uuid_id!(
    /// Any Xero document, when its kind is known from elsewhere.
    XeroId
);
uuid_id!(
    /// What one person at Xero has let this app do, named by that person's id: connecting a second
    /// organisation renews the same tokens instead of adding others.
    GrantId
);
uuid_id!(
    /// Something the CRM is told.
    EventId
);
uuid_id!(
    /// The link between our app and one tenant, as listed by `GET /connections`. Not the tenant's id.
    XeroConnectionId
);

/// An invoice of less than nothing is a credit note in Xero.
impl From<InvoiceId> for CreditNoteId {
    fn from(id: InvoiceId) -> Self {
        Self(id.0)
    }
}

macro_rules! into_general {
    ($general:ident: $($id:ident),*) => {
        $(
            impl From<$id> for $general {
                fn from(id: $id) -> Self {
                    Self(id.0)
                }
            }
        )*
    };
}

impl CrmId {
    /// The id of a record that is derived of this one. Equal to no id that the CRM sends.
    pub(crate) fn derived(&self, what: &'static str) -> Self {
        Self(format!("{self}{DERIVED}{what}"))
    }
}

into_general!(CrmId: ClientId, InvoiceId, CreditNoteId, AllocationId, PaymentId);
into_general!(
    XeroId: XeroContactId,
    XeroInvoiceId,
    XeroCreditNoteId,
    XeroAllocationId,
    XeroPaymentId,
    XeroBankTransactionId
);

/// The owner of mappings: one account's use of one Xero organisation. It outlives a disconnect, so that a reconnect finds every
/// mapping, and another organisation starts clean.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ledger {
    /// The ServiceCortex customer.
    pub account: AccountId,
    /// The Xero organisation.
    pub tenant: TenantId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_takes_its_alphabet_and_nothing_else() {
        for good in ["a", "acc_ridgeway", "INV-1.2", &"x".repeat(40)] {
            assert!(ClientId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a#b", "a b", "é", "a/b", &"x".repeat(41)] {
            assert_eq!(ClientId::new(bad), Err(InvalidId), "{bad}");
        }
    }

    #[test]
    fn what_is_derived_of_an_id_is_no_id_of_the_crm() {
        let id = CrmId::new("x".repeat(40)).unwrap();
        let derived = id.derived("credit");
        assert_eq!(CrmId::new(derived.as_str()), Ok(derived.clone()), "a mapping's id");
        assert_eq!(InvoiceId::new(derived.as_str()), Err(InvalidId));
        for bad in ["~credit", "x~", "x~a~b", "x~A", "x~a.b", "x~#"] {
            assert_eq!(CrmId::new(bad), Err(InvalidId), "{bad}");
        }
    }

    #[test]
    fn a_bad_id_is_refused_while_reading_json() {
        let error = serde_json::from_str::<AccountId>("\"a#b\"").unwrap_err();
        assert!(error.to_string().contains("must be 1 to 40"), "{error}");
    }
}
