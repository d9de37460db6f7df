//! Xero's refusals in plain words: which rule was broken and who can mend it.
//!
//! Xero explains a refused document in English sentences without codes. The known ones are
//! recognised by a part that does not vary; all others are passed on word for word, because Xero's
//! own sentence is better than none.

use crate::failure::{Failure, FailureClass};

/// One family of Xero's messages.
struct Known {
    /// A part of the message, lower case.
    part: &'static str,
    code: &'static str,
    remedy: &'static str,
}

/// The first match wins, so the more special parts come first.
const KNOWN: [Known; 28] = [
    Known {
        part: "has been archived, or has been deleted",
        code: "account_code_archived",
        remedy: "Choose another account in Settings > Billing > Payment Settings, or restore this one in Xero's chart of accounts.",
    },
    Known {
        part: "is not a valid code for this document",
        code: "account_code_unknown",
        remedy: "Choose an account that Xero accepts for sales in Settings > Billing > Payment Settings.",
    },
    Known {
        part: "cannot be used with account code",
        code: "tax_type_not_allowed",
        remedy: "Choose a tax rate that may be used with this account, or another account.",
    },
    Known {
        part: "not subscribed to currency",
        code: "currency_not_enabled",
        remedy: "Add the currency to the organisation in Xero, then retry.",
    },
    Known {
        part: "because it has been allocated or refunded",
        code: "credit_note_used",
        remedy: "Take the credit back from its invoices first; the note follows by itself.",
    },
    Known {
        part: "greater than amount outstanding",
        code: "credit_over_due",
        remedy: "Check in Xero what is left of the credit and due on the invoice. If this is the same credit, choose Never send.",
    },
    Known {
        part: "has already been paid off",
        code: "already_paid",
        remedy: "Check in Xero what paid the invoice. If this is the same credit, choose Never send.",
    },
    Known {
        part: "exceeds the amount outstanding",
        code: "amount_over_due",
        remedy: "Check in Xero what was paid on the invoice already. If this is the same money, choose Never send.",
    },
    Known {
        part: "against authorised documents",
        code: "invoice_not_approved",
        remedy: "Approve the invoice in Xero, then retry. If it is paid there already by this money, choose Never send.",
    },
    Known {
        part: "within a batch",
        code: "payment_in_batch",
        remedy: "Remove the whole batch payment in Xero, or choose Never send.",
    },
    Known {
        part: "reconciled",
        code: "payment_reconciled",
        remedy: "Undo the reconciliation in Xero, then retry; or choose Never send.",
    },
    Known {
        part: "not have payments enabled",
        code: "account_takes_no_payments",
        remedy: "Enable payments to the account in Xero, or choose another in Settings > Billing > Payment Settings.",
    },
    Known {
        part: "lock date",
        code: "period_locked",
        remedy: "Move the lock date in Xero, or give the document a date in an open period.",
    },
    Known {
        part: "has a payment or credit note allocated",
        code: "document_has_payments",
        remedy: "Xero keeps the lines of a paid document. Remove the payment or credit in Xero, or issue a credit note and a new invoice.",
    },
    Known {
        part: "because it has payments or credit notes allocated",
        code: "document_has_payments",
        remedy: "Remove the payments and credits from the invoice in Xero first, then retry.",
    },
    Known {
        part: "not of valid status for modification",
        code: "document_closed",
        remedy: "The document was paid, voided or deleted in Xero and can no longer be changed there.",
    },
    Known {
        part: "not of valid status for creation",
        code: "document_status_invalid",
        remedy: "Retry; if it fails again, contact support.",
    },
    Known {
        part: "limit of invoices you can approve",
        code: "plan_limit",
        remedy: "The organisation's Xero plan allows no more approved invoices this month. Upgrade the plan in Xero, or retry next month.",
    },
    Known {
        part: "contact name cannot be empty",
        code: "contact_name_missing",
        remedy: "Give the client a name.",
    },
    Known {
        part: "email address must be valid",
        code: "email_invalid",
        remedy: "Correct the client's e-mail address.",
    },
    Known {
        part: "contact name",
        code: "contact_name_taken",
        remedy: "Search for the contact and link it to the client, or rename one of the two.",
    },
    Known {
        part: "contact number",
        code: "contact_number_taken",
        remedy: "Search for the contact that holds the number and link it to the client.",
    },
    Known {
        part: "account number already exists",
        code: "account_number_taken",
        remedy: "Change the account number of one of the two contacts in Xero.",
    },
    Known {
        part: "merged into another contact",
        code: "contact_merged",
        remedy: "Nothing is needed: the next attempt goes to the contact it was merged into.",
    },
    Known {
        part: "archived",
        code: "contact_archived",
        remedy: "Restore the contact in Xero, or link the client to another contact.",
    },
    Known {
        part: "must be unique",
        code: "number_taken",
        remedy: "Another document in Xero has this number. Change the number of one of the two.",
    },
    Known {
        part: "does not match the expected line total",
        code: "line_total_differs",
        remedy: "Check quantity, price and discount of the line.",
    },
    Known {
        part: "one or more line items must be specified",
        code: "lines_missing",
        remedy: "Add a line to the document.",
    },
];

