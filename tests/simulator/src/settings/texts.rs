//! Xero's messages for cases without a recording.

/// Messages whose exact words are not known; their meaning is.
#[derive(Clone, Debug)]
pub struct Texts {
    /// An archived contact on a document, as the support pages of other integrations quote it.
    pub archived_contact: String,
    /// A merged contact that is to be restored.
    pub merged_contact: String,
    /// An unknown contact id.
    pub unknown_contact: String,
    /// An unknown invoice id inside a body.
    pub unknown_invoice: String,
    /// An approved invoice without a due date.
    pub missing_due_date: String,
    /// An approved document or an allocation without a date, if a date is required (xeroizer#290).
    pub missing_date: String,
    /// A contact's name with leading, trailing or repeated spaces.
    pub untidy_name: String,
    /// A contact's name with a character that Xero's page forbids.
    pub angle_bracket: String,
    /// A locked date; which lock and its date are appended.
    pub locked: String,
    /// An invoice that cannot be sent by e-mail: its status, a contact without an address, or too
    /// many in a day.
    pub email_refused: String,
    /// A payment that names none or several of the possible documents.
    pub payment_target: String,
    /// An account that does not accept payments.
    pub payment_account: String,
    /// A payment of zero or less.
    pub payment_amount: String,
    /// An account in a currency that is neither the document's nor the base currency.
    pub payment_currency: String,
    /// A change of a payment other than its deletion.
    pub payment_fixed: String,
    /// The deletion of a payment that is already deleted.
    pub payment_deleted: String,
    /// The deletion of a reconciled payment.
    pub payment_reconciled: String,
    /// An unknown payment id inside a body.
    pub unknown_payment: String,
    /// A bank transaction without an active bank account.
    pub bank_account: String,
    /// A bank transaction of zero or less.
    pub transaction_total: String,
    /// A bank transaction in a currency that is not its account's.
    pub transaction_currency: String,
    /// A change of a bank transaction that is deleted.
    pub transaction_deleted: String,
    /// An unknown bank transaction id inside a body.
    pub unknown_transaction: String,
    /// A change of a bank transaction that is an overpayment or prepayment.
    pub deposit_fixed: String,
    /// The deletion of an overpayment or prepayment that has been used.
    pub deposit_used: String,
    /// An unknown credit id inside a body.
    pub unknown_credit: String,
    /// A credit whose status does not allow allocations.
    pub credit_not_open: String,
    /// An allocation to another contact's invoice.
    pub allocation_contact: String,
    /// An allocation to an invoice in another currency.
    pub allocation_currency: String,
    /// An allocation to an invoice that is not approved, or is cancelled.
    pub allocation_invoice: String,
    /// An allocation of zero or less.
    pub allocation_amount: String,
    /// A credit note number that is in use.
    pub credit_note_number: String,
    /// A status that a new credit note cannot have.
    pub credit_note_creation: String,
    /// A change of a credit note that its status does not allow.
    pub credit_note_modification: String,
    /// A void of a credit note that has been used.
    pub credit_note_void_refused: String,
    /// A discount on a document that does not support it.
    pub no_discounts: String,
    /// A tax amount above the line's unit amount.
    pub tax_too_large: String,
    /// A body of 429.
    pub too_many_calls: String,
}

/// Xero's message for an unknown id, from its examples.
const NOT_FOUND: &str = "The document with the supplied id was not found for this endpoint.";

impl Default for Texts {
    fn default() -> Self {
        Self {
            archived_contact: "The contact with the specified contact details has been archived. \
                               The contact must be un-archived before creating new invoices or \
                               credit notes."
                .to_owned(),
            merged_contact: "The contact has been merged into another contact.".to_owned(),
            unknown_contact: "The contact could not be found.".to_owned(),
            unknown_invoice: NOT_FOUND.to_owned(),
            missing_due_date: "The document DueDate field must be specified.".to_owned(),
            missing_date: "The Date field must be specified.".to_owned(),
            untidy_name: "Contact Name cannot contain leading, trailing or repeated spaces."
                .to_owned(),
            angle_bracket: "Contact Name cannot contain the characters < or >.".to_owned(),
            locked: "The document date cannot be before the".to_owned(),
            email_refused: "The invoice cannot be sent by email.".to_owned(),
            payment_target:
                "A payment must be for exactly one invoice, credit note, prepayment or \
                             overpayment."
                    .to_owned(),
            payment_account: "Account type is invalid for making a payment to/from".to_owned(),
            payment_amount: "Payment amount must be greater than zero.".to_owned(),
            payment_currency: "The account's currency does not suit the document's currency."
                .to_owned(),
            payment_fixed: "Payments cannot be modified, only deleted.".to_owned(),
            payment_deleted: "The payment has been deleted.".to_owned(),
            payment_reconciled: "The payment has been reconciled and cannot be deleted.".to_owned(),
            unknown_payment: NOT_FOUND.to_owned(),
            bank_account: "The bank account must be an active account of the type BANK.".to_owned(),
            transaction_total: "The total of a bank transaction must be greater than zero."
                .to_owned(),
            transaction_currency: "The currency of a bank transaction is that of its account."
                .to_owned(),
            transaction_deleted: "The bank transaction has been deleted.".to_owned(),
            unknown_transaction: NOT_FOUND.to_owned(),
            deposit_fixed: "An overpayment or prepayment cannot be modified, only deleted."
                .to_owned(),
            deposit_used: "An overpayment or prepayment that has been used cannot be deleted."
                .to_owned(),
            unknown_credit: "The credit could not be found.".to_owned(),
            credit_not_open: "Only an authorised credit can be allocated.".to_owned(),
            allocation_contact: "The invoice and the credit must have the same contact.".to_owned(),
            allocation_currency: "The invoice and the credit must have the same currency."
                .to_owned(),
            allocation_invoice: "The invoice you are trying to allocate to is not authorised."
                .to_owned(),
            allocation_amount: "The amount of an allocation must be greater than zero.".to_owned(),
            credit_note_number: "Credit Note # must be unique.".to_owned(),
            credit_note_creation: "Credit Note not of valid status for creation".to_owned(),
            credit_note_modification: "Credit Note not of valid status for modification".to_owned(),
            credit_note_void_refused: "The status VOIDED cannot be applied to the credit note \
                                       because it has been allocated or refunded."
                .to_owned(),
            no_discounts: "Discounts are not supported on this document.".to_owned(),
            tax_too_large: "Tax amount must not be greater than the unit amount.".to_owned(),
            too_many_calls: "Too many calls. Wait and try again.".to_owned(),
        }
    }
}
