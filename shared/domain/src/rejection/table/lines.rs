//! Sentences about accounts, tax rates, items, currencies and dates.

use super::sentence::{KnownSentence, cause_sentence, final_sentence, known_sentence};
use crate::failure::FailureCause;

/// The known sentences about accounts, tax rates, items, currencies and dates.
pub(super) const ABOUT_LINES: &[KnownSentence] = &[
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
        "account code * must be specified",
        FailureCause::AccountCodeMissing,
        "Choose an account in Settings > Billing > Payment Settings.",
    ),
    cause_sentence(
        "account could not be found",
        FailureCause::AccountCodeUnknown,
        "Choose another account in Settings > Billing > Payment Settings.",
    ),
    cause_sentence(
        "account * must be valid",
        FailureCause::AccountInvalid,
        "Choose another account in Settings > Billing > Payment Settings.",
    ),
    cause_sentence(
        "account type is invalid for making a payment",
        FailureCause::AccountTakesNoPayments,
        "Enable payments to the account in Xero, then retry, or choose another in Settings > Billing > Payment Settings.",
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
    known_sentence(
        "item code * is not valid",
        "item_code_invalid",
        "Correct the item's code on the line, or add the item in Xero, then retry.",
    ),
    known_sentence(
        "item code * is invalid",
        "item_code_invalid",
        "Correct the item's code on the line, or add the item in Xero, then retry.",
    ),
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
];
