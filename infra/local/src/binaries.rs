//! The functions' binaries: builds, strips and packages them for Lambda.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tokio::process::Command;

use crate::children::cargo;
use crate::compile::compile;
use crate::failure::Failure;
use crate::workplace::Workplace;

/// The functions of the template: their packages, binaries and code folders share these names.
pub const FUNCTIONS: [&str; 11] = [
    "oauth-callback",
    "settings-api",
    "contact-push",
    "invoice-push",
    "credit-note-push",
    "payment-push",
    "payment-poll",
    "sweep",
    "keep-alive",
    "health-check",
    "log-cleanup",
];

/// A function's code, ready to upload.
#[derive(Debug, Clone)]
pub struct Package {
    /// The name of the function.
    pub function: &'static str,
    /// The zip that contains its `bootstrap`.
    pub zip: PathBuf,
}

/// Builds the functions with the workspace's dev profile, behind one line of progress.
pub async fn build(workplace: &Workplace) -> Result<(), Failure> {
    let mut build = cargo(workplace.project.root(), ["build"]);
    for function in FUNCTIONS {
        build.args(["--package", function]);
    }
    compile(workplace, "Building the functions failed", &mut build).await
}

/// Packages each binary that is newer than its package.
pub async fn pack(workplace: &Workplace, environment: &Path) -> Result<Vec<Package>, Failure> {
    let built = target(workplace).await?.join("debug");
    let packages_folder = workplace.project.folder("packages")?;
    // Another run may package at the same time: unfinished files are in a folder of this run.
    let unfinished = workplace.scratch.folder().join("packing");
    std::fs::create_dir_all(&unfinished)
        .map_err(|error| Failure::new("Cannot create a folder for packaging").because(error))?;
    let mut packages = Vec::new();
    let mut packed = 0_usize;
    for function in FUNCTIONS {
        let zip = packages_folder.join(format!("{function}.zip"));
        let binary = built.join(function);
        if newer(&binary, &zip) {
            workplace.console.progress(&format!("packaging {function}"));
            pack_one(workplace, environment, &binary, &unfinished, &zip).await?;
            packed = packed.saturating_add(1);
        }
        packages.push(Package { function, zip });
    }
    workplace.console.progress_over();
    workplace.console.done(&format!("built; packaged {packed} of {}", FUNCTIONS.len()));
    Ok(packages)
}

async fn pack_one(
    workplace: &Workplace,
    environment: &Path,
    binary: &Path,
    folder: &Path,
    package: &Path,
) -> Result<(), Failure> {
    let bootstrap = folder.join("bootstrap");
    let copied = std::fs::copy(binary, &bootstrap);
    copied.map_err(|error| {
        Failure::new(format!("Cannot copy {}", binary.display())).because(error)
    })?;
    // Only the size depends on it: without `strip` the package is larger and works the same.
    let mut strip = Command::new("strip");
    workplace.children.ask(strip.arg(&bootstrap)).await.ok();
    let unfinished = folder.join("code.unfinished");
    let mut zip = Command::new(environment.join("bin/python"));
    zip.args(["-m", "zipfile", "-c"]).arg(&unfinished).arg(&bootstrap);
    let log = workplace.run.log("pack");
    workplace.children.run_quietly("Packaging a function", &mut zip, &log).await?;
    std::fs::rename(&unfinished, package)
        .map_err(|error| Failure::new("Cannot move a package into place").because(error))
}

/// Cargo's target folder; the user may have configured a different one.
pub async fn target(workplace: &Workplace) -> Result<PathBuf, Failure> {
    #[derive(serde::Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let mut ask =
        cargo(workplace.project.root(), ["metadata", "--no-deps", "--format-version", "1"]);
    let said = workplace.children.ask(&mut ask).await.ok().flatten().unwrap_or_default();
    let metadata: Metadata = serde_json::from_str(&said)
        .map_err(|error| Failure::new("Cannot ask cargo for its target folder").because(error))?;
    Ok(metadata.target_directory)
}

fn newer(binary: &Path, zip: &Path) -> bool {
    let written = |path: &Path| -> Option<SystemTime> { path.metadata().ok()?.modified().ok() };
    match (written(binary), written(zip)) {
        (Some(binary), Some(zip)) => binary > zip,
        (_, None) | (None, _) => true,
    }
}
