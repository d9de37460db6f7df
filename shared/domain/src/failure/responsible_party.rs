//! Who must act on a failure.

use super::{Failure, FailureCause, FailureClass};

/// Who must act so that a record that failed can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponsibleParty {
    /// A user of the CRM, who corrects the record, the settings or the connection.
    User,
    /// Whoever keeps the books in Xero: the remedy is a change there, of a document, a payment, a
    /// lock date or the plan.
    Bookkeeper,
    /// The support of the integration.
    Support,
    /// Nobody. The next attempt may succeed.
    Nobody,
}

/// The responsible parties of failures without a cause, by their code, if the class does not
/// determine them.
const BY_NAME: [(&str, ResponsibleParty); 14] = [
    ("account_number_taken", ResponsibleParty::Bookkeeper),
    ("allocation_type_differs", ResponsibleParty::Bookkeeper),
    ("contact_website_invalid", ResponsibleParty::Bookkeeper),
    ("currency_not_enabled", ResponsibleParty::Bookkeeper),
    ("currency_not_subscribed", ResponsibleParty::Bookkeeper),
    ("document_missing", ResponsibleParty::Bookkeeper),
    ("not_approved_to_send", ResponsibleParty::Bookkeeper),
    ("period_locked", ResponsibleParty::Bookkeeper),
    ("plan_limit", ResponsibleParty::Bookkeeper),
    ("prerequisite_not_approved", ResponsibleParty::Bookkeeper),
    ("refund_account_unusable", ResponsibleParty::Bookkeeper),
    ("year_locked", ResponsibleParty::Bookkeeper),
    ("document_type_invalid", ResponsibleParty::Support),
    ("link_invalid", ResponsibleParty::Support),
];

impl Failure {
    /// Returns who must act: as the cause or the code says, otherwise as the class says. It is for
    /// display only; no decision about the record depends on it.
    pub fn find_responsible_party(&self) -> ResponsibleParty {
        let found = match self.cause {
            Some(cause) => find_by_cause(cause),
            None => find_by_name(&self.code),
        };
        found.unwrap_or_else(|| find_by_class(self.class))
    }
}

/// The responsible party of a cause. `None` if the class determines it.
const fn find_by_cause(cause: FailureCause) -> Option<ResponsibleParty> {
    match cause {
        FailureCause::DocumentHasPayments
        | FailureCause::VoidHasPayments
        | FailureCause::DocumentClosed
        | FailureCause::InvoiceHasPayments
        | FailureCause::InvoiceHasCredit
        | FailureCause::InvoiceNotApproved
        | FailureCause::AlreadyPaid
        | FailureCause::AmountOverDue
        | FailureCause::CreditNoteUsed
        | FailureCause::CreditNoteApplied
        | FailureCause::CreditNoteNotApproved
        | FailureCause::CreditOverLeft
        | FailureCause::CreditOverDue
        | FailureCause::RefundOverPaid
        | FailureCause::PaymentReconciled
        | FailureCause::PaymentInBatch => Some(ResponsibleParty::Bookkeeper),
        FailureCause::PermissionMissing
        | FailureCause::XeroSilent
        | FailureCause::XeroFaulty
        | FailureCause::XeroMaintenance
        | FailureCause::XeroUnavailable
        | FailureCause::XeroUnreachable
        | FailureCause::OrganisationOffline
        | FailureCause::AccountCodeNotChosen
        | FailureCause::AccountCodeMissing
        | FailureCause::AccountCodeUnknown
        | FailureCause::AccountCodeArchived
        | FailureCause::AccountCodeBank
        | FailureCause::AccountInvalid
        | FailureCause::AccountTakesNoPayments
        | FailureCause::TaxRateUnknown
        | FailureCause::TaxRateAmbiguous
        | FailureCause::TaxRateInvalid
        | FailureCause::TaxTypeUnknown
        | FailureCause::TaxTypeUnusable
        | FailureCause::TaxTypeNotAllowed
        | FailureCause::ContactNameTaken
        | FailureCause::ContactNumberTaken
        | FailureCause::NumberTaken
        | FailureCause::EmailInvalid
        | FailureCause::PrimaryEmailMissing
        | FailureCause::ContactArchived
        | FailureCause::ContactMerged
        | FailureCause::PrerequisiteNotInXero
        | FailureCause::PaymentUnclear
        | FailureCause::InvoiceGone
        | FailureCause::InvoiceIsCredit
        | FailureCause::CreditNoteGone
        | FailureCause::CreditOfAnotherClient
        | FailureCause::DocumentNotShown
        | FailureCause::TokenStoreUnavailable => None,
    }
}

fn find_by_name(code: &str) -> Option<ResponsibleParty> {
    BY_NAME.into_iter().find(|(name, _)| *name == code).map(|(_, party)| party)
}

const fn find_by_class(class: FailureClass) -> ResponsibleParty {
    match class {
        FailureClass::Unauthorized | FailureClass::Rejected | FailureClass::Untranslatable => {
            ResponsibleParty::User
        }
        FailureClass::Defect => ResponsibleParty::Support,
        FailureClass::Transient
        | FailureClass::Uncertain
        | FailureClass::Throttled
        | FailureClass::Blocked => ResponsibleParty::Nobody,
    }
}
