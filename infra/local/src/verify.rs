//! Every check of the project, from the formatting to the end-to-end tests, each with its own line.

use crate::binaries;
use crate::children::cargo;
use crate::compile::compile;
use crate::console::Tone;
use crate::deployment;
use crate::failure::Failure;
use crate::lambda;
use crate::python::{CHECKS, Environment, MINISTACK, Python, SDK};
use crate::stack::{self, Options, Stack};
use crate::story;
use crate::workplace::Workplace;
use std::path::PathBuf;
use tokio::process::Command;

/// The version of `cargo-deny` that the checks are tried with.
const CARGO_DENY: &str = "0.20.2";

/// An organisation belongs to one account, and each end-to-end test has accounts of its own.
const BUSINESSES: u8 = 7;

/// How long each fuzz target runs, unless this variable is set already.
const FUZZ_TIME: (&str, &str) = ("FUZZ_SECONDS", "20");

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
    /// The fuzz targets on inputs that are new each time.
    Fuzz,
    /// The simulator, driven by Xero's own SDK for Python.
    Sdk,
    /// The local AWS ends when a function feeds its own queue without permission.
    Loops,
    /// The functions as they are deployed: `cargo lambda build --release`.
    Lambda,
    /// The tests against the started stack.
    EndToEnd,
    /// The product's story, against a stack of its own.
    Story,
}

impl Check {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::Format,
        Self::Template,
        Self::Clippy,
        Self::Docs,
        Self::Deny,
        Self::Tests,
        Self::Fuzz,
        Self::Sdk,
        Self::Loops,
        Self::EndToEnd,
        Self::Story,
        Self::Lambda,
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

/// Runs the checks, all of them even when one fails, and fails if one did.
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
        console.title("Everything passed.");
        return Ok(());
    }
    let again: Vec<String> = failed.iter().map(|name| format!("--only {name}")).collect();
    Err(Failure::new(format!("Failed: {}", failed.join(", ")))
        .remedy(format!("To run what failed again: cargo verify {}", again.join(" "))))
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

    /// Runs a command whose output is for the person.
    async fn shown(&self, shown: &str, command: &mut Command) -> Result<(), Failure> {
        self.workplace.console.step(shown);
        let status = self.workplace.children.run(command).await;
        let status =
            status.map_err(|error| Failure::new(format!("Cannot run {shown}")).because(error))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("{shown} failed ({status}); what it said is above")))
        }
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

    /// Where the programs of a Python environment are, installed if they are missing.
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
        let deny = self.cargo_deny().await?;
        let mut check = Command::new(deny);
        check
            .current_dir(self.workplace.project.root())
            .args(["check", "bans", "licenses", "sources"]);
        self.shown("cargo deny check bans licenses sources", &mut check).await
    }

    /// The project's own `cargo-deny`, compiled the first time.
    async fn cargo_deny(&self) -> Result<PathBuf, Failure> {
        let tools = self.workplace.project.folder("tools")?;
        let program = tools.join("bin/cargo-deny");
        let mut ask = Command::new(&program);
        let version = self.workplace.children.ask(ask.arg("--version")).await.ok().flatten();
        if version.is_some_and(|version| version.trim().ends_with(CARGO_DENY)) {
            return Ok(program);
        }
        self.workplace.console.done("compiling cargo-deny takes some minutes, the first time only");
        let mut install = cargo(self.workplace.project.root(), ["install", "--locked", "--root"]);
        install.arg(&tools).args(["--version", CARGO_DENY, "cargo-deny"]);
        self.shown(&format!("cargo install cargo-deny {CARGO_DENY}"), &mut install).await?;
        Ok(program)
    }

    /// The fuzz targets with a stable compiler. The output names the seed, in case an input fails.
    async fn fuzz(&self) -> Result<(), Failure> {
        let arguments = ["test", "--workspace", "--test", "fuzz", "--", "--nocapture"];
        let mut fuzz = cargo(self.workplace.project.root(), arguments);
        let (name, seconds) = FUZZ_TIME;
        if std::env::var_os(name).is_none() {
            fuzz.env(name, seconds);
        }
        self.shown(&format!("cargo {}", arguments.join(" ")), &mut fuzz).await
    }

    /// Xero's own SDK against the simulator on a socket.
    async fn sdk(&self) -> Result<(), Failure> {
        let python = self.tools(&SDK).await?.join("python");
        let root = self.workplace.project.root();
        self.workplace.console.step("Building the simulator");
        let mut build = cargo(root, ["build", "--package", "xero-sim"]);
        compile(self.workplace, "The simulator does not build", &mut build).await?;
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

    /// The story on a stack of its own: its tables count everything that is in the books.
    async fn story(&self) -> Result<(), Failure> {
        let console = &self.workplace.console;
        console.expect_steps(stack::STEPS.saturating_add(story::STEPS));
        let stack = Stack::start(self.options, self.workplace).await?;
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
