//! The guide for integrators: its messages and events follow the contract, its scripts, elements and
//! policy are those of the local stack, and its commands exist. `cargo verify --only browser` runs
//! the commands.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use domain::envelope::{self, MessageType};
use local::arguments::Command;
use local::crm_pages::{RETURN_PATH, content_policy, find_document};
use local::token::User;
use runtime::api::describe_api;
use serde_json::Value;
use tests::project::locate_in_project;

use super::{ACCOUNT, folder, inbound_schemas, kind_of, objections, schemas};

/// The API in the examples.
const API: &str = "https://xero-api.example.com";

/// A code block: the words after its opening fence, and its text.
struct Block {
    kind: String,
    text: String,
}

const GUIDE: &str = "docs/integrating.md";
/// The description of the elements, whose examples are those of the guide.
const ELEMENTS: &str = "functions/pages/README.md";

fn read_blocks(document: &str) -> Vec<Block> {
    let guide = fs::read_to_string(locate_in_project(document)).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in guide.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            match open.take() {
                Some(block) => blocks.push(block),
                None => open = Some(Block { kind: kind.to_owned(), text: String::new() }),
            }
        } else if let Some(block) = &mut open {
            block.text.push_str(line);
            block.text.push('\n');
        }
    }
    assert!(open.is_none(), "the last block has no end");
    blocks
}

fn texts_of_kind(kind: &str) -> Vec<String> {
    let found = read_blocks(GUIDE).into_iter().filter(|block| block.kind == kind);
    let texts = found.map(|block| block.text).collect::<Vec<_>>();
    assert!(!texts.is_empty(), "{kind}");
    texts
}

fn find_text(path: &str) -> String {
    let owner = User {
        sub: "usr_owner".to_owned(),
        account_id: ACCOUNT.to_owned(),
        role: "Owner".to_owned(),
        name: "Rowan Ridgeway".to_owned(),
    };
    find_document(path, &owner, API).expect(path).text
}

#[test]
fn every_example_is_of_a_kind_that_is_checked() {
    for Block { kind, text } in read_blocks(GUIDE) {
        let kinds = [
            "json inbound",
            "json outbound",
            "js page.js",
            "js frame.js",
            "html",
            "csp",
            "sh",
            "sh up",
            "yaml",
        ];
        assert!(kinds.contains(&kind.as_str()), "{kind}: {text}");
    }
}

#[test]
fn its_messages_are_accepted_and_its_events_are_as_they_are_written() {
    let inbound = inbound_schemas();
    for text in texts_of_kind("json inbound") {
        let message: Value = serde_json::from_str(&text).unwrap();
        let message_type = message["type"].as_str().unwrap();
        assert_eq!(objections(&inbound[message_type], &message), Vec::<String>::new());
        assert!(envelope::read_crm_body(&text, kind_of(message_type), ACCOUNT).is_ok(), "{text}");
    }
    let outbound = schemas(&folder("outbound"), "values");
    for text in texts_of_kind("json outbound") {
        let event: Value = serde_json::from_str(&text).unwrap();
        let schema = &outbound[event["type"].as_str().unwrap()];
        assert_eq!(objections(schema, &event), Vec::<String>::new());
    }
}

#[test]
fn its_scripts_and_its_policy_are_those_of_the_local_stack() {
    assert_eq!(texts_of_kind("js page.js"), [find_text("/crm/page.js")]);
    assert_eq!(texts_of_kind("js frame.js"), [find_text("/crm/frame.js")]);
    assert_eq!(texts_of_kind("csp"), [format!("{}\n", content_policy(API))]);
}

#[test]
fn the_description_of_the_elements_has_the_examples_of_the_guide() {
    let blocks = read_blocks(ELEMENTS);
    assert!(blocks.len() > 1, "{}", blocks.len());
    for Block { kind, text } in blocks {
        assert!(texts_of_kind(&kind).contains(&text), "{kind}: {text}");
    }
}

#[test]
fn it_names_every_type_of_message_and_event_and_every_state() {
    let guide = fs::read_to_string(locate_in_project(GUIDE)).unwrap();
    let mut words = MessageType::ALL.map(MessageType::as_str).map(str::to_owned).to_vec();
    words.extend(schemas(&folder("outbound"), "values").into_keys());
    let document: Value = serde_json::from_str(describe_api()).unwrap();
    for schema in ["RecordState", "ConnectionWord"] {
        let named = document["components"]["schemas"][schema]["enum"].as_array().unwrap();
        words.extend(named.iter().map(|word| word.as_str().unwrap().to_owned()));
    }
    for word in words {
        assert!(guide.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn its_elements_are_on_the_pages_of_the_local_stack() {
    let paths =
        [RETURN_PATH, "/clients/cl_1", "/invoices/inv_1", "/credit-notes/cn_1", "/framed/settings"];
    let pages = paths.map(find_text).concat();
    for text in texts_of_kind("html") {
        for line in text.lines() {
            assert!(pages.contains(line), "{line}");
        }
    }
}

#[test]
fn its_commands_and_the_files_that_they_name_exist() {
    let mut commands = 0;
    for kind in ["sh", "sh up", "yaml"] {
        for line in texts_of_kind(kind).concat().lines() {
            let Some((_, command)) = line.split_once("cargo local ") else { continue };
            let words = command.trim_end_matches(" &").split_whitespace();
            let words = words.map(|word| word.trim_matches('"')).collect::<Vec<_>>();
            for file in words.iter().filter(|word| word.starts_with("shared/")) {
                assert!(locate_in_project(file).exists(), "{file}");
            }
            let parsed = Command::try_parse_from(std::iter::once("local").chain(words));
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            commands += 1;
        }
    }
    assert!(commands > 5, "{commands}");
    for text in texts_of_kind("yaml") {
        let workflow: Value = serde_saphyr::from_str(&text).unwrap();
        assert!(workflow["jobs"].is_object(), "{workflow}");
    }
}

#[test]
fn the_links_of_the_documents_lead_to_files() {
    let mut documents = list_files(&locate_in_project("docs"));
    documents.extend(
        ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", ELEMENTS].map(locate_in_project),
    );
    for document in documents.iter().filter(|path| is_guide(path)) {
        for link in find_links(&fs::read_to_string(document).unwrap()) {
            let target = document.parent().unwrap().join(&link);
            assert!(target.exists(), "{}: {link}", document.display());
        }
    }
}

fn is_guide(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "md")
}

/// The files that a text links to, without the sections in them.
fn find_links(text: &str) -> Vec<String> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = links.filter_map(|link| link.split('#').next());
    files.filter(|file| !file.is_empty() && !file.starts_with("http")).map(str::to_owned).collect()
}

/// The files of a folder and its folders.
fn list_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { list_files(&path) } else { vec![path] }).collect()
}

#[test]
fn the_folder_of_the_contract_can_be_copied() {
    let contract = folder("").canonicalize().unwrap();
    for guide in list_files(&contract).iter().filter(|path| is_guide(path)) {
        for link in find_links(&fs::read_to_string(guide).unwrap()) {
            let target = guide.parent().unwrap().join(&link).canonicalize();
            let is_inside = target.is_ok_and(|target| target.starts_with(&contract));
            assert!(is_inside, "{}: {link}", guide.display());
        }
    }
}
