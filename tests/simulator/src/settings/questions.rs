//! Every switch of [`Unconfirmed`] by name, with its answers: for the command line, for the control
//! surface, and for random selection.

#[cfg(test)]
mod tests;

use super::Unconfirmed;
use crate::Rounding;

/// A switch by name.
struct Question {
    name: &'static str,
    /// The suggested answers, including the default.
    answers: &'static [&'static str],
    /// Whether it is a question about Xero, which is drawn at random, and not a mode of the
    /// simulator.
    is_open: bool,
    read: fn(&Unconfirmed) -> String,
    /// Sets an answer; returns whether it is valid.
    write: fn(&mut Unconfirmed, &str) -> bool,
}

const YES_OR_NO: &[&str] = &["true", "false"];

macro_rules! yes_or_no {
    ($name:ident) => {
        Question {
            name: stringify!($name),
            answers: YES_OR_NO,
            is_open: true,
            read: |it| it.$name.to_string(),
            write: |it, answer| keep(&mut it.$name, answer.parse().ok()),
        }
    };
}

/// New questions are added at the end, so that a seed keeps its earlier answers.
const QUESTIONS: &[Question] = &[
    Question {
        name: "bad_client_status",
        answers: &["400", "401"],
        is_open: true,
        read: |it| it.bad_client_status.to_string(),
        write: |it, answer| keep(&mut it.bad_client_status, status(answer, &[400, 401])),
    },
    Question {
        name: "missing_scope_status",
        answers: &["401", "403"],
        is_open: true,
        read: |it| it.missing_scope_status.to_string(),
        write: |it, answer| keep(&mut it.missing_scope_status, status(answer, &[401, 403])),
    },
    yes_or_no!(missing_scope_misspelt),
    yes_or_no!(grace_repeats_the_pair),
    yes_or_no!(reconsent_keeps_auth_event),
    yes_or_no!(modified_since_inclusive),
    yes_or_no!(nothing_modified_is_304),
    yes_or_no!(page_size_alone_pages),
    Question {
        name: "page_size_max",
        answers: &["1000", "50"],
        is_open: true,
        read: |it| it.page_size_max.to_string(),
        write: |it, answer| {
            keep(&mut it.page_size_max, answer.parse().ok().filter(|most: &usize| *most > 0))
        },
    },
    yes_or_no!(deleted_in_lists),
    Question {
        name: "rounding",
        answers: &["half-away-from-zero", "half-even"],
        is_open: true,
        read: |it| {
            let word = match it.rounding {
                Rounding::HalfAwayFromZero => "half-away-from-zero",
                Rounding::HalfEven => "half-even",
            };
            word.to_owned()
        },
        write: |it, answer| {
            let rounding = match answer {
                "half-away-from-zero" => Some(Rounding::HalfAwayFromZero),
                "half-even" => Some(Rounding::HalfEven),
                _ => None,
            };
            keep(&mut it.rounding, rounding)
        },
    },
    yes_or_no!(deleted_frees_number),
    yes_or_no!(voided_frees_number),
    yes_or_no!(voiding_twice_succeeds),
    yes_or_no!(paid_takes_part_paid_edits),
    yes_or_no!(approval_needs_due_date),
    yes_or_no!(refused_batch_saves_valid),
    yes_or_no!(empty_text_clears),
    Question {
        name: "refused_email_domain",
        answers: &["none", "@refused.example"],
        is_open: true,
        read: |it| it.refused_email_domain.clone().unwrap_or_else(|| "none".to_owned()),
        write: |it, answer| {
            it.refused_email_domain = (answer != "none").then(|| answer.to_owned());
            answer == "none" || answer.starts_with('@')
        },
    },
    yes_or_no!(unarchiving_allowed),
    yes_or_no!(archived_takes_edits),
    yes_or_no!(archived_by_id),
    yes_or_no!(name_before_number),
    yes_or_no!(refusals_replayed),
    yes_or_no!(key_per_tenant),
    yes_or_no!(deleted_payments_in_lists),
    yes_or_no!(deleting_moves_payment),
    yes_or_no!(allocation_needs_one_currency),
    yes_or_no!(allocation_keeps_date),
    yes_or_no!(allocation_answer_has_id),
    yes_or_no!(approved_zero_is_paid),
    yes_or_no!(batch_answers_in_order),
    yes_or_no!(long_names_accepted),
    yes_or_no!(currency_refusal_says_users),
    yes_or_no!(allocation_removal_in_envelope),
    yes_or_no!(allocation_needs_date),
    yes_or_no!(allocations_need_payments),
    yes_or_no!(errors_summarised_by_default),
    yes_or_no!(refused_rows_have_ids),
    yes_or_no!(missing_scope_in_header),
    yes_or_no!(app_minute_hyphenated),
    yes_or_no!(concurrent_says_when),
    yes_or_no!(grace_starts_anew),
    yes_or_no!(missing_date_is_today),
    yes_or_no!(part_paid_takes_sent_mark),
    yes_or_no!(bank_lines_include_tax),
    yes_or_no!(line_refusals_are_short),
    yes_or_no!(names_are_tidied),
    yes_or_no!(empty_persons_clear),
    yes_or_no!(key_refusal_is_plain),
    yes_or_no!(throttle_has_no_body),
    Question { is_open: false, ..yes_or_no!(unhelpful) },
    yes_or_no!(updated_strings_have_spaces),
    yes_or_no!(reverse_charge_is_listed),
    yes_or_no!(reverse_charge_shows_its_rate),
    yes_or_no!(tax_may_exceed_unit_amount),
    yes_or_no!(paths_take_separators),
    yes_or_no!(allocation_removal_like_example),
    Question {
        name: "missing_permission_status",
        answers: &["401", "403"],
        is_open: true,
        read: |it| it.missing_permission_status.to_string(),
        write: |it, answer| keep(&mut it.missing_permission_status, status(answer, &[401, 403])),
    },
    yes_or_no!(posted_number_overwrites),
    yes_or_no!(notes_move_time),
    yes_or_no!(errors_are_descriptions),
    yes_or_no!(problems_in_lower_case),
    yes_or_no!(rates_keep_six_places),
    yes_or_no!(refund_answers_name_note),
    yes_or_no!(deposits_have_ar_types),
    yes_or_no!(archived_tracking_is_kept),
    yes_or_no!(empty_tracking_removes),
    yes_or_no!(reconciling_moves_payment),
    yes_or_no!(search_ignores_accents),
    yes_or_no!(accents_distinguish_names),
    yes_or_no!(deleted_transactions_in_lists),
    yes_or_no!(invoice_numbers_ignore_case),
    yes_or_no!(archived_takes_voids),
];

