//! Refusals of changes because a document has payments or credits, or was voided or deleted.

use domain::rejection;
use xero::XeroError;

/// The codes of refusals because of payments, credits or the status of a document.
const CLOSED_CODES: [&str; 2] = ["document_has_payments", "document_closed"];

/// Returns whether Xero refused a change because of payments, credits or the document's status.
pub(super) fn is_about_closed_document(error: &XeroError) -> bool {
    let XeroError::Rejected { messages } = error else { return false };
    let code = rejection::explain_rejection(messages).code;
    CLOSED_CODES.iter().any(|closed| code == *closed)
}
