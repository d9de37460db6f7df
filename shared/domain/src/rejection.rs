//! Explanations of Xero's rejections: which rule was broken and what a person can do.
//!
//! Xero explains a rejected document in English sentences without codes. The known sentences are in
//! one table, `table`. All others are passed on word for word, because Xero's own sentence is
//! better than none, and are counted, so that the table can be extended.

mod table;
#[cfg(test)]
mod tests;

use self::table::{KnownSentence, list_known_sentences};
use crate::failure::{Failure, FailureCause, FailureClass, FailureCode};

/// The code of a rejection with unknown sentences only.
pub const UNKNOWN: &str = "rejected";

/// The maximum length of a message, in characters. Messages are shown in a table cell.
const MESSAGE_LIMIT: usize = 600;

/// The headline of every validation error, in plain letters. It does not say what is wrong.
const HEADLINE: &str = "a validation exception occurred";

/// Explains a rejection by Xero. `messages` are Xero's sentences, in its order; there may be none.
///
/// The first known sentence gives the code, the cause and the class:
/// [`FailureClass::Untranslatable`] if Xero repeats it until a person acts, so that the record is
/// not retried, otherwise [`FailureClass::Rejected`]. The code is [`UNKNOWN`] if none of the
/// sentences is known.
pub fn explain_rejection(messages: &[String]) -> Failure {
    let (code, remedy) = match find_first_known(messages) {
        Some(known) => (known.code, known.remedy),
        None => {
            (FailureCode::Name(UNKNOWN), "Correct this in Xero or in ServiceCortex, then retry.")
        }
    };
    Failure::new(find_class(messages), code, join_messages(messages), remedy)
}

/// The class of a rejection, as [`explain_rejection`] states it.
pub fn find_class(messages: &[String]) -> FailureClass {
    match find_first_known(messages) {
        Some(known) if known.is_final => FailureClass::Untranslatable,
        Some(_) | None => FailureClass::Rejected,
    }
}

fn find_first_known(messages: &[String]) -> Option<&'static KnownSentence> {
    messages.iter().find_map(|message| find_known_sentence(message))
}

/// Explains a rejection like [`explain_rejection`] of which the documents in Xero no longer show
/// the reason, so that the next attempt may succeed. Documents do not show whether a payment is
/// reconciled or part of a batch payment, so such a rejection stays final.
pub fn explain_outdated_rejection(messages: &[String]) -> Failure {
    let failure = explain_rejection(messages);
    let is_outdated = failure
        .cause
        .is_some_and(|cause| cause.is_about_document_state() && !cause.is_about_a_kept_payment());
    let class = if is_outdated { FailureClass::Rejected } else { failure.class };
    Failure { class, ..failure }
}

/// Whether the table has the sentence.
pub fn is_known(message: &str) -> bool {
    find_known_sentence(message).is_some()
}

/// The cause that the sentence states, if a decision depends on it.
pub fn find_cause(message: &str) -> Option<FailureCause> {
    find_known_sentence(message)?.code.to_cause()
}

/// Whether the sentence says that another document or contact has the name or the number. That one
/// may be this integration's own, from an earlier attempt, or the same business; a search decides.
pub fn is_about_something_taken(message: &str) -> bool {
    find_cause(message).is_some_and(FailureCause::is_about_something_taken)
}

/// The row for a sentence. A row that matches from the beginning takes precedence, because a
/// contact's name inside a sentence may contain the words of another row.
fn find_known_sentence(message: &str) -> Option<&'static KnownSentence> {
    let message = normalise_message(message);
    let message = without_headline(&message);
    let begins = |known: &&KnownSentence| {
        let rest = ["", "the ", "a ", "an "].iter().find_map(|article| {
            message.strip_prefix(*article).filter(|rest| {
                let first = known.words.split('*').next().unwrap_or_default();
                rest.starts_with(first.trim_end())
            })
        });
        rest.is_some_and(|rest| matches_pattern(rest, known.words))
    };
    let begun = list_known_sentences().find(begins);
    begun.or_else(|| list_known_sentences().find(|known| matches_pattern(message, known.words)))
}

/// Removes the headline of a validation error, which some answers put before the sentence.
fn without_headline(message: &str) -> &str {
    let is_between = |sign: char| sign.is_whitespace() || matches!(sign, '.' | ':' | ';' | '-');
    message.strip_prefix(HEADLINE).map_or(message, |rest| rest.trim_start_matches(is_between))
}

/// Whether the parts of a pattern occur in the message in their order.
fn matches_pattern(message: &str, words: &str) -> bool {
    let mut rest = message;
    words.split('*').map(str::trim).all(|part| match rest.split_once(part) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

/// The message in lower case, with single spaces, and without quotation marks of any kind.
fn normalise_message(message: &str) -> String {
    let is_quote = |sign: &char| {
        matches!(sign, '"' | '\'' | '`' | '‘' | '’' | '‚' | '“' | '”' | '„' | '«' | '»')
    };
    let kept = message.chars().filter(|sign| !is_quote(sign)).collect::<String>();
    kept.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn join_messages(messages: &[String]) -> String {
    if messages.is_empty() {
        return "Xero refused the document without giving a reason.".to_owned();
    }
    let mut sentences: Vec<&str> = Vec::new();
    for message in messages.iter().map(|message| message.trim()) {
        if !message.is_empty() && !sentences.contains(&message) {
            sentences.push(message);
        }
    }
    let mut text = format!("Xero refused it: {}", sentences.join(" "));
    if let Some((cut, _)) = text.char_indices().nth(MESSAGE_LIMIT) {
        text.truncate(cut);
        text.push('…');
    }
    if !text.ends_with(['.', '!', '?', '…']) {
        text.push('.');
    }
    text
}
