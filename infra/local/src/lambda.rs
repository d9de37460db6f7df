//! Building a function the way it is deployed: `cargo lambda build --release`, for Lambda's arm64 where that target
//! is installed, else for this machine, and a look at what came of it.

use crate::children::{cargo, tail};
use crate::failure::Failure;
use crate::python::{LAMBDA, Python};
use crate::stack::Options;
use crate::workplace::Workplace;
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// The one that is built: all are of one workspace and one profile, and a fat link takes minutes for each.
const FUNCTION: &str = "log-cleanup";
/// A binary that is larger was not stripped, or has grown a second TLS stack.
const LARGEST_BYTES: usize = 12 * 1024 * 1024;
/// Where an ELF file says which machine it is for, and the words for two of them.
const MACHINE: usize = 18;
const AARCH64: u8 = 183;
const X86_64: u8 = 62;

/// What is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Machine {
    /// Lambda's Graviton, as the template has it.
    Arm64,
    /// Where the other target is not installed.
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

/// Builds the function and looks at it.
pub async fn build(workplace: &Workplace, options: &Options) -> Result<(), Failure> {
    let python = Python::find(&workplace.children, options.python.as_deref()).await?;
    let tools = python.environment(workplace, &LAMBDA).await?.join("bin");
    let machine = machine(workplace).await;
    let shown = format!("cargo lambda build --release {} -p {FUNCTION}", machine.flag());
    workplace.console.step(&shown);
    let arguments = ["lambda", "build", "--release", machine.flag(), "--package", FUNCTION];
    let mut build = cargo(workplace.project.root(), arguments);
    build.env("PATH", path(&tools)?);
    let status = workplace.children.run(&mut build).await;
    let status = status.map_err(|error| Failure::new("Cannot run cargo lambda").because(error))?;
    if !status.success() {
        return Err(Failure::new(format!("{shown} failed ({status}); what it said is above")));
    }
    let target = crate::binaries::target(workplace).await?;
    let bootstrap = target.join("lambda").join(FUNCTION).join("bootstrap");
    let content = std::fs::read(&bootstrap).map_err(|error| {
        Failure::new(format!("There is no {}", bootstrap.display())).because(error)
    })?;
    looked_at(&content, machine)?;
    if machine.is_here() {
        starts(workplace, &bootstrap).await?;
    }
    let megabytes = content.len() / 1024 / 1024;
    workplace.console.done(&format!("a bootstrap of {megabytes} MB for {}", machine.flag()));
    Ok(())
}

/// Arm64, if the toolchain has it.
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

/// The tools before everything else.
fn path(tools: &Path) -> Result<std::ffi::OsString, Failure> {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(tools.to_owned()).chain(std::env::split_paths(&own));
    std::env::join_paths(all).map_err(|error| Failure::new("The PATH cannot be set").because(error))
}

fn looked_at(content: &[u8], machine: Machine) -> Result<(), Failure> {
    if !content.starts_with(b"\x7fELF") || content.get(MACHINE) != Some(&machine.word()) {
        return Err(Failure::new(format!("The bootstrap is no program for {}", machine.flag())));
    }
    if content.len() > LARGEST_BYTES {
        return Err(Failure::new(format!("The bootstrap has {} bytes", content.len()))
            .remedy("Look for a second TLS stack: cargo deny check bans"));
    }
    Ok(())
}

/// Without its variables it says which are missing, and ends: so it runs.
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
            "Without variables the bootstrap does not say so:\n{said}"
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
    fn a_bootstrap_is_of_the_right_machine_and_not_too_large() {
        assert!(looked_at(&program(183, 64), Machine::Arm64).is_ok());
        assert!(looked_at(&program(62, 64), Machine::Arm64).is_err());
        assert!(looked_at(&program(62, LARGEST_BYTES + 1), Machine::X8664).is_err());
        assert!(looked_at(b"#!/bin/sh", Machine::X8664).is_err());
    }
}