/// The reason why a switch is not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAnswer {
    /// There is no such switch; the message lists the existing ones.
    #[error("There is no switch named '{name}'. The switches are: {known}.")]
    NoSuchSwitch {
        /// The requested name.
        name: String,
        /// The existing names.
        known: String,
    },
    /// The switch does not accept the answer.
    #[error(
        "The switch {name} does not accept '{answer}'; valid answers are, for example, {answers}."
    )]
    NoSuchAnswer {
        /// The switch.
        name: &'static str,
        /// The requested answer.
        answer: String,
        /// Valid answers.
        answers: String,
    },
}

impl Unconfirmed {
    /// The names of all switches.
    pub fn names() -> impl Iterator<Item = &'static str> {
        QUESTIONS.iter().map(|question| question.name)
    }

    /// Every switch with its answer and the suggested answers.
    pub fn answers(&self) -> Vec<(&'static str, String, &'static [&'static str])> {
        QUESTIONS
            .iter()
            .map(|question| (question.name, (question.read)(self), question.answers))
            .collect()
    }

    /// Sets a switch by name. An invalid answer changes nothing.
    pub fn set(&mut self, name: &str, answer: &str) -> Result<(), NotAnAnswer> {
        let question = QUESTIONS.iter().find(|question| question.name == name);
        let question = question.ok_or_else(|| NotAnAnswer::NoSuchSwitch {
            name: name.to_owned(),
            known: Self::names().collect::<Vec<_>>().join(", "),
        })?;
        let mut changed = self.clone();
        if !(question.write)(&mut changed, answer.trim()) {
            return Err(NotAnAnswer::NoSuchAnswer {
                name: question.name,
                answer: answer.to_owned(),
                answers: question.answers.join(" or "),
            });
        }
        *self = changed;
        Ok(())
    }

    /// A random answer to every open question: one random number for each question, in a fixed
    /// order. [`Self::unhelpful`] is not a question and stays off.
    pub fn drawn(mut draw: impl FnMut() -> u64) -> Self {
        let mut drawn = Self::default();
        for question in QUESTIONS.iter().filter(|question| question.is_open) {
            let count = u64::try_from(question.answers.len()).unwrap_or(u64::MAX);
            let index = usize::try_from(draw() % count).unwrap_or_default();
            if let Some(answer) = question.answers.get(index) {
                (question.write)(&mut drawn, answer);
            }
        }
        drawn
    }
}

/// Stores a value if there is one; returns whether there was.
fn keep<T>(target: &mut T, value: Option<T>) -> bool {
    match value {
        Some(value) => {
            *target = value;
            true
        }
        None => false,
    }
}

fn status(answer: &str, allowed: &[u16]) -> Option<u16> {
    answer.parse().ok().filter(|status| allowed.contains(status))
}
