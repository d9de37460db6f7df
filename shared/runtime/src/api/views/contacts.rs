//! Contacts in responses.

use domain::entity::EntityKind;
use domain::ids::XeroContactId;
use engine::commands::links::XeroPages;
use engine::commands::{contacts, views};
use jiff::Timestamp;
use requests::MatchCriterion;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The contacts that a search found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactsView {
    /// At most 50 contacts.
    pub(crate) contacts: Vec<ContactView>,
}

/// A contact in Xero.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContactView {
    /// Its id in Xero.
    pub(crate) contact_id: Uuid,
    /// Its name.
    pub(crate) name: String,
    /// Its contact number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<String>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// Its VAT, GST or tax number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vat_number: Option<String>,
    /// Its company number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) company_number: Option<String>,
    /// Whether it must be restored in Xero before it can be used.
    pub(crate) is_archived: bool,
    /// The client that is linked to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    /// The page in Xero that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) xero_url: Option<String>,
}

/// The page in Xero that shows a contact.
pub(super) fn find_contact_page(id: XeroContactId, pages: &XeroPages) -> Option<String> {
    pages.find_document_page(EntityKind::Contact, id.into())
}

impl ContactsView {
    /// Contacts that have their pages among these.
    pub(crate) fn of_contacts(found: Vec<contacts::ContactView>, pages: &XeroPages) -> Self {
        let contacts = found.into_iter().map(|view| ContactView::of_contact(view, pages));
        Self { contacts: contacts.collect() }
    }
}

impl ContactView {
    fn of_contact(view: contacts::ContactView, pages: &XeroPages) -> Self {
        Self {
            xero_url: find_contact_page(view.contact_id, pages),
            contact_id: view.contact_id.0,
            name: view.name,
            number: view.number,
            email: view.email,
            vat_number: view.vat_number,
            company_number: view.company_number,
            is_archived: view.is_archived,
            client_id: view.client_id.map(|id| id.to_string()),
        }
    }
}

/// The contact to which a client is linked. Its details are those of the newest version of the
/// client, which Xero has once the client is synced.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkedContactView {
    /// Its id in Xero.
    pub(crate) contact_id: Uuid,
    /// Its name.
    pub(crate) name: String,
    /// Its contact number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<String>,
    /// Its e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// Its VAT, GST or tax number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vat_number: Option<String>,
    /// Its company number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) company_number: Option<String>,
    /// The page in Xero that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) xero_url: Option<String>,
    /// The user who linked the client, or who started the reconciliation that linked it. Absent if
    /// the contact was created for the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) linked_by: Option<String>,
    /// When it was linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) linked_at: Option<Timestamp>,
    /// The evidence for the link, if a reconciliation linked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<MatchCriterion>,
}

impl LinkedContactView {
    /// A contact that has its page among these.
    pub(crate) fn of_contact(contact: views::LinkedContact, pages: &XeroPages) -> Self {
        let origin = contact.origin.as_ref();
        Self {
            xero_url: find_contact_page(contact.contact_id, pages),
            linked_by: origin.map(|origin| origin.by.to_string()),
            linked_at: origin.map(|origin| origin.at),
            by: origin.and_then(|origin| origin.evidence).map(MatchCriterion::from),
            contact_id: contact.contact_id.0,
            name: contact.name,
            number: contact.number,
            email: contact.email,
            vat_number: contact.vat_number,
            company_number: contact.company_number,
        }
    }
}
