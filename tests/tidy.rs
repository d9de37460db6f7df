//! Rules of this repository that the compiler does not check.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

#[path = "tidy/kinds.rs"]
mod kinds;
#[path = "tidy/measures.rs"]
mod measures;
#[path = "tidy/supply_chain.rs"]
mod supply_chain;

use std::fs;
use std::path::PathBuf;

use domain::failure::FailureCause;
use tests::project::locate_in_project;

/// Words without meaning as parts of identifiers.
const EMPTY_WORDS: [&str; 7] = ["manager", "helper", "util", "utils", "info", "data", "misc"];
/// A longer file has more than one subject. Test files contain many scenarios and may be longer.
const LINES_MAX: usize = 310;
const TEST_LINES_MAX: usize = 600;
/// A function's binary contains no decisions.
const MAIN_LINES_MAX: usize = 80;

fn root() -> PathBuf {
    locate_in_project("")
}

/// Every Rust file of the project, with its path below the root.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders =
        ["shared", "functions", "tests", "infra"].map(|name| root().join(name)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(found.len() > 50, "the sources were not found");
    found
}

fn is_test(name: &str) -> bool {
    name.contains("/tests/") || name.starts_with("tests/") || name.ends_with("tests.rs")
}

#[test]
fn files_are_short() {
    for (name, text) in sources() {
        let limit = if is_test(&name) { TEST_LINES_MAX } else { LINES_MAX };
        let lines = text.lines().count();
        assert!(lines <= limit, "{name} has {lines} lines; the limit is {limit}");
        if name.starts_with("functions/") {
            assert!(lines <= MAIN_LINES_MAX, "{name} has {lines} lines");
            // `test = false` in the manifests: no test harness is linked for each function.
            assert!(!text.contains("#[test]"), "{name} contains tests, which would never run");
        }
    }
}

#[test]
fn the_bundle_has_one_file_for_each_purpose_and_the_frame_loads_its_script() {
    let files = fs::read_to_string(root().join("functions/pages/src/files.rs")).unwrap();
    let name_of = |role: &str| {
        let (_, file) = files.split_once(&format!("FileRole::{role},")).unwrap();
        assert!(!file.contains(&format!("FileRole::{role},")), "two files for {role}");
        file.split('"').nth(1).unwrap().to_owned()
    };
    let (script, frame) = (name_of("Script"), name_of("FrameScript"));
    assert_eq!(fs::read_dir(root().join("functions/pages/dist")).unwrap().count(), 3);
    assert_eq!(name_of("FrameStyle").rsplit_once('.').unwrap().1, "css");
    let frame = fs::read_to_string(root().join("functions/pages/dist").join(frame)).unwrap();
    assert!(frame.contains(&format!("./{script}")));
}

#[test]
fn a_module_with_submodules_is_a_file_beside_their_folder() {
    for (name, _) in sources() {
        let file = name.rsplit('/').next();
        assert_ne!(file, Some("mod.rs"), "{name}: name the file after the module");
    }
}

#[test]
fn identifiers_contain_no_empty_words() {
    for (name, text) in sources() {
        for line in text.lines() {
            let line = line.trim_start();
            let line = ["pub(crate) ", "pub(super) ", "pub ", "async "]
                .iter()
                .fold(line, |line, start| line.strip_prefix(start).unwrap_or(line));
            let defined = ["fn ", "struct ", "mod ", "enum ", "trait "]
                .iter()
                .find_map(|start| line.strip_prefix(start));
            let Some(rest) = defined else { continue };
            let end = rest.find(|sign: char| !sign.is_alphanumeric() && sign != '_');
            let word = rest[..end.unwrap_or(rest.len())].to_lowercase();
            let empty = word.split('_').find(|part| EMPTY_WORDS.contains(part));
            assert_eq!(empty, None, "{name}: {word}");
        }
    }
}

#[test]
fn every_file_begins_with_a_module_comment() {
    for (name, text) in sources() {
        assert!(text.starts_with("//!"), "{name} does not begin with a module comment");
    }
}

#[test]
fn the_compiler_checks_every_list_of_all_variants() {
    let list = concat!("const ALL: ", "[Self;");
    for (name, text) in sources() {
        for (_, rest) in text.match_indices(list).map(|(at, _)| text.split_at(at)) {
            let value = rest.split_once('=').map(|(_, value)| value.trim_start());
            let is_checked = value.is_some_and(|value| {
                ["every_variant![", "crate::every_variant![", "domain::every_variant!["]
                    .iter()
                    .any(|start| value.starts_with(start))
            });
            assert!(is_checked, "{name}: a list of all variants is made by `every_variant!`");
        }
    }
}

