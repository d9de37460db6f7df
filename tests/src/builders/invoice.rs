//! Messages about invoices.

use std::fmt::Write as _;

use super::optional;
use crate::world::ACCOUNT;

/// An `invoice.*` message under construction; valid by default.
#[derive(Debug, Clone)]
pub struct InvoiceMessage {
    message_type: &'static str,
    account: String,
    id: String,
    number: String,
    revision: u64,
    client_id: String,
    client_revision: u64,
    client_name: String,
    client_email: Option<String>,
    currency: String,
    issue_date: String,
    due_date: Option<String>,
    reference: Option<String>,
    unit_price: String,
    tax_rate: Option<String>,
    total: String,
}

/// An invoice over 95.00 plus 20 % tax, to a client named by `client`.
pub fn an_invoice(id: &str, client: &str) -> InvoiceMessage {
    InvoiceMessage {
        message_type: "invoice.sent",
        account: ACCOUNT.to_owned(),
        id: id.to_owned(),
        number: format!("#{}", id.to_uppercase()),
        revision: 1,
        client_id: client.to_owned(),
        client_revision: 1,
        client_name: format!("Client {client}"),
        client_email: None,
        currency: "GBP".to_owned(),
        issue_date: "2026-10-03".to_owned(),
        due_date: None,
        reference: None,
        unit_price: "95.00".to_owned(),
        tax_rate: Some("20".to_owned()),
        total: "114.00".to_owned(),
    }
}

impl InvoiceMessage {
    setters! {
        /// Sets the account.
        account: account,
        /// Sets the number.
        number: number,
        /// Sets the client's name.
        client_name: client_name,
        /// Sets the currency.
        currency: currency,
        /// Sets the date.
        issue_date: issue_date,
    }

    optional_setters! {
        /// Sets the client's e-mail address.
        client_email: client_email,
        /// Sets the due date.
        due_date: due_date,
        /// Sets the reference.
        reference: reference,
        /// Sets the tax rate.
        tax_rate: tax_rate,
    }

    revision_setters! {
        /// Sets the revision.
        revision: revision,
        /// Sets the revision of the client's record.
        client_revision: client_revision,
    }

    /// Sets the price, and the total that the CRM claims.
    #[must_use]
    pub fn price(mut self, unit_price: &str, total: &str) -> Self {
        unit_price.clone_into(&mut self.unit_price);
        total.clone_into(&mut self.total);
        self
    }

    /// Makes it an invoice that is voided in the CRM.
    #[must_use]
    pub fn voided(mut self) -> Self {
        self.message_type = "invoice.voided";
        self
    }

    /// The message's body.
    pub fn body(&self) -> String {
        let mut client = format!(
            r#"{{"id":"{}","revision":{},"name":"{}""#,
            self.client_id, self.client_revision, self.client_name
        );
        if let Some(email) = &self.client_email {
            write!(client, r#","email":"{email}""#).expect("writing to a String cannot fail");
        }
        client.push('}');
        let tax = optional("tax_rate", self.tax_rate.as_deref());
        let (due, reference) = (
            optional("due_date", self.due_date.as_deref()),
            optional("reference", self.reference.as_deref()),
        );
        format!(
            r#"{{"version":1,"type":"{}","message_id":"msg_{}_{}","account_id":"{}",
            "sent_at":"2026-11-02T09:00:00Z","client":{client},
            "invoice":{{"id":"{}","revision":{},"number":"{}","client_id":"{}",
            "issue_date":"{}","currency":"{}"{due}{reference},"lines":[{{"name":"Boiler service",
            "quantity":"1","unit_price":"{}"{tax}}}],"total":"{}"}}}}"#,
            self.message_type,
            self.id,
            self.revision,
            self.account,
            self.id,
            self.revision,
            self.number,
            self.client_id,
            self.issue_date,
            self.currency,
            self.unit_price,
            self.total,
        )
    }
}
