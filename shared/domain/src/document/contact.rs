//! Contacts, as Xero accepts and returns them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::contact_fields::{ContactDetails, ContactFields, WrittenContact};
use crate::ids::XeroContactId;

/// The maximum number of further persons of a contact, besides its main person (Xero's page
/// "Contacts").
pub const PERSONS_MAX: usize = 5;

/// A contact to create or update. Absent fields keep their value in Xero, and an empty text clears
/// a field (public report xero-php#736), so only fields that the CRM owns are ever sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactDocument {
    /// The contact to update; `None` to create a contact.
    pub contact_id: Option<XeroContactId>,
    /// The contact number, which identifies the client's contact: at most 50 characters, unique,
    /// settable only through the API. Absent for a contact that already has a number, which may
    /// belong to another integration.
    pub contact_number: Option<String>,
    /// The name: at most 255 characters, unique among active contacts. Only an update may omit it.
    pub name: Option<String>,
    /// Given name of the primary person, at most 255 characters.
    pub first_name: Option<String>,
    /// Family name of the primary person, at most 255 characters.
    pub last_name: Option<String>,
    /// The e-mail address: ASCII, at most 255 characters.
    pub email_address: Option<String>,
    /// The company number, at most 50 characters.
    pub company_number: Option<String>,
    /// VAT, GST or tax number, at most 50 characters.
    pub tax_number: Option<String>,
    /// Telephone numbers.
    pub phones: Vec<ContactPhone>,
    /// Postal addresses.
    pub addresses: Vec<ContactAddress>,
    /// All further persons, at most [`PERSONS_MAX`]: they replace those in Xero. `None` keeps them.
    /// Xero ignores an empty list, so a list that is to become empty holds one person without
    /// details (public report xero-php#171).
    pub persons: Option<Vec<ContactPerson>>,
    /// The values of the absent fields that this integration wrote. Never sent.
    pub known: WrittenContact,
}

impl ContactDocument {
    /// Whether sending the document would change nothing.
    pub fn is_unchanged(&self) -> bool {
        let texts = [
            &self.contact_number,
            &self.name,
            &self.first_name,
            &self.last_name,
            &self.email_address,
            &self.company_number,
            &self.tax_number,
        ];
        texts.iter().all(|text| text.is_none())
            && self.phones.is_empty()
            && self.addresses.is_empty()
            && self.persons.is_none()
    }
}

/// A further person of a contact, besides its main person. Xero stores no telephone number for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPerson {
    /// Given name, at most 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name, at most 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The e-mail address: ASCII, at most 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
    /// Whether Xero sends invoices to this person, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub include_in_emails: bool,
}

impl ContactPerson {
    /// Whether the person has neither a name nor an e-mail address.
    pub const fn is_empty(&self) -> bool {
        self.first_name.is_none() && self.last_name.is_none() && self.email_address.is_none()
    }
}

/// A telephone number of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactPhone {
    /// Which of the contact's numbers this is.
    pub phone_type: PhoneType,
    /// The number, at most 50 characters.
    pub phone_number: String,
    /// Whether the area code and the country code, which Xero keeps beside the number, are cleared.
    pub clears_codes: bool,
}

/// The contact's telephone numbers that this integration writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneType {
    /// The client's own number.
    Default,
    /// The primary contact's number.
    Mobile,
}

/// A postal address of a contact. A line holds up to 500 characters, the city and the region 255,
/// and the postal code 50. The country accepts letters only, at most 50.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactAddress {
    /// Which of the contact's addresses this is.
    #[serde(default)]
    pub address_type: AddressType,
    /// First line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_line1: Option<String>,
    /// Second line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_line2: Option<String>,
    /// Town or city.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// County, state or region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// The contact's addresses that this integration writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressType {
    /// The billing address, which Xero prints on invoices.
    #[default]
    PoBox,
}

/// Whether a contact may be used on documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactStatus {
    /// In use.
    Active,
    /// Archived, or subject to a data-protection request: Xero rejects it on documents.
    Archived,
}

/// A contact as Xero returns it, reduced to the fields that decisions need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteContact {
    /// Xero's id of the contact.
    pub id: XeroContactId,
    /// The contact number, if it has one.
    pub number: Option<String>,
    /// The name, as Xero normalised it.
    pub name: String,
    /// Whether it may be used on documents.
    pub status: ContactStatus,
    /// E-mail address, if any.
    pub email: Option<String>,
    /// VAT, GST or tax number, if any.
    pub tax_number: Option<String>,
    /// Company number, if any.
    pub company_number: Option<String>,
    /// The contact that this one was merged into, if any.
    pub merged_to: Option<XeroContactId>,
    /// When Xero last changed the contact.
    pub updated_at: Option<Timestamp>,
    /// Persons, telephone numbers and the billing address.
    pub details: ContactDetails,
}

impl RemoteContact {
    /// The fields that this integration may write.
    pub fn to_fields(&self) -> ContactFields {
        ContactFields {
            name: Some(self.name.clone()).filter(|name| !name.is_empty()),
            email_address: self.email.clone(),
            company_number: self.company_number.clone(),
            tax_number: self.tax_number.clone(),
            details: self.details.clone(),
        }
    }

    /// Whether documents can use it.
    pub fn is_usable(&self) -> bool {
        self.status == ContactStatus::Active && self.merged_to.is_none()
    }
}
