//! Every check of the project, from formatting to the end-to-end tests, each with its own line.

use crate::binaries;
use crate::children::cargo;
use crate::compile::compile;
use crate::console::Tone;
use crate::deployment;
use crate::failure::Failure;
use crate::fuzzing;
use crate::lambda;
use crate::python::{CARGO_TOOLS, CHECKS, Environment, MINISTACK, Python, SDK};
use crate::stack::{self, Options, Stack};
use crate::story;
use crate::variants::every_variant;
use crate::workplace::Workplace;
use std::path::PathBuf;
use tokio::process::Command;

/// The number of organisations: each belongs to one account, and each end-to-end test has its own
/// accounts.
const BUSINESSES: u8 = 7;

/// A check, in the order they run: the quick ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// `cargo fmt --check`.
    Format,
    /// The template, by `cfn-lint` and `sam validate`.
    Template,
    /// `cargo clippy`, where a warning is an error.
    Clippy,
    /// `cargo doc`, where a warning is an error.
    Docs,
    /// Licences, sources and duplicates of the dependencies.
    Deny,
    /// Unit, property, contract and simulation tests: all that need no stack.
    Tests,
    /// Coverage-guided fuzzing of each target.
    Fuzz,
    /// The simulator, driven by Xero's own SDK for Python.
    Sdk,
    /// The local AWS exits when a function feeds its own queue without permission.
    Loops,
    /// The functions as they are built for deployment: `cargo lambda build --release`.
    Lambda,
    /// The tests against the started stack.
    EndToEnd,
    /// The product's story, against its own stack.
    Story,
}

impl Check {
    /// All of them, in order.
    pub const ALL: [Self; 12] = every_variant![
        Format, Template, Clippy, Docs, Deny, Tests, Fuzz, Sdk, Loops, EndToEnd, Story, Lambda
    ];

    /// The check with this name on the command line.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.name() == name)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Format => "fmt",
            Self::Template => "template",
            Self::Clippy => "clippy",
            Self::Docs => "docs",
            Self::Deny => "deny",
            Self::Tests => "tests",
            Self::Fuzz => "fuzz",
            Self::Sdk => "sdk",
            Self::Loops => "loops",
            Self::EndToEnd => "e2e",
            Self::Story => "story",
            Self::Lambda => "lambda",
        }
    }
}

/// Runs the checks, all of them even if one fails, and fails if one did.
pub async fn run(
    checks: &[Check],
    options: &Options,
    workplace: &Workplace,
) -> Result<(), Failure> {
    let verifier = Verifier { options, workplace };
    let console = &workplace.console;
    let mut failed = Vec::new();
    for check in checks {
        console.title(check.name());
        console.expect_steps(0);
        match Box::pin(verifier.run(*check)).await {
            Ok(()) => {
                console.line(&console.paint(Tone::Good, &format!("{}: passed", check.name())));
            }
            Err(failure) => {
                console.failure(&failure);
                failed.push(check.name());
            }
        }
    }
    if failed.is_empty() {
        console.title("All checks passed.");
        return Ok(());
    }
    let again: Vec<String> = failed.iter().map(|name| format!("--only {name}")).collect();
    Err(Failure::new(format!("Failed: {}", failed.join(", ")))
        .remedy(format!("To run the failed checks again: cargo verify {}", again.join(" "))))
}

struct Verifier<'a> {
    options: &'a Options,
    workplace: &'a Workplace,
}

impl Verifier<'_> {
    async fn run(&self, check: Check) -> Result<(), Failure> {
        match check {
            Check::Format => self.cargo(&["fmt", "--all", "--check"]).await,
            Check::Template => self.template().await,
            Check::Clippy => {
                let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
                self.cargo(&clippy).await
            }
            Check::Docs => self.docs().await,
            Check::Deny => self.deny().await,
            Check::Tests => self.cargo(&["test", "--workspace"]).await,
            Check::Fuzz => self.fuzz().await,
            Check::Sdk => self.sdk().await,
            Check::Loops => self.loops().await,
            Check::EndToEnd => self.end_to_end().await,
            Check::Story => self.story().await,
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
        self.shown("sam validate --lint", &mut validate).await
    }

    /// The folder of the programs of a Python environment, which is installed if it is missing.
    async fn tools(&self, environment: &Environment) -> Result<PathBuf, Failure> {
        let python = Python::find(&self.workplace.children, self.options.python.as_deref()).await?;
        Ok(python.environment(self.workplace, environment).await?.join("bin"))
    }

    async fn docs(&self) -> Result<(), Failure> {
        let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items"];
        let mut docs = cargo(self.workplace.project.root(), arguments);
        docs.env("RUSTDOCFLAGS", "-D warnings");
        self.shown(&format!("cargo {}", arguments.join(" ")), &mut docs).await
    }

    async fn deny(&self) -> Result<(), Failure> {
        let deny = self.tools(&CARGO_TOOLS).await?.join("cargo-deny");
        let mut check = Command::new(deny);
        check
            .current_dir(self.workplace.project.root())
            .args(["check", "bans", "licenses", "sources"]);
        self.shown("cargo deny check bans licenses sources", &mut check).await
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
        let mut build = cargo(root, ["build", "--package", "xero-sim"]);
        compile(self.workplace, "Building the simulator failed", &mut build).await?;
        let simulator = binaries::target(self.workplace).await?.join("debug/xero-sim");
        let script = "tests/sdk/check_simulator.py";
        let mut check = Command::new(python);
        check.args(["-B", "-u"]).arg(root.join(script)).arg(simulator);
        self.shown(script, &mut check).await
    }

    /// The recursive-loop detection of the local AWS.
    async fn loops(&self) -> Result<(), Failure> {
        let python = self.tools(&MINISTACK).await?.join("python");
        let mut tests = Command::new(python);
        tests.current_dir(self.workplace.project.sources());
        tests.args(["-B", "-m", "unittest", "test_recursive_loops"]);
        self.shown("python -m unittest test_recursive_loops", &mut tests).await
    }

    /// The story on its own stack: its tables count everything in the books.
    async fn story(&self) -> Result<(), Failure> {
        let console = &self.workplace.console;
        console.expect_steps(stack::STEPS.saturating_add(story::STEPS));
        let stack = Stack::start(&self.options.for_story(), self.workplace).await?;
        story::play(&stack, self.workplace).await
    }

    /// The end-to-end tests, and the store's contract against the local AWS's tables.
    async fn end_to_end(&self) -> Result<(), Failure> {
        let options = Options { businesses: BUSINESSES, ..self.options.clone() };
        let stack = Stack::start(&options, self.workplace).await?;
        let environment = stack.environment()?;
        // `--workspace` as in the check before: the same features, so nothing is compiled twice.
        let root = self.workplace.project.root();
        let mut tests = cargo(root, ["test", "--workspace", "--test", "e2e"]);
        tests.envs(environment);
        if let Err(failure) = self.shown("cargo test --workspace --test e2e", &mut tests).await {
            return Err(stack.explain(failure).await);
        }
        let mut contract = cargo(root, ["test", "--workspace", "--test", "conformance"]);
        contract.env("DYNAMODB_ENDPOINT", stack.aws.endpoint());
        let shown = "cargo test --workspace --test conformance, with the local AWS's tables";
        self.shown(shown, &mut contract).await
    }
}

#[cfg(test)]
mod tests {
    use super::Check;

    #[test]
    fn every_check_is_found_by_its_name() {
        for check in Check::ALL {
            assert_eq!(Check::named(check.name()), Some(check));
        }
    }
}
