//! A table of text with aligned columns that fits a given width.

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Row, TableStyle, Width,
};

use crate::console::Console;
use crate::text::truncate;

/// The indentation of the table, and the gap between its columns.
const GAP: u16 = 2;
/// The minimum width of a column of words.
const NARROWEST: u16 = 8;
/// The maximum number of lines of a cell.
const CELL_LINES_MAX: usize = 3;
/// What the lines below the titles and between the rows consist of. The lines of a row begin with
/// the gap, or are empty.
const RULE: char = '─';
const STYLE: TableStyle = TableStyle::new()
    .header_separator(LineStyle::none().fill(RULE))
    .row_separator(LineStyle::none().fill(RULE));

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
    /// shrink, and their cells wrap. No line is wider than `columns`.
    pub(super) fn fit(head: &[(&str, Side)], rows: &[Vec<String>], columns: usize) -> Self {
        let table = lay_out(head, rows, columns);
        let lines: Vec<String> =
            table.lines().map(|line| truncate(line.trim_end(), columns)).collect();
        let is_rule = |line: &String| line.starts_with(RULE);
        // The rows are separated only to tell them apart: each is printed in its own tone.
        let mut parts = lines.split(is_rule).map(<[String]>::to_vec);
        let mut head = parts.next().unwrap_or_default();
        head.extend(lines.iter().find(|line| is_rule(line)).cloned());
        Self { head, rows: parts.filter(|row| !row.is_empty()).collect() }
    }
}

/// Prints a table that fits the output.
pub(super) fn print(console: &Console, head: &[(&str, Side)], rows: &[Vec<String>]) {
    let table = Table::fit(head, rows, console.columns());
    for line in table.head.iter().chain(table.rows.iter().flatten()) {
        console.line(line);
    }
}

fn lay_out(head: &[(&str, Side)], rows: &[Vec<String>], columns: usize) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(columns).unwrap_or(u16::MAX))
        .set_header(head.iter().map(|(title, _)| *title))
        .add_rows(rows.iter().map(|cells| {
            let mut row = Row::from(cells);
            row.max_height(CELL_LINES_MAX);
            row
        }));
    let widths = table.column_max_content_widths();
    for ((column, (_, side)), width) in table.column_iter_mut().zip(head).zip(widths) {
        column.set_padding((GAP, 0));
        if *side == Side::Right {
            column.set_cell_alignment(CellAlignment::Right);
        }
        column.set_constraint(if *side == Side::Right || width <= NARROWEST {
            ColumnConstraint::ContentWidth
        } else {
            ColumnConstraint::LowerBoundary(Width::Fixed(NARROWEST.saturating_add(GAP)))
        });
    }
    table
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
        assert_eq!(table.head, ["  Name      Sum", "───────────────"]);
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
    fn a_table_without_rows_is_its_titles() {
        let table = Table::fit(&[("Name", Side::Left), ("Sum", Side::Right)], &[], 100);
        assert_eq!(table.head, ["  Name  Sum", "───────────"]);
        assert!(table.rows.is_empty());
    }

    #[test]
    fn short_words_stay_whole_in_a_narrow_terminal() {
        let rows = [row(&["#INV-2001", "GBP", "The books are locked up to 31 March"])];
        let head = [("Number", Side::Left), ("", Side::Left), ("What happened", Side::Left)];
        let table = Table::fit(&head, &rows, 28);
        assert!(table.rows[0][0].contains("  GBP  The"), "{:?}", table.rows[0]);
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
