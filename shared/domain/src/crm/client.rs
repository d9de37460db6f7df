//! A client as the CRM knows it.

use serde::{Deserialize, Serialize};

use super::{Revision, text};
use crate::body::{Field, Shape};
use crate::ids::ClientId;

/// A client's record at one revision.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The CRM's id.
    pub id: ClientId,
    /// The revision of this state.
    #[serde(deserialize_with = "text::revision")]
    pub revision: Revision,
    /// The client's name: the name of a person or of the business.
    #[serde(deserialize_with = "text::name")]
    pub name: String,
    /// The registered or trading name of the business.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The e-mail address for invoices.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The address for invoices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<BillingAddress>,
    /// The person to contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_contact: Option<PrimaryContact>,
    /// VAT, GST or tax number.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<String>,
    /// Company registration number.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub company_number: Option<String>,
}

/// A postal address; every part is optional.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingAddress {
    /// First line.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    /// Second line.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// Town or city.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// County, state or region.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country name.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// The client's primary contact.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrimaryContact {
    /// Given name.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// E-mail address.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(default, deserialize_with = "text::short", skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

const CLIENT: &[Field] = &[
    Field::value("id"),
    Field::value("revision"),
    Field::value("name"),
    Field::value("company"),
    Field::value("email"),
    Field::value("phone"),
    Field::new("billing_address", Shape::Object(BILLING_ADDRESS)),
    Field::new("primary_contact", Shape::Object(PRIMARY_CONTACT)),
    Field::value("vat_number"),
    Field::value("company_number"),
];

const BILLING_ADDRESS: &[Field] = &[
    Field::value("line1"),
    Field::value("line2"),
    Field::value("city"),
    Field::value("region"),
    Field::value("postal_code"),
    Field::value("country"),
];

const PRIMARY_CONTACT: &[Field] = &[
    Field::value("first_name"),
    Field::value("last_name"),
    Field::value("email"),
    Field::value("phone"),
];

impl Client {
    /// The shape of a client in a message.
    pub(crate) const SHAPE: Shape = Shape::Object(CLIENT);
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
