//! Messages about credit notes and their allocations.

use super::optional;
use crate::world::ACCOUNT;

/// A `credit_note.*` message under construction.
#[derive(Debug, Clone)]
pub struct CreditNoteMessage {
    message_type: &'static str,
    account: String,
    id: String,
    number: String,
    revision: u64,
    client_id: String,
    client_name: String,
    currency: String,
    reference: Option<String>,
    unit_price: String,
    total: String,
}

/// A credit note over 95.00 plus 20 % tax, to a client named by `client`.
pub fn a_credit_note(id: &str, client: &str) -> CreditNoteMessage {
    CreditNoteMessage {
        message_type: "credit_note.issued",
        account: ACCOUNT.to_owned(),
        id: id.to_owned(),
        number: id.to_uppercase(),
        revision: 1,
        client_id: client.to_owned(),
        client_name: format!("Client {client}"),
        currency: "GBP".to_owned(),
        reference: None,
        unit_price: "95.00".to_owned(),
        total: "114.00".to_owned(),
    }
}

impl CreditNoteMessage {
    setters! {
        /// Sets the account.
        account: account,
        /// Sets the number.
        number: number,
        /// Sets the currency.
        currency: currency,
    }

    optional_setters! {
        /// Sets the reference.
        reference: reference,
    }

    revision_setters! {
        /// Sets the revision.
        revision: revision,
    }

    /// Sets the price, and the total that the CRM claims.
    #[must_use]
    pub fn price(mut self, unit_price: &str, total: &str) -> Self {
        unit_price.clone_into(&mut self.unit_price);
        total.clone_into(&mut self.total);
        self
    }

    /// Makes it a credit note that is voided in the CRM.
    #[must_use]
    pub fn voided(mut self) -> Self {
        self.message_type = "credit_note.voided";
        self
    }

    /// The message's body.
    pub fn body(&self) -> String {
        format!(
            r#"{{"version":1,"type":"{}","message_id":"msg_{}_{}","account_id":"{}",
            "sent_at":"2026-11-02T09:00:00Z","client":{{"id":"{}","revision":1,"name":"{}"}},
            "credit_note":{{"id":"{}","revision":{},"number":"{}","client_id":"{}",
            "issue_date":"2026-10-03","currency":"{}"{},"lines":[{{"name":"Boiler service",
            "quantity":"1","unit_price":"{}","tax_rate":"20"}}],"total":"{}"}}}}"#,
            self.message_type,
            self.id,
            self.revision,
            self.account,
            self.client_id,
            self.client_name,
            self.id,
            self.revision,
            self.number,
            self.client_id,
            self.currency,
            optional("reference", self.reference.as_deref()),
            self.unit_price,
            self.total,
        )
    }
}

/// A `credit_note.allocated` or `credit_note.deallocated` message under construction.
#[derive(Debug, Clone)]
pub struct AllocationMessage {
    message_type: &'static str,
    account: String,
    id: String,
    revision: u64,
    note: String,
    note_number: String,
    invoice: String,
    amount: String,
}

/// An allocation of this amount of a credit note to an invoice.
pub fn an_allocation(id: &str, note: &str, invoice: &str, amount: &str) -> AllocationMessage {
    AllocationMessage {
        message_type: "credit_note.allocated",
        account: ACCOUNT.to_owned(),
        id: id.to_owned(),
        revision: 1,
        note: note.to_owned(),
        note_number: note.to_uppercase(),
        invoice: invoice.to_owned(),
        amount: amount.to_owned(),
    }
}

impl AllocationMessage {
    setters! {
        /// Sets the account.
        account: account,
        /// Sets the credit note's number.
        note_number: note_number,
    }

    /// Makes it an allocation that is removed in the CRM, at its second revision.
    #[must_use]
    pub fn removed(mut self) -> Self {
        self.message_type = "credit_note.deallocated";
        self.revision = 2;
        self
    }

    /// The message's body.
    pub fn body(&self) -> String {
        let (note, invoice) = (&self.note_number, self.invoice.to_uppercase());
        format!(
            r##"{{"version":1,"type":"{}","message_id":"msg_{}_{}","account_id":"{}",
            "sent_at":"2026-11-02T09:00:00Z","allocation":{{"id":"{}","revision":{},
            "credit_note_id":"{}","credit_note_number":"{note}","invoice_id":"{}",
            "invoice_number":"#{invoice}","amount":"{}","currency":"GBP","date":"2026-11-02"}}}}"##,
            self.message_type,
            self.id,
            self.revision,
            self.account,
            self.id,
            self.revision,
            self.note,
            self.invoice,
            self.amount,
        )
    }
}
