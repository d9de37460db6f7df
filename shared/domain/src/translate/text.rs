//! Texts as Xero takes them. Every text of a snapshot passes through here on its way into a document.

/// Whether Xero takes a character. It answers 400 with error number 14 to control characters (public report
/// xero-php#832), and XML, which it reads and writes as well, has no place for U+FFFE, U+FFFF and their like.
pub(crate) fn is_sendable(sign: char) -> bool {
    let is_break = matches!(sign, '\n' | '\r' | '\t');
    let is_no_character = u32::from(sign) & 0xFFFE == 0xFFFE;
    is_break || !(sign.is_control() || is_no_character)
}

/// The texts of one document, and what had to be left out of them.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// Plain sentences for the sync log.
    pub(super) warnings: Vec<String>,
}

impl Texts {
    /// A text that may have several lines.
    pub(super) fn block(&mut self, field: &str, text: &str) -> String {
        let kept = text.chars().filter(|sign| is_sendable(*sign)).collect::<String>();
        if kept.len() < text.len() {
            self.warn_of_loss(field);
        }
        kept
    }

    /// A contact's name: one line with single spaces, as Xero keeps it, and without angle brackets, which Xero's
    /// page about contacts rules out.
    pub(super) fn name(&mut self, text: &str) -> String {
        const FIELD: &str = "name";
        let line = self.line(FIELD, text);
        let kept = line.replace(['<', '>'], " ");
        if kept != line {
            self.warn_of_loss(FIELD);
        }
        kept.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn warn_of_loss(&mut self, field: &str) {
        let warning = format!("Characters that Xero does not take were left out of the {field}.");
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// A text of one line.
    pub(super) fn line(&mut self, field: &str, text: &str) -> String {
        let kept = self.block(field, text);
        let kept = kept.replace(['\n', '\r', '\t'], " ");
        kept.trim().to_owned()
    }

    /// A text of one line that may be absent. One of which nothing is left is absent, too.
    pub(super) fn optional(&mut self, field: &str, text: Option<&String>) -> Option<String> {
        text.map(|text| self.line(field, text)).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_xero_refuses_is_left_out_and_remarked_once() {
        let mut texts = Texts::default();
        assert_eq!(texts.line("reference", "Job\u{0}\u{7} 7\u{FFFF}"), "Job 7");
        assert_eq!(texts.line("reference", "\u{85}Job 8"), "Job 8");
        assert_eq!(
            texts.warnings,
            ["Characters that Xero does not take were left out of the reference."]
        );
        assert_eq!(texts.optional("phone number", Some(&"\u{1}\u{2}".to_owned())), None);
        assert_eq!(texts.warnings.len(), 2);
    }

    #[test]
    fn a_name_has_single_spaces_and_no_angle_brackets() {
        let mut texts = Texts::default();
        assert_eq!(texts.name(" Ridge \n Plumbing "), "Ridge Plumbing");
        assert_eq!(texts.warnings, Vec::<String>::new());
        assert_eq!(texts.name("Ridge <Leeds> Ltd"), "Ridge Leeds Ltd");
        assert_eq!(
            texts.warnings,
            ["Characters that Xero does not take were left out of the name."]
        );
    }

    #[test]
    fn line_breaks_stay_where_a_text_may_have_several_lines() {
        let mut texts = Texts::default();
        assert_eq!(texts.block("description", "one\n\ttwo"), "one\n\ttwo");
        assert_eq!(texts.line("reference", "one\ntwo\n"), "one two");
        assert_eq!(texts.warnings, Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn what_is_left_is_sendable_and_stays_as_it_is(text in any::<String>()) {
            let mut texts = Texts::default();
            let once = texts.block("name", &text);
            prop_assert!(once.chars().all(is_sendable));
            prop_assert_eq!(texts.warnings.is_empty(), once == text);
            prop_assert_eq!(Texts::default().block("name", &once), once);
        }
    }
}
