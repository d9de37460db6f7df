//! Where things are: the project's folder, and what the runner keeps in `.local` inside it.

use crate::failure::Failure;
use crate::wait;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// As long as another run may take to install what both need.
const LOCKED_WITHIN: Duration = Duration::from_mins(30);

/// The project on disk.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The project this runner was built from.
    pub fn here() -> Result<Self, Failure> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.canonicalize().map_err(|error| {
            Failure::new("The project's folder is not where the runner was built")
                .because(error)
                .remedy(
                    "Run the command again from the project's folder; it builds the runner anew.",
                )
        })?;
        Ok(Self { root })
    }

    /// The folder with `Cargo.toml` and `template.yaml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The template that is deployed.
    pub fn template(&self) -> PathBuf {
        self.root.join("template.yaml")
    }

    /// The runner's own files in the source tree.
    pub fn sources(&self) -> PathBuf {
        self.root.join("infra/local")
    }

    /// The story's messages.
    pub fn story(&self) -> PathBuf {
        self.sources().join("story")
    }

    /// What the runner makes: tools, logs, packages. Safe to delete; nothing else is written to.
    pub fn workshop(&self) -> PathBuf {
        self.root.join(".local")
    }

    /// A folder of the workshop, made if it is missing.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.workshop().join(name);
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::new(format!("Cannot make the folder {}", folder.display())).because(error)
        })?;
        Ok(folder)
    }

    /// The lock that keeps two runs from writing to the same part of the workshop. It is held until
    /// the file is dropped.
    pub async fn lock(&self, name: &str) -> Result<File, Failure> {
        let path = self.folder("locks")?.join(name);
        let cannot = || Failure::new(format!("Cannot lock {}", path.display()));
        let lock = File::create(&path).map_err(|error| cannot().because(error))?;
        let held = wait::until(LOCKED_WITHIN, async || match lock.try_lock() {
            Ok(()) => Some(Ok(())),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(error)) => Some(Err(cannot().because(error))),
        });
        let outcome = held.await;
        match outcome {
            Some(Ok(())) => Ok(lock),
            Some(Err(failure)) => Err(failure),
            None => Err(cannot().remedy("Another run holds it; end that one first.")),
        }
    }

    /// The path as seen from the project's folder, for people.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}
