//! The fields of a contact for `where` and `order`.

use crate::books::contact::Contact;
use crate::filter::{Field, Kind, Queried, Value};
use crate::listing::Listed;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Row<'a>(pub(super) &'a Contact);

impl Queried for Row<'_> {
    const NAME: &'static str = "Contact";
    const FIELDS: &'static [Field] = &[
        Field { name: "ContactID", kind: Kind::Guid },
        Field { name: "ContactNumber", kind: Kind::Text },
        Field { name: "AccountNumber", kind: Kind::FoldedText },
        Field { name: "ContactStatus", kind: Kind::Text },
        Field { name: "Name", kind: Kind::FoldedText },
        Field { name: "FirstName", kind: Kind::FoldedText },
        Field { name: "LastName", kind: Kind::FoldedText },
        Field { name: "EmailAddress", kind: Kind::FoldedText },
        Field { name: "CompanyNumber", kind: Kind::Text },
        Field { name: "TaxNumber", kind: Kind::Text },
        Field { name: "DefaultCurrency", kind: Kind::Text },
        Field { name: "IsCustomer", kind: Kind::Truth },
        Field { name: "IsSupplier", kind: Kind::Truth },
        Field { name: "UpdatedDateUTC", kind: Kind::Moment },
    ];

    fn value(&self, field: &str) -> Value {
        let contact = self.0;
        match field {
            "ContactID" => Value::Guid(contact.id),
            "ContactNumber" => Value::text(contact.number.as_deref()),
            "AccountNumber" => Value::text(contact.account_number.as_deref()),
            "ContactStatus" => Value::text(Some(contact.status.as_str())),
            "Name" => Value::text(Some(&contact.name)),
            "FirstName" => Value::text(contact.first_name.as_deref()),
            "LastName" => Value::text(contact.last_name.as_deref()),
            "EmailAddress" => Value::text(contact.email.as_deref()),
            "CompanyNumber" => Value::text(contact.company_number.as_deref()),
            "TaxNumber" => Value::text(contact.tax_number.as_deref()),
            "DefaultCurrency" => Value::text(contact.default_currency.as_deref()),
            "IsCustomer" => Value::Truth(contact.is_customer),
            "IsSupplier" => Value::Truth(contact.is_supplier),
            "UpdatedDateUTC" => {
                Value::Moment(contact.updated_at.to_zoned(TimeZone::UTC).datetime())
            }
            _ => Value::Null,
        }
    }
}

impl Listed for Row<'_> {
    fn changed(&self) -> (Timestamp, Uuid) {
        (self.0.updated_at, self.0.id)
    }
}
