//! One run: measures the chosen sections and writes the report.

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::Path;

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
    let file = arguments.output_file().map(|file| workplace.project.root().join(file));
    file.as_deref().map_or(Ok(()), check_output_file)?;
    let machine = Machine::describe(workplace).await;
    let mut sections = Vec::new();
    for section in arguments.list_sections() {
        sections.push(Box::pin(measure_section(section, arguments, workplace)).await?);
    }
    let report = Report { machine, sections }.to_string();
    let Some(path) = file else {
        console.line("");
        report.lines().for_each(|line| console.line(line));
        return Ok(());
    };
    std::fs::write(&path, report).map_err(|error| explain_write_error(&path, error))?;
    console.title(&format!("The figures are in {}.", workplace.project.shown(&path)));
    Ok(())
}

/// Checks that the report can be written. A run takes minutes, and its figures would be lost.
fn check_output_file(path: &Path) -> Result<(), Failure> {
    match File::options().append(true).open(path) {
        Ok(_) => Ok(()),
        Err(error)
            if error.kind() == ErrorKind::NotFound && path.parent().is_some_and(Path::is_dir) =>
        {
            Ok(())
        }
        Err(error) => Err(explain_write_error(path, error)),
    }
}

fn explain_write_error(path: &Path, error: Error) -> Failure {
    Failure::new(format!("Cannot write {}", path.display()))
        .because(error)
        .remedy("Name another file with --out.")
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

#[cfg(test)]
mod tests {
    use super::check_output_file;

    #[test]
    fn a_file_that_cannot_be_written_is_named_before_anything_is_measured() {
        let folder = std::env::temp_dir().join(format!("bench-out-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (new, old) = (folder.join("new.md"), folder.join("old.md"));
        std::fs::write(&old, "figures").unwrap();
        check_output_file(&new).unwrap();
        assert!(!new.exists(), "a run that is interrupted leaves no empty report");
        check_output_file(&old).unwrap();
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "figures");
        for path in [folder.clone(), folder.join("nowhere/new.md"), old.join("new.md")] {
            let lines = check_output_file(&path).unwrap_err().lines();
            assert!(lines[0].starts_with(&format!("Cannot write {}", path.display())), "{lines:?}");
            assert!(lines[1].contains("--out"), "{lines:?}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
