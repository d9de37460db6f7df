//! What runs against the started stack.

use super::Verifier;
use crate::children::cargo;
use crate::failure::Failure;
use crate::stack::Stack;

/// Runs the end-to-end tests, the store's contract against the local AWS's tables, and then the
/// rehearsals, one by one: each of them stops the work of all accounts.
pub(super) async fn test_stack(verifier: &Verifier<'_>, stack: &Stack) -> Result<(), Failure> {
    // `--workspace` as in the check `tests`: the same features, so nothing is compiled twice.
    let root = verifier.workplace.project.root();
    let mut tests = cargo(root, ["test", "--workspace", "--test", "e2e"]);
    tests.envs(stack.environment()?);
    verifier.shown("cargo test --workspace --test e2e", &mut tests).await?;
    let mut contract = cargo(root, ["test", "--workspace", "--test", "conformance"]);
    contract.env("DYNAMODB_ENDPOINT", stack.aws.endpoint());
    let shown = "cargo test --workspace --test conformance, with the local AWS's tables";
    verifier.shown(shown, &mut contract).await?;
    let rehearse = ["test", "--workspace", "--test", "rehearsals", "--", "--test-threads=1"];
    let mut rehearsals = cargo(root, rehearse);
    rehearsals.envs(stack.environment()?);
    verifier.shown(&format!("cargo {}", rehearse.join(" ")), &mut rehearsals).await
}
