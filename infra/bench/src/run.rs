//! One run: measures the chosen sections and writes the report.

use local::failure::Failure;
use local::workplace::Workplace;

use crate::arguments::{Arguments, Section};
use crate::machine::Machine;
use crate::report::{Report, ReportSection};
use crate::{aws_calls, builds, burst, functions, growth, xero_calls};

/// Measures the chosen sections, one after the other, and writes the report to its file or to the
/// console.
pub async fn run(arguments: &Arguments, workplace: &Workplace) -> Result<(), Failure> {
    let console = &workplace.console;
    // A wrong name is reported before anything is measured.
    arguments.choose_functions()?;
    let machine = Machine::describe(workplace).await;
    let mut sections = Vec::new();
    for section in arguments.list_sections() {
        sections.push(Box::pin(measure_section(section, arguments, workplace)).await?);
    }
    let report = Report { machine, sections }.to_string();
    let Some(file) = arguments.output_file() else {
        console.line("");
        report.lines().for_each(|line| console.line(line));
        return Ok(());
    };
    let path = workplace.project.root().join(file);
    std::fs::write(&path, report)
        .map_err(|error| Failure::new(format!("Cannot write {}", path.display())).because(error))?;
    console.title(&format!("The figures are in {}.", workplace.project.shown(&path)));
    Ok(())
}

async fn measure_section(
    section: Section,
    arguments: &Arguments,
    workplace: &Workplace,
) -> Result<ReportSection, Failure> {
    let console = &workplace.console;
    match section {
        Section::Xero => {
            console.step("Counting the calls of Xero");
            Ok(xero_calls::measure_section(&xero_calls::SIZES))
        }
        Section::Aws => {
            console.step("Counting the calls of AWS");
            Ok(aws_calls::measure_section())
        }
        Section::Functions => {
            functions::measure_section(workplace, &arguments.choose_functions()?).await
        }
        Section::Growth => {
            console.step("Counting in growing accounts");
            Ok(growth::measure_section(&growth::SIZES))
        }
        Section::Burst => {
            console.step("Pushing a burst");
            Ok(burst::measure_section(burst::INVOICES))
        }
        Section::Builds => builds::measure_section(workplace).await,
    }
}
