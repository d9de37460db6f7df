//! Every check of the project, from formatting to the end-to-end tests, each with its own line.
//! `lanes` runs them side by side.

mod end_to_end;
mod lanes;
mod supply_chain;

use std::path::PathBuf;

use clap::ValueEnum;
use launch::WHOLE_WORKSPACE;
use tokio::process::Command;

use self::lanes::Lane;
use crate::api_fuzzing;
use crate::binaries::{self, FUNCTIONS};
use crate::children::{build_binaries, cargo};
use crate::compile::compile;
use crate::console::{Tone, clock_time};
use crate::deployment;
use crate::failure::Failure;
use crate::fuzzing;
use crate::lambda;
use crate::pages;
use crate::python::{API, CARGO_TOOLS, CHECKERS, CHECKS, Environment, MINISTACK, Python, SDK};
use crate::stack::{self, Options, Stack};
use crate::story;
use crate::workplace::Workplace;

/// The number of organisations: each belongs to one account, and each test against a stack has its
/// own accounts.
const BUSINESSES: u8 = 10;

/// The binaries of the tests.
const TOOLS: [&str; 2] = ["simulate", "measure"];

/// A check, in the order they run: those that compile the workspace, then those that run beside
/// them. The descriptions are part of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Check {
    /// `cargo fmt --check`.
    #[value(name = "fmt")]
    Format,
    /// `cargo clippy`, where a warning is an error.
    Clippy,
    /// `cargo doc`, where a warning is an error.
    Docs,
    /// Unit, property, contract and simulation tests: all that need no stack.
    Tests,
    /// The tests against the started stack.
    #[value(name = "e2e")]
    EndToEnd,
    /// The settings API of a stack, fuzzed as an Owner and as a Member.
    Api,
    /// The product's story, against its own stack.
    Story,
    /// The pages against their own stack, in a browser, and the examples of the documents.
    Browser,
    /// The pages: types, the committed bundle, and tests in a browser.
    Pages,
    /// The template, checked with `cfn-lint`, `sam validate`, checkov and cdk-nag.
    Template,
    /// Licences, sources and duplicates of the dependencies, and the bill of materials.
    Deny,
    /// The local AWS refuses what AWS refuses, and exits when a function feeds its own queue
    /// without permission. The commands of the guide and of the runbook exist.
    Loops,
    /// The simulator, driven by Xero's own SDK for Python.
    Sdk,
    /// Coverage-guided fuzzing of each target.
    Fuzz,
    /// A function as it is built for deployment, and the commands of the deployment guide with it.
    Lambda,
}

impl Check {
    /// Its name on the command line.
    fn name(self) -> String {
        let value = self.to_possible_value().expect("no check is hidden from the command line");
        value.get_name().to_owned()
    }

    /// What it needs for itself while it runs.
    const fn lane(self) -> Lane {
        match self {
            Self::Format
            | Self::Clippy
            | Self::Docs
            | Self::Tests
            | Self::EndToEnd
            | Self::Api
            | Self::Story
            | Self::Browser => Lane::Workspace,
            Self::Pages | Self::Template | Self::Deny | Self::Loops | Self::Sdk | Self::Fuzz => {
                Lane::Tools
            }
            Self::Lambda => Lane::Release,
        }
    }
}

/// The selected checks in the order they run, or all of them if none is selected.
fn in_order(only: &[Check]) -> Vec<Check> {
    let selected = |check: &Check| only.is_empty() || only.contains(check);
    Check::value_variants().iter().copied().filter(selected).collect()
}

/// Runs these checks, or every check if there are none. Runs all of them even if one fails, and then
/// fails.
pub async fn run(only: &[Check], options: &Options, workplace: &Workplace) -> Result<(), Failure> {
    let console = &workplace.console;
    let checks = in_order(only);
    let mut failed = lanes::run_in_lanes(&checks, options, workplace).await;
    failed.sort_by_key(|failed| checks.iter().position(|check| check == failed));
    let failed = failed.into_iter().map(Check::name).collect::<Vec<_>>();
    if failed.is_empty() {
        console.title("All checks passed.");
        return Ok(());
    }
    let again = format!("To run the failed checks again: cargo verify --only {}", failed.join(","));
    Err(Failure::new(format!("Failed: {}", failed.join(", "))).remedy(again))
}

struct Verifier<'a> {
    options: &'a Options,
    workplace: &'a Workplace,
}

