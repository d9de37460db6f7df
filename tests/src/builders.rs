//! Messages as the CRM sends them.

use std::fmt::Write as _;

use crate::world::ACCOUNT;

/// A field of a message, with the comma before it, or nothing.
fn optional(name: &str, value: Option<&str>) -> String {
    value.map(|value| format!(r#","{name}":"{value}""#)).unwrap_or_default()
}

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

    /// Sets the revision.
    #[must_use]
    pub fn revision(mut self, revision: u64) -> Self {
        self.revision = revision;
        self
    }

    /// Sets the revision of the client's record.
    #[must_use]
    pub fn client_revision(mut self, revision: u64) -> Self {
        self.client_revision = revision;
        self
    }

    /// Sets the client's e-mail address.
    #[must_use]
    pub fn client_email(mut self, email: &str) -> Self {
        self.client_email = Some(email.to_owned());
        self
    }

    /// Sets the price, and the total that the CRM claims.
    #[must_use]
    pub fn price(mut self, unit_price: &str, total: &str) -> Self {
        unit_price.clone_into(&mut self.unit_price);
        total.clone_into(&mut self.total);
        self
    }

    /// Sets the due date.
    #[must_use]
    pub fn due_date(mut self, date: &str) -> Self {
        self.due_date = Some(date.to_owned());
        self
    }

    /// Sets the reference.
    #[must_use]
    pub fn reference(mut self, reference: &str) -> Self {
        self.reference = Some(reference.to_owned());
        self
    }

    /// Sets the tax rate.
    #[must_use]
    pub fn tax_rate(mut self, rate: &str) -> Self {
        self.tax_rate = Some(rate.to_owned());
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
        let tax = self.tax_rate.as_ref();
        let tax = tax.map(|rate| format!(r#","tax_rate":"{rate}""#)).unwrap_or_default();
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

/// A `client.upserted` message.
pub fn a_client(id: &str, revision: u64, name: &str, mode: &str) -> String {
    format!(
        r#"{{"version":1,"type":"client.upserted","message_id":"msg_{id}_{revision}",
        "account_id":"{ACCOUNT}","sent_at":"2026-11-02T09:00:00Z","mode":"{mode}",
        "client":{{"id":"{id}","revision":{revision},"name":"{name}"}}}}"#
    )
}

/// A `client.upserted` message of an account, to be pushed.
pub fn a_client_of(account: &str, id: &str, revision: u64) -> String {
    format!(
        r#"{{"version":1,"type":"client.upserted","message_id":"msg_{id}_{revision}",
        "account_id":"{account}","sent_at":"2026-11-02T09:00:00Z","mode":"push",
        "client":{{"id":"{id}","revision":{revision},"name":"Client {id}"}}}}"#
    )
}

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

    /// Sets the reference that identifies it elsewhere.
    #[must_use]
    pub fn reference(mut self, reference: &str) -> Self {
        self.reference = Some(reference.to_owned());
        self
    }

    /// Sets what it is in Stripe's balance.
    #[must_use]
    pub fn settlement(mut self, currency: &str, amount: &str, rate: &str) -> Self {
        let settlement =
            format!(r#"{{"currency":"{currency}","amount":"{amount}","rate":"{rate}"}}"#);
        self.settlement = Some(settlement);
        self
    }

    /// Sets the fee that Stripe kept.
    #[must_use]
    pub fn fee(mut self, fee: &str) -> Self {
        self.fee = Some(fee.to_owned());
        self
    }

    /// Sets the surcharge that the customer paid.
    #[must_use]
    pub fn surcharge(mut self, surcharge: &str) -> Self {
        self.surcharge = Some(surcharge.to_owned());
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

    /// Sets the revision.
    #[must_use]
    pub fn revision(mut self, revision: u64) -> Self {
        self.revision = revision;
        self
    }

    /// Sets the price, and the total that the CRM claims.
    #[must_use]
    pub fn price(mut self, unit_price: &str, total: &str) -> Self {
        unit_price.clone_into(&mut self.unit_price);
        total.clone_into(&mut self.total);
        self
    }

    /// Sets the reference.
    #[must_use]
    pub fn reference(mut self, reference: &str) -> Self {
        self.reference = Some(reference.to_owned());
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
