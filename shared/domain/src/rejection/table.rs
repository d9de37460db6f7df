//! Every sentence with which Xero is known to reject a document, and what a person can do about it.
//!
//! To review a row, read the sentence as Xero writes it, then the remedy. `*` stands for any text
//! or none: a name, a number, a code, a date. Case, quotation marks, spaces, the headline "A
//! validation exception occurred" and any text after the sentence are ignored. If two rows match,
//! the one that matches from the beginning of the sentence takes precedence, and then the first: a
//! more specific sentence stands above a more general one.

mod sentence;

pub(super) use self::sentence::KnownSentence;
use self::sentence::{cause_sentence, final_sentence, known_sentence};
use crate::failure::FailureCause;

/// The known sentences.
pub(super) const KNOWN: &[KnownSentence] = &[
    // Contacts: names and numbers.
    cause_sentence(
        "contact name * already assigned to another contact",
        FailureCause::ContactNameTaken,
        "Search for the contact and link it to the client, or rename one of the two.",
    ),
    cause_sentence(
        "contact name * already exists",
        FailureCause::ContactNameTaken,
        "Search for the contact and link it to the client, or rename one of the two.",
    ),
    cause_sentence(
        "contact name * must be unique",
        FailureCause::ContactNameTaken,
        "Search for the contact and link it to the client, or rename one of the two.",
    ),
    cause_sentence(
        "contact * with * name already exists",
        FailureCause::ContactNameTaken,
        "Search for the contact and link it to the client, or rename one of the two.",
    ),
    cause_sentence(
        "contact number * already assigned to another contact",
        FailureCause::ContactNumberTaken,
        "Search for the contact that holds the number and link it to the client.",
    ),
    cause_sentence(
        "contact number * already exists",
        FailureCause::ContactNumberTaken,
        "Search for the contact that holds the number and link it to the client.",
    ),
    cause_sentence(
        "contact number * must be unique",
        FailureCause::ContactNumberTaken,
        "Search for the contact that holds the number and link it to the client.",
    ),
    known_sentence(
        "account number * already exists",
        "account_number_taken",
        "Change the account number of one of the two contacts in Xero, then retry.",
    ),
    final_sentence(
        "contact name cannot be empty",
        "contact_name_missing",
        "Give the client a name.",
    ),
    final_sentence(
        "contact must contain at least * of the following elements to identify the contact",
        "contact_unidentified",
        "Give the client a name, then sync it again.",
    ),
    known_sentence(
        "contact must be specified for this type of transaction",
        "contact_not_specified",
        "Sync the client first, then retry.",
    ),
    cause_sentence(
        "merged into another contact",
        FailureCause::ContactMerged,
        "No action is needed: the next attempt uses the contact it was merged into.",
    ),
    cause_sentence(
        "unable to assign an archived contact",
        FailureCause::ContactArchived,
        "Restore the contact in Xero, or link the client to another contact.",
    ),
    cause_sentence(
        "contact * archived",
        FailureCause::ContactArchived,
        "Restore the contact in Xero, or link the client to another contact.",
    ),
    cause_sentence(
        "archived contact",
        FailureCause::ContactArchived,
        "Restore the contact in Xero, or link the client to another contact.",
    ),
    cause_sentence(
        "email address * must be valid",
        FailureCause::EmailInvalid,
        "Correct the client's e-mail address.",
    ),
    known_sentence(
        "url must be a valid absolute url",
        "link_invalid",
        "This is a fault in the integration's settings, not in your books. If this persists, contact support.",
    ),
    // Accounts and tax.
    cause_sentence(
        "account code * has been archived, or has been deleted",
        FailureCause::AccountCodeArchived,
        "Choose another account in Settings > Billing > Payment Settings, or restore this one in Xero's chart of accounts, then retry.",
    ),
    cause_sentence(
        "account code * is not a valid code for this document",
        FailureCause::AccountCodeUnknown,
        "Choose an account that Xero accepts for sales in Settings > Billing > Payment Settings.",
    ),
    cause_sentence(
        "account code must be specified",
        FailureCause::AccountCodeMissing,
        "Choose an account in Settings > Billing > Payment Settings.",
    ),
    cause_sentence(
        "account * must be valid",
        FailureCause::AccountInvalid,
        "Choose another account in Settings > Billing > Payment Settings.",
    ),
    cause_sentence(
        "account * have payments enabled",
        FailureCause::AccountTakesNoPayments,
        "Enable payments to the account in Xero, then retry, or choose another in Settings > Billing > Payment Settings.",
    ),
    cause_sentence(
        "taxtype code * cannot be used with account code",
        FailureCause::TaxTypeNotAllowed,
        "Choose a tax rate that may be used with this account, or another account.",
    ),
    cause_sentence(
        "taxtype code * does not exist or cannot be used for this type of transaction",
        FailureCause::TaxTypeUnknown,
        "Choose a tax rate of the organisation that applies to sales, or add this one in Xero, then retry.",
    ),
    cause_sentence(
        "tax rate * must be valid",
        FailureCause::TaxRateInvalid,
        "Choose a tax rate that is active in Xero.",
    ),
    // Currencies and dates.
    known_sentence(
        "users organisation is not subscribed to currency",
        "currency_not_subscribed",
        "Add the currency to the organisation in Xero, then retry.",
    ),
    known_sentence(
        "not subscribed to currency",
        "currency_not_enabled",
        "Add the currency to the organisation in Xero, then retry.",
    ),
    known_sentence(
        "document date cannot be before the end of year lock date",
        "year_locked",
        "Move the end of year lock date in Xero (this requires an adviser), then retry, or give the document a later date. A payment is never changed: delete it and record a new one with that date.",
    ),
    known_sentence(
        "lock date",
        "period_locked",
        "Move the lock date in Xero, then retry, or give the document a date in an open period. A payment is never changed: delete it and record a new one with that date.",
    ),
    final_sentence(
        "document duedate field must be specified",
        "due_date_missing",
        "Give the document a due date.",
    ),
    final_sentence(
        "due date must be specified",
        "due_date_missing",
        "Give the document a due date.",
    ),
    final_sentence("date field must be specified", "date_missing", "Give the document a date."),
    // Invoices and credit notes.
    cause_sentence(
        "invoice # * must be unique",
        FailureCause::NumberTaken,
        "Another document in Xero has this number. Change the number of one of the two.",
    ),
    cause_sentence(
        "credit note # * must be unique",
        FailureCause::NumberTaken,
        "Another document in Xero has this number. Change the number of one of the two.",
    ),
    cause_sentence(
        "# must be unique",
        FailureCause::NumberTaken,
        "Another document in Xero has this number. Change the number of one of the two.",
    ),
    cause_sentence(
        "cannot be edited as it has a payment or credit note allocated",
        FailureCause::DocumentHasPayments,
        "Xero keeps the lines of a paid document. Remove the payment or credit in Xero: the change is then sent automatically. Or issue a credit note and a new invoice.",
    ),
    cause_sentence(
        "status voided cannot be applied * because it has payments or credit notes allocated",
        FailureCause::VoidHasPayments,
        "Remove the payments and credits from the document in Xero. It is then voided automatically.",
    ),
    cause_sentence(
        "because it has payments or credit notes allocated",
        FailureCause::VoidHasPayments,
        "Remove the payments and credits from the document in Xero. It is then voided automatically.",
    ),
    cause_sentence(
        "not of valid status for modification",
        FailureCause::DocumentClosed,
        "It was paid, voided or deleted in Xero. Remove its payments and credits there: the change is then sent automatically. Or create a new copy with Sync now.",
    ),
    known_sentence(
        "not of valid status for creation",
        "document_status_invalid",
        "Retry; if it fails again, contact support.",
    ),
    final_sentence(
        "not of valid type for creation",
        "document_type_invalid",
        "This is a fault in the integration, not in your books. Contact support.",
    ),
    final_sentence(
        "only authorised invoices may have senttocontact updated",
        "not_approved_to_send",
        "Approve the invoice in Xero, then mark it as sent there.",
    ),
    known_sentence(
        "document with the supplied id * was not found for this endpoint",
        "document_not_found",
        "Check whether the document was removed in Xero, or whether another organisation is connected.",
    ),
    known_sentence(
        "existing credit note with the specified creditnoteid * could not be found",
        "credit_note_not_found",
        "Check whether the credit note was removed in Xero, or whether another organisation is connected.",
    ),
    known_sentence(
        "limit of * invoices you can approve",
        "plan_limit",
        "The organisation's Xero plan allows no more approved invoices this month. Upgrade the plan in Xero, or retry next month.",
    ),
    final_sentence(
        "line total * does not match the expected line total",
        "line_total_differs",
        "Check quantity, price and discount of the line.",
    ),
    final_sentence(
        "one or more line items must be specified",
        "lines_missing",
        "Add a line to the document.",
    ),
    final_sentence(
        "discount must not be greater than the line total",
        "discount_over_line",
        "Make the discount smaller than the line's amount, or enter the credit as a separate line.",
    ),
    // Credit and payments.
    cause_sentence(
        "because it has been allocated or refunded",
        FailureCause::CreditNoteUsed,
        "Remove the credit from its invoices and delete its refunds in Xero. The credit note is then voided automatically.",
    ),
    cause_sentence(
        "cannot be allocated as amount is greater than amount outstanding",
        FailureCause::CreditOverDue,
        "Check in Xero how much credit is left and how much is due on the invoice. If this credit is already applied, choose Never send.",
    ),
    cause_sentence(
        "invoice you are trying to allocate to has already been paid off",
        FailureCause::AlreadyPaid,
        "Check in Xero what paid the invoice. If it was this credit, choose Never send.",
    ),
    final_sentence(
        "cannot be allocated to an incorrect invoice type",
        "allocation_type_differs",
        "A customer's credit can only be applied to a sales invoice. Check in Xero which document has the invoice's number.",
    ),
    cause_sentence(
        "exceeds the amount outstanding",
        FailureCause::AmountOverDue,
        "Check in Xero what was already paid on the invoice. If this payment is already there, choose Never send.",
    ),
    cause_sentence(
        "payments can only be made against authorised documents",
        FailureCause::InvoiceNotApproved,
        "Approve the invoice in Xero: the payment is then sent automatically. If this payment is already there, choose Never send.",
    ),
    cause_sentence(
        "payments within a batch cannot be deleted",
        FailureCause::PaymentInBatch,
        "Remove the batch payment in Xero: the removal of this payment is then recorded automatically, usually within a day. Or choose Never send.",
    ),
    cause_sentence(
        "reconciled",
        FailureCause::PaymentReconciled,
        "Undo the reconciliation in Xero: the change is then made automatically, usually within a day. Or choose Never send.",
    ),
];
