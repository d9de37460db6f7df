//! An account's choices about what is written to Xero.

use domain::contact_fields::ContactPrecedence;
use domain::document::sales::NewStatus;
use domain::sync_preferences::SyncPreferences;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An account's choices about what is written to Xero. A choice that is absent has its default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct SyncPreferencesView {
    /// Which side's value of a contact's field applies if both sides have changed it. An empty
    /// field in Xero is always filled.
    #[serde(default)]
    pub(crate) contacts: ContactLeader,
    /// The status in which invoices are created. Payments and allocations of an invoice that is not
    /// approved wait for its approval.
    #[serde(default)]
    pub(crate) new_invoices: NewInvoices,
    /// Whether invoices that are created as approved are marked as sent to the contact.
    #[serde(default)]
    pub(crate) mark_as_sent: bool,
}

/// `by_origin`: ServiceCortex on contacts that it created, Xero on contacts that existed before.
/// `servicecortex`, `xero`: on all contacts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ContactLeader {
    /// By the origin of the contact.
    #[default]
    ByOrigin,
    /// ServiceCortex.
    Servicecortex,
    /// Xero.
    Xero,
}

/// The status of a new invoice in Xero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NewInvoices {
    /// A draft.
    Draft,
    /// Waiting for approval.
    Submitted,
    /// Approved.
    #[default]
    Authorised,
}

impl From<SyncPreferences> for SyncPreferencesView {
    fn from(preferences: SyncPreferences) -> Self {
        let SyncPreferences { contacts, new_invoices, mark_as_sent } = preferences;
        let contacts = match contacts {
            ContactPrecedence::ByOrigin => ContactLeader::ByOrigin,
            ContactPrecedence::Servicecortex => ContactLeader::Servicecortex,
            ContactPrecedence::Xero => ContactLeader::Xero,
        };
        let new_invoices = match new_invoices {
            NewStatus::Draft => NewInvoices::Draft,
            NewStatus::Submitted => NewInvoices::Submitted,
            NewStatus::Authorised => NewInvoices::Authorised,
        };
        Self { contacts, new_invoices, mark_as_sent }
    }
}

impl From<SyncPreferencesView> for SyncPreferences {
    fn from(view: SyncPreferencesView) -> Self {
        let SyncPreferencesView { contacts, new_invoices, mark_as_sent } = view;
        let contacts = match contacts {
            ContactLeader::ByOrigin => ContactPrecedence::ByOrigin,
            ContactLeader::Servicecortex => ContactPrecedence::Servicecortex,
            ContactLeader::Xero => ContactPrecedence::Xero,
        };
        let new_invoices = match new_invoices {
            NewInvoices::Draft => NewStatus::Draft,
            NewInvoices::Submitted => NewStatus::Submitted,
            NewInvoices::Authorised => NewStatus::Authorised,
        };
        Self { contacts, new_invoices, mark_as_sent }
    }
}
