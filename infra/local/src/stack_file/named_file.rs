//! The file that the command line names for the addresses of a stack.

use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use crate::failure::Failure;
use crate::scratch::is_alive;

const OTHER_FILE: &str = "Name a file that does not exist.";

/// The part of the addresses that every release writes.
#[derive(Deserialize)]
struct LeftAddresses {
    process: u32,
}

/// Checks that the addresses can be written to the file when the stack is ready. Removes a file
/// that a killed stack left: programs that wait for the file would read its addresses. Any other
/// file is kept, and refused.
pub fn prepare_named_file(file: &Path) -> Result<(), Failure> {
    let cannot = || Failure::new(format!("Cannot write the addresses to {}", file.display()));
    let content = match std::fs::read(file) {
        Ok(content) => content,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let parent = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            return if parent.is_none_or(Path::is_dir) {
                Ok(())
            } else {
                Err(cannot()
                    .because("its folder does not exist")
                    .remedy("Create the folder, or name a file in another one."))
            };
        }
        Err(error) => return Err(cannot().because(error).remedy(OTHER_FILE)),
    };
    if !content.trim_ascii().is_empty() {
        let Ok(left) = serde_json::from_slice::<LeftAddresses>(&content) else {
            return Err(cannot()
                .because("it exists and contains something else")
                .remedy(OTHER_FILE));
        };
        if i32::try_from(left.process).is_ok_and(is_alive) {
            let owner = format!("it belongs to the running stack of process {}", left.process);
            return Err(cannot().because(owner).remedy("Name another file, or end that stack."));
        }
    }
    std::fs::remove_file(file).map_err(|error| cannot().because(error).remedy(OTHER_FILE))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::prepare_named_file;

    fn file(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("{name}-{}.json", std::process::id()))
    }

    fn complaint(file: &Path) -> String {
        prepare_named_file(file).unwrap_err().lines().join("\n")
    }

    #[test]
    fn what_a_killed_stack_left_is_removed_before_the_next_one_starts() {
        let file = file("left-addresses");
        // No process has this id: it is above the largest one of Linux.
        for content in ["{\"process\":1073741824,\"crm\":\"http://127.0.0.1:1\"}", ""] {
            std::fs::write(&file, content).unwrap();
            prepare_named_file(&file).unwrap();
            assert!(!file.exists(), "{content}");
        }
        prepare_named_file(&file).unwrap();
        prepare_named_file(Path::new("addresses-in-the-current-folder.json")).unwrap();
    }

    #[test]
    fn a_file_with_another_content_or_owner_is_kept() {
        let file = file("kept-addresses");
        let mine = format!("{{\"process\":{}}}", std::process::id());
        for (content, part) in [("# A document", "something else"), (mine.as_str(), "running")] {
            std::fs::write(&file, content).unwrap();
            assert!(complaint(&file).contains(part), "{content}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), content);
        }
        std::fs::remove_file(&file).unwrap();
        let absent = complaint(&file.join("addresses.json"));
        assert!(absent.contains("folder does not exist\nCreate the folder"), "{absent}");
        let folder = complaint(&std::env::temp_dir());
        assert!(folder.starts_with("Cannot write the addresses"), "{folder}");
        assert!(folder.ends_with("\nName a file that does not exist."), "{folder}");
    }
}
