//! How names that people wrote in two systems are compared. The same accented letter can be one
//! character, or a letter with a combining accent (Unicode's forms NFC and NFD). Readers see no
//! difference, and programs keep the form that they receive.

use unicode_normalization::UnicodeNormalization;

/// The text with every accent joined to its letter, as keyboards enter it.
pub(crate) fn compose_accents(text: &str) -> String {
    text.nfc().collect()
}

/// Whether two texts look the same to a reader.
pub(crate) fn is_same_spelling(one: &str, other: &str) -> bool {
    one == other || one.nfc().eq(other.nfc())
}

/// The form in which the names of accounts, tax rates and tracking options are compared: without
/// regard to capitals and surrounding spaces.
pub(crate) fn fold_label(text: &str) -> String {
    compose_accents(text.trim()).to_lowercase()
}

/// The entry whose name is the wanted one, or else the one whose name looks the same.
pub(crate) fn find_spelled<'a, T>(
    entries: &'a [T],
    name_of: impl Fn(&T) -> &str,
    wanted: &str,
) -> Option<&'a T> {
    let exact = entries.iter().find(|entry| name_of(entry) == wanted);
    exact.or_else(|| entries.iter().find(|entry| is_same_spelling(name_of(entry), wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPOSED: &str = "Caf\u{e9} Z\u{fc}rich";
    const DECOMPOSED: &str = "Cafe\u{301} Zu\u{308}rich";

    #[test]
    fn the_form_of_an_accent_does_not_matter_and_the_accent_does() {
        assert_ne!(COMPOSED, DECOMPOSED);
        assert_eq!(compose_accents(DECOMPOSED), COMPOSED);
        assert!(is_same_spelling(COMPOSED, DECOMPOSED));
        assert!(!is_same_spelling(COMPOSED, "Cafe Zurich"));
        assert!(!is_same_spelling(COMPOSED, "Caf\u{e9} Z\u{fc}rich Ltd"));
        assert_eq!(fold_label(" CAFE\u{301} "), fold_label("caf\u{e9}"));
    }

    #[test]
    fn the_exact_name_is_preferred() {
        let both = [DECOMPOSED, COMPOSED];
        let find = |wanted: &str| find_spelled(&both, |name| *name, wanted).copied();
        assert_eq!(find(COMPOSED), Some(COMPOSED));
        assert_eq!(find(DECOMPOSED), Some(DECOMPOSED));
        assert_eq!(find_spelled(&[COMPOSED], |name| *name, DECOMPOSED), Some(&COMPOSED));
        assert_eq!(find("Cafe Zurich"), None);
    }
}
