//! The fields of an invoice for `where` and `order`.

use crate::books::contact::Contact;
use crate::books::invoice::Invoice;
use crate::filter::{Field, Kind, Queried, Value};
use crate::listing::Listed;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) invoice: &'a Invoice,
    pub(super) contact: Option<&'a Contact>,
}

impl Queried for Row<'_> {
    const NAME: &'static str = "Invoice";
    const FIELDS: &'static [Field] = &[
        Field { name: "InvoiceID", kind: Kind::Guid },
        Field { name: "InvoiceNumber", kind: Kind::Text },
        Field { name: "Reference", kind: Kind::Text },
        Field { name: "Type", kind: Kind::Text },
        Field { name: "Status", kind: Kind::Text },
        Field { name: "Date", kind: Kind::Moment },
        Field { name: "DueDate", kind: Kind::Moment },
        Field { name: "FullyPaidOnDate", kind: Kind::Moment },
        Field { name: "UpdatedDateUTC", kind: Kind::Moment },
        Field { name: "CurrencyCode", kind: Kind::Text },
        Field { name: "SubTotal", kind: Kind::Number },
        Field { name: "TotalTax", kind: Kind::Number },
        Field { name: "Total", kind: Kind::Number },
        Field { name: "AmountDue", kind: Kind::Number },
        Field { name: "AmountPaid", kind: Kind::Number },
        Field { name: "AmountCredited", kind: Kind::Number },
        Field { name: "SentToContact", kind: Kind::Truth },
        Field { name: "Contact.ContactID", kind: Kind::Guid },
        Field { name: "Contact.Name", kind: Kind::FoldedText },
        Field { name: "Contact.ContactNumber", kind: Kind::Text },
    ];

    fn value(&self, field: &str) -> Value {
        let invoice = self.invoice;
        let date =
            |date: Option<Date>| date.map_or(Value::Null, |date| Value::Moment(midnight(date)));
        match field {
            "InvoiceID" => Value::Guid(invoice.id),
            "InvoiceNumber" => Value::text(invoice.number.as_deref()),
            "Reference" => Value::text(invoice.reference.as_deref()),
            "Type" => Value::text(Some(invoice.kind.as_str())),
            "Status" => Value::text(Some(invoice.status.as_str())),
            "Date" => date(Some(invoice.date)),
            "DueDate" => date(invoice.due_date),
            "FullyPaidOnDate" => date(invoice.fully_paid_on),
            "UpdatedDateUTC" => {
                Value::Moment(invoice.updated_at.to_zoned(TimeZone::UTC).datetime())
            }
            "CurrencyCode" => Value::text(Some(&invoice.currency)),
            "SubTotal" => Value::Number(invoice.sub_total),
            "TotalTax" => Value::Number(invoice.total_tax),
            "Total" => Value::Number(invoice.total),
            "AmountDue" => Value::Number(invoice.amount_due()),
            "AmountPaid" => Value::Number(invoice.amount_paid),
            "AmountCredited" => Value::Number(invoice.amount_credited),
            "SentToContact" => Value::Truth(invoice.sent_to_contact),
            "Contact.ContactID" => Value::Guid(invoice.contact),
            "Contact.Name" => Value::text(self.contact.map(|contact| contact.name.as_str())),
            "Contact.ContactNumber" => {
                Value::text(self.contact.and_then(|contact| contact.number.as_deref()))
            }
            _ => Value::Null,
        }
    }
}

impl Listed for Row<'_> {
    fn changed(&self) -> (Timestamp, Uuid) {
        (self.invoice.updated_at, self.invoice.id)
    }
}

fn midnight(date: Date) -> jiff::civil::DateTime {
    date.to_datetime(Time::midnight())
}
