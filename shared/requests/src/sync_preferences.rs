//! An account's choices about what is written to Xero, in requests and responses.

use domain::body::{BodyField, BodyShape};
use domain::contact_fields::ContactPrecedence;
use domain::document::sales::NewStatus;
use domain::sync_preferences::SyncPreferences;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::RequestBody;

/// An account's choices about what is written to Xero. A choice that is absent has its default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncPreferencesView {
    /// Which side's value of a contact's field applies if both sides have changed it. An empty
    /// field in Xero is always filled.
    #[serde(default)]
    pub contacts: ContactLeader,
    /// The status in which invoices are created. Payments and allocations of an invoice that is not
    /// approved wait for its approval.
    #[serde(default)]
    pub new_invoices: NewInvoices,
    /// Whether invoices that are created as approved are marked as sent to the contact.
    #[serde(default)]
    pub mark_as_sent: bool,
}

/// `by_origin`: ServiceCortex on contacts that it created, Xero on contacts that existed before.
/// `servicecortex`, `xero`: on all contacts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactLeader {
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
pub enum NewInvoices {
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

const PREFERENCES: &[BodyField] = &[
    BodyField::single_value("contacts"),
    BodyField::single_value("new_invoices"),
    BodyField::single_value("mark_as_sent"),
];

impl RequestBody for SyncPreferencesView {
    const SHAPE: BodyShape = BodyShape::Object(PREFERENCES);
    const MUST: &'static str = "must be an object that may contain contacts (by_origin, servicecortex or xero), new_invoices (draft, submitted or authorised) and mark_as_sent (true or false)";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::parse_body;
    use crate::body_errors::list_body_errors;

    #[test]
    fn every_preference_can_be_chosen_and_an_absent_one_has_its_default() {
        let chosen = SyncPreferencesView {
            contacts: ContactLeader::Xero,
            new_invoices: NewInvoices::Draft,
            mark_as_sent: true,
        };
        let body = serde_json::to_string(&chosen).unwrap();
        assert_eq!(body, r#"{"contacts":"xero","new_invoices":"draft","mark_as_sent":true}"#);
        assert_eq!(parse_body::<SyncPreferencesView>(body.as_bytes()).unwrap(), chosen);
        let absent = parse_body::<SyncPreferencesView>(b"{}").unwrap();
        assert_eq!(absent, SyncPreferencesView::default());
        let [_, _, _, _, wrong, ..] = list_body_errors(br#"{"new_invoice":"draft"}"#);
        assert_eq!(
            wrong.as_deref(),
            Some("new_invoice is not a known field; did you mean new_invoices?")
        );
    }
}
