//! Every check of the project, from formatting to the end-to-end tests, each with its own line.
//! `lanes` runs them side by side.

mod check;
mod durations;
mod end_to_end;
mod lanes;
mod report_board;
mod supply_chain;

use std::cell::OnceCell;
use std::path::PathBuf;

use launch::WHOLE_WORKSPACE;
use tokio::process::Command;

pub use self::check::Check;
use self::check::list_in_order;
use self::durations::{Outcome, list_durations};
use crate::api_fuzzing;
use crate::binaries::{self, FUNCTIONS, Profile};
use crate::children::{build_binaries, cargo};
use crate::compile::compile;
use crate::console::{Tone, clock_time};
use crate::deployment;
use crate::failure::Failure;
use crate::fuzzing;
use crate::lambda;
use crate::pages;
use crate::ports::Ports;
use crate::python::{API, CARGO_TOOLS, CHECKERS, CHECKS, Environment, MINISTACK, Python, SDK};
use crate::stack::{self, Installation, Options, Stack};
use crate::story;
use crate::workplace::Workplace;

/// The number of organisations: each belongs to one account, and each test against a stack has its
/// own accounts.
const BUSINESSES: u8 = 10;

/// The binaries of the tests.
const TOOLS: [&str; 2] = ["simulate", "measure"];

/// Runs these checks, or those of every run if there are none. Runs all of them even if one fails,
/// prints how long each took, and then fails.
pub async fn run(only: &[Check], options: &Options, workplace: &Workplace) -> Result<(), Failure> {
    let console = &workplace.console;
    let checks = list_in_order(only);
    let options = Options { profile: choose_profile(&checks), ..options.clone() };
    let mut outcomes = lanes::run_in_lanes(&checks, &options, workplace).await;
    outcomes.sort_by_key(|outcome| checks.iter().position(|check| *check == outcome.check));
    console.title("Durations");
    for line in list_durations(&outcomes, console.elapsed()) {
        console.line(&line);
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.has_passed);
    let failed = failed.map(|outcome| outcome.check.name()).collect::<Vec<_>>();
    if failed.is_empty() {
        console.title("All checks passed.");
        return Ok(());
    }
    let again = format!("To run the failed checks again: cargo verify --only {}", failed.join(","));
    Err(Failure::new(format!("Failed: {}", failed.join(", "))).remedy(again))
}

/// The profile of the functions: that of the tests, if there are any to compile.
fn choose_profile(checks: &[Check]) -> Profile {
    let compiles_tests = |check: &Check| matches!(check, Check::Tests | Check::EndToEnd);
    if checks.iter().any(compiles_tests) { Profile::Test } else { Profile::Dev }
}

#[derive(Clone, Copy)]
struct Verifier<'a> {
    options: &'a Options,
    workplace: &'a Workplace,
    /// What the stacks of this run have in common, once the first of them has made it.
    installation: &'a OnceCell<Installation>,
}

impl Verifier<'_> {
    /// Runs a check between its title and its result.
    async fn attempt(&self, check: Check) -> Outcome {
        let console = &self.workplace.console;
        let name = check.name();
        console.title(&name);
        console.expect_steps(0);
        let begun = console.elapsed();
        let result = Box::pin(self.run(check)).await;
        let took = console.elapsed().saturating_sub(begun);
        match &result {
            Ok(()) => {
                let passed = format!("{name}: passed in {}", clock_time(took));
                console.line(&console.paint(Tone::Good, &passed));
            }
            Err(failure) => console.failure(failure),
        }
        Outcome { check, has_passed: result.is_ok(), begun, took }
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
            Check::Lambda => lambda::build(&lambda::SAMPLE, self.workplace, self.options).await,
            Check::Release => lambda::build(&FUNCTIONS, self.workplace, self.options).await,
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
        build.args(["--profile", Profile::Test.name()]);
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
            "test_strict_keys",
            "test_strict_api",
            "test_prompt_aws",
            "test_runbook",
            "test_guide_commands",
        ];
        tests.args(["-B", "-m", "unittest"]).args(modules);
        self.shown(&format!("python -m unittest {}", modules.join(" ")), &mut tests).await
    }

    /// Makes what the stacks of this run have in common, once: while another check compiles the
    /// workspace, a second build would wait for cargo's lock, with nothing to compile.
    async fn install(&self) -> Result<&Installation, Failure> {
        if let Some(made) = self.installation.get() {
            return Ok(made);
        }
        let made = Box::pin(Installation::make(self.options, self.workplace)).await?;
        Ok(self.installation.get_or_init(|| made))
    }

    async fn start_stack(&self, options: &Options) -> Result<Stack, Failure> {
        let ports = Ports::take(options.port).await?;
        let installation = self.install().await?;
        Box::pin(Stack::start_installed(installation, ports, options, self.workplace)).await
    }

    /// The settings API on a stack of its own: the requests are about arbitrary records.
    async fn api(&self) -> Result<(), Failure> {
        // The functions are built meanwhile: all stacks wait for them.
        let (tools, _installation) =
            tokio::try_join!(Box::pin(self.tools(&API)), Box::pin(self.install()))?;
        let python = tools.join("python");
        let stack = self.start_stack(self.options).await?;
        match api_fuzzing::run(&stack, self.workplace, &python).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(stack.explain(failure).await),
        }
    }

    /// The story on its own stack: its tables count everything in the books.
    async fn story(&self) -> Result<(), Failure> {
        let console = &self.workplace.console;
        self.install().await?;
        console.expect_steps(stack::STARTING_STEPS.saturating_add(story::STEPS));
        let stack = self.start_stack(&self.options.for_story()).await?;
        story::play(&stack, self.workplace).await
    }

    /// The pages in a browser on a stack of their own. Each test has its own account and business.
    async fn browser(&self) -> Result<(), Failure> {
        pages::install_tools(self.workplace).await?;
        let options = Options { businesses: BUSINESSES, ..self.options.clone() };
        let stack = self.start_stack(&options).await?;
        match pages::check_stack(self.workplace, &stack).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(stack.explain(failure).await),
        }
    }

    /// The tests against a stack, which also has the organisations of the rehearsals.
    async fn end_to_end(&self) -> Result<(), Failure> {
        let options = Options { businesses: BUSINESSES, ..self.options.clone() };
        let stack = self.start_stack(&options).await?;
        match end_to_end::test_stack(self, &stack).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(stack.explain(failure).await),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Check, Profile, choose_profile};

    #[test]
    fn functions_are_built_like_the_tests_only_if_tests_are_compiled() {
        assert_eq!(choose_profile(&[Check::Story, Check::Tests]), Profile::Test);
        assert_eq!(choose_profile(&[Check::EndToEnd]), Profile::Test);
        assert_eq!(choose_profile(&[Check::Api, Check::Story, Check::Browser]), Profile::Dev);
    }
}