impl Verifier<'_> {
    /// Runs a check between its title and its result. Returns whether it passed.
    async fn attempt(&self, check: Check) -> bool {
        let console = &self.workplace.console;
        let name = check.name();
        console.title(&name);
        console.expect_steps(0);
        let begun = console.elapsed();
        match Box::pin(self.run(check)).await {
            Ok(()) => {
                let took = clock_time(console.elapsed().saturating_sub(begun));
                console.line(&console.paint(Tone::Good, &format!("{name}: passed in {took}")));
                true
            }
            Err(failure) => {
                console.failure(&failure);
                false
            }
        }
    }

    async fn run(&self, check: Check) -> Result<(), Failure> {
        match check {
            Check::Format => self.cargo(&["fmt", "--all", "--check"]).await,
            Check::Template => self.template().await,
            Check::Clippy => {
                let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
                self.cargo(&clippy).await
            }
            Check::Docs => self.docs().await,
            Check::Deny => supply_chain::check_dependencies(self).await,
            Check::Tests => self.cargo(&["test", "--workspace"]).await,
            Check::Pages => pages::check(self.workplace).await,
            Check::Fuzz => self.fuzz().await,
            Check::Sdk => self.sdk().await,
            Check::Loops => self.loops().await,
            Check::EndToEnd => self.end_to_end().await,
            Check::Api => self.api().await,
            Check::Story => self.story().await,
            Check::Browser => self.browser().await,
            Check::Lambda => lambda::build(self.workplace, self.options).await,
        }
    }

    async fn cargo(&self, arguments: &[&str]) -> Result<(), Failure> {
        let shown = format!("cargo {}", arguments.join(" "));
        self.shown(&shown, &mut cargo(self.workplace.project.root(), arguments)).await
    }

    async fn shown(&self, shown: &str, command: &mut Command) -> Result<(), Failure> {
        self.workplace.show(shown, command).await
    }

    async fn template(&self) -> Result<(), Failure> {
        let tools = self.tools(&CHECKS).await?;
        let root = self.workplace.project.root();
        let nested = deployment::NESTED.map(|nested| root.join(nested));
        let mut lint = Command::new(tools.join("cfn-lint"));
        lint.arg(self.workplace.project.template()).args(nested);
        self.shown("cfn-lint template.yaml infra/*.yaml", &mut lint).await?;
        let mut validate = Command::new(tools.join("sam"));
        validate
            .args(["validate", "--lint", "--region", crate::aws::REGION, "--template"])
            .arg(self.workplace.project.template())
            .env("SAM_CLI_TELEMETRY", "0");
        self.shown("sam validate --lint", &mut validate).await?;
        let python = self.tools(&CHECKERS).await?.join("python");
        let mut figures = Command::new(&python);
        figures.arg("-B").arg(root.join("infra/scale.py")).arg("--check");
        self.shown("infra/scale.py --check", &mut figures).await?;
        let script = "infra/local/template_checkers.py";
        let mut check = Command::new(python);
        check.args(["-B", "-u"]).arg(root.join(script));
        self.shown(script, &mut check).await
    }

    /// The folder of the programs of a Python environment, which is installed if it is missing.
    async fn tools(&self, environment: &Environment) -> Result<PathBuf, Failure> {
        let python = Python::find(&self.workplace.children, self.options.python.as_deref()).await?;
        Ok(python.environment(self.workplace, environment).await?.join("bin"))
    }

    /// Documents every library, and every binary that is not named like a library.
    async fn docs(&self) -> Result<(), Failure> {
        let arguments = ["doc", "--no-deps", "--document-private-items", "--lib"];
        let mut docs = cargo(self.workplace.project.root(), arguments);
        docs.args(WHOLE_WORKSPACE).env("RUSTDOCFLAGS", "-D warnings");
        for binary in FUNCTIONS.into_iter().chain(TOOLS) {
            docs.args(["--bin", binary]);
        }
        self.shown("cargo doc, of every library and binary", &mut docs).await
    }

    async fn fuzz(&self) -> Result<(), Failure> {
        let program = self.tools(&CARGO_TOOLS).await?.join("cargo-fuzz");
        fuzzing::run(self.workplace, &program).await
    }

    /// Xero's own SDK against the simulator on a socket.
    async fn sdk(&self) -> Result<(), Failure> {
        let python = self.tools(&SDK).await?.join("python");
        let root = self.workplace.project.root();
        self.workplace.console.step("Building the simulator");
        let mut build = build_binaries(root, &["xero-sim"]);
        // `cargo test` builds it, too, perhaps at this moment: with one profile it is one file.
        build.args(["--profile", "test"]);
        compile(self.workplace, "Building the simulator failed", &mut build).await?;
        let simulator = binaries::target(self.workplace).await?.join("debug/xero-sim");
        let script = "tests/sdk/check_simulator.py";
        let mut check = Command::new(python);
        check.args(["-B", "-u"]).arg(root.join(script)).arg(simulator);
        self.shown(script, &mut check).await
    }

    /// What the local AWS adds to the emulator, and the commands of guide and runbook.
    async fn loops(&self) -> Result<(), Failure> {
        let python = self.tools(&MINISTACK).await?.join("python");
        let mut tests = Command::new(python);
        tests.current_dir(self.workplace.project.sources());
        let modules = [
            "test_recursive_loops",
            "test_strict_aws",
            "test_prompt_aws",
            "test_runbook",
            "test_guide_commands",
        ];
        tests.args(["-B", "-m", "unittest"]).args(modules);
        self.shown(&format!("python -m unittest {}", modules.join(" ")), &mut tests).await
    }

    /// The settings API on a stack of its own: the requests are about arbitrary records.
    async fn api(&self) -> Result<(), Failure> {
        let python = self.tools(&API).await?.join("python");
        let stack = Stack::start(self.options, self.workplace).await?;
        match api_fuzzing::run(&stack, self.workplace, &python).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(stack.explain(failure).await),
        }
    }

    /// The story on its own stack: its tables count everything in the books.
    async fn story(&self) -> Result<(), Failure> {
        let console = &self.workplace.console;
        console.expect_steps(stack::STEPS.saturating_add(story::STEPS));
        let stack = Stack::start(&self.options.for_story(), self.workplace).await?;
        story::play(&stack, self.workplace).await
    }

    /// The pages in a browser on a stack of their own. Each test has its own account and business.
    async fn browser(&self) -> Result<(), Failure> {
        pages::install_tools(self.workplace).await?;
        let options = Options { businesses: BUSINESSES, ..self.options.clone() };
        let stack = Stack::start(&options, self.workplace).await?;
        match pages::check_stack(self.workplace, &stack).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(stack.explain(failure).await),
        }
    }

    /// The tests against a stack, which also has the organisations of the rehearsals.
    async fn end_to_end(&self) -> Result<(), Failure> {
        let options = Options { businesses: BUSINESSES, ..self.options.clone() };
        let stack = Stack::start(&options, self.workplace).await?;
        match end_to_end::test_stack(self, &stack).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(stack.explain(failure).await),
        }
    }
}

#[cfg(test)]
mod tests;
