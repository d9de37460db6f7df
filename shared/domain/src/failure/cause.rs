//! Causes of failures: decisions depend on them, never on codes.

use serde::{Serialize, Serializer};

/// The cause of a failure on which a decision depends.
///
/// A cause is chosen where the facts are known, together with the class. Rows hold it beside the
/// code, by the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureCause {
    /// The consent does not cover a call.
    PermissionMissing,
    /// Xero did not respond.
    XeroSilent,
    /// Xero had an internal error.
    XeroFaulty,
    /// Xero is offline for maintenance.
    XeroMaintenance,
    /// Xero accepts no calls for another reason.
    XeroUnavailable,
    /// No request reached Xero.
    XeroUnreachable,
    /// Xero has taken the organisation offline.
    OrganisationOffline,
    /// No account is chosen for a purpose that needs one.
    AccountCodeNotChosen,
    /// Xero requires an account, and none was named.
    AccountCodeMissing,
    /// The account is not in Xero's chart, or Xero does not accept it for the document.
    AccountCodeUnknown,
    /// The account is archived in Xero.
    AccountCodeArchived,
    /// The account is a bank account, which cannot be used for sales.
    AccountCodeBank,
    /// Xero does not accept the account.
    AccountInvalid,
    /// The account does not accept payments.
    AccountTakesNoPayments,
    /// Xero has no tax rate for the rate of a line.
    TaxRateUnknown,
    /// Xero has several tax rates for the rate of a line.
    TaxRateAmbiguous,
    /// Xero does not accept the tax rate.
    TaxRateInvalid,
    /// The tax type does not exist in Xero, or does not apply to sales.
    TaxTypeUnknown,
    /// The chosen tax type is no longer usable in Xero.
    TaxTypeUnusable,
    /// The tax type may not be used with the account.
    TaxTypeNotAllowed,
    /// Another contact has the name.
    ContactNameTaken,
    /// Another contact has the contact number.
    ContactNumberTaken,
    /// Another document has the number.
    NumberTaken,
    /// Xero does not accept the e-mail address of a contact.
    EmailInvalid,
    /// The contact is archived in Xero.
    ContactArchived,
    /// The contact was merged into another one in Xero.
    ContactMerged,
    /// The payment is larger than the amount due.
    AmountOverDue,
    /// The invoice is not approved in Xero, so it accepts no payments.
    InvoiceNotApproved,
    /// Another record that must be in Xero first is not there yet.
    PrerequisiteNotInXero,
    /// Xero has a payment that may be this one, and a user must decide whether it is.
    PaymentUnclear,
    /// Xero does not change the lines of a document that has payments or credits.
    DocumentHasPayments,
    /// Xero does not void a document that has payments or credits.
    VoidHasPayments,
    /// Xero does not change a document that is paid, voided or deleted.
    DocumentClosed,
    /// The change of an invoice is not possible while it has payments or credits.
    InvoiceHasPayments,
    /// The client of an invoice cannot change while a credit note is applied to it.
    InvoiceHasCredit,
    /// The invoice was voided or deleted in Xero.
    InvoiceGone,
    /// The invoice has a negative total, so it is a credit note in Xero.
    InvoiceIsCredit,
    /// Xero does not void a credit note that is applied or paid back.
    CreditNoteUsed,
    /// Xero does not change a credit note that is applied or paid back.
    CreditNoteApplied,
    /// The credit note was voided or deleted in Xero.
    CreditNoteGone,
    /// The credit note is not approved in Xero, so its credit cannot be applied.
    CreditNoteNotApproved,
    /// The credit is larger than what is left of its credit note.
    CreditOverLeft,
    /// The credit is larger than the amount due.
    CreditOverDue,
    /// The credit note and the invoice belong to different contacts.
    CreditOfAnotherClient,
    /// Nothing is due on the invoice.
    AlreadyPaid,
    /// The refunds of an invoice exceed what was paid on it.
    RefundOverPaid,
}

impl FailureCause {
    /// Every cause.
    pub const ALL: [Self; 46] = crate::every_variant![
        PermissionMissing,
        XeroSilent,
        XeroFaulty,
        XeroMaintenance,
        XeroUnavailable,
        XeroUnreachable,
        OrganisationOffline,
        AccountCodeNotChosen,
        AccountCodeMissing,
        AccountCodeUnknown,
        AccountCodeArchived,
        AccountCodeBank,
        AccountInvalid,
        AccountTakesNoPayments,
        TaxRateUnknown,
        TaxRateAmbiguous,
        TaxRateInvalid,
        TaxTypeUnknown,
        TaxTypeUnusable,
        TaxTypeNotAllowed,
        ContactNameTaken,
        ContactNumberTaken,
        NumberTaken,
        EmailInvalid,
        ContactArchived,
        ContactMerged,
        AmountOverDue,
        InvoiceNotApproved,
        PrerequisiteNotInXero,
        PaymentUnclear,
        DocumentHasPayments,
        VoidHasPayments,
        DocumentClosed,
        InvoiceHasPayments,
        InvoiceHasCredit,
        InvoiceGone,
        InvoiceIsCredit,
        CreditNoteUsed,
        CreditNoteApplied,
        CreditNoteGone,
        CreditNoteNotApproved,
        CreditOverLeft,
        CreditOverDue,
        CreditOfAnotherClient,
        AlreadyPaid,
        RefundOverPaid
    ];

