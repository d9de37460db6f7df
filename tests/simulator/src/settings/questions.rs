//! Every switch of [`Unconfirmed`] by name, with the answers it takes: for the command line, for
//! the control surface, and for drawing all of them at random.

use super::Unconfirmed;
use crate::Rounding;

/// A switch by name.
struct Question {
    name: &'static str,
    /// The answers that are worth trying, the default among them.
    answers: &'static [&'static str],
    /// Whether it is a question about Xero, which is drawn, and not a mode of the simulator.
    is_open: bool,
    read: fn(&Unconfirmed) -> String,
    /// Sets an answer; says whether it is one.
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

/// New questions go to the end, so that a seed keeps its earlier draws.
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
];

/// Why a switch is not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAnswer {
    /// There is no such switch; the text lists those there are.
    #[error("There is no switch named '{name}'. The switches are: {known}.")]
    NoSuchSwitch {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The switch does not take the answer.
    #[error("The switch {name} does not take '{answer}'; it takes, for example, {answers}.")]
    NoSuchAnswer {
        /// The switch.
        name: &'static str,
        /// What was asked for.
        answer: String,
        /// Answers it takes.
        answers: String,
    },
}

impl Unconfirmed {
    /// The names of all switches.
    pub fn names() -> impl Iterator<Item = &'static str> {
        QUESTIONS.iter().map(|question| question.name)
    }

    /// Every switch with its answer and the answers worth trying.
    pub fn answers(&self) -> Vec<(&'static str, String, &'static [&'static str])> {
        QUESTIONS
            .iter()
            .map(|question| (question.name, (question.read)(self), question.answers))
            .collect()
    }

    /// Sets a switch by name. A refused answer changes nothing.
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

    /// An answer to every open question, drawn from a source of random numbers: one number for
    /// each question, in a fixed order. [`Self::unhelpful`] is no question and stays off.
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

/// Keeps a value if there is one; says whether there was.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The fields of the struct, as it prints them.
    fn fields() -> BTreeSet<String> {
        let printed = format!("{:#?}", Unconfirmed::default());
        let top = printed.lines().filter_map(|line| line.strip_prefix("    "));
        let questions = top.filter(|line| !line.starts_with(' '));
        let names =
            questions.filter_map(|line| line.split_once(": ")).map(|(name, _)| name.to_owned());
        names.filter(|name| name != "texts").collect()
    }

    #[test]
    fn every_switch_is_in_the_table() {
        let names: BTreeSet<String> = Unconfirmed::names().map(str::to_owned).collect();
        assert_eq!(names, fields());
    }

    #[test]
    fn every_answer_is_read_back_and_the_default_is_one_of_them() {
        for question in QUESTIONS {
            let default = (question.read)(&Unconfirmed::default());
            assert!(question.answers.contains(&default.as_str()), "{}", question.name);
            for answer in question.answers {
                let mut switches = Unconfirmed::default();
                switches.set(question.name, answer).unwrap();
                assert_eq!((question.read)(&switches), *answer, "{}", question.name);
            }
        }
    }

    #[test]
    fn every_open_question_is_drawn_each_way_and_the_same_source_draws_the_same() {
        let drawn = |seed: u64| {
            // A linear congruential generator; its upper bits are random enough for this.
            let mut state = seed;
            Unconfirmed::drawn(move || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                state >> 33
            })
        };
        for question in QUESTIONS {
            let seen: BTreeSet<String> =
                (0..200).map(|seed| (question.read)(&drawn(seed))).collect();
            let all = question.answers.iter().map(|answer| (*answer).to_owned());
            let expected: BTreeSet<String> =
                if question.is_open { all.collect() } else { ["false".to_owned()].into() };
            assert_eq!(seen, expected, "{}", question.name);
        }
        assert_eq!(drawn(7).answers(), drawn(7).answers());
    }

    #[test]
    fn a_bad_name_lists_the_names_and_a_bad_answer_the_answers() {
        let mut switches = Unconfirmed::default();
        let refused = switches.set("roundness", "true").unwrap_err().to_string();
        assert!(refused.contains("'roundness'") && refused.contains("rounding, "), "{refused}");
        let refused = switches.set("rounding", "up").unwrap_err().to_string();
        assert!(refused.ends_with("half-away-from-zero or half-even."), "{refused}");
        assert!(switches.set("page_size_max", "0").is_err());
        assert!(switches.set("refused_email_domain", "odd.example").is_err());
        assert_eq!(switches.answers(), Unconfirmed::default().answers());
    }
}
