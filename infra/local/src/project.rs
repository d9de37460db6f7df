//! Paths: the project's folder, and what the runner keeps in `.local` inside it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::failure::Failure;
use crate::wait;

/// How long another run may take to install what both need.
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
            Failure::new("The project's folder was moved since the runner was built")
                .because(error)
                .remedy("Run the command again from the project's folder; it rebuilds the runner.")
        })?;
        Ok(Self { root })
    }

    /// The folder with `Cargo.toml` and `template.yaml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The template to deploy.
    pub fn template(&self) -> PathBuf {
        self.root.join("template.yaml")
    }

    /// The runner's own files in the source tree.
    pub fn sources(&self) -> PathBuf {
        self.root.join("infra/local")
    }

    /// The data of the story.
    pub fn story(&self) -> PathBuf {
        self.sources().join("story")
    }

    /// The folder of generated files: tools, logs, packages. Safe to delete; the runner writes
    /// nowhere else, except for the npm packages beside the sources of the pages.
    pub fn workshop(&self) -> PathBuf {
        self.root.join(".local")
    }

    /// A folder of generated files, created if it is missing.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.workshop().join(name);
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::new(format!("Cannot create the folder {}", folder.display()))
                .because(error)
                .remedy(
                    "The folder .local of the project must be one in which this user may write.",
                )
        })?;
        Ok(folder)
    }

    /// Locks a part of the generated files, so that two runs do not write to it at once. The lock
    /// is held until the file is dropped.
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
            None => Err(cannot().remedy("Another run holds it; stop that run first.")),
        }
    }

    /// The path relative to the project's folder, for display.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Project;

    #[test]
    fn a_folder_that_cannot_be_created_is_named_with_what_is_needed() {
        let root = std::env::temp_dir().join(format!("project-{}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        std::fs::write(root.join(".local"), "not a folder").unwrap();
        let project = Project { root: root.clone() };
        let lines = project.folder("runs").unwrap_err().lines();
        assert!(lines[0].starts_with("Cannot create the folder"), "{lines:?}");
        assert!(lines[1].contains(".local"), "{lines:?}");
        std::fs::remove_dir_all(&root).unwrap();
    }
}
