//! The section about the functions: each binary behind the Runtime API, next to a bare one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use local::binaries;
use local::children::cargo;
use local::compile::compile;
use local::failure::Failure;
use local::workplace::Workplace;

use crate::batches;
use crate::callgrind;
use crate::cases::{CASES, FunctionCase, HELLO, is_success};
use crate::function_process::{FunctionCommand, FunctionProcess, StepUsage};
use crate::numbers::{bytes, median, milliseconds, quotient, thousands};
use crate::other_runtimes;
use crate::report::{ReportSection, Table};
use crate::surroundings::Surroundings;

/// Warm invocations of one process.
const WARM_INVOCATIONS: usize = 5;

/// What is measured of the functions.
#[derive(Debug, Clone)]
pub struct FunctionChoice {
    /// The functions, by name. Empty for all.
    pub functions: Vec<String>,
    /// How often each is started.
    pub rounds: usize,
    /// Whether instructions are counted, too.
    pub callgrind: bool,
}

impl FunctionChoice {
    /// The chosen functions, the bare one first, in any case.
    pub fn list_cases(&self) -> Vec<FunctionCase> {
        let is_chosen = |case: &FunctionCase| {
            let named = self.functions.iter().any(|name| name == case.function);
            self.functions.is_empty() || named || case.function == HELLO
        };
        CASES.into_iter().filter(is_chosen).collect()
    }
}

/// What one process of a function used.
#[derive(Debug, Clone)]
struct RunUsage {
    init: StepUsage,
    first: StepUsage,
    warm: Vec<StepUsage>,
    aws_calls: usize,
}

/// Builds the functions with the release profile.
pub async fn build_functions(workplace: &Workplace, names: &[&str]) -> Result<PathBuf, Failure> {
    let mut build = cargo(workplace.project.root(), ["build", "--release"]);
    for name in names {
        build.args(["--package", *name]);
    }
    compile(workplace, "Building the functions failed", &mut build).await?;
    Ok(binaries::target(workplace).await?.join("release"))
}

/// The command of a function's binary.
pub fn command_of(
    workplace: &Workplace,
    case: &FunctionCase,
    binaries: &Path,
    surroundings: &Surroundings,
) -> FunctionCommand {
    FunctionCommand {
        words: vec![binaries.join(case.function)],
        environment: surroundings.environment(case.queue),
        log: workplace.run.log(&format!("bench-{}", case.function)),
    }
}

/// Measures and describes the section.
pub async fn measure_section(
    workplace: &Workplace,
    choice: &FunctionChoice,
) -> Result<ReportSection, Failure> {
    let cases = choice.list_cases();
    let console = &workplace.console;
    console.step("Building the functions for release");
    let names = cases.iter().map(|case| case.function).collect::<Vec<_>>();
    let binaries = build_functions(workplace, &names).await?;
    let mut runs: BTreeMap<&str, Vec<RunUsage>> = BTreeMap::new();
    console.step("Measuring the functions");
    for round in 1..=choice.rounds {
        // One after the other, so that a busy moment of the machine affects all of them.
        for case in &cases {
            console.progress(&format!("{} ({round} of {})", case.function, choice.rounds));
            let usage = Box::pin(run_once(workplace, case, &binaries)).await?;
            runs.entry(case.function).or_default().push(usage);
        }
    }
    console.progress_over();
    let mut section = ReportSection::new("Functions");
    section.add_text(format!(
        "Release binaries behind a Runtime API on this machine, against an embedded DynamoDB and the \
         simulated Xero over plain HTTP, so without TLS; the median of {} starts with {WARM_INVOCATIONS} \
         warm invocations each. Processor time is the scheduler's, for all threads, until the function \
         asks for its next event. Memory is the peak of resident memory after the last invocation. \
         `{HELLO}` is a function on `lambda_runtime` that does nothing.",
        choice.rounds
    ));
    section.add_table(&describe_runs(&cases, &runs, &binaries)?);
    if names.contains(&"invoice-push") {
        let hello = warm_cpu(runs.get(HELLO));
        let hello_peak = peak_kib(runs.get(HELLO));
        let hello = (hello, hello_peak);
        batches::add_batches(&mut section, workplace, &binaries, hello, choice.callgrind).await?;
    }
    if choice.callgrind {
        callgrind::add_instructions(&mut section, workplace, &cases, &binaries).await?;
    }
    other_runtimes::add_runtimes(&mut section, workplace, choice.rounds).await?;
    Ok(section)
}

