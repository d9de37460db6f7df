//! Everything that the project depends on is compared with databases of known vulnerabilities, and
//! every release has a bill of materials. What is fuzzed is compiled without the rest.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::root;

/// Folders that contain no files of the project.
const GENERATED: [&str; 4] = ["target", ".local", ".git", "node_modules"];

/// Every file with such a name, with its path below the root.
fn find_files(is_wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let (mut folders, mut found) = (vec![root()], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                if !GENERATED.contains(&name.as_str()) {
                    folders.push(entry.path());
                }
            } else if is_wanted(&name) {
                let path = entry.path();
                found.insert(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn every_list_of_pinned_packages_is_compared_with_advisories_on_a_schedule() {
    let workflow = read(".github/workflows/advisories.yml");
    assert!(workflow.contains("schedule:") && workflow.contains("run: bash .ci/advisories"));
    let script = read(".ci/advisories");

    let locks = find_files(|name| name == "Cargo.lock").into_iter();
    let manifests = locks.map(|lock| lock.replace("Cargo.lock", "Cargo.toml")).collect::<Vec<_>>();
    assert!(script.contains(&format!("for manifest in {}; do", manifests.join(" "))));
    for lock in find_files(|name| name == "package-lock.json") {
        let folder = lock.strip_suffix("/package-lock.json").unwrap();
        assert!(script.contains(&format!("npm audit --prefix {folder} ")), "{lock}");
    }
    assert!(script.contains("for requirements in infra/local/requirements*.txt; do"));
    let is_list = |name: &str| {
        let is_text = Path::new(name).extension().is_some_and(|end| end == "txt");
        name.starts_with("requirements") && is_text
    };
    for list in find_files(is_list) {
        assert!(list.starts_with("infra/local/requirements"), "{list}");
    }
}

#[test]
fn the_fuzz_targets_are_compiled_without_the_engine_aws_and_an_http_client() {
    let lock = read("fuzz/Cargo.lock");
    assert!(lock.contains("name = \"requests\"\n"));
    let ours = ["engine\"", "store\"", "runtime\""];
    let theirs = ["aws-", "aws_", "lambda_", "reqwest\"", "hyper", "rustls", "ring\"", "tokio"];
    for start in ours.into_iter().chain(theirs) {
        assert!(!lock.contains(&format!("name = \"{start}")), "fuzz/Cargo.lock has {start}");
    }
}

#[test]
fn ci_keeps_the_bill_of_materials_of_every_commit_and_fails_without_one() {
    let workflow = read(".github/workflows/ci.yml");
    let (_, upload) = workflow.split_once("actions/upload-artifact").unwrap();
    let bill = "path: target/bill-of-materials.cdx.json";
    assert!(upload.contains(bill) && upload.contains("if-no-files-found: error"));
    assert!(read("infra/local/bill_of_materials.py").contains("bill-of-materials.cdx.json"));
}
