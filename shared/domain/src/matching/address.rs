//! Postal addresses in a form in which two of them can be compared. An address proves nothing, but
//! one in another place contradicts a name.

use unicode_normalization::UnicodeNormalization;

use super::normalised_name;

/// Countries with other names and codes that people write for them.
const COUNTRY_NAMES: &[(&str, &[&str])] = &[
    (
        "united kingdom",
        &["uk", "gb", "gbr", "great britain", "england", "scotland", "wales", "northern ireland"],
    ),
    ("united states", &["us", "usa", "united states of america", "america"]),
    ("new zealand", &["nz", "nzl", "aotearoa", "aotearoa new zealand"]),
    ("australia", &["au", "aus"]),
    ("ireland", &["ie", "irl", "eire", "republic of ireland"]),
    ("south africa", &["za", "zaf", "rsa", "republic of south africa"]),
    ("united arab emirates", &["ae", "are", "uae"]),
    ("canada", &["ca", "can"]),
    ("germany", &["de", "deu", "deutschland"]),
    ("netherlands", &["nl", "nld", "nederland", "holland"]),
    ("singapore", &["sg", "sgp"]),
];

/// The longest code of a country (ISO 3166-1).
const CODE_LENGTH: usize = 3;

/// The parts of an address by which two places differ.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AddressMarks {
    postal_code: Option<Box<str>>,
    country: Option<Box<str>>,
}

impl AddressMarks {
    pub(super) fn new(postal_code: Option<&str>, country: Option<&str>) -> Self {
        Self {
            postal_code: postal_code.and_then(postal_code_mark),
            country: country.and_then(country_mark),
        }
    }

    /// Whether both addresses name a country, or both a postal code, and these differ.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        let countries = self.country.as_deref().zip(other.country.as_deref());
        let codes = self.postal_code.as_deref().zip(other.postal_code.as_deref());
        countries.is_some_and(|(ours, theirs)| ours != theirs)
            || codes.is_some_and(|(ours, theirs)| {
                // The first part of a code is often written alone.
                !ours.starts_with(theirs) && !theirs.starts_with(ours)
            })
    }
}

fn postal_code_mark(text: &str) -> Option<Box<str>> {
    let code = text.nfkd().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase);
    let code = code.collect::<String>();
    (!code.is_empty()).then(|| code.into())
}

/// The country's usual name. A code that is not listed is not a mark: it cannot be compared with a
/// name.
fn country_mark(text: &str) -> Option<Box<str>> {
    let letters = text.nfc().filter(|sign| !matches!(sign, '.' | '\'' | '\u{2019}'));
    let letters = letters.map(|sign| if sign.is_alphanumeric() { sign } else { ' ' });
    let folded = normalised_name(&letters.collect::<String>());
    let name = folded.strip_prefix("the ").unwrap_or(&folded);
    let known = COUNTRY_NAMES.iter().find(|(_, others)| others.contains(&name));
    match known {
        Some((usual, _)) => Some((*usual).into()),
        None => (name.chars().count() > CODE_LENGTH).then(|| name.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_contradict_each_other_if_country_or_postal_code_differ() {
        let marks = |code: &str, country: &str| AddressMarks::new(Some(code), Some(country));
        for (ours, theirs, contradicts) in [
            (("LS1 4AP", "United Kingdom"), ("ls14ap", "U.K."), false),
            (("LS1 4AP", "England"), ("LS1", "Great Britain"), false),
            (("LS1 4AP", "United Kingdom"), ("BD1 1AA", "United Kingdom"), true),
            (("", "New Zealand"), ("", "Australia"), true),
            (("", "the Netherlands"), ("", "NL"), false),
            (("94105-1234", "USA"), ("94105", "United States of America"), false),
            (("1010", "Österreich"), ("1010", "Osterreich"), false),
            (("1010", "Austria"), ("1010", "New Zealand"), true),
            (("1010", "AT"), ("1010", "Austria"), false),
            (("LS1 4AP", ""), ("", "Australia"), false),
            ((" - ", "United Kingdom"), ("LS1 4AP", ""), false),
        ] {
            let (one, other) = (marks(ours.0, ours.1), marks(theirs.0, theirs.1));
            assert_eq!(one.contradicts(&other), contradicts, "{ours:?} {theirs:?}");
            assert_eq!(other.contradicts(&one), contradicts, "{ours:?} {theirs:?}");
        }
        let none = AddressMarks::new(None, None);
        assert!(!none.contradicts(&marks("LS1 4AP", "United Kingdom")));
    }
}
