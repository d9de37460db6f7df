//! The measurements, as numbers and as text.

use std::fmt;

use super::Site;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The share of functions and methods whose name is one word.
    OneWordFunctions,
    /// The share of structs, enums, traits and type aliases whose name is one word.
    OneWordTypes,
    /// Names of private functions that have more than three definitions, beyond the usual ones.
    RepeatedPrivateNames,
    /// Imports from one module of `engine` to another in a higher layer.
    UpwardImports,
    /// Modules of `engine` that are part of an import cycle.
    ModulesInCycles,
    /// Lines of `ARCHITECTURE.md`.
    ArchitectureLines,
    /// Lines of the product, without tests.
    ProductLines,
}

impl Measure {
    /// Its name in the table.
    pub const fn title(self) -> &'static str {
        match self {
            Self::OneWordFunctions => "function names of one word",
            Self::OneWordTypes => "type names of one word",
            Self::RepeatedPrivateNames => "private function names with over three definitions",
            Self::UpwardImports => "upward imports in engine",
            Self::ModulesInCycles => "modules in import cycles in engine",
            Self::ArchitectureLines => "lines of ARCHITECTURE.md",
            Self::ProductLines => "product lines",
        }
    }

    /// Its target: the maximum count, or the maximum share in tenths of a percent.
    pub const fn target(self) -> usize {
        match self {
            Self::OneWordFunctions => 350,
            Self::OneWordTypes => 250,
            Self::RepeatedPrivateNames | Self::UpwardImports | Self::ModulesInCycles => 0,
            Self::ArchitectureLines => 150,
            Self::ProductLines => 24_000,
        }
    }

    /// A value of this measure, as text.
    pub fn format_value(self, value: usize) -> String {
        match self {
            Self::OneWordFunctions | Self::OneWordTypes => {
                format!("{}.{} %", value / 10, value % 10)
            }
            Self::RepeatedPrivateNames
            | Self::UpwardImports
            | Self::ModulesInCycles
            | Self::ArchitectureLines
            | Self::ProductLines => group_thousands(value),
        }
    }
}

/// `12,345`.
fn group_thousands(value: usize) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Something that a measure counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offender {
    /// The name, or the import.
    pub name: String,
    /// Where it is.
    pub site: Site,
}

impl Offender {
    pub(super) fn new(name: &str, site: &Site) -> Self {
        Self { name: name.to_owned(), site: site.clone() }
    }
}

/// The value of one measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What was measured.
    pub measure: Measure,
    /// A count, or a share in tenths of a percent, rounded up.
    pub value: usize,
    /// The contribution of the listed items to the value, if any.
    pub remark: String,
    /// The items that can be changed to lower the value.
    pub offenders: Vec<Offender>,
}

impl Reading {
    pub(super) fn of_count(measure: Measure, value: usize) -> Self {
        Self { measure, value, remark: String::new(), offenders: Vec::new() }
    }

    pub(super) fn of_share(measure: Measure, part: usize, whole: usize) -> Self {
        Self::of_count(measure, part.saturating_mul(1000).div_ceil(whole.max(1)))
    }

    pub(super) fn with_offenders(self, offenders: Vec<Offender>) -> Self {
        Self { offenders, ..self }
    }
}

/// Everything that was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One reading for each measure, in the order of the table.
    pub readings: Vec<Reading>,
    /// Modules of `engine` that the table of layers does not contain. Their imports are not
    /// checked.
    pub unplaced_modules: Vec<String>,
}

impl Report {
    /// The value of a measure.
    pub fn find_value(&self, measure: Measure) -> Option<usize> {
        let reading = self.readings.iter().find(|reading| reading.measure == measure)?;
        Some(reading.value)
    }

    /// The items that each measure counts, with name and line, as a work list.
    pub fn render_list(&self) -> String {
        let counting = self.readings.iter().filter(|reading| !reading.offenders.is_empty());
        counting.map(render_offenders).collect()
    }
}

fn render_offenders(reading: &Reading) -> String {
    let value = reading.measure.format_value(reading.value);
    let mut heading = format!("{}: {value}", reading.measure.title());
    if !reading.remark.is_empty() {
        heading = format!("{heading} ({})", reading.remark);
    }
    let names = reading.offenders.iter().map(|offender| offender.name.chars().count());
    let width = names.max().unwrap_or_default();
    let mut lines = vec![heading];
    lines.extend(
        reading
            .offenders
            .iter()
            .map(|offender| format!("  {:<width$}  {}", offender.name, offender.site)),
    );
    lines.join("\n") + "\n\n"
}

/// The table: measure, value, target.
impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["measure", "value", "target"].map(str::to_owned)];
        rows.extend(self.readings.iter().map(|reading| {
            let measure = reading.measure;
            let target = format!("≤ {}", measure.format_value(measure.target()));
            [measure.title().to_owned(), measure.format_value(reading.value), target]
        }));
        let [measures, values, targets] = [0, 1, 2].map(|column| find_width(&rows, column));
        for [measure, value, target] in &rows {
            writeln!(formatter, "{measure:<measures$}  {value:>values$}  {target:>targets$}")?;
        }
        for module in &self.unplaced_modules {
            writeln!(
                formatter,
                "engine::{module} is in no layer: see tests/src/measure/layers.rs"
            )?;
        }
        Ok(())
    }
}

/// The width of a column, in characters.
fn find_width(rows: &[[String; 3]], column: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(column));
    cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
}
