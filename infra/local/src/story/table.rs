//! A table of text with aligned columns.

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// The lines of a table: a head, a rule, the rows. The last column may be as long as it likes.
pub(super) fn lines(head: &[(&str, Side)], rows: &[Vec<String>]) -> Vec<String> {
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(column, (title, _))| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
            cells.chain(std::iter::once(width(title))).max().unwrap_or_default()
        })
        .collect();
    let sides: Vec<Side> = head.iter().map(|(_, side)| *side).collect();
    let titles: Vec<String> = head.iter().map(|(title, _)| (*title).to_owned()).collect();
    let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    [titles, rules].iter().chain(rows).map(|cells| line(cells, &widths, &sides)).collect()
}

fn line(cells: &[String], widths: &[usize], sides: &[Side]) -> String {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .zip(sides)
        .map(|((cell, wanted), side)| {
            let gap = " ".repeat(wanted.saturating_sub(width(cell)));
            match side {
                Side::Left => format!("{cell}{gap}"),
                Side::Right => format!("{gap}{cell}"),
            }
        })
        .collect();
    format!("  {}", padded.join("  ").trim_end())
}

/// The text cut to this many columns.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if width(&kept).saturating_add(columns_of(letter)).saturating_add(1) > columns {
            break;
        }
        kept.push(letter);
    }
    kept.push('…');
    kept
}

fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// East Asian letters and emoji take two columns, marks that join the letter before them none.
fn columns_of(letter: char) -> usize {
    match letter {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{1f300}'..='\u{1faff}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{Side, cut, lines};

    #[test]
    fn columns_are_aligned_whatever_the_letters() {
        let rows = vec![
            vec!["山田".to_owned(), "1.50".to_owned()],
            vec!["Zoë B".to_owned(), "100.00".to_owned()],
        ];
        assert_eq!(
            lines(&[("Name", Side::Left), ("Sum", Side::Right)], &rows),
            ["  Name      Sum", "  ─────  ──────", "  山田     1.50", "  Zoë B  100.00"]
        );
    }

    #[test]
    fn a_long_text_is_cut_with_a_sign() {
        assert_eq!(cut("gutter clearing", 7), "gutter…");
        assert_eq!(cut("gutter", 6), "gutter");
        assert_eq!(cut("山田太郎", 5), "山田…");
    }
}
