//! Measurements of the product's sources: names, imports inside `engine`, and sizes.
//!
//! The product is what the compiler reads for the crates in `shared` and `functions`, without
//! tests. Code inside macro calls and macro definitions is not parsed, so names and paths there do
//! not count.
//!
//! `cargo measure` prints the measurements. The test `tidy` keeps those that are enforced from
//! getting worse.

mod cycles;
mod definitions;
mod imports;
mod layers;
mod report;
mod sources;
mod words;

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, fs, io};

pub use self::report::{Measure, Offender, Reading, Report};

use self::cycles::Cycle;
use self::definitions::{Definitions, Function, Role};
use self::imports::{Import, name_module};
use self::sources::{SourceFile, read_crate};
use self::words::count_words;

/// The folders of the product; each of their folders is a crate.
const PRODUCT_FOLDERS: [&str; 2] = ["shared", "functions"];
/// The crate whose imports are measured.
const LAYERED_CRATE: &str = "shared/engine";
/// How often the name of a private function may be defined.
const DEFINITIONS_MAX: usize = 3;
/// Names by which Rust code does the same thing everywhere. They may be defined any number of
/// times.
const USUAL_NAMES: [&str; 16] = [
    "as_str",
    "default",
    "deserialize",
    "fmt",
    "from",
    "from_str",
    "get",
    "into",
    "is_empty",
    "iter",
    "len",
    "main",
    "new",
    "next",
    "serialize",
    "try_from",
];

/// A line of a source file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The path of the file below the project's root.
    pub file: String,
    /// The number of the line, from 1.
    pub line: usize,
}

impl fmt::Display for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// Reads the sources of the project at `root` and measures them.
///
/// # Errors
///
/// A file that cannot be read or parsed. The error names it.
pub fn measure_project(root: &Path) -> io::Result<Report> {
    let mut files = Vec::new();
    let mut engine = Vec::new();
    for folder in list_crates(root)? {
        let crate_files = read_crate(root, &folder)?;
        if folder == LAYERED_CRATE {
            engine = crate_files;
        } else {
            files.extend(crate_files);
        }
    }
    let imports = imports::list_imports(&engine);
    let unplaced_modules = layers::list_unplaced(&engine);
    files.append(&mut engine);
    files.sort_by_cached_key(|file| file.path.clone());

    let definitions = Definitions::collect(&files);
    let architecture = fs::read_to_string(root.join("ARCHITECTURE.md"))?;
    let readings = vec![
        measure_function_names(&definitions),
        measure_type_names(&definitions),
        measure_repeated_names(&definitions),
        measure_upward_imports(&imports),
        measure_cycles(&imports),
        Reading::of_count(Measure::ArchitectureLines, architecture.lines().count()),
        measure_lines(&files),
    ];
    Ok(Report { readings, unplaced_modules })
}

/// The folders of the product's crates, below the project's root.
fn list_crates(root: &Path) -> io::Result<Vec<String>> {
    let mut crates = Vec::new();
    for folder in PRODUCT_FOLDERS {
        for entry in fs::read_dir(root.join(folder))? {
            let entry = entry?;
            if entry.path().join("Cargo.toml").is_file() {
                crates.push(format!("{folder}/{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    crates.sort();
    Ok(crates)
}

/// Every function counts, including those that implement a trait, because the target was measured
/// that way in other projects. The list leaves out what cannot be renamed here.
fn measure_function_names(definitions: &Definitions) -> Reading {
    let functions = &definitions.functions;
    let short =
        functions.iter().filter(|function| count_words(&function.name) == 1).collect::<Vec<_>>();
    let offenders = short
        .iter()
        .filter(|function| can_be_renamed(function))
        .map(|function| Offender::new(&function.name, &function.site))
        .collect::<Vec<_>>();
    let fixed = short.len().saturating_sub(offenders.len());
    Reading {
        offenders,
        remark: format!(
            "{} of {}; {fixed} of them are usual names or implement a trait, and are not listed",
            short.len(),
            functions.len()
        ),
        ..Reading::of_share(Measure::OneWordFunctions, short.len(), functions.len())
    }
}

fn can_be_renamed(function: &Function) -> bool {
    function.role != Role::Implementation && !is_usual(&function.name)
}

fn is_usual(name: &str) -> bool {
    USUAL_NAMES.contains(&name)
}

fn measure_type_names(definitions: &Definitions) -> Reading {
    let types = &definitions.types;
    let offenders = types
        .iter()
        .filter(|named| count_words(&named.name) == 1)
        .map(|named| Offender::new(&named.name, &named.site))
        .collect::<Vec<_>>();
    Reading {
        remark: format!("{} of {}", offenders.len(), types.len()),
        ..Reading::of_share(Measure::OneWordTypes, offenders.len(), types.len())
    }
    .with_offenders(offenders)
}

/// Names of private functions that are defined more often than is allowed; every definition is
/// listed.
fn measure_repeated_names(definitions: &Definitions) -> Reading {
    let mut by_name = BTreeMap::<&str, Vec<&Site>>::new();
    for function in &definitions.functions {
        if function.role == Role::Private && !is_usual(&function.name) {
            by_name.entry(&function.name).or_default().push(&function.site);
        }
    }
    by_name.retain(|_, sites| sites.len() > DEFINITIONS_MAX);
    let offenders = by_name
        .iter()
        .flat_map(|(name, sites)| sites.iter().map(move |site| Offender::new(name, site)))
        .collect();
    Reading::of_count(Measure::RepeatedPrivateNames, by_name.len()).with_offenders(offenders)
}

fn measure_upward_imports(imports: &[Import]) -> Reading {
    let offenders = layers::find_upward(imports);
    Reading::of_count(Measure::UpwardImports, offenders.len()).with_offenders(offenders)
}

/// Modules count, not cycles: a change that breaks a large cycle into two small ones is progress.
fn measure_cycles(imports: &[Import]) -> Reading {
    let cycles = cycles::find_cycles(imports);
    let modules = cycles.iter().map(|cycle| cycle.modules.len()).sum();
    Reading {
        remark: cycles.iter().map(describe_cycle).collect::<Vec<_>>().join("; "),
        ..Reading::of_count(Measure::ModulesInCycles, modules)
    }
    .with_offenders(cycles.iter().flat_map(list_imports_of_cycle).collect())
}

fn describe_cycle(cycle: &Cycle) -> String {
    let names = cycle.modules.iter().map(|module| name_module(module)).collect::<Vec<_>>();
    names.join(", ")
}

fn list_imports_of_cycle(cycle: &Cycle) -> Vec<Offender> {
    let name =
        |import: &Import| format!("{} → {}", name_module(&import.from), name_module(&import.to));
    cycle.imports.iter().map(|import| Offender::new(&name(import), &import.site)).collect()
}

/// Lines of the product's files, with comments and blank lines, without the test modules in them.
fn measure_lines(files: &[SourceFile]) -> Reading {
    let lines = files.iter().map(|file| file.lines).sum();
    Reading {
        remark: format!("in {} files", files.len()),
        ..Reading::of_count(Measure::ProductLines, lines)
    }
}

#[cfg(test)]
mod tests;
