//! Builds a function the way it is built for deployment: `cargo lambda build --release`, for
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

/// The function that is built: all share one workspace and one profile, and linking with LTO takes
/// minutes for each.
const FUNCTION: &str = "log-cleanup";
/// A larger binary was not stripped, or contains a second TLS stack.
const LARGEST_BYTES: usize = 12 * 1024 * 1024;
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

/// Builds the function, checks the binary and deploys it as the guide says.
pub async fn build(workplace: &Workplace, options: &Options) -> Result<(), Failure> {
    let python = Python::find(&workplace.children, options.python.as_deref()).await?;
    let tools = python.environment(workplace, &LAMBDA).await?.join("bin");
    let machine = machine(workplace).await;
    let shown = format!("cargo lambda build --release {} -p {FUNCTION}", machine.flag());
    let arguments = ["lambda", "build", "--release", machine.flag(), "--package", FUNCTION];
    let mut build = cargo(workplace.project.root(), arguments);
    build.env("PATH", path(&tools)?);
    workplace.show(&shown, &mut build).await?;
    let target = crate::binaries::target(workplace).await?;
    let bootstrap = target.join("lambda").join(FUNCTION).join("bootstrap");
    let content = std::fs::read(&bootstrap).map_err(|error| {
        Failure::new(format!("Cannot read {}", bootstrap.display())).because(error)
    })?;
    looked_at(&content, machine)?;
    if machine.is_here() {
        starts(workplace, &bootstrap).await?;
    }
    let megabytes = content.len() / 1024 / 1024;
    workplace.console.done(&format!("a bootstrap of {megabytes} MB for {}", machine.flag()));
    walk_through_guide(workplace, &python, &bootstrap).await
}

/// Runs the commands of `infra/deploying.md` that a local AWS can answer, with this binary and with
/// placeholders for the other functions: lint, build, change set, deploy, package.
async fn walk_through_guide(
    workplace: &Workplace,
    python: &Python,
    bootstrap: &Path,
) -> Result<(), Failure> {
    let sam = python.environment(workplace, &CHECKS).await?.join("bin/sam");
    let interpreter = python.environment(workplace, &MINISTACK).await?.join("bin/python");
    let mut walk = Command::new(interpreter);
    walk.current_dir(workplace.project.sources()).env("SAM", sam).env("BOOTSTRAP", bootstrap);
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

fn looked_at(content: &[u8], machine: Machine) -> Result<(), Failure> {
    if !content.starts_with(b"\x7fELF") || content.get(MACHINE) != Some(&machine.word()) {
        return Err(Failure::new(format!("The bootstrap is not a program for {}", machine.flag())));
    }
    if content.len() > LARGEST_BYTES {
        return Err(Failure::new(format!("The bootstrap has {} bytes", content.len()))
            .remedy("Look for a second TLS stack: cargo deny check bans"));
    }
    Ok(())
}

/// Runs the binary: without its variables it names those that are missing, and exits.
async fn starts(workplace: &Workplace, bootstrap: &Path) -> Result<(), Failure> {
    let log = workplace.run.log("lambda");
    let cannot = |error| Failure::new("The bootstrap does not run").because(error);
    let out = std::fs::File::create(&log).map_err(cannot)?;
    let errors = out.try_clone().map_err(cannot)?;
    let mut run = Command::new(bootstrap);
    run.env_clear().stdin(Stdio::null()).stdout(out).stderr(errors);
    let status = workplace.children.run(&mut run).await.map_err(cannot)?;
    let said = tail(&log);
    if status.success() || !said.contains("TABLE_NAME is not set") {
        return Err(Failure::new(format!(
            "The bootstrap does not report missing variables:\n{said}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{LARGEST_BYTES, Machine, looked_at};

    fn program(word: u8, bytes: usize) -> Vec<u8> {
        let mut content = b"\x7fELF".to_vec();
        content.resize(bytes, 0);
        content[18] = word;
        content
    }

    #[test]
    fn a_bootstrap_has_the_right_machine_type_and_size() {
        assert!(looked_at(&program(183, 64), Machine::Arm64).is_ok());
        assert!(looked_at(&program(62, 64), Machine::Arm64).is_err());
        assert!(looked_at(&program(62, LARGEST_BYTES + 1), Machine::X8664).is_err());
        assert!(looked_at(b"#!/bin/sh", Machine::X8664).is_err());
    }
}
