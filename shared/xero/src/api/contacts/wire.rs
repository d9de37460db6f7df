//! A contact in the form in which Xero returns it.

use domain::contact_fields::ContactDetails;
use domain::document::contact::{
    AddressType, ContactAddress, ContactPerson, ContactStatus, RemoteContact,
};
use domain::ids::XeroContactId;
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use crate::date::optional_instant;
use crate::json::{lenient_bool, optional_id, optional_text, readable_elements, real_id};

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
    #[serde(default, deserialize_with = "optional_text")]
    first_name: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    last_name: Option<String>,
    #[serde(default, deserialize_with = "readable_elements")]
    phones: Vec<WirePhone>,
    #[serde(default, deserialize_with = "readable_elements")]
    addresses: Vec<WireAddress>,
    #[serde(default, deserialize_with = "readable_elements")]
    contact_persons: Vec<WirePerson>,
}

/// A telephone number. Xero lists every type, most of them empty.
#[derive(Debug, Deserialize)]
struct WirePhone {
    #[serde(default, rename = "PhoneType", deserialize_with = "optional_text")]
    phone_type: Option<String>,
    #[serde(default, rename = "PhoneCountryCode", deserialize_with = "optional_text")]
    country_code: Option<String>,
    #[serde(default, rename = "PhoneAreaCode", deserialize_with = "optional_text")]
    area_code: Option<String>,
    #[serde(default, rename = "PhoneNumber", deserialize_with = "optional_text")]
    number: Option<String>,
}

impl WirePhone {
    /// The number with its codes, or `None` if it is empty.
    fn to_number(&self) -> Option<String> {
        let parts = [&self.country_code, &self.area_code, &self.number];
        let number = parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
        (!number.is_empty()).then_some(number)
    }
}

/// An address. Xero lists every type, most of them empty.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAddress {
    #[serde(default, deserialize_with = "optional_text")]
    address_type: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    address_line1: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    address_line2: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    address_line3: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    address_line4: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    city: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    region: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    postal_code: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    country: Option<String>,
}

impl WireAddress {
    /// The address, or `None` if it is empty. Lines that this integration never writes follow the
    /// second one, so that such an address differs from every address that it wrote.
    fn into_address(self) -> Option<ContactAddress> {
        let further = [self.address_line2, self.address_line3, self.address_line4];
        let further = further.into_iter().flatten().collect::<Vec<_>>().join("\n");
        let address = ContactAddress {
            address_type: AddressType::PoBox,
            address_line1: self.address_line1,
            address_line2: Some(further),
            city: self.city,
            region: self.region,
            postal_code: self.postal_code,
            country: self.country,
        };
        address.into_filled()
    }
}

/// A further person.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WirePerson {
    #[serde(default, deserialize_with = "optional_text")]
    first_name: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    last_name: Option<String>,
    #[serde(default, deserialize_with = "optional_text")]
    email_address: Option<String>,
    #[serde(default, deserialize_with = "lenient_bool")]
    include_in_emails: bool,
}

impl From<WirePerson> for ContactPerson {
    fn from(wire: WirePerson) -> Self {
        let WirePerson { first_name, last_name, email_address, include_in_emails } = wire;
        Self { first_name, last_name, email_address, include_in_emails }
    }
}

impl From<WireContact> for RemoteContact {
    fn from(wire: WireContact) -> Self {
        let phone = |name: &str| {
            let phones = wire.phones.iter();
            phones
                .filter(|one| one.phone_type.as_deref() == Some(name))
                .find_map(WirePhone::to_number)
        };
        let (phone, mobile) = (phone("DEFAULT"), phone("MOBILE"));
        let mut addresses = wire.addresses.into_iter();
        let billing = addresses.find(|one| one.address_type.as_deref() == Some("POBOX"));
        let details = ContactDetails {
            first_name: wire.first_name,
            last_name: wire.last_name,
            phone,
            mobile,
            address: billing.and_then(WireAddress::into_address),
            persons: wire.contact_persons.into_iter().map(ContactPerson::from).collect(),
        };
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
            details,
        }
    }
}
