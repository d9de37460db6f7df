//! Sentences about contacts: their names, their numbers, their persons and whether they are in use.

use super::sentence::{KnownSentence, cause_sentence, final_sentence, known_sentence};
use crate::failure::FailureCause;

/// The known sentences about contacts, and about the address of a document.
pub(super) const ABOUT_CONTACTS: &[KnownSentence] = &[
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
    cause_sentence(
        "existing contact with name * cannot be updated to use new name",
        FailureCause::ContactNameTaken,
        "Search for the contact and link it to the client, or rename one of the two.",
    ),
    cause_sentence(
        "another contact has this contact number",
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
        "status archived is not valid for contacts",
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
    cause_sentence(
        "additional people cannot be added when the primary person has no email address",
        FailureCause::PrimaryEmailMissing,
        "Give the client an e-mail address, or remove the contact's further persons in Xero.",
    ),
    known_sentence(
        "website is invalid",
        "contact_website_invalid",
        "Correct the website of the contact in Xero, then retry.",
    ),
    known_sentence(
        "url must be a valid absolute url",
        "link_invalid",
        "This is a fault in the integration's settings, not in your books. If this persists, contact support.",
    ),
];
