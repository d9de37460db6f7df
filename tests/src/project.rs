//! The files of the project that tests read.

use std::path::{Path, PathBuf};

/// Returns the path of a file or folder, which is given below the project's root.
pub fn locate_in_project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
