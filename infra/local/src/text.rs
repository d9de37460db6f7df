//! Fitting text into columns: display width, truncation with an ellipsis, wrapping at words.

use unicode_width::UnicodeWidthChar as _;

/// The number of terminal columns that the text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// The text, truncated with an ellipsis if it is wider than `columns`.
pub fn truncate(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0_usize;
    for letter in text.chars() {
        let after = used.saturating_add(columns_of(letter));
        if after.saturating_add(1) > columns {
            break;
        }
        kept.push(letter);
        used = after;
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// The text in lines of at most `columns`, broken between words. A word that is longer than a line
/// is broken at the end of the line. Text without words is one empty line.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let gap = usize::from(!line.is_empty());
        let needed = width(&line).saturating_add(gap).saturating_add(width(word));
        if needed <= columns {
            if gap > 0 {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for letter in word.chars() {
            let after = width(&line).saturating_add(columns_of(letter));
            if after > columns && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// The same, in at most `lines_max` lines: if text is left, the last one ends with an ellipsis.
pub fn wrap_at_most(text: &str, columns: usize, lines_max: usize) -> Vec<String> {
    let mut lines = wrap(text, columns);
    if lines.len() > lines_max {
        let rest: Vec<String> = lines.drain(lines_max.saturating_sub(1)..).collect();
        lines.push(truncate(&rest.join(" "), columns));
    }
    lines
}

/// Letters without a width, such as combining marks and control characters, take no column.
fn columns_of(letter: char) -> usize {
    letter.width().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{truncate, width, wrap, wrap_at_most};

    #[test]
    fn a_truncated_text_ends_with_an_ellipsis() {
        assert_eq!(truncate("gutter clearing", 7), "gutter…");
        assert_eq!(truncate("gutter", 6), "gutter");
        assert_eq!(truncate("山田太郎", 5), "山田…");
        assert_eq!(truncate("gutter", 1), "…");
        assert_eq!(truncate("gutter", 0), "");
    }

    #[test]
    fn lines_break_between_words_and_within_a_word_that_is_too_long() {
        assert_eq!(wrap("the books are locked", 10), ["the books", "are locked"]);
        assert_eq!(wrap("ab 123456789012 cd", 5), ["ab", "12345", "67890", "12 cd"]);
        assert_eq!(wrap("山田太郎", 5), ["山田", "太郎"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn no_line_is_wider_than_the_given_columns() {
        let text =
            "Zoë's 山田太郎 & Sons: everything that was billed, 🚿 included, in oneverylongword";
        for columns in 2..60 {
            for line in wrap(text, columns) {
                assert!(width(&line) <= columns, "{columns}: {line}");
            }
            assert!(width(&truncate(text, columns)) <= columns);
        }
    }

    #[test]
    fn text_beyond_the_last_line_is_marked_with_an_ellipsis() {
        assert_eq!(wrap_at_most("one two three four five", 9, 2), ["one two", "three fo…"]);
        assert_eq!(wrap_at_most("one two", 9, 2), ["one two"]);
    }
}
