//! Messages about payments.

use super::optional;
use crate::world::ACCOUNT;

/// A `payment.*` message under construction; by Stripe by default.
#[derive(Debug, Clone)]
pub struct PaymentMessage {
    message_type: &'static str,
    account: String,
    id: String,
    revision: u64,
    method: String,
    date: String,
    currency: String,
    reference: Option<String>,
    allocations: Vec<(String, String)>,
    settlement: Option<String>,
    fee: Option<String>,
    surcharge: Option<String>,
}

/// A payment by Stripe of these invoices, each with its amount.
pub fn a_payment(id: &str, allocations: &[(&str, &str)]) -> PaymentMessage {
    let owned = |(invoice, amount): &(&str, &str)| ((*invoice).to_owned(), (*amount).to_owned());
    PaymentMessage {
        message_type: "payment.recorded",
        account: ACCOUNT.to_owned(),
        id: id.to_owned(),
        revision: 1,
        method: "stripe".to_owned(),
        date: "2026-11-02".to_owned(),
        currency: "GBP".to_owned(),
        reference: None,
        allocations: allocations.iter().map(owned).collect(),
        settlement: None,
        fee: None,
        surcharge: None,
    }
}

impl PaymentMessage {
    setters! {
        /// Sets the account.
        account: account,
        /// Sets the method.
        method: method,
        /// Sets the date.
        date: date,
        /// Sets the currency of the invoices.
        currency: currency,
    }

    optional_setters! {
        /// Sets the reference that identifies it elsewhere.
        reference: reference,
        /// Sets the fee that Stripe kept.
        fee: fee,
        /// Sets the surcharge that the customer paid.
        surcharge: surcharge,
    }

    /// Sets what it is in Stripe's balance.
    #[must_use]
    pub fn settlement(mut self, currency: &str, amount: &str, rate: &str) -> Self {
        let settlement =
            format!(r#"{{"currency":"{currency}","amount":"{amount}","rate":"{rate}"}}"#);
        self.settlement = Some(settlement);
        self
    }

    /// Makes it a payment that is deleted in the CRM, at its second revision.
    #[must_use]
    pub fn deleted(mut self) -> Self {
        self.message_type = "payment.deleted";
        self.revision = 2;
        self
    }

    /// The message's body.
    pub fn body(&self) -> String {
        let shares = self.allocations.iter().map(|(invoice, amount)| {
            format!(r#"{{"invoice_id":"{invoice}","amount":"{amount}"}}"#)
        });
        let shares = shares.collect::<Vec<_>>().join(",");
        format!(
            r#"{{"version":1,"type":"{}","message_id":"msg_{}_{}","account_id":"{}",
            "sent_at":"2026-11-02T09:00:00Z","payment":{{"id":"{}","revision":{},"method":"{}",
            "date":"{}","currency":"{}","allocations":[{shares}]{}{}{}{}}}}}"#,
            self.message_type,
            self.id,
            self.revision,
            self.account,
            self.id,
            self.revision,
            self.method,
            self.date,
            self.currency,
            optional("reference", self.reference.as_deref()),
            self.settlement
                .as_ref()
                .map(|one| format!(r#","settlement":{one}"#))
                .unwrap_or_default(),
            optional("fee", self.fee.as_deref()),
            optional("surcharge", self.surcharge.as_deref()),
        )
    }
}
