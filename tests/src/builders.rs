//! Messages as the CRM sends them.

/// Declares methods that set a text.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $field:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, value: impl Into<String>) -> Self {
                self.$field = value.into();
                self
            }
        )*
    };
}

/// Declares methods that set a text that may be absent.
macro_rules! optional_setters {
    ($($(#[$doc:meta])* $name:ident: $field:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, value: &str) -> Self {
                self.$field = Some(value.to_owned());
                self
            }
        )*
    };
}

/// Declares methods that set a revision.
macro_rules! revision_setters {
    ($($(#[$doc:meta])* $name:ident: $field:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, value: u64) -> Self {
                self.$field = value;
                self
            }
        )*
    };
}

mod credit_note;
mod invoice;
mod payment;
mod refund;

use crate::world::ACCOUNT;

pub use self::credit_note::{AllocationMessage, CreditNoteMessage, a_credit_note, an_allocation};
pub use self::invoice::{InvoiceMessage, an_invoice};
pub use self::payment::{PaymentMessage, a_payment};
pub use self::refund::{RefundMessage, a_refund};

/// A field of a message, with the comma before it, or nothing.
fn optional(name: &str, value: Option<&str>) -> String {
    value.map(|value| format!(r#","{name}":"{value}""#)).unwrap_or_default()
}

/// A `client.upserted` message.
pub fn a_client(id: &str, revision: u64, name: &str, mode: &str) -> String {
    client_message(ACCOUNT, id, revision, (name, mode))
}

/// A `client.upserted` message of an account, to be pushed.
pub fn a_client_of(account: &str, id: &str, revision: u64) -> String {
    client_message(account, id, revision, (&format!("Client {id}"), "push"))
}

fn client_message(account: &str, id: &str, revision: u64, (name, mode): (&str, &str)) -> String {
    format!(
        r#"{{"version":1,"type":"client.upserted","message_id":"msg_{id}_{revision}",
        "account_id":"{account}","sent_at":"2026-11-02T09:00:00Z","mode":"{mode}",
        "client":{{"id":"{id}","revision":{revision},"name":"{name}"}}}}"#
    )
}
