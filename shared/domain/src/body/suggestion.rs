//! The known field that an unknown name probably means.

use std::fmt;

/// The known field that was probably meant, if one has a similar name. Displayed as a suffix of an
/// error: `; did you mean tax_rate?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSuggestion(Option<&'static str>);

impl FieldSuggestion {
    /// No field has a similar name.
    pub const NONE: Self = Self(None);

    /// The most similar of these names: equal apart from underscores, hyphens and case, or at most
    /// two letters different.
    pub(super) fn find_closest(names: impl Iterator<Item = &'static str>, given: &str) -> Self {
        let limit = match given.chars().count() {
            0..=2 => 0,
            3 => 1,
            4..=60 => 2,
            // No field's name is that long.
            _ => return Self::NONE,
        };
        let plain_given = simplify_name(given);
        let distances = names.map(|name| {
            let is_same = simplify_name(name) == plain_given;
            (if is_same { 0 } else { edit_distance(name, given) }, is_same, name)
        });
        let close = distances.filter(|(letters, is_same, _)| *is_same || *letters <= limit);
        Self(close.min_by_key(|(letters, ..)| *letters).map(|(_, _, name)| name))
    }
}

impl fmt::Display for FieldSuggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "; did you mean {name}?"),
            None => Ok(()),
        }
    }
}

fn simplify_name(name: &str) -> String {
    let letters = name.chars().filter(|sign| !matches!(sign, '_' | '-' | ' '));
    letters.flat_map(char::to_lowercase).collect()
}

/// The Levenshtein distance: how many letters must be added, removed or replaced.
fn edit_distance(name: &str, given: &str) -> usize {
    let name = name.chars().collect::<Vec<_>>();
    let mut row = (0..=name.len()).collect::<Vec<_>>();
    for (index, letter) in given.chars().enumerate() {
        let mut left = index + 1;
        let mut next = vec![left];
        for ((expected, diagonal), above) in name.iter().zip(&row).zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(letter != *expected);
            left = replaced.min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
