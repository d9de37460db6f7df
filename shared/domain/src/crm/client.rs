//! A client as the CRM knows it.

use serde::{Deserialize, Serialize};

use super::{Revision, text};
use crate::body::{BodyField, BodyShape};
use crate::ids::ClientId;

/// A client's record at one revision.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The CRM's id.
    pub id: ClientId,
    /// The revision of this state.
    #[serde(deserialize_with = "text::deserialize_revision")]
    pub revision: Revision,
    /// The client's name: the name of a person or of the business.
    #[serde(deserialize_with = "text::deserialize_name")]
    pub name: String,
    /// The registered or trading name of the business.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub company: Option<String>,
    /// The e-mail address for invoices.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub phone: Option<String>,
    /// The address for invoices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<BillingAddress>,
    /// The person to contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_contact: Option<PrimaryContact>,
    /// VAT, GST or tax number.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub vat_number: Option<String>,
    /// Company registration number.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub company_number: Option<String>,
}

/// A postal address; every part is optional.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingAddress {
    /// First line.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub line1: Option<String>,
    /// Second line.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub line2: Option<String>,
    /// Town or city.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub city: Option<String>,
    /// County, state or region.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub region: Option<String>,
    /// Postal code.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub postal_code: Option<String>,
    /// Country name.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub country: Option<String>,
}

/// The client's primary contact.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrimaryContact {
    /// Given name.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_name: Option<String>,
    /// E-mail address.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(
        default,
        deserialize_with = "text::deserialize_short_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub phone: Option<String>,
}

const CLIENT: &[BodyField] = &[
    BodyField::single_value("id"),
    BodyField::single_value("revision"),
    BodyField::single_value("name"),
    BodyField::single_value("company"),
    BodyField::single_value("email"),
    BodyField::single_value("phone"),
    BodyField::new("billing_address", BodyShape::Object(BILLING_ADDRESS)),
    BodyField::new("primary_contact", BodyShape::Object(PRIMARY_CONTACT)),
    BodyField::single_value("vat_number"),
    BodyField::single_value("company_number"),
];

const BILLING_ADDRESS: &[BodyField] = &[
    BodyField::single_value("line1"),
    BodyField::single_value("line2"),
    BodyField::single_value("city"),
    BodyField::single_value("region"),
    BodyField::single_value("postal_code"),
    BodyField::single_value("country"),
];

const PRIMARY_CONTACT: &[BodyField] = &[
    BodyField::single_value("first_name"),
    BodyField::single_value("last_name"),
    BodyField::single_value("email"),
    BodyField::single_value("phone"),
];

impl Client {
    /// The shape of a client in a message.
    pub(crate) const SHAPE: BodyShape = BodyShape::Object(CLIENT);
}

/// Prints only the id and the revision, because personal data must not reach the logs.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({} revision {})", self.id, self.revision)
    }
}

impl std::fmt::Debug for BillingAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BillingAddress(..)")
    }
}

impl std::fmt::Debug for PrimaryContact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrimaryContact(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_personal_value_of_a_client_is_printed() {
        let client: Client = serde_json::from_str(
            r#"{"id":"cli_1","revision":3,"name":"SECRET","company":"SECRET","email":"SECRET",
            "phone":"SECRET","vat_number":"SECRET","company_number":"SECRET",
            "billing_address":{"line1":"SECRET","postal_code":"SECRET"},
            "primary_contact":{"first_name":"SECRET","email":"SECRET"}}"#,
        )
        .unwrap();
        let (address, person) = (&client.billing_address, &client.primary_contact);
        let printed = format!("{client:?} {address:?} {person:?}");
        assert!(printed.contains("cli_1") && !printed.contains("SECRET"), "{printed}");
    }
}
