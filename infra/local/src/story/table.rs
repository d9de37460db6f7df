//! A table of text with aligned columns that fits a given width.

use crate::console::Console;
use crate::text::{truncate, width, wrap_at_most};

/// The indentation of the table and the gap between its columns.
const INDENT: usize = 2;
/// The minimum width of a column of words.
const NARROWEST: usize = 8;
/// The maximum number of lines of a cell.
const CELL_LINES_MAX: usize = 3;

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Words. They wrap when the table is too wide.
    Left,
    /// Numbers. They keep their width.
    Right,
}

/// A table ready to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// The titles and the rule below them.
    pub(super) head: Vec<String>,
    /// The lines of each row: more than one when a cell wraps.
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// Lays out the rows below their titles in at most `columns` terminal columns. Columns of words
    /// shrink, the widest first, and their cells wrap. No line is wider than `columns`.
    pub(super) fn fit(head: &[(&str, Side)], rows: &[Vec<String>], columns: usize) -> Self {
        let sides: Vec<Side> = head.iter().map(|(_, side)| *side).collect();
        let widths = fitted(natural_widths(head, rows), &sides, columns);
        let titles: Vec<String> = head.iter().map(|(title, _)| (*title).to_owned()).collect();
        let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
        let lay = |cells: &[String]| lay_out(cells, &widths, &sides, columns);
        let head = [titles, rules].iter().flat_map(|cells| lay(cells)).collect();
        Self { head, rows: rows.iter().map(|cells| lay(cells)).collect() }
    }
}

/// Prints a table that fits the output.
pub(super) fn print(console: &Console, head: &[(&str, Side)], rows: &[Vec<String>]) {
    let table = Table::fit(head, rows, console.columns());
    for line in table.head.iter().chain(table.rows.iter().flatten()) {
        console.line(line);
    }
}

/// The widths at which no cell wraps.
fn natural_widths(head: &[(&str, Side)], rows: &[Vec<String>]) -> Vec<usize> {
    head.iter()
        .enumerate()
        .map(|(column, (title, _))| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
            cells.chain(std::iter::once(width(title))).max().unwrap_or_default()
        })
        .collect()
}

/// The widths after columns of words have shrunk to fit.
fn fitted(mut widths: Vec<usize>, sides: &[Side], columns: usize) -> Vec<usize> {
    loop {
        let gaps = INDENT.saturating_mul(widths.len());
        let total = widths.iter().sum::<usize>().saturating_add(gaps);
        if total <= columns {
            return widths;
        }
        let widest = widths
            .iter_mut()
            .zip(sides)
            .filter(|(width, side)| **side == Side::Left && **width > NARROWEST)
            .map(|(width, _)| width)
            .max();
        match widest {
            Some(width) => *width = width.saturating_sub(1),
            None => return widths,
        }
    }
}

/// The lines of one row.
fn lay_out(cells: &[String], widths: &[usize], sides: &[Side], columns: usize) -> Vec<String> {
    let wrapped: Vec<Vec<String>> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| wrap_at_most(cell, *width, CELL_LINES_MAX))
        .collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or_default();
    (0..height)
        .map(|place| {
            let parts: Vec<String> = wrapped
                .iter()
                .zip(widths)
                .zip(sides)
                .map(|((lines, width), side)| {
                    let part = lines.get(place).map_or("", String::as_str);
                    pad(part, *width, *side)
                })
                .collect();
            let line = format!("{}{}", " ".repeat(INDENT), parts.join("  "));
            truncate(line.trim_end(), columns)
        })
        .collect()
}

fn pad(part: &str, wanted: usize, side: Side) -> String {
    let gap = " ".repeat(wanted.saturating_sub(width(part)));
    match side {
        Side::Left => format!("{part}{gap}"),
        Side::Right => format!("{gap}{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Side, Table};
    use crate::text::width;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn columns_are_aligned_whatever_the_letters() {
        let rows = [row(&["山田", "1.50"]), row(&["Zoë B", "100.00"])];
        let table = Table::fit(&[("Name", Side::Left), ("Sum", Side::Right)], &rows, 100);
        assert_eq!(table.head, ["  Name      Sum", "  ─────  ──────"]);
        assert_eq!(table.rows, [["  山田     1.50"], ["  Zoë B  100.00"]]);
    }

    #[test]
    fn words_wrap_in_their_own_column_and_numbers_keep_their_width() {
        let rows = [row(&["1204.00", "The books are locked up to 31 March"])];
        let table = Table::fit(&[("Billed", Side::Right), ("Reason", Side::Left)], &rows, 31);
        let gap = " ".repeat(11);
        assert_eq!(
            table.rows,
            [["  1204.00  The books are locked".to_owned(), format!("{gap}up to 31 March")]]
        );
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_nothing_is_lost_without_a_mark() {
        let long = "Xero refused the document because of its tax rate. ".repeat(8);
        let head = [("Number", Side::Left), ("Sum", Side::Right), ("What happened", Side::Left)];
        let rows = [row(&["#INV-2001", "114.00", &long]), row(&["#INV-2002", "1.00", "pushed"])];
        for columns in 12..210 {
            let table = Table::fit(&head, &rows, columns);
            for line in table.head.iter().chain(table.rows.iter().flatten()) {
                assert!(width(line) <= columns, "{columns}: {line}");
            }
        }
        let table = Table::fit(&head, &rows, 100);
        assert_eq!(table.rows[0].len(), 3);
        assert!(table.rows[0][2].ends_with('…'), "{:?}", table.rows[0]);
        assert_eq!(table.rows[1].len(), 1);
    }
}
