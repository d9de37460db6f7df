//! The fields of an overpayment or a prepayment for `where` and `order`.

use crate::books::Books;
use crate::books::allocation::Credit;
use crate::books::contact::Contact;
use crate::books::deposit::Deposit;
use crate::books::transaction::BankTransaction;
use crate::filter::{Field, Kind, Queried, Value};
use crate::listing::Listed;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) deposit: &'a Deposit,
    transaction: &'a BankTransaction,
    contact: Option<&'a Contact>,
    remaining: Decimal,
    type_name: &'static str,
}

impl<'a> Row<'a> {
    pub(super) fn new(books: &'a Books, deposit: &'a Deposit, has_ar_type: bool) -> Option<Self> {
        let transaction = books.transaction(deposit.transaction)?;
        let type_name =
            if has_ar_type { deposit.kind.ar_type() } else { transaction.kind.as_str() };
        Some(Self {
            deposit,
            transaction,
            contact: books.contact(transaction.contact),
            remaining: books.remaining_credit(Credit::of(deposit)),
            type_name,
        })
    }
}

impl Queried for Row<'_> {
    const NAME: &'static str = "Overpayment";
    const FIELDS: &'static [Field] = &[
        Field { name: "OverpaymentID", kind: Kind::Guid },
        Field { name: "PrepaymentID", kind: Kind::Guid },
        Field { name: "Type", kind: Kind::Text },
        Field { name: "Status", kind: Kind::Text },
        Field { name: "Reference", kind: Kind::Text },
        Field { name: "Date", kind: Kind::Moment },
        Field { name: "Total", kind: Kind::Number },
        Field { name: "RemainingCredit", kind: Kind::Number },
        Field { name: "CurrencyCode", kind: Kind::Text },
        Field { name: "UpdatedDateUTC", kind: Kind::Moment },
        Field { name: "Contact.ContactID", kind: Kind::Guid },
        Field { name: "Contact.Name", kind: Kind::FoldedText },
    ];

    fn value(&self, field: &str) -> Value {
        let one = self.transaction;
        match field {
            "OverpaymentID" | "PrepaymentID" => Value::Guid(self.deposit.id),
            "Type" => Value::text(Some(self.type_name)),
            "Status" => Value::text(Some(self.deposit.status.as_str())),
            "Reference" => Value::text(one.reference.as_deref()),
            "Date" => Value::Moment(one.date.to_datetime(Time::midnight())),
            "Total" => Value::Number(one.total),
            "RemainingCredit" => Value::Number(self.remaining),
            "CurrencyCode" => Value::text(Some(&one.currency)),
            "UpdatedDateUTC" => {
                Value::Moment(self.deposit.updated_at.to_zoned(TimeZone::UTC).datetime())
            }
            "Contact.ContactID" => Value::Guid(one.contact),
            "Contact.Name" => Value::text(self.contact.map(|it| it.name.as_str())),
            _ => Value::Null,
        }
    }
}

impl Listed for Row<'_> {
    fn changed(&self) -> (Timestamp, Uuid) {
        (self.deposit.updated_at, self.deposit.id)
    }
}
