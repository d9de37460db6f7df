//! Builds functions the way they are built for deployment: `cargo lambda build --release`, for
//! Lambda's arm64 if that target is installed, otherwise for this machine. Then checks the result,
//! and deploys it with the commands of the deployment guide, in an empty folder, to a local AWS.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::children::{cargo, tail};
use crate::failure::Failure;
use crate::python::{CHECKS, LAMBDA, MINISTACK, Python};
use crate::stack::Options;
use crate::workplace::Workplace;

/// What is built in every run: all functions share one workspace and one profile, and linking with
/// LTO takes minutes for each.
pub const SAMPLE: [&str; 1] = ["log-cleanup"];
/// The functions that have no engine, and so are smaller than the others.
const WITHOUT_ENGINE: [&str; 2] = ["log-cleanup", "pages"];
/// A larger binary contains a second TLS stack: without the engine, and with it.
const LARGEST_BYTES: usize = 12 * 1024 * 1024;
const LARGEST_BYTES_WITH_ENGINE: usize = 18 * 1024 * 1024;
/// The name of the section with the symbols, which a stripped binary does not have.
const SYMBOL_TABLE: &[u8] = b".symtab";
/// The offset of the machine type in an ELF file, and its values for two machines.
const MACHINE: usize = 18;
const AARCH64: u8 = 183;
const X86_64: u8 = 62;

/// The machine to build for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Machine {
    /// Lambda's Graviton, as in the template.
    Arm64,
    /// This machine, if the other target is not installed.
    X8664,
}

impl Machine {
    const fn flag(self) -> &'static str {
        match self {
            Self::Arm64 => "--arm64",
            Self::X8664 => "--x86-64",
        }
    }

    const fn word(self) -> u8 {
        match self {
            Self::Arm64 => AARCH64,
            Self::X8664 => X86_64,
        }
    }

    const fn is_here(self) -> bool {
        match self {
            Self::Arm64 => cfg!(target_arch = "aarch64"),
            Self::X8664 => cfg!(target_arch = "x86_64"),
        }
    }
}

/// Builds these functions, checks the binaries and deploys them as the guide says.
pub async fn build(
    functions: &[&str],
    workplace: &Workplace,
    options: &Options,
) -> Result<(), Failure> {
    let python = Python::find(&workplace.children, options.python.as_deref()).await?;
    let tools = python.environment(workplace, &LAMBDA).await?.join("bin");
    let machine = machine(workplace).await;
    let arguments = list_build_arguments(functions, machine);
    let mut command = cargo(workplace.project.root(), &arguments);
    command.env("PATH", path(&tools)?);
    workplace.show(&format!("cargo {}", arguments.join(" ")), &mut command).await?;
    let built = crate::binaries::target(workplace).await?.join("lambda");
    for function in functions {
        check_bootstrap(workplace, &built, function, machine).await?;
    }
    walk_through_guide(workplace, &python, &built, functions).await
}

/// The arguments of cargo. For all functions and arm64 they are those of the guide.
fn list_build_arguments<'a>(functions: &[&'a str], machine: Machine) -> Vec<&'a str> {
    let packages = functions.iter().flat_map(|function| ["-p", *function]);
    ["lambda", "build", "--release", machine.flag()].into_iter().chain(packages).collect()
}

/// Checks the form of a binary, and starts it if this machine can.
async fn check_bootstrap(
    workplace: &Workplace,
    built: &Path,
    function: &str,
    machine: Machine,
) -> Result<(), Failure> {
    let bootstrap = built.join(function).join("bootstrap");
    let content = std::fs::read(&bootstrap).map_err(|error| {
        Failure::new(format!("Cannot read {}", bootstrap.display())).because(error)
    })?;
    looked_at(&content, function, machine)?;
    if machine.is_here() {
        starts(workplace, &bootstrap, function).await?;
    }
    let megabytes = content.len() / 1024 / 1024;
    let done = format!("{function}: a bootstrap of {megabytes} MB for {}", machine.flag());
    workplace.console.done(&done);
    Ok(())
}

/// Runs the commands of `infra/deploying.md` that a local AWS can answer, with these binaries and
/// with placeholders for the other functions: lint, build, change set, deploy, package.
async fn walk_through_guide(
    workplace: &Workplace,
    python: &Python,
    built: &Path,
    functions: &[&str],
) -> Result<(), Failure> {
    let sam = python.environment(workplace, &CHECKS).await?.join("bin/sam");
    let interpreter = python.environment(workplace, &MINISTACK).await?.join("bin/python");
    let mut walk = Command::new(interpreter);
    walk.current_dir(workplace.project.sources()).env("SAM", sam);
    walk.env("BUILT", built).env("FUNCTIONS", functions.join(" "));
    walk.args(["-B", "-m", "unittest", "test_deployment_guide"]);
    workplace.show("python -m unittest test_deployment_guide", &mut walk).await
}

