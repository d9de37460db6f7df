//! The preparation of texts for Xero. Every text of a snapshot passes through here on its way into
//! a document, except names of things in Xero (items, tracking options), which are sent as Xero
//! spells them or not at all.

use crate::spelling::compose_accents;

/// Whether Xero accepts a character. It rejects control characters with 400 and error number 14
/// (public report xero-php#832). XML, which Xero also reads and writes, cannot represent U+FFFE,
/// U+FFFF and similar characters.
pub(crate) fn is_sendable(sign: char) -> bool {
    let is_break = matches!(sign, '\n' | '\r' | '\t');
    let is_no_character = u32::from(sign) & 0xFFFE == 0xFFFE;
    is_break || !(sign.is_control() || is_no_character)
}

/// Whether Xero accepts every character of a text.
pub(crate) fn is_sendable_text(text: &str) -> bool {
    text.chars().all(is_sendable)
}

/// The texts of one document, with warnings about omitted characters.
#[derive(Debug, Default)]
pub(super) struct DocumentTexts {
    /// Sentences for the sync log.
    pub(super) warnings: Vec<String>,
}

impl DocumentTexts {
    /// Prepares a text that may have several lines.
    pub(super) fn prepare_block(&mut self, field: &str, text: &str) -> String {
        let kept = text.chars().filter(|sign| is_sendable(*sign)).collect::<String>();
        if kept.len() < text.len() {
            self.warn_of_loss(field);
        }
        kept
    }

    /// Prepares a contact's name: one line with single spaces, as Xero stores it, and without angle
    /// brackets, which Xero's documentation of contacts excludes. Accents are joined to their
    /// letters: it is not documented whether names are unique to Xero that differ only in this.
    pub(super) fn prepare_name(&mut self, text: &str) -> String {
        const FIELD: &str = "name";
        let line = self.prepare_line(FIELD, text);
        let kept = line.replace(['<', '>'], " ");
        if kept != line {
            self.warn_of_loss(FIELD);
        }
        compose_accents(&kept).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn warn_of_loss(&mut self, field: &str) {
        let warning = format!("Characters that Xero does not accept were left out of the {field}.");
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Prepares a text of one line.
    pub(super) fn prepare_line(&mut self, field: &str, text: &str) -> String {
        let kept = self.prepare_block(field, text);
        let kept = kept.replace(['\n', '\r', '\t'], " ");
        kept.trim().to_owned()
    }

    /// Prepares an optional text of one line. A text that becomes empty is `None`.
    pub(super) fn prepare_optional(
        &mut self,
        field: &str,
        text: Option<&String>,
    ) -> Option<String> {
        text.map(|text| self.prepare_line(field, text)).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_xero_refuses_is_left_out_and_remarked_once() {
        let mut texts = DocumentTexts::default();
        assert_eq!(texts.prepare_line("reference", "Job\u{0}\u{7} 7\u{FFFF}"), "Job 7");
        assert_eq!(texts.prepare_line("reference", "\u{85}Job 8"), "Job 8");
        assert_eq!(
            texts.warnings,
            ["Characters that Xero does not accept were left out of the reference."]
        );
        assert_eq!(texts.prepare_optional("phone number", Some(&"\u{1}\u{2}".to_owned())), None);
        assert_eq!(texts.warnings.len(), 2);
    }

    #[test]
    fn a_name_has_single_spaces_and_no_angle_brackets() {
        let mut texts = DocumentTexts::default();
        assert_eq!(texts.prepare_name(" Ridge \n Plumbing "), "Ridge Plumbing");
        assert_eq!(texts.warnings, Vec::<String>::new());
        assert_eq!(texts.prepare_name("Ridge <Leeds> Ltd"), "Ridge Leeds Ltd");
        assert_eq!(
            texts.warnings,
            ["Characters that Xero does not accept were left out of the name."]
        );
    }

    #[test]
    fn a_name_has_one_form_however_its_accents_are_composed() {
        let mut texts = DocumentTexts::default();
        for name in ["Caf\u{e9} M\u{fc}ller", "Cafe\u{301} Mu\u{308}ller"] {
            assert_eq!(texts.prepare_name(name), "Caf\u{e9} M\u{fc}ller");
        }
        assert_eq!(texts.warnings, Vec::<String>::new());
    }

    #[test]
    fn line_breaks_stay_where_a_text_may_have_several_lines() {
        let mut texts = DocumentTexts::default();
        assert_eq!(texts.prepare_block("description", "one\n\ttwo"), "one\n\ttwo");
        assert_eq!(texts.prepare_line("reference", "one\ntwo\n"), "one two");
        assert_eq!(texts.warnings, Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn cleaned_texts_can_be_sent_and_stay_unchanged(text in any::<String>()) {
            let mut texts = DocumentTexts::default();
            let once = texts.prepare_block("name", &text);
            prop_assert!(once.chars().all(is_sendable));
            prop_assert_eq!(texts.warnings.is_empty(), once == text);
            prop_assert_eq!(DocumentTexts::default().prepare_block("name", &once), once);
        }
    }
}
