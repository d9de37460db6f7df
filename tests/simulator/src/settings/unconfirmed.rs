//! The open questions about Xero, and the answers chosen.

use super::Texts;
use crate::Rounding;

/// Behaviour of Xero that no public source settles. Each switch is one open question; the default
/// is what the sources make most likely. `questions` names every switch with its answers.
#[expect(clippy::struct_excessive_bools, reason = "each field is one question, answered yes or no")]
#[derive(Clone, Debug)]
pub struct Unconfirmed {
    /// The status of `invalid_client`: 400, or 401 as the OAuth standard allows.
    pub bad_client_status: u16,
    /// The status of a call without the needed scope: 401 or 403.
    pub missing_scope_status: u16,
    /// Whether the header spells it `insufficent_scope`, as Xero's own questions page does.
    pub missing_scope_misspelt: bool,
    /// Whether a second use of a refresh token inside its grace gives the first answer's refresh
    /// token again instead of a new one.
    pub grace_repeats_the_pair: bool,
    /// Whether a renewed consent leaves the connection's first `authEventId` in place.
    pub reconsent_keeps_auth_event: bool,
    /// Whether `If-Modified-Since` includes the instant it names.
    pub modified_since_inclusive: bool,
    /// Whether a list that `If-Modified-Since` empties answers 304.
    pub nothing_modified_is_304: bool,
    /// Whether `pageSize` without `page` pages.
    pub page_size_alone_pages: bool,
    /// The most rows of a page.
    pub page_size_max: usize,
    /// Whether lists that do not ask for a status include deleted invoices.
    pub deleted_in_lists: bool,
    /// What happens to an exact half of a penny.
    pub rounding: Rounding,
    /// Whether a deleted invoice frees its number.
    pub deleted_frees_number: bool,
    /// Whether a voided invoice frees its number.
    pub voided_frees_number: bool,
    /// Whether sending VOIDED for a voided invoice succeeds.
    pub voiding_twice_succeeds: bool,
    /// Whether a paid invoice takes the edits a part-paid one takes, as Xero's page "Updating
    /// Invoices" says.
    pub paid_takes_part_paid_edits: bool,
    /// Whether an approved invoice needs a due date.
    pub approval_needs_due_date: bool,
    /// Whether an approved invoice of which nothing is due is paid at once.
    pub approved_zero_is_paid: bool,
    /// Whether the rows of a batch's answer come in the order of the request.
    pub batch_answers_in_order: bool,
    /// Whether a contact can be written with a name of more than 255 characters.
    pub long_names_accepted: bool,
    /// Whether the refusal of a currency begins with `Users Organisation`; both have been recorded.
    pub currency_refusal_says_users: bool,
    /// Whether, with errors summarised, the valid elements of a refused batch are saved.
    pub refused_batch_saves_valid: bool,
    /// Whether an explicit empty text clears a contact's field.
    pub empty_text_clears: bool,
    /// A domain of which Xero takes no e-mail addresses, for reasons of its own.
    pub refused_email_domain: Option<String>,
    /// Whether an archived contact can be made active again by a write.
    pub unarchiving_allowed: bool,
    /// Whether an archived contact takes a write that leaves it archived.
    pub archived_takes_edits: bool,
    /// Whether an archived contact is returned by its id.
    pub archived_by_id: bool,
    /// Whether the name decides before the contact number when both match different contacts.
    pub name_before_number: bool,
    /// Whether answers of class 4xx are kept under an idempotency key like the others.
    pub refusals_replayed: bool,
    /// Whether an idempotency key is per app and tenant instead of per app.
    pub key_per_tenant: bool,
    /// Whether lists that do not ask for a status include deleted payments.
    pub deleted_payments_in_lists: bool,
    /// Whether deleting a payment moves its own `UpdatedDateUTC`.
    pub deleting_moves_payment: bool,
    /// Whether a credit can only go to an invoice of its own currency.
    pub allocation_needs_one_currency: bool,
    /// Whether the sent date of an allocation is kept, instead of the later of the two documents'
    /// dates.
    pub allocation_keeps_date: bool,
    /// Whether the answer to an allocation carries its id. None of Xero's own examples does.
    pub allocation_answer_has_id: bool,
    /// Whether the answer to the removal of an allocation is a collection, as xero-php-oauth2#341
    /// and xero-python#159 report, instead of the bare row of Xero's OpenAPI description.
    pub allocation_removal_in_envelope: bool,
    /// Whether an allocation must name a date, as the OpenAPI description says. Xero's page calls
    /// the date read-only, and its example has none.
    pub allocation_needs_date: bool,
    /// Whether allocating a credit note needs the scope of payments beside that of invoices.
    pub allocations_need_payments: bool,
    /// Whether a write that says nothing about `summarizeErrors` is refused as a whole. Xero's
    /// pages and all reports say so; the OpenAPI description says the contrary.
    pub errors_summarised_by_default: bool,
    /// Whether an element that is refused comes back with an id of its own instead of the nil id.
    pub refused_rows_have_ids: bool,
    /// Whether the refusal of a missing scope says so in `WWW-Authenticate`. Xero's page of
    /// questions says so; no public report shows the header.
    pub missing_scope_in_header: bool,
    /// Whether the app's minute is spelt `app-minute` instead of `appminute`.
    pub app_minute_hyphenated: bool,
    /// Whether the refusal of a sixth call at once says when to try again.
    pub concurrent_says_when: bool,
    /// Whether each use of a replaced refresh token starts its grace anew.
    pub grace_starts_anew: bool,
    /// Whether an approved document without a date is dated today, as Xero's pages say. A recorded
    /// refusal (xeroizer#290) asks for the date.
    pub missing_date_is_today: bool,
    /// Whether a document with money applied takes a change of its sent mark.
    pub part_paid_takes_sent_mark: bool,
    /// Whether the lines of a bank transaction contain their tax if nothing is said, as Xero's page
    /// says. The OpenAPI description says that they do not.
    pub bank_lines_include_tax: bool,
    /// Whether the refusal of a line's account or tax rate leaves out the code (Xero-Java#353).
    pub line_refusals_are_short: bool,
    /// Whether outer and double spaces of a contact's name are removed instead of refused.
    pub names_are_tidied: bool,
    /// Whether an empty list of contact persons removes them all. Xero is said to ignore it
    /// (xero-php#171).
    pub empty_persons_clear: bool,
    /// Whether the refusal of an idempotency key is plain text instead of an exception in JSON.
    pub key_refusal_is_plain: bool,
    /// Whether the refusal of a call over a limit has no body.
    pub throttle_has_no_body: bool,
    /// No question: a Xero that does nothing to keep a caller from making second copies. Numbers and
    /// names are not unique, keys are not remembered. What a caller's own care is measured against.
    pub unhelpful: bool,
    /// Texts of messages nobody has recorded.
    pub texts: Texts,
}

