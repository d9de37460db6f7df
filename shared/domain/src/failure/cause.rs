//! Causes of failures: decisions depend on them, never on codes.

use serde::{Serialize, Serializer};

use crate::variants::named_variants;

named_variants! {
    /// The cause of a failure on which a decision depends.
    ///
    /// A cause is chosen where the facts are known, together with the class. Rows hold it beside
    /// the code, by the same name.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum FailureCause {
        /// The consent does not cover a call.
        PermissionMissing = "permission_missing",
        /// Xero did not respond.
        XeroSilent = "xero_silent",
        /// Xero had an internal error.
        XeroFaulty = "xero_faulty",
        /// Xero is offline for maintenance.
        XeroMaintenance = "xero_maintenance",
        /// Xero accepts no calls for another reason.
        XeroUnavailable = "xero_unavailable",
        /// No request reached Xero.
        XeroUnreachable = "xero_unreachable",
        /// Xero has taken the organisation offline.
        OrganisationOffline = "organisation_offline",
        /// No account is chosen for a purpose that needs one.
        AccountCodeNotChosen = "account_code_not_chosen",
        /// Xero requires an account, and none was named.
        AccountCodeMissing = "account_code_missing",
        /// The account is not in Xero's chart, or Xero does not accept it for the document.
        AccountCodeUnknown = "account_code_unknown",
        /// The account is archived in Xero.
        AccountCodeArchived = "account_code_archived",
        /// The account is a bank account, which cannot be used for sales.
        AccountCodeBank = "account_code_bank",
        /// Xero does not accept the account.
        AccountInvalid = "account_invalid",
        /// The account does not accept payments.
        AccountTakesNoPayments = "account_takes_no_payments",
        /// Xero has no tax rate for the rate of a line.
        TaxRateUnknown = "tax_rate_unknown",
        /// Xero has several tax rates for the rate of a line.
        TaxRateAmbiguous = "tax_rate_ambiguous",
        /// Xero does not accept the tax rate.
        TaxRateInvalid = "tax_rate_invalid",
        /// The tax type does not exist in Xero, or does not apply to sales.
        TaxTypeUnknown = "tax_type_unknown",
        /// The chosen tax type is no longer usable in Xero.
        TaxTypeUnusable = "tax_type_unusable",
        /// The tax type may not be used with the account.
        TaxTypeNotAllowed = "tax_type_not_allowed",
        /// Another contact has the name.
        ContactNameTaken = "contact_name_taken",
        /// Another contact has the contact number.
        ContactNumberTaken = "contact_number_taken",
        /// Another document has the number.
        NumberTaken = "number_taken",
        /// Xero does not accept the e-mail address of a contact.
        EmailInvalid = "email_invalid",
        /// Xero accepts further persons of a contact only if the contact has an e-mail address.
        PrimaryEmailMissing = "primary_email_missing",
        /// The contact is archived in Xero.
        ContactArchived = "contact_archived",
        /// The contact was merged into another one in Xero.
        ContactMerged = "contact_merged",
        /// The payment is larger than the amount due.
        AmountOverDue = "amount_over_due",
        /// The invoice is not approved in Xero, so it accepts no payments.
        InvoiceNotApproved = "invoice_not_approved",
        /// Another record that must be in Xero first is not there yet.
        PrerequisiteNotInXero = "prerequisite_not_in_xero",
        /// Xero has a payment that may be this one, and a user must decide whether it is.
        PaymentUnclear = "payment_unclear",
        /// Xero does not change the lines of a document that has payments or credits.
        DocumentHasPayments = "document_has_payments",
        /// Xero does not void a document that has payments or credits.
        VoidHasPayments = "void_has_payments",
        /// Xero does not change a document that is paid, voided or deleted.
        DocumentClosed = "document_closed",
        /// The change of an invoice is not possible while it has payments or credits.
        InvoiceHasPayments = "invoice_has_payments",
        /// The client of an invoice cannot change while a credit note is applied to it.
        InvoiceHasCredit = "invoice_has_credit",
        /// The invoice was voided or deleted in Xero.
        InvoiceGone = "invoice_gone",
        /// The invoice has a negative total, so it is a credit note in Xero.
        InvoiceIsCredit = "invoice_is_credit",
        /// Xero does not void a credit note that is applied or paid back.
        CreditNoteUsed = "credit_note_used",
        /// Xero does not change a credit note that is applied or paid back.
        CreditNoteApplied = "credit_note_applied",
        /// The credit note was voided or deleted in Xero.
        CreditNoteGone = "credit_note_gone",
        /// The credit note is not approved in Xero, so its credit cannot be applied.
        CreditNoteNotApproved = "credit_note_not_approved",
        /// The credit is larger than what is left of its credit note.
        CreditOverLeft = "credit_over_left",
        /// The credit is larger than the amount due.
        CreditOverDue = "credit_over_due",
        /// The credit note and the invoice belong to different contacts.
        CreditOfAnotherClient = "credit_of_another_client",
        /// Nothing is due on the invoice.
        AlreadyPaid = "already_paid",
        /// The refunds of an invoice exceed what was paid on it.
        RefundOverPaid = "refund_over_paid",
        /// Xero does not remove a payment that is reconciled with the bank statement.
        PaymentReconciled = "payment_reconciled",
        /// Xero does not remove a single payment of a batch payment.
        PaymentInBatch = "payment_in_batch",
        /// Xero did not show a document. Only a later attempt may confirm that it is gone.
        DocumentNotShown = "document_not_shown",
        /// The stored tokens of a connection could not be read.
        TokenStoreUnavailable = "token_store_unavailable",
    }

    /// The code that a failure with this cause is stored and shown with.
    pub const fn stable_code(self) -> &'static str;

    /// The cause with this code; `None` for a code that no decision depends on. Only rows are read
    /// with it: a new failure is made with its cause.
    pub(super) fn from_code(name: &str) -> Option<Self>;
}

impl FailureCause {
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
                | Self::PaymentReconciled
                | Self::PaymentInBatch
        )
    }

    /// Whether Xero does not remove a payment that is reconciled or part of a batch payment.
    pub const fn is_about_a_kept_payment(self) -> bool {
        matches!(self, Self::PaymentReconciled | Self::PaymentInBatch)
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
