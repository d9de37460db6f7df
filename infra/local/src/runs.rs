//! The folder of one run: its logs and the template it deployed. Two runs in one checkout never
//! write to the same file, whether they overlap or not.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::clock;
use crate::failure::Failure;
use crate::project::Project;
use crate::scratch::is_alive;

/// How many folders of finished runs are kept.
const RUNS_KEPT: usize = 5;

/// A run's folder, `.local/runs/<start>-<process id>`. It is kept after the run.
#[derive(Debug, Clone)]
pub struct Run {
    folder: PathBuf,
}

impl Run {
    /// Creates the folder, and removes those of older runs that have ended.
    pub fn open(project: &Project) -> Result<Self, Failure> {
        remove_old(&project.folder("runs")?);
        let name = name(clock::now(), std::process::id());
        Ok(Self { folder: project.folder(&format!("runs/{name}"))? })
    }

    /// A folder inside this one, for a part of the run whose logs have the same names as others.
    pub fn part(&self, name: &str) -> std::io::Result<Self> {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Its path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of one of its logs.
    pub fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }
}

/// Names sort by time. The process id distinguishes two runs that start in the same second.
fn name(started: Timestamp, process: u32) -> String {
    format!("{}-{process}", started.strftime("%Y%m%d-%H%M%S"))
}

/// The process id in a folder's name.
pub(crate) fn owner(name: &str) -> Option<i32> {
    name.rsplit_once('-')?.1.parse().ok()
}

fn remove_old(all: &Path) {
    let folders = std::fs::read_dir(all).into_iter().flatten().flatten();
    let mut ended: Vec<PathBuf> = folders
        .filter(|folder| {
            let name = folder.file_name();
            !name.to_str().and_then(owner).is_some_and(is_alive)
        })
        .map(|folder| folder.path())
        .collect();
    ended.sort();
    let surplus = ended.len().saturating_sub(RUNS_KEPT);
    for folder in ended.iter().take(surplus) {
        std::fs::remove_dir_all(folder).ok();
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{RUNS_KEPT, name, owner, remove_old};

    #[test]
    fn two_runs_that_start_in_the_same_second_have_separate_folders() {
        let first = name(Timestamp::UNIX_EPOCH, 17);
        assert_eq!(first, "19700101-000000-17");
        assert_ne!(first, name(Timestamp::UNIX_EPOCH, 18));
        assert_eq!(owner(&first), Some(17));
    }

    #[test]
    fn the_newest_finished_runs_and_all_running_ones_are_kept() {
        let all = std::env::temp_dir().join(format!("runs-{}", std::process::id()));
        let mine = all.join(format!("19700101-000000-{}", std::process::id()));
        std::fs::create_dir_all(&mine).unwrap();
        let ended: Vec<_> =
            (0..RUNS_KEPT + 2).map(|place| all.join(format!("2026010{place}-000000-x"))).collect();
        for folder in &ended {
            std::fs::create_dir_all(folder).unwrap();
        }
        remove_old(&all);
        assert!(mine.exists());
        assert_eq!(ended.iter().filter(|folder| folder.exists()).count(), RUNS_KEPT);
        assert!(!ended[0].exists() && !ended[1].exists());
        std::fs::remove_dir_all(&all).unwrap();
    }
}