/// Starts a function once and invokes it.
async fn run_once(
    workplace: &Workplace,
    case: &FunctionCase,
    binaries: &Path,
) -> Result<RunUsage, Failure> {
    let surroundings = Surroundings::start(case.prepare).await?;
    let command = command_of(workplace, case, binaries, &surroundings);
    let (mut function, init) = FunctionProcess::start(&command).await?;
    let mut warm = Vec::new();
    let first = invoke_once(&mut function, case, &surroundings, 0).await?;
    surroundings.aws.take_calls();
    for number in 1..=WARM_INVOCATIONS {
        warm.push(invoke_once(&mut function, case, &surroundings, number).await?);
    }
    let aws_calls: usize = surroundings.aws.take_calls().values().sum();
    Ok(RunUsage { init, first, warm, aws_calls })
}

/// Invokes a function with the event of its case. An answer that is no success is a failure.
pub async fn invoke_once(
    function: &mut FunctionProcess,
    case: &FunctionCase,
    surroundings: &Surroundings,
    number: usize,
) -> Result<StepUsage, Failure> {
    let event = (case.event)(surroundings.world(), number);
    let (answer, usage) = function.invoke(&event).await?;
    if is_success(&answer) {
        return Ok(usage);
    }
    let answer = String::from_utf8_lossy(&answer);
    Err(Failure::new(format!("{} reports a failure: {answer}", case.function)))
}

fn describe_runs(
    cases: &[FunctionCase],
    runs: &BTreeMap<&str, Vec<RunUsage>>,
    binaries: &Path,
) -> Result<Table, Failure> {
    let mut table = Table::new(&[
        "function",
        "an invocation",
        "binary",
        "compressed",
        "start, wall ms",
        "start, CPU ms",
        "first invocation, CPU ms",
        "warm invocation, CPU ms",
        "times hello",
        "peak memory",
        "calls of AWS, warm",
    ]);
    let hello = warm_cpu(runs.get(HELLO));
    for case in cases {
        let (size, compressed) = measure_binary(&binaries.join(case.function))?;
        let of_case = runs.get(case.function);
        let all = of_case.map(Vec::as_slice).unwrap_or_default();
        let middle =
            |value: fn(&RunUsage) -> usize| median(&all.iter().map(value).collect::<Vec<_>>());
        let warm = warm_cpu(of_case);
        table.add_row(vec![
            format!("`{}`", case.function),
            case.does.to_owned(),
            bytes(size),
            bytes(compressed),
            milliseconds(middle(|run| run.init.wall_microseconds)),
            milliseconds(middle(|run| run.init.cpu_microseconds)),
            milliseconds(middle(|run| run.first.cpu_microseconds)),
            thousandths(warm),
            quotient(warm, hello),
            format!("{} MB", quotient(peak_kib(of_case), 1_024)),
            quotient(middle(|run| run.aws_calls), WARM_INVOCATIONS),
        ]);
    }
    Ok(table)
}

/// Microseconds as milliseconds with three decimals.
pub fn thousandths(microseconds: usize) -> String {
    format!("{}.{:03}", thousands(microseconds / 1_000), microseconds % 1_000)
}

/// The median of the processor time of warm invocations, in microseconds.
fn warm_cpu(runs: Option<&Vec<RunUsage>>) -> usize {
    let all = runs.into_iter().flatten().flat_map(|run| &run.warm);
    median(&all.map(|step| step.cpu_microseconds).collect::<Vec<_>>())
}

/// The median of the peaks of memory, in KiB.
fn peak_kib(runs: Option<&Vec<RunUsage>>) -> usize {
    let last = |run: &RunUsage| run.warm.last().map_or(run.first.peak_kib, |step| step.peak_kib);
    median(&runs.into_iter().flatten().map(last).collect::<Vec<_>>())
}

/// The size of a binary, and of its content after compression as in a zip.
fn measure_binary(binary: &Path) -> Result<(usize, usize), Failure> {
    let cannot = |error| Failure::new(format!("Cannot read {}", binary.display())).because(error);
    let content = std::fs::read(binary).map_err(cannot)?;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut encoder, &content).map_err(cannot)?;
    let compressed = encoder.finish().map_err(cannot)?;
    Ok((content.len(), compressed.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bare_function_is_always_measured() {
        let choice =
            FunctionChoice { functions: vec!["sweep".to_owned()], rounds: 1, callgrind: false };
        let names = choice.list_cases().into_iter().map(|case| case.function);
        assert_eq!(names.collect::<Vec<_>>(), [HELLO, "sweep"]);
        let all = FunctionChoice { functions: Vec::new(), ..choice };
        assert_eq!(all.list_cases().len(), CASES.len());
    }

    #[test]
    fn microseconds_keep_three_decimals() {
        assert_eq!([80, 1_205].map(thousandths), ["0.080", "1.205"]);
    }
}