/// Arm64, if the toolchain has the target.
async fn machine(workplace: &Workplace) -> Machine {
    let mut ask = Command::new("rustc");
    ask.args(["--print", "sysroot"]).current_dir(workplace.project.root());
    let sysroot = workplace.children.ask(&mut ask).await.ok().flatten().unwrap_or_default();
    let target = Path::new(sysroot.trim()).join("lib/rustlib/aarch64-unknown-linux-gnu/lib");
    if target.is_dir() {
        return Machine::Arm64;
    }
    workplace
        .console
        .done("the target aarch64-unknown-linux-gnu is not installed; building for x86-64");
    Machine::X8664
}

/// The `PATH` with the tools first.
fn path(tools: &Path) -> Result<std::ffi::OsString, Failure> {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(tools.to_owned()).chain(std::env::split_paths(&own));
    std::env::join_paths(all).map_err(|error| Failure::new("The PATH cannot be set").because(error))
}

fn looked_at(content: &[u8], function: &str, machine: Machine) -> Result<(), Failure> {
    if !content.starts_with(b"\x7fELF") || content.get(MACHINE) != Some(&machine.word()) {
        let flag = machine.flag();
        return Err(Failure::new(format!("The bootstrap of {function} is no program for {flag}")));
    }
    let largest =
        if WITHOUT_ENGINE.contains(&function) { LARGEST_BYTES } else { LARGEST_BYTES_WITH_ENGINE };
    if content.len() > largest {
        let bytes = content.len();
        return Err(Failure::new(format!("The bootstrap of {function} has {bytes} bytes"))
            .remedy("Look for a second TLS stack: cargo deny check bans"));
    }
    if memchr::memmem::find(content, SYMBOL_TABLE).is_some() {
        return Err(Failure::new(format!("The bootstrap of {function} has a symbol table"))
            .remedy("Set `strip` for its package in Cargo.toml"));
    }
    Ok(())
}

/// Runs the binary: without its variables it names those that are missing, and exits.
async fn starts(workplace: &Workplace, bootstrap: &Path, function: &str) -> Result<(), Failure> {
    let log = workplace.run.log(function);
    let cannot =
        |error| Failure::new(format!("The bootstrap of {function} does not run")).because(error);
    let out = std::fs::File::create(&log).map_err(cannot)?;
    let errors = out.try_clone().map_err(cannot)?;
    let mut run = Command::new(bootstrap);
    run.env_clear().stdin(Stdio::null()).stdout(out).stderr(errors);
    let status = workplace.children.run(&mut run).await.map_err(cannot)?;
    let said = tail(&log);
    // The pages are the only function without a table.
    let variable = if function == "pages" { "CRM_ORIGINS" } else { "TABLE_NAME" };
    if status.success() || !said.contains(&format!("{variable} is not set")) {
        return Err(Failure::new(format!(
            "The bootstrap of {function} does not report missing variables:\n{said}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{
        LARGEST_BYTES, LARGEST_BYTES_WITH_ENGINE, Machine, SAMPLE, list_build_arguments, looked_at,
    };
    use crate::binaries::FUNCTIONS;
    use crate::project::Project;

    fn program(word: u8, bytes: usize) -> Vec<u8> {
        let mut content = b"\x7fELF".to_vec();
        content.resize(bytes, 0);
        content[18] = word;
        content
    }

    #[test]
    fn a_bootstrap_has_the_right_machine_type_and_size() {
        assert!(looked_at(&program(183, 64), "sweep", Machine::Arm64).is_ok());
        assert!(looked_at(&program(62, 64), "sweep", Machine::Arm64).is_err());
        assert!(looked_at(b"#!/bin/sh", "sweep", Machine::X8664).is_err());
        let larger = program(62, LARGEST_BYTES + 1);
        for function in ["log-cleanup", "pages"] {
            assert!(looked_at(&larger, function, Machine::X8664).is_err());
        }
        assert!(looked_at(&larger, "sweep", Machine::X8664).is_ok());
        let largest = program(62, LARGEST_BYTES_WITH_ENGINE + 1);
        assert!(looked_at(&largest, "sweep", Machine::X8664).is_err());
    }

    #[test]
    fn a_bootstrap_with_a_symbol_table_is_refused() {
        let mut content = program(62, 64);
        content.extend_from_slice(b".text\0.symtab\0");
        let refused = looked_at(&content, "sweep", Machine::X8664).unwrap_err();
        assert_eq!(refused.lines()[0], "The bootstrap of sweep has a symbol table");
    }

    #[test]
    fn a_release_is_built_with_the_command_of_the_guide() {
        let guide = Project::here().unwrap().root().join("infra/deploying.md");
        let guide = std::fs::read_to_string(guide).unwrap().replace("\\\n", " ");
        let words = guide.split_whitespace().collect::<Vec<_>>().join(" ");
        let arguments = list_build_arguments(&FUNCTIONS, Machine::Arm64);
        let command = format!("``` cargo {} ```", arguments.join(" "));
        assert!(words.contains(&command), "{command}");
        assert!(SAMPLE.iter().all(|function| FUNCTIONS.contains(function)));
    }
}