    /// The code that a failure with this cause is stored and shown with.
    pub const fn stable_code(self) -> &'static str {
        match self {
            Self::PermissionMissing => "permission_missing",
            Self::XeroSilent => "xero_silent",
            Self::XeroFaulty => "xero_faulty",
            Self::XeroMaintenance => "xero_maintenance",
            Self::XeroUnavailable => "xero_unavailable",
            Self::XeroUnreachable => "xero_unreachable",
            Self::OrganisationOffline => "organisation_offline",
            Self::AccountCodeNotChosen => "account_code_not_chosen",
            Self::AccountCodeMissing => "account_code_missing",
            Self::AccountCodeUnknown => "account_code_unknown",
            Self::AccountCodeArchived => "account_code_archived",
            Self::AccountCodeBank => "account_code_bank",
            Self::AccountInvalid => "account_invalid",
            Self::AccountTakesNoPayments => "account_takes_no_payments",
            Self::TaxRateUnknown => "tax_rate_unknown",
            Self::TaxRateAmbiguous => "tax_rate_ambiguous",
            Self::TaxRateInvalid => "tax_rate_invalid",
            Self::TaxTypeUnknown => "tax_type_unknown",
            Self::TaxTypeUnusable => "tax_type_unusable",
            Self::TaxTypeNotAllowed => "tax_type_not_allowed",
            Self::ContactNameTaken => "contact_name_taken",
            Self::ContactNumberTaken => "contact_number_taken",
            Self::NumberTaken => "number_taken",
            Self::EmailInvalid => "email_invalid",
            Self::ContactArchived => "contact_archived",
            Self::ContactMerged => "contact_merged",
            Self::AmountOverDue => "amount_over_due",
            Self::InvoiceNotApproved => "invoice_not_approved",
            Self::PrerequisiteNotInXero => "prerequisite_not_in_xero",
            Self::PaymentUnclear => "payment_unclear",
            Self::DocumentHasPayments => "document_has_payments",
            Self::VoidHasPayments => "void_has_payments",
            Self::DocumentClosed => "document_closed",
            Self::InvoiceHasPayments => "invoice_has_payments",
            Self::InvoiceHasCredit => "invoice_has_credit",
            Self::InvoiceGone => "invoice_gone",
            Self::InvoiceIsCredit => "invoice_is_credit",
            Self::CreditNoteUsed => "credit_note_used",
            Self::CreditNoteApplied => "credit_note_applied",
            Self::CreditNoteGone => "credit_note_gone",
            Self::CreditNoteNotApproved => "credit_note_not_approved",
            Self::CreditOverLeft => "credit_over_left",
            Self::CreditOverDue => "credit_over_due",
            Self::CreditOfAnotherClient => "credit_of_another_client",
            Self::AlreadyPaid => "already_paid",
            Self::RefundOverPaid => "refund_over_paid",
        }
    }

    /// The cause with this code; `None` for a code that no decision depends on. Only rows are read
    /// with it: a new failure is made with its cause.
    pub(super) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.stable_code() == code)
    }

    /// Whether Xero, or the network, was unavailable.
    pub const fn is_outage(self) -> bool {
        matches!(
            self,
            Self::XeroSilent
                | Self::XeroFaulty
                | Self::XeroMaintenance
                | Self::XeroUnavailable
                | Self::XeroUnreachable
                | Self::OrganisationOffline
        )
    }

    /// Whether it concerns an account or a tax rate, which users choose in the settings.
    pub const fn is_about_settings(self) -> bool {
        matches!(
            self,
            Self::AccountCodeNotChosen
                | Self::AccountCodeMissing
                | Self::AccountCodeUnknown
                | Self::AccountCodeArchived
                | Self::AccountCodeBank
                | Self::AccountInvalid
                | Self::AccountTakesNoPayments
                | Self::TaxRateUnknown
                | Self::TaxRateAmbiguous
                | Self::TaxRateInvalid
                | Self::TaxTypeUnknown
                | Self::TaxTypeUnusable
                | Self::TaxTypeNotAllowed
        )
    }

    /// Whether another document or contact has the name or the number.
    pub const fn is_about_something_taken(self) -> bool {
        matches!(self, Self::ContactNameTaken | Self::ContactNumberTaken | Self::NumberTaken)
    }

    /// Whether a contact is no longer in use: archived, or merged into another one.
    pub const fn is_about_an_unused_contact(self) -> bool {
        matches!(self, Self::ContactArchived | Self::ContactMerged)
    }

    /// Whether the state of a document in Xero caused it: its payments, its credits, its amounts,
    /// its contact or its status. Xero gives the same answer until that document changes, so the
    /// record is not retried before.
    pub const fn is_about_document_state(self) -> bool {
        matches!(
            self,
            Self::AmountOverDue
                | Self::InvoiceNotApproved
                | Self::DocumentHasPayments
                | Self::VoidHasPayments
                | Self::DocumentClosed
                | Self::InvoiceHasPayments
                | Self::InvoiceHasCredit
                | Self::InvoiceGone
                | Self::InvoiceIsCredit
                | Self::CreditNoteUsed
                | Self::CreditNoteApplied
                | Self::CreditNoteGone
                | Self::CreditNoteNotApproved
                | Self::CreditOverLeft
                | Self::CreditOverDue
                | Self::CreditOfAnotherClient
                | Self::AlreadyPaid
                | Self::RefundOverPaid
        )
    }

    /// Whether an invoice does not accept a payment because of its status or the amount due.
    pub const fn is_about_the_amount_due(self) -> bool {
        matches!(self, Self::AmountOverDue | Self::InvoiceNotApproved)
    }
}

/// A cause is stored by its code.
impl Serialize for FailureCause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.stable_code())
    }
}
