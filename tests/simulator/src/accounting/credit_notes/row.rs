//! The fields of a credit note for `where` and `order`.

use crate::books::Books;
use crate::books::allocation::Credit;
use crate::books::contact::Contact;
use crate::books::credit_note::CreditNote;
use crate::filter::{Field, Kind, Queried, Value};
use crate::listing::Listed;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) note: &'a CreditNote,
    contact: Option<&'a Contact>,
    remaining: Decimal,
}

impl<'a> Row<'a> {
    pub(super) fn new(books: &'a Books, note: &'a CreditNote) -> Self {
        let contact = books.contact(note.contact);
        Self { note, contact, remaining: books.remaining_credit(Credit::CreditNote(note.id)) }
    }
}

impl Queried for Row<'_> {
    const NAME: &'static str = "CreditNote";
    const FIELDS: &'static [Field] = &[
        Field { name: "CreditNoteID", kind: Kind::Guid },
        Field { name: "CreditNoteNumber", kind: Kind::Text },
        Field { name: "Reference", kind: Kind::Text },
        Field { name: "Type", kind: Kind::Text },
        Field { name: "Status", kind: Kind::Text },
        Field { name: "Date", kind: Kind::Moment },
        Field { name: "UpdatedDateUTC", kind: Kind::Moment },
        Field { name: "CurrencyCode", kind: Kind::Text },
        Field { name: "SubTotal", kind: Kind::Number },
        Field { name: "TotalTax", kind: Kind::Number },
        Field { name: "Total", kind: Kind::Number },
        Field { name: "RemainingCredit", kind: Kind::Number },
        Field { name: "Contact.ContactID", kind: Kind::Guid },
        Field { name: "Contact.Name", kind: Kind::FoldedText },
        Field { name: "Contact.ContactNumber", kind: Kind::Text },
    ];

    fn value(&self, field: &str) -> Value {
        let note = self.note;
        match field {
            "CreditNoteID" => Value::Guid(note.id),
            "CreditNoteNumber" => Value::text(note.number.as_deref()),
            "Reference" => Value::text(note.reference.as_deref()),
            "Type" => Value::text(Some(note.kind.as_str())),
            "Status" => Value::text(Some(note.status.as_str())),
            "Date" => Value::Moment(note.date.to_datetime(Time::midnight())),
            "UpdatedDateUTC" => Value::Moment(note.updated_at.to_zoned(TimeZone::UTC).datetime()),
            "CurrencyCode" => Value::text(Some(&note.currency)),
            "SubTotal" => Value::Number(note.sub_total),
            "TotalTax" => Value::Number(note.total_tax),
            "Total" => Value::Number(note.total),
            "RemainingCredit" => Value::Number(self.remaining),
            "Contact.ContactID" => Value::Guid(note.contact),
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
        (self.note.updated_at, self.note.id)
    }
}
