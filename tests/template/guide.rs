//! The deployment guide says what to expect of every command, and the review of the AWS side names
//! tests that exist.

use std::fs;

use tests::project::locate_in_project;

use super::runbook::rust_files;
use super::text;

/// The blocks of commands of a document, each with the text up to the next block or heading.
fn commands_with_results(document: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let (mut is_block, mut is_command) = (false, false);
    for line in document.lines() {
        if let Some(language) = line.trim().strip_prefix("```") {
            is_block = !is_block;
            // A block with a language is a file.
            if is_block {
                is_command = language.is_empty();
                if is_command {
                    found.push((String::new(), String::new()));
                }
            }
            continue;
        }
        let Some((commands, result)) = found.last_mut() else { continue };
        if is_block && is_command {
            commands.push_str(line.trim());
        } else if !is_block && is_command {
            // A heading ends the text that belongs to the block.
            if line.starts_with('#') {
                is_command = false;
            } else {
                result.push_str(line);
            }
        }
    }
    found
}

#[test]
fn every_command_of_the_guide_has_an_expected_result() {
    let guide = text("infra/deploying.md");
    let found = commands_with_results(&guide);
    assert!(found.len() >= 15, "{}", found.len());
    for (commands, result) in found {
        let is_expected = ["Expect ", "answers "].into_iter().any(|word| result.contains(word));
        assert!(is_expected, "nothing is expected of: {commands}");
    }
}

#[test]
fn the_text_that_follows_a_block_is_its_result_up_to_the_next_heading() {
    let document =
        "```\naws one\n```\nExpect one.\n# Next\nText.\n```json\n{}\n```\n```\naws two\n```";
    let found = commands_with_results(document);
    let commands = found.iter().map(|(commands, _)| commands.as_str()).collect::<Vec<_>>();
    assert_eq!(commands, ["aws one", "aws two"]);
    assert_eq!(found[0].1, "Expect one.");
    assert_eq!(found[1].1, "");
}

/// The names of tests in a document: quoted words with at least three underscores.
fn quoted_tests(document: &str) -> Vec<&str> {
    let quoted = document.split('`').skip(1).step_by(2);
    let names = quoted.filter(|word| {
        let is_word = word.chars().all(|sign| sign.is_ascii_alphanumeric() || sign == '_');
        is_word && word.matches('_').count() >= 3
    });
    names.collect()
}

#[test]
fn every_test_that_the_review_of_the_aws_side_names_exists() {
    let root = locate_in_project("");
    let python = fs::read_dir(root.join("infra/local")).unwrap();
    let python = python.map(|entry| entry.unwrap().path());
    let python = python.filter(|path| path.extension().is_some_and(|ending| ending == "py"));
    let files = rust_files(&root.join("tests")).into_iter().chain(python);
    let sources = files.map(|path| fs::read_to_string(path).unwrap()).collect::<Vec<_>>();
    let sources = sources.join("\n");
    let review = text("docs/aws-review.md");
    let tests = quoted_tests(&review);
    assert!(tests.len() > 30, "{}", tests.len());
    for test in tests {
        let is_there =
            ["fn ", "def "].into_iter().any(|word| sources.contains(&format!("{word}{test}(")));
        assert!(is_there, "no test is called {test}");
    }
}
