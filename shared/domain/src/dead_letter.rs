//! The reason why a message is moved to a dead-letter queue: it is an attribute of the moved
//! message, and part of the log.

use std::fmt;

use crate::envelope::UnreadableBody;

/// The maximum length of a reason, in characters.
pub const REASON_MAX: usize = 300;
/// The maximum length of a word in a reason, in characters. This crate's own words are shorter; a
/// name taken from a message may not be.
const WORD_MAX: usize = 40;

/// The reason for moving a message: a stable code and a sentence.
///
/// Whatever text it is made from, the sentence is printable ASCII of at most [`REASON_MAX`]
/// characters, and no word in it is longer than 40. SQS rejects attributes with control characters,
/// and a message that cannot be moved would block its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterReason {
    code: &'static str,
    text: String,
    is_record_written: bool,
}

impl DeadLetterReason {
    /// A reason from any sentence. Characters that a reason may not contain are replaced, and long
    /// words and sentences are cut.
    pub fn new(code: &'static str, sentence: &str) -> Self {
        Self { code, text: to_printable(sentence), is_record_written: false }
    }

    /// The same reason for a message whose record is written nevertheless: the record's row says
    /// what happens next, and the sweep finds it. So the record is not given up.
    #[must_use]
    pub fn with_record_written(self) -> Self {
        Self { is_record_written: true, ..self }
    }

    /// Whether the record of the message is written nevertheless.
    pub const fn is_record_written(&self) -> bool {
        self.is_record_written
    }

    /// The stable code.
    pub const fn stable_code(&self) -> &'static str {
        self.code
    }

    /// The sentence.
    pub fn sentence_text(&self) -> &str {
        &self.text
    }
}

impl From<&UnreadableBody> for DeadLetterReason {
    fn from(unreadable: &UnreadableBody) -> Self {
        Self::new(unreadable.stable_code(), &unreadable.to_string())
    }
}

impl fmt::Display for DeadLetterReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn to_printable(sentence: &str) -> String {
    let mut kept = String::new();
    let mut word = 0_usize;
    for sign in sentence.chars() {
        if kept.len() >= REASON_MAX {
            break;
        }
        let sign = if sign == ' ' || sign.is_ascii_graphic() { sign } else { '?' };
        word = if ends_a_word(sign) { 0 } else { word.saturating_add(1) };
        if word <= WORD_MAX {
            kept.push(sign);
        } else if word == WORD_MAX + 1 {
            kept.push_str("...");
        }
    }
    kept.truncate(REASON_MAX);
    kept
}

const fn ends_a_word(sign: char) -> bool {
    matches!(sign, ' ' | '.' | ',' | ':' | ';' | '[' | ']' | '"' | '`' | '\'')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::EntityKind;

    #[test]
    fn a_reason_of_ours_is_kept_word_for_word() {
        let field = "credit_note.lines[499].discount.percent".to_owned();
        let problem = "must be a percentage from \"0\" to \"100\"".to_owned();
        for unreadable in [
            UnreadableBody::Oversized { bytes: 300_000 },
            UnreadableBody::NotJson { line: 1, column: 2 },
            UnreadableBody::UnknownVersion,
            UnreadableBody::UnknownType,
            UnreadableBody::Field { field, problem },
            UnreadableBody::WrongQueue { expected: EntityKind::CreditNote },
            UnreadableBody::WrongAccount,
        ] {
            let reason = DeadLetterReason::from(&unreadable);
            assert_eq!(reason.sentence_text(), unreadable.to_string());
            assert_eq!(reason.stable_code(), unreadable.stable_code());
        }
    }

    #[test]
    fn a_reason_is_always_printable_and_short() {
        let long = format!("invoice.{} is not a known field", "x".repeat(200_000));
        let short = DeadLetterReason::new("field", &long);
        let kept = format!("invoice.{}... is not a known field", "x".repeat(40));
        assert_eq!(short.sentence_text(), kept);
        for sentence in [
            "a\u{1}\n\u{7f}\u{fffd}\u{1f600}é".to_owned(),
            "word ".repeat(50_000),
            "\u{0}".repeat(50_000),
            long,
        ] {
            let reason = DeadLetterReason::new("field", &sentence);
            let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
            assert!(reason.sentence_text().bytes().all(is_printable), "{reason:?}");
            assert!(reason.sentence_text().len() <= REASON_MAX, "{}", reason.sentence_text().len());
        }
        assert_eq!(DeadLetterReason::new("field", "a\u{1}b").sentence_text(), "a?b");
    }
}
