//! The open questions about Xero: each run answers all of them, and the product must be right under every answer.

use std::collections::BTreeSet;

use xero_sim::{Rounding, Unconfirmed};

/// Separates this stream of choices from all others of a seed.
const STREAM: u64 = 0x9e37_79b9_7f4a_7c15;

/// How a run answers the open questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// Each answer is drawn from the seed, from a stream of its own: no other choice of the seed depends on it.
    Drawn,
    /// As the simulator has them by default, except for whether the answer to an allocation carries its id.
    Default {
        /// Whether the answer carries it. None of the examples in Xero's OpenAPI description does.
        allocation_has_id: bool,
    },
}

impl Answers {
    /// As Xero's documents show it.
    pub const DOCUMENTED: Self = Self::Default { allocation_has_id: false };

    /// Answers every question except `unhelpful`, which is a mode of the simulator and keeps its
    /// value.
    pub fn apply(self, seed: u64, unconfirmed: &mut Unconfirmed) {
        match self {
            Self::Drawn => drop(draw(seed, unconfirmed)),
            Self::Default { allocation_has_id } => {
                unconfirmed.allocation_answer_has_id = allocation_has_id;
            }
        }
    }

    /// The answers in words.
    pub fn describe(self, seed: u64) -> String {
        match self {
            Self::Drawn => draw(seed, &mut Unconfirmed::default()).join(", "),
            Self::Default { allocation_has_id } => {
                format!("the defaults, allocation_answer_has_id: {allocation_has_id}")
            }
        }
    }
}

/// Draws an answer to every question. Returns the answers in words.
fn draw(seed: u64, unconfirmed: &mut Unconfirmed) -> Vec<String> {
    let mut rng = fastrand::Rng::with_seed(seed ^ STREAM);
    let mut words = Vec::new();
    for (name, switch) in switches(unconfirmed) {
        *switch = rng.bool();
        words.push(format!("{name}: {switch}"));
    }
    let Unconfirmed { bad_client_status, missing_scope_status, page_size_max, rounding, .. } =
        unconfirmed;
    *bad_client_status = if rng.bool() { 400 } else { 401 };
    *missing_scope_status = if rng.bool() { 401 } else { 403 };
    *page_size_max = if rng.bool() { 100 } else { 1_000 };
    *rounding = if rng.bool() { Rounding::HalfAwayFromZero } else { Rounding::HalfEven };
    words.extend([
        format!("bad_client_status: {bad_client_status}"),
        format!("missing_scope_status: {missing_scope_status}"),
        format!("page_size_max: {page_size_max}"),
        format!("rounding: {rounding:?}"),
    ]);
    draw_the_rest(&mut rng, unconfirmed, &mut words);
    words
}

/// The switch that is not a question about Xero.
const NO_QUESTION: &str = "unhelpful";

/// Draws an answer to every question that is not drawn above, in the simulator's order, in which new
/// questions come last, so that the earlier answers of a seed stay.
fn draw_the_rest(rng: &mut fastrand::Rng, unconfirmed: &mut Unconfirmed, words: &mut Vec<String>) {
    let drawn = words.iter().filter_map(|answer| answer.split_once(": "));
    let drawn = drawn.map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>();
    for (name, _, answers) in Unconfirmed::default().answers() {
        if name == NO_QUESTION || drawn.contains(name) {
            continue;
        }
        let Some(answer) = answers.get(rng.usize(..answers.len())) else { continue };
        if unconfirmed.set(name, answer).is_ok() {
            words.push(format!("{name}: {answer}"));
        }
    }
}

/// The questions that are answered yes or no. New ones go to the end, so that the earlier answers of
/// a seed stay.
fn switches(unconfirmed: &mut Unconfirmed) -> [(&'static str, &mut bool); 25] {
    let Unconfirmed {
        missing_scope_misspelt,
        grace_repeats_the_pair,
        reconsent_keeps_auth_event,
        modified_since_inclusive,
        nothing_modified_is_304,
        page_size_alone_pages,
        deleted_in_lists,
        deleted_frees_number,
        voided_frees_number,
        voiding_twice_succeeds,
        paid_takes_part_paid_edits,
        approval_needs_due_date,
        refused_batch_saves_valid,
        empty_text_clears,
        unarchiving_allowed,
        archived_takes_edits,
        archived_by_id,
        name_before_number,
        refusals_replayed,
        key_per_tenant,
        deleted_payments_in_lists,
        deleting_moves_payment,
        allocation_answer_has_id,
        allocation_needs_one_currency,
        allocation_keeps_date,
        ..
    } = unconfirmed;
    [
        ("missing_scope_misspelt", missing_scope_misspelt),
        ("grace_repeats_the_pair", grace_repeats_the_pair),
        ("reconsent_keeps_auth_event", reconsent_keeps_auth_event),
        ("modified_since_inclusive", modified_since_inclusive),
        ("nothing_modified_is_304", nothing_modified_is_304),
        ("page_size_alone_pages", page_size_alone_pages),
        ("deleted_in_lists", deleted_in_lists),
        ("deleted_frees_number", deleted_frees_number),
        ("voided_frees_number", voided_frees_number),
        ("voiding_twice_succeeds", voiding_twice_succeeds),
        ("paid_takes_part_paid_edits", paid_takes_part_paid_edits),
        ("approval_needs_due_date", approval_needs_due_date),
        ("refused_batch_saves_valid", refused_batch_saves_valid),
        ("empty_text_clears", empty_text_clears),
        ("unarchiving_allowed", unarchiving_allowed),
        ("archived_takes_edits", archived_takes_edits),
        ("archived_by_id", archived_by_id),
        ("name_before_number", name_before_number),
        ("refusals_replayed", refusals_replayed),
        ("key_per_tenant", key_per_tenant),
        ("deleted_payments_in_lists", deleted_payments_in_lists),
        ("deleting_moves_payment", deleting_moves_payment),
        ("allocation_answer_has_id", allocation_answer_has_id),
        ("allocation_needs_one_currency", allocation_needs_one_currency),
        ("allocation_keeps_date", allocation_keeps_date),
    ]
}
