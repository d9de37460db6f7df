//! The functions' binaries: builds, strips and packages them for Lambda.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tokio::process::Command;

use crate::children::{build_binaries, cargo};
use crate::compile::compile;
use crate::failure::Failure;
use crate::workplace::Workplace;

/// The functions of the template: their packages, binaries and code folders share these names.
pub const FUNCTIONS: [&str; 12] = [
    "oauth-callback",
    "settings-api",
    "pages",
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

/// Packages the file of the second argument as the first one. It compresses in a quarter of the time
/// that Python's default level takes; the packages stay on this machine.
const PACK: &str = "\
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as package:
    package.write(sys.argv[2], 'bootstrap')
";

/// A function's code, ready to upload.
#[derive(Debug, Clone)]
pub struct Package {
    /// The name of the function.
    pub function: &'static str,
    /// The zip that contains its `bootstrap`.
    pub zip: PathBuf,
}

/// The profiles that binaries for this machine are built with. Both have the same folder of
/// cargo: `target/debug` in the target folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Compiles our crates in the shortest time.
    #[default]
    Dev,
    /// That of `cargo test`, which optimises our crates. If the tests are compiled as well, what they
    /// have in common with the functions is compiled once.
    Test,
}

impl Profile {
    /// Its name on the command line of cargo.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
        }
    }
}

/// Builds the functions behind one line of progress.
pub async fn build(workplace: &Workplace, profile: Profile) -> Result<(), Failure> {
    let mut build = build_binaries(workplace.project.root(), &FUNCTIONS);
    build.args(["--profile", profile.name()]);
    compile(workplace, "Building the functions failed", &mut build).await
}

/// Packages each binary that is newer than its package.
pub async fn pack(workplace: &Workplace, environment: &Path) -> Result<Vec<Package>, Failure> {
    let built = target(workplace).await?.join("debug");
    let folder = workplace.project.folder("packages")?;
    let packages =
        FUNCTIONS.map(|function| Package { function, zip: folder.join(format!("{function}.zip")) });
    let outdated: Vec<&Package> = packages
        .iter()
        .filter(|package| newer(&built.join(package.function), &package.zip))
        .collect();
    // A package keeps one processor busy, so two are made at a time.
    let (half, rest) = outdated.split_at(outdated.len() / 2);
    tokio::try_join!(
        Box::pin(pack_each(workplace, environment, &built, half)),
        Box::pin(pack_each(workplace, environment, &built, rest)),
    )?;
    workplace.console.progress_over();
    workplace.console.done(&format!("built; packaged {} of {}", outdated.len(), FUNCTIONS.len()));
    Ok(packages.into())
}

async fn pack_each(
    workplace: &Workplace,
    environment: &Path,
    built: &Path,
    packages: &[&Package],
) -> Result<(), Failure> {
    for package in packages {
        workplace.console.progress(&format!("packaging {}", package.function));
        pack_one(workplace, environment, &built.join(package.function), package).await?;
    }
    Ok(())
}

async fn pack_one(
    workplace: &Workplace,
    environment: &Path,
    binary: &Path,
    package: &Package,
) -> Result<(), Failure> {
    // Another run may package at the same time: unfinished files are in a folder of this run.
    let folder = workplace.scratch.folder().join("packing").join(package.function);
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure::new("Cannot create a folder for packaging").because(error))?;
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
    zip.args(["-c", PACK]).arg(&unfinished).arg(&bootstrap);
    let log = workplace.run.log(&format!("pack-{}", package.function));
    workplace.children.run_quietly("Packaging a function", &mut zip, &log).await?;
    std::fs::rename(&unfinished, &package.zip)
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