impl Default for Unconfirmed {
    fn default() -> Self {
        Self {
            bad_client_status: 400,
            missing_scope_status: 401,
            missing_scope_misspelt: false,
            grace_repeats_the_pair: false,
            reconsent_keeps_auth_event: true,
            modified_since_inclusive: true,
            nothing_modified_is_304: false,
            page_size_alone_pages: true,
            page_size_max: 1_000,
            deleted_in_lists: true,
            rounding: Rounding::HalfAwayFromZero,
            deleted_frees_number: true,
            voided_frees_number: false,
            voiding_twice_succeeds: false,
            paid_takes_part_paid_edits: true,
            approval_needs_due_date: true,
            approved_zero_is_paid: true,
            batch_answers_in_order: true,
            long_names_accepted: false,
            currency_refusal_says_users: false,
            refused_batch_saves_valid: false,
            empty_text_clears: true,
            refused_email_domain: None,
            unarchiving_allowed: true,
            archived_takes_edits: true,
            archived_by_id: true,
            name_before_number: false,
            refusals_replayed: true,
            key_per_tenant: false,
            deleted_payments_in_lists: true,
            deleting_moves_payment: true,
            allocation_needs_one_currency: true,
            allocation_keeps_date: false,
            allocation_answer_has_id: false,
            allocation_removal_in_envelope: false,
            allocation_needs_date: false,
            allocations_need_payments: false,
            errors_summarised_by_default: true,
            refused_rows_have_ids: false,
            missing_scope_in_header: true,
            app_minute_hyphenated: false,
            concurrent_says_when: false,
            grace_starts_anew: false,
            missing_date_is_today: true,
            part_paid_takes_sent_mark: true,
            bank_lines_include_tax: false,
            line_refusals_are_short: false,
            names_are_tidied: true,
            empty_persons_clear: false,
            key_refusal_is_plain: false,
            throttle_has_no_body: false,
            unhelpful: false,
            texts: Texts::default(),
        }
    }
}
