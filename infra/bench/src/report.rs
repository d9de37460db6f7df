//! The report: sections of text and tables, as Markdown.

use std::fmt;

use crate::machine::Machine;

/// The section about experiments, which a person writes.
const EXPERIMENTS: &str = include_str!("../experiments.md");

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns and no rows.
    pub fn new(header: &[&str]) -> Self {
        let header = header.iter().map(|title| (*title).to_owned()).collect();
        Self { header, rows: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Panics
    ///
    /// If the row has not one cell for each column.
    pub fn add_row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.header.len(), "a row has a cell for each column");
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    /// Writes Markdown. The first column is text, all others are numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
        writeln!(f, "{}", line(&self.header))?;
        let columns = self.header.len().saturating_sub(1);
        writeln!(f, "|---|{}", "---:|".repeat(columns))?;
        for row in &self.rows {
            writeln!(f, "{}", line(row))?;
        }
        Ok(())
    }
}

/// A section of the report.
#[derive(Debug, Clone)]
pub struct ReportSection {
    title: String,
    parts: Vec<String>,
}

impl ReportSection {
    /// A section without content.
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), parts: Vec::new() }
    }

    /// Adds a paragraph.
    pub fn add_text(&mut self, text: impl Into<String>) {
        self.parts.push(text.into());
    }

    /// Adds a table.
    pub fn add_table(&mut self, table: &Table) {
        self.parts.push(table.to_string().trim_end().to_owned());
    }
}

impl fmt::Display for ReportSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "## {}\n\n{}", self.title, self.parts.join("\n\n"))
    }
}

/// The report of one run.
#[derive(Debug, Clone)]
pub struct Report {
    /// Where it ran, and what.
    pub machine: Machine,
    /// The measured sections, in order.
    pub sections: Vec<ReportSection>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Benchmarks\n")?;
        writeln!(f, "`cargo bench-report` writes this file; every figure is from one run.")?;
        writeln!(f, "Tests assert the counts and never the times.\n")?;
        writeln!(f, "{}\n", self.machine)?;
        for section in &self.sections {
            writeln!(f, "{section}\n")?;
        }
        write!(f, "{EXPERIMENTS}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown_with_numbers_to_the_right() {
        let mut table = Table::new(&["what", "calls", "bytes"]);
        table.add_row(vec!["push".to_owned(), "2".to_owned(), "870 B".to_owned()]);
        assert_eq!(
            table.to_string(),
            "| what | calls | bytes |\n|---|---:|---:|\n| push | 2 | 870 B |\n"
        );
    }

    #[test]
    fn the_parts_of_a_section_are_separated_by_empty_lines() {
        let mut section = ReportSection::new("Calls");
        section.add_text("In process.");
        let mut table = Table::new(&["what"]);
        table.add_row(vec!["push".to_owned()]);
        section.add_table(&table);
        let text = section.to_string();
        assert_eq!(text, "## Calls\n\nIn process.\n\n| what |\n|---|\n| push |");
    }
}
