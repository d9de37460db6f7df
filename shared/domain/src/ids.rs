//! Identities. Each has its own type, so that a client's id cannot be passed as an invoice's.
//!
//! CRM ids are text: 1 to 40 characters of `A-Z a-z 0-9 _ - .`. A mapping's id may be longer,
//! because it may name a part of a record. The character `#` separates the parts of a table key,
//! and `~` separates an id from the name of a derived record, so an id that the CRM sends contains
//! neither. Xero ids are UUIDs.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not a valid id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {MAX_LENGTH} letters, digits, '_', '-' or '.'")]
pub struct InvalidId;

/// The maximum length of a mapping's id. It may name a part of a record, after the record's id.
const MAX_PART_LENGTH: usize = MAX_LENGTH + 16;

/// The maximum length of a CRM id. `SC-` and an id must fit into the 50 characters of a Xero
/// contact number.
const MAX_LENGTH: usize = 40;

/// Separates a CRM id from the name of a derived record. No CRM id contains it, so a derived id
/// never equals a received one.
pub(crate) const DERIVED: char = '~';

/// The maximum length of the name of a derived record, which consists of small letters and digits.
const MAX_DERIVED_LENGTH: usize = 15;

fn is_id(text: &str) -> bool {
    is_plain(text, MAX_LENGTH)
}

/// Whether the text is a CRM id, optionally followed by a point and a part, or by the name of a
/// derived record.
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
            /// Checks that the text uses the alphabet described in the module's documentation.
            ///
            /// # Errors
            ///
            /// [`InvalidId`] if it does not.
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
    /// A ServiceCortex customer: the business whose books are synchronised.
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
    /// The CRM's id of an allocation: credit of a credit note that is applied to an invoice.
    AllocationId
);
text_id!(
    /// The CRM's id of the record of a mapping, whose kind is known from elsewhere. For a payment
    /// it names one of the payment's parts; for a negative invoice, the credit note that represents
    /// it in Xero.
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
    /// A Xero organisation, as sent in the header `xero-tenant-id`.
    TenantId
);
impl TenantId {
    /// The tenant of records that arrive before their account is first connected.
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
    /// A payment in Xero, on one document.
    XeroPaymentId
);
uuid_id!(
    /// A bank transaction in Xero: money spent or received.
    XeroBankTransactionId
);
uuid_id!(
    /// Any document in Xero, whose kind is known from elsewhere.
    XeroId
);
uuid_id!(
    /// The grant of one Xero user to this app. Its id is the user's: connecting a second
    /// organisation renews the same tokens instead of adding others.
    GrantId
);
uuid_id!(
    /// An event that the CRM receives.
    EventId
);
uuid_id!(
    /// The link between this app and one tenant, as listed by `GET /connections`. It differs from
    /// the tenant's id.
    XeroConnectionId
);

/// An invoice with a negative total becomes a credit note in Xero, under the same id.
impl From<InvoiceId> for CreditNoteId {
    fn from(id: InvoiceId) -> Self {
        Self(id.0)
    }
}

/// The credit note of an invoice with a negative total has the id of that invoice.
impl From<CreditNoteId> for InvoiceId {
    fn from(id: CreditNoteId) -> Self {
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
    /// The id of a record that is derived from this one. It differs from every id that the CRM
    /// sends.
    pub(crate) fn derived_id(&self, what: &'static str) -> Self {
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

/// The owner of mappings: one account's use of one Xero organisation. It persists after a
/// disconnect, so a reconnect finds every mapping, and another organisation starts without
/// mappings.
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
    fn an_id_derived_from_another_is_no_id_of_the_crm() {
        let id = CrmId::new("x".repeat(40)).unwrap();
        let derived = id.derived_id("credit");
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