/// Longer refusals are cut: they are shown in a table cell.
const MESSAGE_LIMIT: usize = 600;

/// A refusal by Xero, explained. `messages` are Xero's sentences, in its order; there may be none.
///
/// The class is [`FailureClass::Rejected`].
pub fn explain(messages: &[String]) -> Failure {
    let known = messages.iter().find_map(|message| {
        let lower = message.to_lowercase();
        KNOWN.iter().find(|known| lower.contains(known.part))
    });
    let (code, remedy) = known
        .map_or(("rejected", "Correct this in Xero or in the CRM, then retry."), |known| {
            (known.code, known.remedy)
        });
    Failure::new(FailureClass::Rejected, code, sentence(messages), remedy)
}

fn sentence(messages: &[String]) -> String {
    if messages.is_empty() {
        return "Xero refused the document without giving a reason.".to_owned();
    }
    let mut told: Vec<&str> = Vec::new();
    for message in messages.iter().map(|message| message.trim()) {
        if !message.is_empty() && !told.contains(&message) {
            told.push(message);
        }
    }
    let mut text = format!("Xero refused it: {}", told.join(" "));
    if let Some((cut, _)) = text.char_indices().nth(MESSAGE_LIMIT) {
        text.truncate(cut);
        text.push('…');
    }
    if !text.ends_with(['.', '!', '?', '…']) {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(message: &str) -> Failure {
        explain(&[message.to_owned()])
    }

    #[test]
    fn every_known_refusal_has_its_code_and_a_remedy() {
        let cases = [
            ("Account code '200' is not a valid code for this document.", "account_code_unknown"),
            (
                "Account code '200' has been archived, or has been deleted. Each line item must reference a valid account.",
                "account_code_archived",
            ),
            (
                "The TaxType code 'T' cannot be used with account code '200'.",
                "tax_type_not_allowed",
            ),
            ("Organisation is not subscribed to currency SEK", "currency_not_enabled"),
            (
                "The document date cannot be before the period lock date 31 March 2025",
                "period_locked",
            ),
            (
                "This document cannot be edited as it has a payment or credit note allocated to it.",
                "document_has_payments",
            ),
            ("Invoice not of valid status for modification", "document_closed"),
            ("Invoice # must be unique.", "number_taken"),
            (
                "The contact name A is already assigned to another contact. The contact name must be unique across all active contacts.",
                "contact_name_taken",
            ),
            ("Email address must be valid.", "email_invalid"),
            ("You have reached the limit of invoices you can approve.", "plan_limit"),
        ];
        for (message, code) in cases {
            let failure = explained(message);
            assert_eq!(failure.code, code, "{message}");
            assert!(!failure.remedy.is_empty());
            assert!(failure.message.contains(message), "{failure}");
        }
    }

    #[test]
    fn an_unknown_refusal_is_passed_on_word_for_word() {
        let failure = explained("The moon is in the wrong house");
        assert_eq!(failure.message, "Xero refused it: The moon is in the wrong house.");
        assert_eq!(failure.code, "rejected");
    }

    #[test]
    fn a_refusal_without_words_still_makes_a_sentence() {
        assert_eq!(explain(&[]).message, "Xero refused the document without giving a reason.");
    }

    #[test]
    fn repeated_and_endless_refusals_are_shortened() {
        let same = vec!["Twice.".to_owned(), "Twice.".to_owned()];
        assert_eq!(explain(&same).message, "Xero refused it: Twice.");
        assert!(explained(&"é".repeat(5_000)).message.chars().count() <= MESSAGE_LIMIT + 1);
    }
}
