//! A contact in the forms in which Xero accepts and returns it.

use domain::document::contact::{
    AddressType, ContactAddress, ContactDocument, ContactPhone, ContactStatus, PhoneType,
    RemoteContact,
};
use domain::ids::XeroContactId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::date::optional_instant;
use crate::json::{optional_id, optional_text, real_id};

/// A contact to create or update. Xero keeps the value of every absent field.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OutgoingContact<'a> {
    #[serde(rename = "ContactID", skip_serializing_if = "Option::is_none")]
    contact_id: Option<XeroContactId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phones: Vec<OutgoingPhone<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<OutgoingAddress<'a>>,
}

impl<'a> From<&'a ContactDocument> for OutgoingContact<'a> {
    fn from(document: &'a ContactDocument) -> Self {
        let ContactDocument {
            contact_id,
            contact_number,
            name,
            first_name,
            last_name,
            email_address,
            company_number,
            tax_number,
            phones,
            addresses,
        } = document;
        Self {
            contact_id: *contact_id,
            contact_number: contact_number.as_deref(),
            name: name.as_deref(),
            first_name: first_name.as_deref(),
            last_name: last_name.as_deref(),
            email_address: email_address.as_deref(),
            company_number: company_number.as_deref(),
            tax_number: tax_number.as_deref(),
            phones: phones.iter().map(OutgoingPhone::from).collect(),
            addresses: addresses.iter().map(OutgoingAddress::from).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OutgoingPhone<'a> {
    phone_type: &'static str,
    phone_number: &'a str,
}

impl<'a> From<&'a ContactPhone> for OutgoingPhone<'a> {
    fn from(phone: &'a ContactPhone) -> Self {
        let ContactPhone { phone_type, phone_number } = phone;
        let phone_type = match phone_type {
            PhoneType::Default => "DEFAULT",
            PhoneType::Mobile => "MOBILE",
        };
        Self { phone_type, phone_number }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OutgoingAddress<'a> {
    address_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_line1: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_line2: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
}

impl<'a> From<&'a ContactAddress> for OutgoingAddress<'a> {
    fn from(address: &'a ContactAddress) -> Self {
        let ContactAddress {
            address_type,
            address_line1,
            address_line2,
            city,
            region,
            postal_code,
            country,
        } = address;
        Self {
            address_type: match address_type {
                AddressType::PoBox => "POBOX",
            },
            address_line1: address_line1.as_deref(),
            address_line2: address_line2.as_deref(),
            city: city.as_deref(),
            region: region.as_deref(),
            postal_code: postal_code.as_deref(),
            country: country.as_deref(),
        }
    }
}

/// A contact as Xero returns it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireContact {
    #[serde(rename = "ContactID", deserialize_with = "real_id")]
    id: Uuid,
    #[serde(default, deserialize_with = "optional_text")]
    contact_number: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    contact_status: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    email_address: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    tax_number: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    company_number: Option<String>,
    #[serde(default, rename = "MergedToContactID", deserialize_with = "optional_id")]
    merged_to: Option<Uuid>,
    #[serde(default, rename = "UpdatedDateUTC", deserialize_with = "optional_instant")]
    updated_at: Option<Timestamp>,
}

impl From<WireContact> for RemoteContact {
    fn from(wire: WireContact) -> Self {
        Self {
            id: XeroContactId(wire.id),
            number: wire.contact_number,
            name: wire.name.unwrap_or_default(),
            // Besides `ARCHIVED` there is `GDPRREQUEST`. Documents can use neither.
            status: match wire.contact_status.as_deref() {
                None | Some("ACTIVE") => ContactStatus::Active,
                Some(_) => ContactStatus::Archived,
            },
            email: wire.email_address,
            tax_number: wire.tax_number,
            company_number: wire.company_number,
            merged_to: wire.merged_to.map(XeroContactId),
            updated_at: wire.updated_at,
        }
    }
}
