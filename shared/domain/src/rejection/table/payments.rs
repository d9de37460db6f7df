//! Sentences about credit and payments.

use super::sentence::{KnownSentence, cause_sentence, final_sentence};
use crate::failure::FailureCause;

/// The known sentences about credit and payments.
pub(super) const ABOUT_PAYMENTS: &[KnownSentence] = &[
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
        "payment amount exceeds the amount due",
        FailureCause::AmountOverDue,
        "Check in Xero what was already paid on the invoice. If this payment is already there, choose Never send.",
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
