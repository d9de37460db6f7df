//! The open questions about Xero, and the selected answers.

use super::Texts;
use crate::Rounding;

/// Behaviour of Xero that no public source documents. Each switch is one open question; the default
/// is the answer that the sources make most likely. `questions` names every switch with its
/// answers.
#[expect(clippy::struct_excessive_bools, reason = "each field is one question, answered yes or no")]
#[derive(Clone, Debug)]
pub struct Unconfirmed {
    /// The status of `invalid_client`: 400, or 401 as the OAuth standard allows.
    pub bad_client_status: u16,
    /// The status of a call without the needed scope: 401 or 403.
    pub missing_scope_status: u16,
    /// Whether the header has the spelling `insufficent_scope`, as Xero's own FAQ page does.
    pub missing_scope_misspelt: bool,
    /// Whether a second use of a refresh token inside its grace period returns the first response's
    /// refresh token again instead of a new one.
    pub grace_repeats_the_pair: bool,
    /// Whether a renewed consent keeps the connection's first `authEventId`.
    pub reconsent_keeps_auth_event: bool,
    /// Whether `If-Modified-Since` includes the instant it names.
    pub modified_since_inclusive: bool,
    /// Whether a list that `If-Modified-Since` empties is answered with 304.
    pub nothing_modified_is_304: bool,
    /// Whether `pageSize` without `page` enables paging.
    pub page_size_alone_pages: bool,
    /// The maximum number of rows of a page.
    pub page_size_max: usize,
    /// Whether lists without a status filter include deleted invoices.
    pub deleted_in_lists: bool,
    /// How an exact half of a penny is rounded.
    pub rounding: Rounding,
    /// Whether a deleted invoice frees its number.
    pub deleted_frees_number: bool,
    /// Whether a voided invoice frees its number.
    pub voided_frees_number: bool,
    /// Whether sending VOIDED for a voided invoice succeeds.
    pub voiding_twice_succeeds: bool,
    /// Whether a paid invoice allows the edits of a part-paid one, as Xero's page "Updating
    /// Invoices" says.
    pub paid_takes_part_paid_edits: bool,
    /// Whether an approved invoice needs a due date.
    pub approval_needs_due_date: bool,
    /// Whether an approved invoice with nothing due is paid at once.
    pub approved_zero_is_paid: bool,
    /// Whether the rows of a batch's response are in the order of the request.
    pub batch_answers_in_order: bool,
    /// Whether a contact can be written with a name of more than 255 characters.
    pub long_names_accepted: bool,
    /// Whether the refusal of a currency begins with `Users Organisation`; both have been recorded.
    pub currency_refusal_says_users: bool,
    /// Whether, with errors summarised, the valid elements of a refused batch are saved.
    pub refused_batch_saves_valid: bool,
    /// Whether an explicit empty text clears a contact's field.
    pub empty_text_clears: bool,
    /// A domain whose e-mail addresses Xero refuses, for unknown reasons.
    pub refused_email_domain: Option<String>,
    /// Whether an archived contact can be made active again by a write. Reports of two integrations
    /// that tried it quote the refusal that names archived contacts; one program that writes `ACTIVE`
    /// has abandoned it. A person restores the contact in Xero.
    pub unarchiving_allowed: bool,
    /// Whether an archived contact accepts a write that leaves it archived. Recordings of a demo
    /// organisation show the refusal even of a write that archives the contact again, and help pages
    /// of Recurly and Workshop Software quote it for edits.
    pub archived_takes_edits: bool,
    /// Whether an archived contact is returned by its id.
    pub archived_by_id: bool,
    /// Whether documents of an archived contact can be voided and deleted. The quoted refusal speaks
    /// of new documents; no report shows an attempt to void one.
    pub archived_takes_voids: bool,
    /// Whether the name takes precedence over the contact number if both match different contacts.
    pub name_before_number: bool,
    /// Whether 4xx responses are kept under an idempotency key like the others.
    pub refusals_replayed: bool,
    /// Whether an idempotency key is per app and tenant instead of per app.
    pub key_per_tenant: bool,
    /// Whether lists without a status filter include deleted payments.
    pub deleted_payments_in_lists: bool,
    /// Whether deleting a payment changes its own `UpdatedDateUTC`.
    pub deleting_moves_payment: bool,
    /// Whether reconciling a payment, or undoing that, changes its own `UpdatedDateUTC`.
    pub reconciling_moves_payment: bool,
    /// Whether a credit can only be allocated to an invoice in its own currency.
    pub allocation_needs_one_currency: bool,
    /// Whether the sent date of an allocation is kept, instead of the later of the two documents'
    /// dates.
    pub allocation_keeps_date: bool,
    /// Whether the response to an allocation contains its id. None of Xero's own examples does.
    pub allocation_answer_has_id: bool,
    /// Whether the response to the removal of an allocation is a collection, as xero-php-oauth2#341
    /// and xero-python#159 report, instead of the bare row of Xero's OpenAPI description.
    pub allocation_removal_in_envelope: bool,
    /// Whether an allocation must have a date, as the OpenAPI description says. Xero's page calls
    /// the date read-only, and its example has none.
    pub allocation_needs_date: bool,
    /// Whether allocating a credit note needs the scope of payments in addition to that of
    /// invoices.
    pub allocations_need_payments: bool,
    /// Whether a write without `summarizeErrors` is refused as a whole. Xero's pages and all
    /// reports say so; the OpenAPI description says the opposite.
    pub errors_summarised_by_default: bool,
    /// Whether a refused element is returned with a new id instead of the nil id.
    pub refused_rows_have_ids: bool,
    /// Whether the refusal of a missing scope has a `WWW-Authenticate` header. Xero's FAQ page says
    /// so; no public report shows the header.
    pub missing_scope_in_header: bool,
    /// Whether the app's minute is spelt `app-minute` instead of `appminute`.
    pub app_minute_hyphenated: bool,
    /// Whether the refusal of a sixth concurrent call has a `Retry-After`.
    pub concurrent_says_when: bool,
    /// Whether each use of a replaced refresh token restarts its grace period.
    pub grace_starts_anew: bool,
    /// Whether an approved document without a date gets the current date, as Xero's pages say. A
    /// recorded refusal (xeroizer#290) demands the date.
    pub missing_date_is_today: bool,
    /// Whether a document with payments or credit allows a change of its sent mark.
    pub part_paid_takes_sent_mark: bool,
    /// Whether the lines of a bank transaction contain their tax by default, as Xero's page says.
    /// The OpenAPI description says that they do not.
    pub bank_lines_include_tax: bool,
    /// Whether the refusal of a line's account or tax rate omits the code (Xero-Java#353).
    pub line_refusals_are_short: bool,
    /// Whether leading, trailing and repeated spaces of a contact's name are removed instead of
    /// refused.
    pub names_are_tidied: bool,
    /// Whether an empty list of contact persons removes them all. Xero reportedly ignores it
    /// (xero-php#171).
    pub empty_persons_clear: bool,
    /// Whether the refusal of an idempotency key is plain text instead of an exception in JSON.
    pub key_refusal_is_plain: bool,
    /// Whether the refusal of a call over a limit has an empty body.
    pub throttle_has_no_body: bool,
    /// Whether `UpdatedDateUTCString` has the format `2018-11-02 16:31:30+00:00` instead of
    /// `2018-11-02T16:31:30Z`; Xero's OpenAPI description can be read both ways.
    pub updated_strings_have_spaces: bool,
    /// Whether a British organisation lists the rates of the domestic reverse charge. Some
    /// organisations have them by default, and builders add them.
    pub reverse_charge_is_listed: bool,
    /// Whether the `EffectiveRate` of the reverse charge is the percentage of its name instead of
    /// zero: fixtures of other integrations show both. The tax of a line is zero either way.
    pub reverse_charge_shows_its_rate: bool,
    /// Whether a sent `TaxAmount` may be larger than the line's `UnitAmount`. One sentence of
    /// Xero's documentation says that it may not.
    pub tax_may_exceed_unit_amount: bool,
    /// Whether a path may name a document or contact by a percent-encoded number with `/` or `:` in
    /// it. If not, it is not found.
    pub paths_take_separators: bool,
    /// Whether the response to the removal of an allocation has the format of the example of Xero's
    /// OpenAPI description, with `AllocationId` and a list of invoices, instead of its schema.
    pub allocation_removal_like_example: bool,
    /// The status of a write by a read-only user: 401, as in six public reports, or 403.
    pub missing_permission_status: u16,
    /// Whether a POST without an id changes the document that has its number (pyxero#328). If not,
    /// the number is refused as taken.
    pub posted_number_overwrites: bool,
    /// Whether a note on a history page, including that of a sent e-mail, changes the
    /// `UpdatedDateUTC` of its document.
    pub notes_move_time: bool,
    /// Whether the member of a validation error is `Description`, as in one of Xero's samples,
    /// instead of `Message`.
    pub errors_are_descriptions: bool,
    /// Whether the members of the gateway's 401 and 403 are in lower case, as in older recordings.
    pub problems_in_lower_case: bool,
    /// Whether the `CurrencyRate` of a payment is kept with six decimals when it is sent. Answers
    /// show ten.
    pub rates_keep_six_places: bool,
    /// Whether the response to a refund of a credit note names it as `CreditNote`
    /// (xero-ruby#48). Lists name it as `Invoice`.
    pub refund_answers_name_note: bool,
    /// Whether the types of overpayments and prepayments are `AROVERPAYMENT` and `ARPREPAYMENT`
    /// instead of those of their bank transactions. Xero's specification lists both.
    pub deposits_have_ar_types: bool,
    /// Whether an archived tracking option is kept on a line instead of being dropped without an
    /// error. Public reports are about unknown options only (xero-ruby#86, xero-node#516).
    pub archived_tracking_is_kept: bool,
    /// Whether an empty list of tracking options removes those of an existing line.
    pub empty_tracking_removes: bool,
    /// Whether the search term of contacts is compared without accents.
    pub search_ignores_accents: bool,
    /// Whether active contacts can have names that differ only in accents, or in how accents are
    /// composed. Filters by name ignore accents either way.
    pub accents_distinguish_names: bool,
    /// Whether lists without a status filter include deleted bank transactions.
    pub deleted_transactions_in_lists: bool,
    /// Whether invoice numbers that differ only in capitals are the same number.
    pub invoice_numbers_ignore_case: bool,
    /// Not a question: a Xero that does not prevent duplicates. Numbers and names are not unique,
    /// keys are not remembered. It tests the caller's own protection.
    pub unhelpful: bool,
    /// Texts of messages without a recording.
    pub texts: Texts,
}

impl Default for Unconfirmed {
    #[expect(clippy::too_many_lines, reason = "one line for each question")]
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
            unarchiving_allowed: false,
            archived_takes_edits: false,
            archived_by_id: true,
            archived_takes_voids: true,
            name_before_number: false,
            refusals_replayed: true,
            key_per_tenant: false,
            deleted_payments_in_lists: true,
            deleting_moves_payment: true,
            reconciling_moves_payment: true,
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
            updated_strings_have_spaces: false,
            reverse_charge_is_listed: false,
            reverse_charge_shows_its_rate: false,
            tax_may_exceed_unit_amount: true,
            paths_take_separators: true,
            allocation_removal_like_example: false,
            missing_permission_status: 401,
            posted_number_overwrites: true,
            notes_move_time: false,
            errors_are_descriptions: false,
            problems_in_lower_case: false,
            rates_keep_six_places: false,
            refund_answers_name_note: true,
            deposits_have_ar_types: false,
            archived_tracking_is_kept: false,
            empty_tracking_removes: true,
            search_ignores_accents: false,
            accents_distinguish_names: false,
            deleted_transactions_in_lists: true,
            invoice_numbers_ignore_case: false,
            unhelpful: false,
            texts: Texts::default(),
        }
    }
}
