//! Tests of the table of rejections.

mod other_wordings;

use std::collections::BTreeSet;

use super::*;

fn explained(message: &str) -> Failure {
    explain_rejection(&[message.to_owned()])
}

/// Sentences of the real Xero, from its own examples and from public reports, each with its code in
/// the table.
const SEEN: [(&str, &str); 38] = [
    (
        "The contact name Buzz Lightyear is already assigned to another contact. The contact name must be unique across all active contacts.",
        "contact_name_taken",
    ),
    ("Invoice # must be unique.", "number_taken"),
    ("Payment amount exceeds the amount outstanding on this document", "amount_over_due"),
    (
        "An existing Credit Note with the specified CreditNoteID could not be found",
        "credit_note_not_found",
    ),
    (
        "The Contact must contain at least 1 of the following elements to identify the contact: Name, ContactID, ContactNumber",
        "contact_unidentified",
    ),
    ("The document with the supplied id was not found for this endpoint.", "document_not_found"),
    ("Url must be a valid absolute url", "link_invalid"),
    ("Users Organisation is not subscribed to currency NZD", "currency_not_subscribed"),
    ("Organisation is not subscribed to currency EUR", "currency_not_enabled"),
    ("A Contact must be specified for this type of transaction", "contact_not_specified"),
    ("One or more line items must be specified", "lines_missing"),
    ("Invoice not of valid status for creation", "document_status_invalid"),
    ("Invoice not of valid status for modification", "document_closed"),
    ("Invoice not of valid type for creation", "document_type_invalid"),
    ("Only AUTHORISED invoices may have SentToContact updated.", "not_approved_to_send"),
    ("Email address must be valid", "email_invalid"),
    ("Contact Name cannot be empty.", "contact_name_missing"),
    (
        "The Account Number already exists. Please enter a different Account Number.",
        "account_number_taken",
    ),
    (
        "The document date cannot be before the end of year lock date, currently set at 31-Jul-2013",
        "year_locked",
    ),
    ("The document DueDate field must be specified.", "due_date_missing"),
    ("The Date field must be specified.", "date_missing"),
    ("Account must be valid.", "account_invalid"),
    ("Tax rate must be valid.", "tax_rate_invalid"),
    (
        "The TaxType code GST on Income does not exist or cannot be used for this type of transaction.",
        "tax_type_unknown",
    ),
    (
        "The TaxType code 'GST on Income' cannot be used with account code '60410'.",
        "tax_type_not_allowed",
    ),
    ("Account code must be specified", "account_code_missing"),
    ("Account code '200' is not a valid code for this document.", "account_code_unknown"),
    (
        "Account code '42945235343232' has been archived, or has been deleted. Each line item must reference a valid account.",
        "account_code_archived",
    ),
    ("Payments can only be made against Authorised documents", "invoice_not_approved"),
    (
        "This document cannot be edited as it has a payment or credit note allocated to it.",
        "document_has_payments",
    ),
    ("The invoice you are trying to allocate to has already been paid off", "already_paid"),
    (
        "Credit Note cannot be allocated as amount is greater than amount outstanding",
        "credit_over_due",
    ),
    ("Credit Note cannot be allocated to an incorrect invoice type", "allocation_type_differs"),
    (
        "This Bank Transaction cannot be edited as it has been reconciled with a Bank Statement.",
        "payment_reconciled",
    ),
    ("Payments within a batch cannot be deleted.", "payment_in_batch"),
    (
        "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it.",
        "void_has_payments",
    ),
    ("You have reached the limit of invoices you can approve.", "plan_limit"),
    ("Unable to assign an Archived contact.", "contact_archived"),
];

#[test]
fn every_sentence_that_xero_was_seen_to_say_has_a_code_of_its_own_and_a_remedy() {
    let mut codes = BTreeSet::new();
    for (message, code) in SEEN {
        let failure = explained(message);
        assert_eq!(failure.code, code, "{message}");
        assert!(codes.insert(code), "{code} stands for two sentences");
        assert!(!failure.remedy.is_empty(), "{message}");
        assert!(failure.message.contains(message), "{failure}");
    }
}

