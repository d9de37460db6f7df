//! A contact in the form in which Xero accepts it.

use domain::document::contact::{
    AddressType, ContactAddress, ContactDocument, ContactPerson, ContactPhone, PhoneType,
};
use domain::ids::XeroContactId;
use serde::Serialize;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_persons: Option<Vec<OutgoingPerson<'a>>>,
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
            persons,
            known: _,
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
            contact_persons: persons
                .as_ref()
                .map(|persons| persons.iter().map(OutgoingPerson::from).collect()),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OutgoingPhone<'a> {
    phone_type: &'static str,
    #[serde(rename = "PhoneNumber")]
    number: &'a str,
    #[serde(rename = "PhoneAreaCode", skip_serializing_if = "Option::is_none")]
    area_code: Option<&'static str>,
    #[serde(rename = "PhoneCountryCode", skip_serializing_if = "Option::is_none")]
    country_code: Option<&'static str>,
}

impl<'a> From<&'a ContactPhone> for OutgoingPhone<'a> {
    fn from(phone: &'a ContactPhone) -> Self {
        let ContactPhone { phone_type, phone_number, clears_codes } = phone;
        let phone_type = match phone_type {
            PhoneType::Default => "DEFAULT",
            PhoneType::Mobile => "MOBILE",
        };
        let code = clears_codes.then_some("");
        Self { phone_type, number: phone_number, area_code: code, country_code: code }
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

/// A further person. An empty object is a person without details.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OutgoingPerson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_in_emails: Option<bool>,
}

impl<'a> From<&'a ContactPerson> for OutgoingPerson<'a> {
    fn from(person: &'a ContactPerson) -> Self {
        let ContactPerson { first_name, last_name, email_address, include_in_emails } = person;
        Self {
            first_name: first_name.as_deref(),
            last_name: last_name.as_deref(),
            email_address: email_address.as_deref(),
            include_in_emails: (!person.is_empty()).then_some(*include_in_emails),
        }
    }
}
