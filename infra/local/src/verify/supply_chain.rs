//! The dependencies: what they may be, and the bill of materials that a release comes with.

use tokio::process::Command;

use super::Verifier;
use crate::failure::Failure;
use crate::python::CARGO_TOOLS;

/// Checks licences, sources and duplicates, and makes the bill of materials.
pub(super) async fn check_dependencies(verifier: &Verifier<'_>) -> Result<(), Failure> {
    let tools = verifier.tools(&CARGO_TOOLS).await?;
    let project = &verifier.workplace.project;
    let mut deny = Command::new(tools.join("cargo-deny"));
    deny.current_dir(project.root()).args(["check", "bans", "licenses", "sources"]);
    verifier.shown("cargo deny check bans licenses sources", &mut deny).await?;

    let mut tests = Command::new(tools.join("python"));
    tests.current_dir(project.sources());
    tests.args(["-B", "-m", "unittest", "test_bill_of_materials"]);
    verifier.shown("python -m unittest test_bill_of_materials", &mut tests).await?;
    let script = "infra/local/bill_of_materials.py";
    let mut bill = Command::new(tools.join("python"));
    bill.current_dir(project.root()).arg("-B").arg(project.root().join(script));
    verifier.shown(script, &mut bill).await
}
