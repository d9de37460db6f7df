//! Messages about refunds.

use super::optional;
use crate::world::ACCOUNT;

/// A `payment.refunded` message under construction; by Stripe.
#[derive(Debug, Clone)]
pub struct RefundMessage {
    id: String,
    revision: u64,
    currency: String,
    reference: Option<String>,
    amount: String,
    fields: String,
}

/// A refund of this amount of the payment of invoice `inv_1`.
pub fn a_refund(id: &str, amount: &str) -> RefundMessage {
    RefundMessage {
        id: id.to_owned(),
        revision: 1,
        currency: "GBP".to_owned(),
        reference: None,
        amount: amount.to_owned(),
        fields: r#""invoice_id":"inv_1""#.to_owned(),
    }
}

impl RefundMessage {
    setters! {
        /// Sets the currency.
        currency: currency,
        /// Sets the fields besides the ones above, as JSON: at least the refunded document.
        fields: fields,
    }

    optional_setters! {
        /// Sets the reference that identifies it elsewhere.
        reference: reference,
    }

    revision_setters! {
        /// Sets the revision.
        revision: revision,
    }

    /// The message's body.
    pub fn body(&self) -> String {
        format!(
            r#"{{"version":1,"type":"payment.refunded","message_id":"msg_{}_{}",
            "account_id":"{ACCOUNT}","sent_at":"2026-11-02T09:00:00Z","refund":{{"id":"{}",
            "revision":{},"method":"stripe","date":"2026-11-02","currency":"{}"{},"amount":"{}",
            {}}}}}"#,
            self.id,
            self.revision,
            self.id,
            self.revision,
            self.currency,
            optional("reference", self.reference.as_deref()),
            self.amount,
            self.fields,
        )
    }
}
