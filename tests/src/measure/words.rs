//! How many words a name has.

/// The words of a name, which begin after `_` and at a capital letter. Of several capital letters
/// in a row, the last begins a word if a small letter follows: `HTTPServer` has two.
pub(super) fn count_words(name: &str) -> usize {
    name.split('_').map(count_capitalised_words).sum()
}

fn count_capitalised_words(part: &str) -> usize {
    let mut words = 0;
    let mut previous: Option<char> = None;
    let mut letters = part.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_before_small_letter = letters.peek().is_some_and(|next| next.is_lowercase());
        let starts_word = previous.is_none_or(|previous| {
            letter.is_uppercase() && (!previous.is_uppercase() || is_before_small_letter)
        });
        words += usize::from(starts_word);
        previous = Some(letter);
    }
    words
}
