//! The open questions about Xero, and the answers chosen.

use super::Texts;
use crate::Rounding;

/// Behaviour of Xero that no public source settles. Each switch is one open question; the default
/// is what the sources make most likely.
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
    /// Whether a paid invoice takes the edits a part-paid one takes.
    pub paid_takes_part_paid_edits: bool,
    /// Whether an approved invoice needs a due date.
    pub approval_needs_due_date: bool,
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
    /// Whether the answer to an allocation carries its id.
    pub allocation_answer_has_id: bool,
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
            paid_takes_part_paid_edits: false,
            approval_needs_due_date: true,
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
            allocation_keeps_date: true,
            allocation_answer_has_id: true,
            unhelpful: false,
            texts: Texts::default(),
        }
    }
}
