//! Contacts as Xero takes and gives them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::XeroContactId;

/// A contact to create or update. Fields that are absent keep their value in Xero, so only fields
/// the CRM owns are ever sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContactDocument {
    /// Set to update this contact; absent to create one.
    #[serde(rename = "ContactID", skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<XeroContactId>,
    /// At most 50 characters, unique, settable only through the API: our natural key. Absent for a
    /// contact that already has a number, which may be another integration's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_number: Option<String>,
    /// At most 255 characters, unique among active contacts. Only an update may be without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Given name of the primary person, at most 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name of the primary person, at most 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// ASCII, at most 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
    /// At most 50 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_number: Option<String>,
    /// VAT, GST or tax number, at most 50 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_number: Option<String>,
    /// Telephone numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<Phone>,
    /// Postal addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
}

/// A telephone number of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Phone {
    /// Which of the contact's numbers it is.
    pub phone_type: PhoneType,
    /// At most 50 characters.
    pub phone_number: String,
}

/// The kinds of numbers we own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PhoneType {
    /// The client's own number.
    Default,
    /// The primary person's number.
    Mobile,
}

/// A postal address of a contact. Lines hold 500 characters, city, region 255, postal code 50;
/// the country takes letters only, at most 50.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Address {
    /// Which of the contact's addresses it is.
    pub address_type: AddressType,
    /// First line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_line1: Option<String>,
    /// Second line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_line2: Option<String>,
    /// Town or city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// County, state or region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// The kinds of addresses we own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AddressType {
    /// The billing address: Xero prints this one on invoices.
    PoBox,
}

/// Whether a contact may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactStatus {
    /// In use.
    Active,
    /// Archived, or subject to a data-protection request: Xero refuses it on documents.
    Archived,
}

/// A contact as Xero describes it, reduced to what decisions need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteContact {
    /// Xero's key.
    pub id: XeroContactId,
    /// The number, if it has one.
    pub number: Option<String>,
    /// The name, as Xero normalised it.
    pub name: String,
    /// Whether it may be used.
    pub status: ContactStatus,
    /// E-mail address, if any.
    pub email: Option<String>,
    /// VAT, GST or tax number, if any.
    pub tax_number: Option<String>,
    /// Company number, if any.
    pub company_number: Option<String>,
    /// Set when this contact was merged into another.
    pub merged_to: Option<XeroContactId>,
    /// Xero's last change.
    pub updated_at: Option<Timestamp>,
}