/// The codes of the sentences that Xero repeats until a person acts.
const FINAL: [&str; 18] = [
    "amount_over_due",
    "contact_unidentified",
    "lines_missing",
    "document_closed",
    "document_type_invalid",
    "not_approved_to_send",
    "contact_name_missing",
    "due_date_missing",
    "date_missing",
    "invoice_not_approved",
    "document_has_payments",
    "already_paid",
    "credit_over_due",
    "allocation_type_differs",
    "payment_reconciled",
    "payment_in_batch",
    "void_has_payments",
    "credit_note_used",
];

#[test]
fn what_xero_repeats_until_a_person_acts_is_not_retried() {
    let voided = "The status VOIDED cannot be applied to the credit note because it has been allocated or refunded.";
    let seen = SEEN.into_iter().chain([(voided, "credit_note_used")]);
    let mut finals = Vec::new();
    for (message, code) in seen {
        let failure = explained(message);
        let is_final = FINAL.contains(&code);
        let class = if is_final { FailureClass::Untranslatable } else { FailureClass::Rejected };
        assert_eq!(failure.class, class, "{message}");
        finals.extend(is_final.then_some(code));
    }
    assert_eq!(finals, FINAL);
}

#[test]
fn a_reason_that_the_documents_no_longer_show_is_retried_and_every_other_final_one_is_not() {
    for (message, class) in [
        (
            "The invoice you are trying to allocate to has already been paid off",
            FailureClass::Rejected,
        ),
        ("Payments within a batch cannot be deleted.", FailureClass::Untranslatable),
        ("Account code must be specified", FailureClass::Rejected),
    ] {
        let failure = explain_outdated_rejection(&[message.to_owned()]);
        assert_eq!(failure.class, class, "{message}");
        assert_eq!(Failure { class, ..explained(message) }, failure);
    }
}

#[test]
fn case_quotation_marks_spaces_and_what_follows_do_not_matter() {
    for (message, code) in SEEN {
        let without_stop = message.trim_end_matches('.');
        for variant in [
            message.to_uppercase(),
            message.to_lowercase(),
            message.replace('\'', "\""),
            message.replace('\'', "’"),
            message.replace('\'', ""),
            message.replace(' ', "  "),
            message.replace(' ', "\u{a0}"),
            message.replacen(' ', "\r\n\t", 1),
            without_stop.to_owned(),
            format!("{without_stop}."),
            format!("{without_stop} ."),
            format!("{without_stop}. Contact Xero support."),
            format!(" {message} (line 3)"),
            format!("Line 3: {message}"),
            format!("A validation exception occurred: {message}"),
            format!("A validation exception occurred. {message}"),
            format!("a Validation Exception occurred -  {message}"),
        ] {
            assert_eq!(explained(&variant).code, code, "{variant}");
            assert!(is_known(&variant), "{variant}");
        }
    }
}

#[test]
fn ids_numbers_names_and_dates_inside_a_sentence_do_not_matter() {
    for (message, code) in [
        ("Invoice #INV-0042 must be unique.", "number_taken"),
        ("Invoice # INV-0042 must be unique", "number_taken"),
        ("Credit Note #CN-7 must be unique.", "number_taken"),
        (
            "Payment amount 120.50 exceeds the amount outstanding on this document",
            "amount_over_due",
        ),
        (
            "An existing Credit Note with the specified CreditNoteID 99ea7f6b-c513-4066-bc27-b7c65dcd76c2 could not be found",
            "credit_note_not_found",
        ),
        (
            "The document with the supplied id 99ea7f6b-c513-4066-bc27-b7c65dcd76c2 was not found for this endpoint.",
            "document_not_found",
        ),
        (
            "The Contact must contain at least one of the following elements to identify the contact: Name, ContactID",
            "contact_unidentified",
        ),
        ("Users Organisation is not subscribed to currency usd", "currency_not_subscribed"),
        (
            "The Account Number 'AC-17' already exists. Please enter a different Account Number.",
            "account_number_taken",
        ),
        (
            "The document date cannot be before the end of year lock date, currently set at 31 March 2026.",
            "year_locked",
        ),
        ("Account '092' must be valid.", "account_invalid"),
        ("Tax rate 'OUTPUT9' must be valid.", "tax_rate_invalid"),
        ("Email address 'ap@ridge' must be valid", "email_invalid"),
        (
            "The TaxType code OUTPUT2 does not exist or cannot be used for this type of transaction.",
            "tax_type_unknown",
        ),
        (
            "The TaxType code 'OUTPUT2' cannot be used with account code '4-1000'.",
            "tax_type_not_allowed",
        ),
        ("Account code '' is not a valid code for this document.", "account_code_unknown"),
        (
            "Account code '7' has been archived, or has been deleted. Each line item must reference a valid account.",
            "account_code_archived",
        ),
        (
            "The status VOIDED cannot be applied to the invoice INV-0042 because it has payments or credit notes allocated to it.",
            "void_has_payments",
        ),
        ("You have reached the limit of 20 invoices you can approve.", "plan_limit"),
        (
            "Credit Note CN-7 cannot be allocated as amount is greater than amount outstanding",
            "credit_over_due",
        ),
    ] {
        assert_eq!(explained(message).code, code, "{message}");
    }
}

