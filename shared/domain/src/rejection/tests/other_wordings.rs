//! Tests of sentences that Xero words in several ways.

use super::explained;
use crate::failure::{FailureCause, FailureClass};
use crate::rejection::{find_cause, is_about_something_taken};

#[test]
fn other_wordings_and_other_names_are_known_too() {
    for (message, code) in [
        (
            "The Contact Name already exists. Please enter a different Contact Name.",
            "contact_name_taken",
        ),
        ("The contact name \"O'Brien\" already exists", "contact_name_taken"),
        ("A contact with this name already exists.", "contact_name_taken"),
        (
            "The contact number SC-1 is already assigned to another contact. The contact number must be unique across all active contacts.",
            "contact_number_taken",
        ),
        ("Credit Note # must be unique.", "number_taken"),
        ("The document date cannot be before the period lock date 31 March 2025", "period_locked"),
        ("Organisation is not subscribed to currency SEK", "currency_not_enabled"),
        ("Credit Note not of valid status for modification", "document_closed"),
        ("Overpayment not of valid status for modification", "document_closed"),
        ("Prepayment not of valid status for modification", "document_closed"),
        ("Account code ‘4-1000’ is not a valid code for this document", "account_code_unknown"),
        ("Discount must not be greater than the line total.", "discount_over_line"),
        (
            "The specified contact details matched an archived contact. Archived contacts cannot currently be edited via the API.",
            "contact_archived",
        ),
        (
            "The contact with the specified contact details has been archived. The contact must be un-archived before creating new invoices or credit notes.",
            "contact_archived",
        ),
        ("The status 'ARCHIVED' is not valid for contacts.", "contact_archived"),
        ("Website is invalid", "contact_website_invalid"),
        ("Account could not be found", "account_code_unknown"),
        ("The account code or ID must be specified", "account_code_missing"),
        ("Account type is invalid for making a payment to/from", "account_takes_no_payments"),
        ("Item code 'PIPE-15' is not valid", "item_code_invalid"),
        ("Item Code is invalid.", "item_code_invalid"),
        (
            "Date cannot be changed on an invoice that has payment or credit notes allocated to it.",
            "document_has_payments",
        ),
        (
            "An existing Invoice with the specified InvoiceID could not be found",
            "invoice_not_found",
        ),
        ("Payment not of valid status for modification", "payment_status_invalid"),
        ("Payment amount exceeds the amount due on this invoice", "amount_over_due"),
    ] {
        assert_eq!(explained(message).code, code, "{message}");
    }
}

#[test]
fn what_another_contact_has_is_searched_for_whichever_words_xero_uses() {
    for (message, cause) in [
        (
            "Another contact has this contact number. Please enter a different contact number.",
            FailureCause::ContactNumberTaken,
        ),
        (
            "The existing contact with name \"Ridge\" cannot be updated to use new name \"Summit\". There is an existing contact with that name.",
            FailureCause::ContactNameTaken,
        ),
    ] {
        assert_eq!(find_cause(message), Some(cause), "{message}");
        assert!(is_about_something_taken(message), "{message}");
    }
}

#[test]
fn a_payment_that_was_removed_meanwhile_is_tried_again_and_no_document_is_blamed() {
    let failure = explained("Payment not of valid status for modification");
    assert_eq!((failure.class, failure.cause), (FailureClass::Rejected, None));
    let failure = explained("Credit Note not of valid status for modification");
    assert_eq!(failure.cause, Some(FailureCause::DocumentClosed));
}
