//! Sentences about invoices and credit notes.

use super::sentence::{KnownSentence, cause_sentence, final_sentence, known_sentence};
use crate::failure::FailureCause;

/// The remedy for a document that Xero no longer changes.
const CLOSED: &str = "It was paid, voided or deleted in Xero. Remove its payments and credits there: the change is then sent automatically. Or create a new copy with Sync now.";

/// The known sentences about invoices and credit notes.
pub(super) const ABOUT_DOCUMENTS: &[KnownSentence] = &[
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
        "date cannot be changed on an invoice that has payment",
        FailureCause::DocumentHasPayments,
        "Xero keeps the lines of a paid document. Remove the payment or credit in Xero: the change is then sent automatically. Or issue a credit note and a new invoice.",
    ),
    cause_sentence(
        "status voided cannot be applied * because it has payment * or credit notes allocated",
        FailureCause::VoidHasPayments,
        "Remove the payments and credits from the document in Xero. It is then voided automatically.",
    ),
    cause_sentence(
        "because it has payment * or credit notes allocated",
        FailureCause::VoidHasPayments,
        "Remove the payments and credits from the document in Xero. It is then voided automatically.",
    ),
    cause_sentence(
        "overpayment not of valid status for modification",
        FailureCause::DocumentClosed,
        CLOSED,
    ),
    cause_sentence(
        "prepayment not of valid status for modification",
        FailureCause::DocumentClosed,
        CLOSED,
    ),
    known_sentence(
        "payment not of valid status for modification",
        "payment_status_invalid",
        "No action is needed: the next attempt reads the payment in Xero first.",
    ),
    cause_sentence("not of valid status for modification", FailureCause::DocumentClosed, CLOSED),
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
        "existing invoice with the specified invoiceid * could not be found",
        "invoice_not_found",
        "Check whether the invoice was removed in Xero, or whether another organisation is connected.",
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
];
