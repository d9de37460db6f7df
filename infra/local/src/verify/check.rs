//! The checks: their names, their order, and what each needs for itself.

use clap::ValueEnum;

use super::lanes::Lane;

/// A check, in the order they run: those that compile the workspace, those that run on a stack, then
/// the others. The descriptions are part of the help.
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
    /// The settings API of a stack, fuzzed as an Owner and as a Member.
    Api,
    /// The product's story, against its own stack.
    Story,
    /// The pages against their own stack, in a browser, and the examples of the documents.
    Browser,
    /// The tests against the started stack.
    // It compiles its tests as `tests` does: last of the stacks, it finds them compiled.
    #[value(name = "e2e")]
    EndToEnd,
    /// The pages: types, the committed bundle, and tests in a browser.
    Pages,
    /// The template, checked with `cfn-lint`, `sam validate`, checkov and cdk-nag.
    Template,
    /// Licences, sources and duplicates of the dependencies, and the bill of materials.
    Deny,
    /// The local AWS refuses what AWS refuses, and exits when a function feeds its own queue
    /// without permission. The commands of the guide and of the runbook exist.
    Loops,
    /// Coverage-guided fuzzing of each target.
    Fuzz,
    /// The simulator, driven by Xero's own SDK for Python.
    // It needs the simulator as `tests` compiles it: last of its lane, it finds it compiled.
    Sdk,
    /// A function as it is built for deployment, and the commands of the deployment guide with it.
    Lambda,
    /// Every function as it is built for deployment, and the commands of the deployment guide with
    /// all of them. Runs only if it is selected: linking takes minutes for each function.
    Release,
}

impl Check {
    /// Its name on the command line.
    pub(super) fn name(self) -> String {
        let value = self.to_possible_value().expect("no check is hidden from the command line");
        value.get_name().to_owned()
    }

    /// What it needs for itself while it runs.
    pub(super) const fn lane(self) -> Lane {
        match self {
            Self::Format | Self::Clippy | Self::Docs | Self::Tests => Lane::Workspace,
            Self::Api | Self::Story | Self::Browser | Self::EndToEnd => Lane::Stacks,
            Self::Pages | Self::Template | Self::Deny | Self::Loops | Self::Fuzz | Self::Sdk => {
                Lane::Tools
            }
            Self::Lambda | Self::Release => Lane::Release,
        }
    }

    /// Whether it runs when no check is selected.
    fn is_in_every_run(self) -> bool {
        self != Self::Release
    }
}

/// The selected checks in the order they run. If none is selected, those of every run.
pub(super) fn list_in_order(only: &[Check]) -> Vec<Check> {
    let is_selected = |check: &Check| {
        if only.is_empty() { check.is_in_every_run() } else { only.contains(check) }
    };
    Check::value_variants().iter().copied().filter(is_selected).collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::{Check, list_in_order};

    #[test]
    fn checks_run_in_a_fixed_order_regardless_of_the_arguments() {
        assert_eq!(
            list_in_order(&[Check::EndToEnd, Check::Format]),
            [Check::Format, Check::EndToEnd]
        );
        assert_eq!(list_in_order(&[Check::Browser]), [Check::Browser]);
    }

    #[test]
    fn every_check_runs_without_a_selection_except_the_build_of_all_functions() {
        let mut all = Check::value_variants().to_vec();
        assert_eq!(all.pop(), Some(Check::Release));
        assert_eq!(list_in_order(&[]), all);
        assert_eq!(list_in_order(&[Check::Release]), [Check::Release]);
    }

    #[test]
    fn every_check_has_the_name_that_the_documents_use() {
        let names = Check::value_variants().iter().copied().map(Check::name).collect::<Vec<_>>();
        let expected = "fmt clippy docs tests api story browser e2e pages template deny loops fuzz \
                        sdk lambda release";
        assert_eq!(names.join(" "), expected);
    }
}
