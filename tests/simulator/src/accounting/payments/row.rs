//! The fields of a payment for `where` and `order`.

use crate::books::Books;
use crate::books::payable::Payable;
use crate::books::payment::Payment;
use crate::filter::{Field, Kind, Queried, Value};
use crate::listing::Listed;
use crate::organisation::Account;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) payment: &'a Payment,
    payable: Option<Payable<'a>>,
    account: Option<&'a Account>,
    contact: Option<&'a str>,
}

impl<'a> Row<'a> {
    pub(super) fn new(books: &'a Books, payment: &'a Payment) -> Self {
        let payable = books.payable(payment.target);
        let contact = payable.and_then(|payable| books.contact(payable.contact));
        Self {
            payment,
            payable,
            account: books.account(payment.account),
            contact: contact.map(|contact| contact.name.as_str()),
        }
    }
}

impl Queried for Row<'_> {
    const NAME: &'static str = "Payment";
    const FIELDS: &'static [Field] = &[
        Field { name: "PaymentID", kind: Kind::Guid },
        Field { name: "PaymentType", kind: Kind::Text },
        Field { name: "BatchPaymentID", kind: Kind::Guid },
        Field { name: "Status", kind: Kind::Text },
        Field { name: "Reference", kind: Kind::Text },
        Field { name: "Date", kind: Kind::Moment },
        Field { name: "Amount", kind: Kind::Number },
        Field { name: "BankAmount", kind: Kind::Number },
        Field { name: "CurrencyRate", kind: Kind::Number },
        Field { name: "IsReconciled", kind: Kind::Truth },
        Field { name: "UpdatedDateUTC", kind: Kind::Moment },
        Field { name: "Account.AccountID", kind: Kind::Guid },
        Field { name: "Account.Code", kind: Kind::Text },
        Field { name: "Invoice.InvoiceID", kind: Kind::Guid },
        Field { name: "Invoice.InvoiceNumber", kind: Kind::Text },
        Field { name: "Invoice.Type", kind: Kind::Text },
        Field { name: "Invoice.CurrencyCode", kind: Kind::Text },
        Field { name: "Invoice.Contact.ContactID", kind: Kind::Guid },
        Field { name: "Invoice.Contact.Name", kind: Kind::FoldedText },
    ];

    fn value(&self, field: &str) -> Value {
        let payment = self.payment;
        let payable = self.payable;
        let guid = |id: Option<Uuid>| id.map_or(Value::Null, Value::Guid);
        match field {
            "PaymentID" => Value::Guid(payment.id),
            "PaymentType" => Value::text(payable.map(|payable| payable.payment_word)),
            "BatchPaymentID" => guid(payment.batch),
            "Status" => Value::text(Some(payment.status.as_str())),
            "Reference" => Value::text(payment.reference.as_deref()),
            "Date" => Value::Moment(payment.date.to_datetime(Time::midnight())),
            "Amount" => Value::Number(payment.amount),
            "BankAmount" => Value::Number(payment.bank_amount),
            "CurrencyRate" => Value::Number(payment.currency_rate),
            "IsReconciled" => Value::Truth(payment.is_reconciled),
            "UpdatedDateUTC" => {
                Value::Moment(payment.updated_at.to_zoned(TimeZone::UTC).datetime())
            }
            "Account.AccountID" => Value::Guid(payment.account),
            "Account.Code" => Value::text(self.account.and_then(|one| one.code.as_deref())),
            "Invoice.InvoiceID" => guid(payable.map(|payable| payable.id)),
            "Invoice.InvoiceNumber" => Value::text(payable.and_then(|payable| payable.number)),
            "Invoice.Type" => Value::text(payable.map(|payable| payable.word)),
            "Invoice.CurrencyCode" => Value::text(payable.map(|payable| payable.currency)),
            "Invoice.Contact.ContactID" => guid(payable.map(|payable| payable.contact)),
            "Invoice.Contact.Name" => Value::text(self.contact),
            _ => Value::Null,
        }
    }
}

impl Listed for Row<'_> {
    fn changed(&self) -> (Timestamp, Uuid) {
        (self.payment.updated_at, self.payment.id)
    }
}
