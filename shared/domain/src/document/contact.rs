//! Contacts, as Xero accepts and returns them.

use jiff::Timestamp;

use crate::ids::XeroContactId;

/// A contact to create or update. Absent fields keep their value in Xero, so only fields that the
/// CRM owns are ever sent.
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
}

/// A telephone number of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactPhone {
    /// Which of the contact's numbers this is.
    pub phone_type: PhoneType,
    /// The number, at most 50 characters.
    pub phone_number: String,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactAddress {
    /// Which of the contact's addresses this is.
    pub address_type: AddressType,
    /// First line.
    pub address_line1: Option<String>,
    /// Second line.
    pub address_line2: Option<String>,
    /// Town or city.
    pub city: Option<String>,
    /// County, state or region.
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country name.
    pub country: Option<String>,
}

/// The contact's addresses that this integration writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressType {
    /// The billing address, which Xero prints on invoices.
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
}
