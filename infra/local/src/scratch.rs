//! The temporary folder of one run: the local AWS unpacks the functions' code there each time.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};

use crate::failure::Failure;
use crate::project::Project;

/// The folder of this run, `.local/tmp/<process id>`.
#[derive(Debug, Clone)]
pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// Creates the folder, and removes those of runs that could not remove theirs.
    pub fn open(project: &Project) -> Result<Self, Failure> {
        clear_abandoned(&project.folder("tmp")?);
        Ok(Self { folder: project.folder(&format!("tmp/{}", std::process::id()))? })
    }

    /// Its path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes it. The next run removes what this one cannot.
    pub fn close(self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

/// Whether a process of this id is running.
pub(crate) fn is_alive(process: i32) -> bool {
    Pid::from_raw(process).is_some_and(|process| test_kill_process(process).is_ok())
}

fn clear_abandoned(all: &Path) {
    let folders = std::fs::read_dir(all).into_iter().flatten().flatten();
    for folder in folders {
        let owner = folder.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
        if !owner.is_some_and(is_alive) {
            std::fs::remove_dir_all(folder.path()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::clear_abandoned;

    #[test]
    fn only_folders_of_ended_runs_are_removed() {
        let all = std::env::temp_dir().join(format!("scratch-{}", std::process::id()));
        let mine = all.join(std::process::id().to_string());
        let ended = all.join("ended");
        std::fs::create_dir_all(&mine).unwrap();
        std::fs::create_dir_all(&ended).unwrap();
        clear_abandoned(&all);
        assert!(mine.exists() && !ended.exists());
        std::fs::remove_dir_all(&all).unwrap();
    }
}