#[test]
fn money_never_uses_floats() {
    for (name, text) in sources() {
        if !name.starts_with("shared/") && !name.starts_with("tests/simulator/") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let float = code.contains("f64") || code.contains("f32");
            assert!(!float, "{name}:{}: {line}", number + 1);
        }
    }
}

#[test]
fn the_domain_has_no_side_effects() {
    for (name, text) in sources() {
        if !name.starts_with("shared/domain/src") {
            continue;
        }
        for word in [
            "async fn",
            ".await;",
            ".await?",
            ".await)",
            ".await\n",
            "std::env",
            "std::fs",
            "std::net",
            "Timestamp::now",
        ] {
            assert!(!text.contains(word), "{name} uses {word}");
        }
    }
}

#[test]
fn decisions_depend_on_causes_and_not_on_codes() {
    for (name, text) in sources() {
        let makes_codes = name.ends_with("domain/src/failure/cause.rs");
        if !name.starts_with("shared/") || is_test(&name) || makes_codes {
            continue;
        }
        let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for cause in FailureCause::ALL {
            let code = format!("\"{}\"", cause.stable_code());
            assert!(!product.contains(&code), "{name} spells out {code}: use {cause:?}");
        }
        for comparison in ["failure.code ==", "failure.code !=", "code.starts_with("] {
            assert!(!product.contains(comparison), "{name} decides by a code: {comparison}");
        }
    }
}

#[test]
fn no_placeholders_and_ignored_tests_remain() {
    for (name, text) in sources() {
        for word in ["todo!(", "unimplemented!(", "#[ignore", "FIXME", "thread::sleep"] {
            let mentions =
                text.lines().filter(|line| line.contains(word) && !line.contains("for word in"));
            assert_eq!(mentions.count(), 0, "{name} has {word}");
        }
    }
}

#[test]
fn every_python_package_has_a_version_and_the_hashes_of_its_files() {
    let mut packages = 0;
    for entry in fs::read_dir(root().join("infra/local")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !(name.starts_with("requirements") && path.extension().is_some_and(|end| end == "txt")) {
            continue;
        }
        // A package and its hashes are one line, continued with backslashes.
        let text = fs::read_to_string(&path).unwrap().replace("\\\n", "");
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let has_version = line.split_whitespace().next().unwrap().contains("==");
            let hashes = line.matches("--hash=sha256:").count();
            assert!(has_version && hashes > 0, "{name}: {line}");
            packages += 1;
        }
    }
    assert!(packages > 250, "{packages}");
}

/// The fields of log lines, so that queries find them. Counts of a job have their own names.
const LOG_FIELDS: [&str; 26] = [
    "account.id",
    "user.id",
    "tenant.id",
    "entity",
    "crm.id",
    "xero.id",
    "attempt",
    "step",
    "outcome",
    "failure.class",
    "failure.code",
    "duration_ms",
    "xero.status",
    "xero.day_remaining",
    "xero.request_id",
    "xero.unfinished",
    "error",
    "message.id",
    "endpoint",
    "method",
    "reason",
    "reason.code",
    "received",
    "polled",
    "expired",
    "shard",
];

#[test]
fn log_fields_have_consistent_names() {
    let mut known = LOG_FIELDS.to_vec();
    // The counts that a job logs once when it is done.
    known.extend([
        "overdue",
        "parked",
        "events",
        "removed",
        "grants",
        "failed",
        "renewed",
        "in_use",
        "is_cut_short",
        "accounts",
        "entries",
        "attempts",
        "connections",
        "skipped",
        "accounts_with_skipped",
        "accounts_warned",
        "raised",
        "lifted",
        "undelivered",
        "found_disconnected",
        "records",
        "looked_at",
        "ledgers",
        "warnings",
        "unsent",
        "given_up",
        "idle",
        "read",
        "later",
        "already_read",
    ]);
    let mut seen = 0;
    for (name, text) in sources() {
        if !name.starts_with("shared/") {
            continue;
        }
        for call in ["tracing::info!(", "tracing::warn!(", "tracing::error!(", "info_span!("] {
            for (at, _) in text.match_indices(call) {
                let rest = &text[at + call.len()..];
                let call = &rest[..rest.find(");").unwrap_or(rest.len())];
                for field in fields(call) {
                    assert!(known.contains(&field), "{name} logs {field}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 100, "{seen} fields");
}

/// The names before a single `=` of a call's arguments.
fn fields(call: &str) -> Vec<&str> {
    let parts = call.split(" = ").collect::<Vec<_>>();
    let names = parts.iter().take(parts.len().saturating_sub(1)).map(|part| {
        let is_of_a_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || sign == '.';
        let start = part.rfind(|sign: char| !is_of_a_name(sign)).map_or(0, |at| at + 1);
        &part[start..]
    });
    names.filter(|name| !name.is_empty()).collect()
}
