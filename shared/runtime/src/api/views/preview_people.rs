//! Previews of clients and payments in responses.

use domain::crm::payment::PartRole;
use domain::document::contact::{ContactAddress, ContactDocument, ContactPhone};
use domain::failure::Failure;
use domain::translate::TranslatedDocument;
use engine::commands::preview::PartPreview;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::records::{FailureView, MoneyView};
use super::words::PhoneKind;

/// The contact that would be sent for a client, or the reason why none can be sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClientPreviewView {
    /// The contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<PreviewContactView>,
    /// Why none can be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<FailureView>,
}

/// A contact as it would be sent. Absent fields keep their values in Xero.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewContactView {
    /// The contact that would be updated. Without it, one is created, unless a contact with the
    /// number exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact_id: Option<Uuid>,
    /// The contact number that it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// The given name of the person to contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_name: Option<String>,
    /// The family name of the person to contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_name: Option<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// The company number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) company_number: Option<String>,
    /// VAT, GST or tax number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vat_number: Option<String>,
    /// Telephone numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) phones: Vec<PreviewPhoneView>,
    /// Postal addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) addresses: Vec<PreviewAddressView>,
    /// Sentences about what Xero would reject and is therefore left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<String>,
}

/// A telephone number.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewPhoneView {
    /// Which of the contact's numbers it is.
    pub(crate) kind: PhoneKind,
    /// The number.
    pub(crate) number: String,
}

/// A postal address, for invoices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewAddressView {
    /// First line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line1: Option<String>,
    /// Second line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line2: Option<String>,
    /// Town or city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) city: Option<String>,
    /// County, state or region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) postal_code: Option<String>,
    /// Country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<String>,
}

impl ClientPreviewView {
    /// The preview of a contact.
    pub(crate) fn of_contact(translated: TranslatedDocument<ContactDocument>) -> Self {
        let TranslatedDocument { document, warnings } = translated;
        let contact = PreviewContactView {
            contact_id: document.contact_id.map(|id| id.0),
            number: document.contact_number,
            name: document.name,
            first_name: document.first_name,
            last_name: document.last_name,
            email: document.email_address,
            company_number: document.company_number,
            vat_number: document.tax_number,
            phones: document.phones.into_iter().map(PreviewPhoneView::from).collect(),
            addresses: document.addresses.into_iter().map(PreviewAddressView::from).collect(),
            warnings,
        };
        Self { contact: Some(contact), failure: None }
    }

    /// The preview of a client that cannot be sent.
    pub(crate) fn of_failure(failure: Failure) -> Self {
        Self { contact: None, failure: Some(failure.into()) }
    }
}

impl From<ContactPhone> for PreviewPhoneView {
    fn from(phone: ContactPhone) -> Self {
        Self { kind: phone.phone_type.into(), number: phone.phone_number }
    }
}

impl From<ContactAddress> for PreviewAddressView {
    fn from(address: ContactAddress) -> Self {
        Self {
            line1: address.address_line1,
            line2: address.address_line2,
            city: address.city,
            region: address.region,
            postal_code: address.postal_code,
            country: address.country,
        }
    }
}

/// The documents that would be sent for a payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentPreviewView {
    /// One for each part.
    pub(crate) parts: Vec<PartPreviewView>,
}

/// The document of one part of a payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PartPreviewView {
    /// The part.
    pub(crate) crm_id: String,
    /// What the money is.
    pub(crate) role: PartWord,
    /// The invoice that it pays or refunds, or that the surcharge was paid with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invoice_id: Option<String>,
    /// The amount.
    pub(crate) amount: MoneyView,
    /// The date.
    pub(crate) date: Date,
    /// The reference in Xero.
    pub(crate) reference: String,
    /// The code of the account that the money goes to, or comes from for a fee or a refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account_code: Option<String>,
    /// The code of the account that a fee or a surcharge is booked to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) booked_to: Option<String>,
    /// Why it cannot be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<FailureView>,
}

/// What the money of a part is: a payment on an invoice, the fee that Stripe kept, the surcharge that
/// the customer paid, the credit note of a refund on an invoice, the money that a refund returns, or
/// the fee of the refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PartWord {
    Invoice,
    Fee,
    Surcharge,
    RefundNote,
    Refund,
    RefundFee,
}

impl PaymentPreviewView {
    /// The preview of these parts.
    pub(crate) fn of_parts(parts: Vec<PartPreview>) -> Self {
        Self { parts: parts.into_iter().map(PartPreviewView::from).collect() }
    }
}

impl From<PartPreview> for PartPreviewView {
    fn from(part: PartPreview) -> Self {
        let (role, invoice_id) = match part.role {
            PartRole::Invoice(invoice) => (PartWord::Invoice, Some(invoice.to_string())),
            PartRole::Fee => (PartWord::Fee, None),
            PartRole::Surcharge(invoice) => (PartWord::Surcharge, Some(invoice.to_string())),
            PartRole::RefundNote(invoice) => (PartWord::RefundNote, Some(invoice.to_string())),
            PartRole::Refund(_) => (PartWord::Refund, None),
            PartRole::RefundFee => (PartWord::RefundFee, None),
        };
        let view = Self {
            crm_id: part.crm_id.to_string(),
            role,
            invoice_id,
            amount: part.amount.into(),
            date: part.date,
            reference: part.reference,
            account_code: None,
            booked_to: None,
            failure: None,
        };
        match part.accounts {
            Ok(accounts) => {
                Self { account_code: accounts.money, booked_to: accounts.booked_to, ..view }
            }
            Err(failure) => Self { failure: Some(failure.into()), ..view },
        }
    }
}
