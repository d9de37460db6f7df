//! The fields of a batch payment for `where` and `order`.

use super::render::{is_reconciled, kind, total};
use crate::books::Books;
use crate::books::batch::BatchPayment;
use crate::filter::{Field, Kind, Queried, Value};
use crate::listing::Listed;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Row<'a> {
    books: &'a Books,
    pub(super) batch: &'a BatchPayment,
}

impl<'a> Row<'a> {
    pub(super) fn new(books: &'a Books, batch: &'a BatchPayment) -> Self {
        Self { books, batch }
    }
}

impl Queried for Row<'_> {
    const NAME: &'static str = "BatchPayment";
    const FIELDS: &'static [Field] = &[
        Field { name: "BatchPaymentID", kind: Kind::Guid },
        Field { name: "Type", kind: Kind::Text },
        Field { name: "Status", kind: Kind::Text },
        Field { name: "Reference", kind: Kind::Text },
        Field { name: "Date", kind: Kind::Moment },
        Field { name: "TotalAmount", kind: Kind::Number },
        Field { name: "IsReconciled", kind: Kind::Truth },
        Field { name: "UpdatedDateUTC", kind: Kind::Moment },
        Field { name: "Account.AccountID", kind: Kind::Guid },
    ];

    fn value(&self, field: &str) -> Value {
        let batch = self.batch;
        match field {
            "BatchPaymentID" => Value::Guid(batch.id),
            "Type" => Value::text(Some(kind(self.books, batch))),
            "Status" => Value::text(Some(batch.status.as_str())),
            "Reference" => Value::text(batch.reference.as_deref()),
            "Date" => Value::Moment(batch.date.to_datetime(Time::midnight())),
            "TotalAmount" => Value::Number(total(self.books, batch)),
            "IsReconciled" => Value::Truth(is_reconciled(self.books, batch)),
            "UpdatedDateUTC" => Value::Moment(batch.updated_at.to_zoned(TimeZone::UTC).datetime()),
            "Account.AccountID" => Value::Guid(batch.account),
            _ => Value::Null,
        }
    }
}

impl Listed for Row<'_> {
    fn changed(&self) -> (Timestamp, Uuid) {
        (self.batch.updated_at, self.batch.id)
    }
}
