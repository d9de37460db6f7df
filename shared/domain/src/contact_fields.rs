//! The fields of a contact that both the CRM and people in Xero write, and the decision which of
//! the two has the last word on each.
//!
//! A field is written if it is empty in Xero or holds the value that this integration knows: the
//! one that it wrote, or the one that both sides had. Another value was entered in Xero. It stays,
//! with a remark, unless ServiceCortex leads.

mod address;
mod field;
mod persons;
mod plan;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::contact::{ContactAddress, ContactDocument, ContactPerson, PhoneType};
use crate::mapping::XeroLink;
use crate::spelling::compose_accents;
use crate::translate::client::NUMBER_PREFIX;

pub(crate) use self::field::ContactField;
pub(crate) use self::plan::plan_contact;
pub use self::plan::{DesiredContact, KnownContactState, must_read_contact};

/// Which side has the last word on a field of a contact that both have changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactPrecedence {
    /// ServiceCortex on contacts that it created, Xero on contacts that existed before.
    #[default]
    ByOrigin,
    /// ServiceCortex on all contacts.
    Servicecortex,
    /// Xero on all contacts.
    Xero,
}

/// Where a contact comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactOrigin {
    /// This integration created it.
    Created,
    /// It existed before the client was linked to it.
    #[default]
    Found,
}

impl ContactPrecedence {
    /// Whether ServiceCortex has the last word on a contact of this origin.
    pub(crate) const fn favours_servicecortex(self, origin: ContactOrigin) -> bool {
        match self {
            Self::ByOrigin => matches!(origin, ContactOrigin::Created),
            Self::Servicecortex => true,
            Self::Xero => false,
        }
    }
}

/// The fields of a contact that this integration writes.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactFields {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
    /// The company number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_number: Option<String>,
    /// VAT, GST or tax number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_number: Option<String>,
    /// Persons, telephone numbers and the billing address.
    #[serde(default)]
    pub details: ContactDetails,
}

/// The persons, telephone numbers and billing address of a contact.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactDetails {
    /// Given name of the main person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name of the main person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The telephone number, with its codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The mobile number, with its codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile: Option<String>,
    /// The billing address; `None` if all its parts are empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<ContactAddress>,
    /// The further persons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub persons: Vec<ContactPerson>,
}

/// The values of a contact's fields that this integration wrote, or that both sides had, kept with
/// the link to the contact.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenContact {
    /// Where the contact comes from.
    pub origin: ContactOrigin,
    /// The values.
    #[serde(default)]
    pub values: ContactFields,
}

impl WrittenContact {
    /// A contact of which nothing was written yet.
    pub fn of_origin(origin: ContactOrigin) -> Self {
        Self { origin, values: ContactFields::default() }
    }

    /// What is known about a linked contact. Rows of earlier releases do not say it: a contact with
    /// a contact number of this integration counts as created, because these releases wrote all its
    /// fields.
    pub fn of_link(link: &XeroLink) -> Self {
        if let Some(written) = &link.contact {
            return (**written).clone();
        }
        let number = link.number.as_deref().unwrap_or_default();
        let is_ours = number.starts_with(NUMBER_PREFIX);
        Self::of_origin(if is_ours { ContactOrigin::Created } else { ContactOrigin::Found })
    }

    /// What is known about a contact after the document was written to it. A field that Xero
    /// rejected is absent from the document, and keeps its known value.
    pub fn after_write(document: ContactDocument) -> Self {
        let WrittenContact { origin, mut values } = document.known;
        let texts = [
            (&mut values.name, document.name),
            (&mut values.email_address, document.email_address),
            (&mut values.company_number, document.company_number),
            (&mut values.tax_number, document.tax_number),
            (&mut values.details.first_name, document.first_name),
            (&mut values.details.last_name, document.last_name),
        ];
        for (known, written) in texts {
            replace_if_written(known, written);
        }
        for phone in document.phones {
            let known = match phone.phone_type {
                PhoneType::Default => &mut values.details.phone,
                PhoneType::Mobile => &mut values.details.mobile,
            };
            replace_if_written(known, Some(phone.phone_number));
        }
        if let Some(address) = document.addresses.into_iter().next() {
            values.details.address = address.into_filled();
        }
        Self { origin, values }
    }
}

fn replace_if_written(known: &mut Option<String>, written: Option<String>) {
    if let Some(text) = written {
        *known = Some(text).filter(|text| !text.is_empty());
    }
}

impl ContactAddress {
    /// The address without empty parts, or `None` if all its parts are empty.
    pub fn into_filled(self) -> Option<Self> {
        let fill = |part: Option<String>| part.filter(|text| !text.trim().is_empty());
        let filled = Self {
            address_type: self.address_type,
            address_line1: fill(self.address_line1),
            address_line2: fill(self.address_line2),
            city: fill(self.city),
            region: fill(self.region),
            postal_code: fill(self.postal_code),
            country: fill(self.country),
        };
        let is_empty = filled == Self { address_type: filled.address_type, ..Self::default() };
        (!is_empty).then_some(filled)
    }

    /// Whether two addresses are the same to Xero, which removes superfluous spaces, and to
    /// readers.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let words = |part: &Option<String>| {
            let text = compose_accents(part.as_deref().unwrap_or_default());
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let parts = |address: &Self| {
            [
                words(&address.address_line1),
                words(&address.address_line2),
                words(&address.city),
                words(&address.region),
                words(&address.postal_code),
                words(&address.country),
            ]
        };
        self.address_type == other.address_type && parts(self) == parts(other)
    }

    /// The address with an empty text for every absent part, which clears that part in Xero.
    #[must_use]
    pub(crate) fn with_every_part(self) -> Self {
        let part = |part: Option<String>| Some(part.unwrap_or_default());
        Self {
            address_type: self.address_type,
            address_line1: part(self.address_line1),
            address_line2: part(self.address_line2),
            city: part(self.city),
            region: part(self.region),
            postal_code: part(self.postal_code),
            country: part(self.country),
        }
    }
}

/// Prints only that there are values, because personal data must not reach the logs.
impl fmt::Debug for ContactFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactFields(..)")
    }
}

impl fmt::Debug for ContactDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactDetails(..)")
    }
}

impl fmt::Debug for WrittenContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrittenContact({:?})", self.origin)
    }
}

#[cfg(test)]
mod tests;
