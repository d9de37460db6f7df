//! The queries of the runbook find what the code logs.

use std::fs;
use std::path::{Path, PathBuf};

use tests::project::locate_in_project;

use super::text;

/// The Rust files below a folder, without the folders of tests.
pub(super) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| {
        if path.is_dir() && !path.ends_with("tests") {
            return rust_files(&path);
        }
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        is_rust.then_some(path).into_iter().collect()
    });
    files.collect()
}

/// The source of everything that is deployed.
fn deployed_code() -> String {
    let shared = locate_in_project("shared");
    let files = rust_files(&shared).into_iter();
    files.map(|path| fs::read_to_string(path).unwrap()).collect::<Vec<_>>().join("\n")
}

/// The messages for which a text searches: one, or a list in brackets.
fn searched_messages(text: &str) -> Vec<&str> {
    let mut messages = Vec::new();
    for search in text.split("fields.message ").skip(1) {
        let listed = search.strip_prefix("in [").and_then(|list| list.split(']').next());
        let single = search.strip_prefix("= ").map(|rest| rest.split_inclusive('"').take(2));
        match (listed, single) {
            (Some(list), _) => messages.extend(list.split('"').skip(1).step_by(2)),
            (None, Some(parts)) => messages.extend(parts.last().map(|end| end.trim_matches('"'))),
            (None, None) => {}
        }
    }
    messages
}

#[test]
fn every_query_of_the_runbook_searches_for_messages_that_the_code_logs() {
    let (runbook, code) = (text("infra/runbook.md"), deployed_code());
    let messages = searched_messages(&runbook);
    assert!(messages.len() > 20, "{messages:?}");
    for message in messages {
        assert!(code.contains(&format!("\"{message}\"")), "no line has the message {message:?}");
    }
}

#[test]
fn unknown_sentences_are_searched_by_the_line_that_is_logged_where_they_are_counted() {
    let runbook = text("infra/runbook.md");
    let (_, section) = runbook.split_once("\n## unknown-sentences\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let messages = searched_messages(section);
    assert_eq!(messages, ["Xero refused a call in sentences that are not known"]);
    let code = text("shared/engine/src/connection/answer_reports.rs");
    let (_, line) = code.split_once("Metric::UnknownSentences(sentences)").unwrap();
    let (fields, _) = line.split_once(messages[0]).unwrap();
    for field in ["account.id", "sentences"] {
        assert!(section.contains(&format!("fields.{field}")) && fields.contains(field), "{field}");
    }
    let counted = code.matches("Metric::UnknownSentences(").count();
    assert_eq!(counted, 1, "each count has its line");
}

/// The name of a secret cannot be used again during its recovery window of up to 30 days, so that
/// its Xero user could not connect:
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html>.
#[test]
fn a_secret_that_is_deleted_by_hand_leaves_its_name_free() {
    let mut found = 0;
    for path in ["infra/runbook.md", "infra/deploying.md", "docs/decisions/token-stores.md"] {
        let document = text(path).split_whitespace().collect::<Vec<_>>().join(" ");
        for rest in document.split("aws secretsmanager delete-secret").skip(1) {
            let options = rest.split('`').next().unwrap();
            assert!(options.contains("--force-delete-without-recovery"), "{path}: {options}");
            found += 1;
        }
    }
    assert!(found >= 3, "{found}");
}
