//! The fields of a bank transaction for `where` and `order`.

use crate::books::Books;
use crate::books::contact::Contact;
use crate::books::transaction::BankTransaction;
use crate::filter::{Field, Kind, Queried, Value};
use crate::listing::Listed;
use crate::organisation::Account;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) transaction: &'a BankTransaction,
    account: Option<&'a Account>,
    contact: Option<&'a Contact>,
}

impl<'a> Row<'a> {
    pub(super) fn new(books: &'a Books, transaction: &'a BankTransaction) -> Self {
        Self {
            transaction,
            account: books.account(transaction.account),
            contact: books.contact(transaction.contact),
        }
    }
}

impl Queried for Row<'_> {
    const NAME: &'static str = "BankTransaction";
    const FIELDS: &'static [Field] = &[
        Field { name: "BankTransactionID", kind: Kind::Guid },
        Field { name: "Type", kind: Kind::Text },
        Field { name: "Status", kind: Kind::Text },
        Field { name: "Reference", kind: Kind::Text },
        Field { name: "Date", kind: Kind::Moment },
        Field { name: "SubTotal", kind: Kind::Number },
        Field { name: "TotalTax", kind: Kind::Number },
        Field { name: "Total", kind: Kind::Number },
        Field { name: "IsReconciled", kind: Kind::Truth },
        Field { name: "CurrencyCode", kind: Kind::Text },
        Field { name: "UpdatedDateUTC", kind: Kind::Moment },
        Field { name: "BankAccount.AccountID", kind: Kind::Guid },
        Field { name: "BankAccount.Code", kind: Kind::Text },
        Field { name: "BankAccount.Name", kind: Kind::FoldedText },
        Field { name: "Contact.ContactID", kind: Kind::Guid },
        Field { name: "Contact.Name", kind: Kind::FoldedText },
    ];

    fn value(&self, field: &str) -> Value {
        let one = self.transaction;
        match field {
            "BankTransactionID" => Value::Guid(one.id),
            "Type" => Value::text(Some(one.kind.as_str())),
            "Status" => Value::text(Some(one.status.as_str())),
            "Reference" => Value::text(one.reference.as_deref()),
            "Date" => Value::Moment(one.date.to_datetime(Time::midnight())),
            "SubTotal" => Value::Number(one.sub_total),
            "TotalTax" => Value::Number(one.total_tax),
            "Total" => Value::Number(one.total),
            "IsReconciled" => Value::Truth(one.is_reconciled),
            "CurrencyCode" => Value::text(Some(&one.currency)),
            "UpdatedDateUTC" => Value::Moment(one.updated_at.to_zoned(TimeZone::UTC).datetime()),
            "BankAccount.AccountID" => Value::Guid(one.account),
            "BankAccount.Code" => Value::text(self.account.and_then(|it| it.code.as_deref())),
            "BankAccount.Name" => Value::text(self.account.map(|it| it.name.as_str())),
            "Contact.ContactID" => Value::Guid(one.contact),
            "Contact.Name" => Value::text(self.contact.map(|it| it.name.as_str())),
            _ => Value::Null,
        }
    }
}

impl Listed for Row<'_> {
    fn changed(&self) -> (Timestamp, Uuid) {
        (self.transaction.updated_at, self.transaction.id)
    }
}