#[test]
fn the_headline_of_a_validation_error_explains_nothing() {
    for headline in ["A validation exception occurred", "A validation exception occurred."] {
        assert_eq!(explained(headline).code, UNKNOWN, "{headline}");
    }
}

#[test]
fn the_name_of_a_contact_does_not_pass_for_a_sentence() {
    for name in [
        "Archived Contact Ltd",
        "Lock Date Services",
        "Email address must be valid",
        "Reconciled",
        "Invoice # must be unique",
    ] {
        let message = format!(
            "The contact name {name} is already assigned to another contact. The contact name must be unique across all active contacts."
        );
        assert_eq!(explained(&message).code, "contact_name_taken", "{message}");
        let headed = format!("A validation exception occurred: {message}");
        assert_eq!(explained(&headed).code, "contact_name_taken", "{headed}");
    }
}

#[test]
fn a_taken_name_is_distinguished_from_every_other_refusal() {
    let taken = SEEN.iter().filter(|(message, _)| is_about_something_taken(message));
    let codes = taken.map(|(_, code)| *code).collect::<Vec<_>>();
    assert_eq!(codes, ["contact_name_taken", "number_taken"]);
    assert!(is_about_something_taken("The Contact Name already exists."));
    assert!(!is_about_something_taken("The moon is in the wrong house"));
}

#[test]
fn every_row_of_the_table_is_reached_by_its_own_words() {
    for row in list_known_sentences() {
        let message = row.words.replace('*', "x");
        let failure = explained(&message);
        assert_eq!(failure.code, row.code.as_str(), "{message}");
        assert_eq!(failure.cause, row.code.to_cause(), "{message}");
        assert_eq!(find_cause(&message), failure.cause, "{message}");
        assert_eq!(
            normalise_message(row.words),
            row.words,
            "{} is not in plain letters",
            row.words
        );
        assert!(row.remedy.ends_with('.'), "{}", row.remedy);
    }
}

#[test]
fn the_remedy_for_a_locked_period_says_what_happens_after_the_date_is_moved() {
    for message in [
        "The document date cannot be before the end of year lock date, currently set at 31-Jul-2013",
        "The document date cannot be before the period lock date 31 March 2025",
    ] {
        let remedy = explained(message).remedy;
        assert!(remedy.contains("in Xero") && remedy.contains("then retry"), "{remedy}");
        assert!(remedy.contains("delete it and record a new one"), "{remedy}");
    }
}

#[test]
fn an_unknown_refusal_is_passed_on_word_for_word() {
    let failure = explained("The moon is in the wrong house");
    assert_eq!(failure.message, "Xero refused it: The moon is in the wrong house.");
    assert_eq!(failure.code, UNKNOWN);
    assert!(!is_known("The moon is in the wrong house"));
    assert!(is_known("Invoice # must be unique."));
}

#[test]
fn among_several_sentences_the_first_known_one_gives_the_code() {
    let several = ["The moon is in the wrong house", "Invoice # must be unique."];
    let failure = explain_rejection(&several.map(str::to_owned));
    assert_eq!(failure.code, "number_taken");
    assert!(failure.message.contains("moon"), "{failure}");
}

#[test]
fn a_refusal_without_words_still_makes_a_sentence() {
    assert_eq!(
        explain_rejection(&[]).message,
        "Xero refused the document without giving a reason."
    );
}

#[test]
fn repeated_and_endless_refusals_are_shortened() {
    let same = vec!["Twice.".to_owned(), "Twice.".to_owned()];
    assert_eq!(explain_rejection(&same).message, "Xero refused it: Twice.");
    assert!(explained(&"é".repeat(5_000)).message.chars().count() <= MESSAGE_LIMIT + 1);
}
