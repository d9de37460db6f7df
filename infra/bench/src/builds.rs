//! The section about build times: the functions with the release profile, from nothing.

use local::binaries::FUNCTIONS;
use local::children::cargo;
use local::clock;
use local::compile::compile;
use local::console::clock_time;
use local::failure::Failure;
use local::workplace::Workplace;

use crate::report::{ReportSection, Table};

/// The function that is built first, with everything that it depends on.
const FIRST: &str = "invoice-push";

/// Builds the functions into a folder of their own, which is removed before and afterwards, and
/// describes the times. Takes as long as the builds do.
pub async fn measure_section(workplace: &Workplace) -> Result<ReportSection, Failure> {
    let target = workplace.project.workshop().join("bench-target");
    std::fs::remove_dir_all(&target).ok();
    let mut table = Table::new(&["build", "time (min:s)"]);
    let others = FUNCTIONS.into_iter().filter(|name| *name != FIRST).collect::<Vec<_>>();
    for (what, functions) in [
        (format!("`{FIRST}` from nothing"), vec![FIRST]),
        (format!("the other {} functions after it", others.len()), others),
    ] {
        workplace.console.step(&format!("Building {what}"));
        let mut build = cargo(workplace.project.root(), ["build", "--release"]);
        build.env("CARGO_TARGET_DIR", &target);
        for function in functions {
            build.args(["--package", function]);
        }
        let begun = clock::now();
        compile(workplace, "Building for the benchmark failed", &mut build).await?;
        table.add_row(vec![what, clock_time(clock::now().duration_since(begun))]);
    }
    std::fs::remove_dir_all(&target).ok();
    let mut section = ReportSection::new("Builds");
    section.add_text(
        "`cargo build --release` on this machine, with downloaded sources and without any compiled \
         dependency.",
    );
    section.add_table(&table);
    Ok(section)
}
