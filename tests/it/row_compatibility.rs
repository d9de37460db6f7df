//! Rows of another release. While a deployment runs, and after a rollback, a release meets rows
//! that the one before it or the one after it has written.
//!
//! `tests/rows/released.json` holds the rows of the last release, `tests/rows/fields.json` the
//! fields of this one, both after the same day of work. A release deletes the first and
//! records both: see [`UPDATE`]. `.ci/rows` runs these tests with the code of an earlier release on
//! the rows of this one, and with this code on the rows that the earlier code has just written.

#![allow(clippy::disallowed_methods, reason = "rows are compared, not computed with")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use domain::connection::ConnectionState;
use domain::entity::EntityKind::{Invoice, Payment};
use engine::commands::contacts::reconcile;
use engine::commands::sync_all;
use engine::ports::Metric;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::table::{IndexKey, ItemKey, ItemVersion, StoredItem};
use tests::World;
use tests::builders::{a_payment, an_invoice};
use tests::io_monitor::run;
use tests::project::locate_in_project;
use tests::world::owner;
use xero_sim::{Fault, FaultKind, Match};

use crate::recovery::{assert_all_synced, connected_to_core_tier, run_day};

/// Set to write the fields of this release instead of comparing them, and its rows as those of the
/// last release if there are none.
const UPDATE: &str = "UPDATE_ROWS";

/// The file to which the rows of this code are written, and the one from which those of the other
/// release are read instead of the committed ones.
const ROWS_TO: &str = "ROWS_TO";
const ROWS_FROM: &str = "ROWS_FROM";

const COMMAND: &str = "UPDATE_ROWS=1 cargo test --workspace --test it the_committed_fields_of_rows";

/// By kind of row, every field with the word whether each such row has it.
type Fields = BTreeMap<String, BTreeMap<String, String>>;

/// A connected account after a day of work, a Sync All and a reconciliation, with a record that was
/// given up, one that waits for it, and one that has just failed.
fn recorded() -> World {
    let world = connected_to_core_tier();
    run_day(&world, 1);
    let account = world.account();
    run(sync_all::start_sync_all(&world.engine, &account, owner())).unwrap().unwrap();
    run(reconcile::start_reconciliation(&world.engine, &account, owner())).unwrap().unwrap();
    world.advance(SignedDuration::from_mins(5));
    world.receive(Invoice, &an_invoice("inv_1_9", "cli_1").tax_rate("7").body());
    let waiting = a_payment("pay_1_9", &[("inv_1_9", "1.00")]).method("gift_card");
    world.receive(Payment, &waiting.body());
    world.inject(Fault { on: Match::next("/api.xro/2.0/Invoices"), kind: FaultKind::Status500 });
    world.receive(Invoice, &an_invoice("inv_1_8", "cli_1").body());
    world
}

fn committed(name: &str) -> PathBuf {
    locate_in_project("tests/rows").join(name)
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

fn write_row(item: &StoredItem) -> Value {
    let index = |key: Option<&IndexKey>| key.map(|key| json!([key.pk, key.sk]));
    json!({
        "pk": item.key.pk,
        "sk": item.key.sk,
        "version": item.version.as_number(),
        "due": index(item.due.as_ref()),
        "open": index(item.open.as_ref()),
        "attention": index(item.attention.as_ref()),
        "expires_at": item.expires_at.map(|instant| instant.to_string()),
        "record": item.record,
        "snapshot": item.snapshot,
    })
}

fn read_row(row: &Value) -> StoredItem {
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    let index = |name: &str| {
        let key = row[name].as_array()?;
        Some(IndexKey::new(key[0].as_str().unwrap(), key[1].as_str().unwrap()))
    };
    let byte = |byte: &Value| u8::try_from(byte.as_u64().unwrap()).unwrap();
    StoredItem {
        key: ItemKey::new(text("pk").unwrap(), text("sk").unwrap()),
        version: ItemVersion::from_number(row["version"].as_u64().unwrap()),
        due: index("due"),
        open: index("open"),
        attention: index("attention"),
        expires_at: text("expires_at").map(|instant| instant.parse().unwrap()),
        record: text("record").unwrap(),
        snapshot: row["snapshot"].as_array().map(|bytes| bytes.iter().map(byte).collect()),
    }
}

fn write_rows(file: &Path, items: &[StoredItem]) {
    let rows = items.iter().map(write_row).collect();
    fs::write(file, pretty(&Value::Array(rows))).unwrap();
}

/// The rows of the last release.
fn released() -> Vec<StoredItem> {
    let other = std::env::var_os(ROWS_FROM).map(PathBuf::from);
    let text = fs::read_to_string(other.unwrap_or_else(|| committed("released.json")));
    let text = text.unwrap_or_else(|error| panic!("{error}: record the rows with `{COMMAND}`"));
    let rows: Value = serde_json::from_str(&text).unwrap();
    rows.as_array().unwrap().iter().map(read_row).collect()
}

/// Ids and instants contain digits, and the other parts of a key do not.
fn is_name(part: &str) -> bool {
    !part.contains(|sign: char| sign.is_ascii_digit())
}

/// The kind of a row, such as `L/MAP/invoice`.
fn kind_of(item: &StoredItem) -> String {
    let scope = item.key.pk.split('#').next().unwrap_or_default();
    let parts = item.key.sk.split('#').filter(|part| is_name(part)).collect::<Vec<_>>();
    format!("{scope}/{}", parts.join("/"))
}

fn add_fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    if let Some(fields) = value.as_object() {
        for (name, value) in fields {
            let name = if is_name(name) { name } else { "*" };
            let path = format!("{path}.{name}");
            add_fields(value, &path, found);
            found.insert(path);
        }
    }
    for value in value.as_array().into_iter().flatten() {
        add_fields(value, &format!("{path}[]"), found);
    }
}

fn fields_of(item: &StoredItem) -> BTreeSet<String> {
    let attributes = [
        ("due", item.due.is_some()),
        ("open", item.open.is_some()),
        ("attention", item.attention.is_some()),
        ("expires_at", item.expires_at.is_some()),
        ("snapshot", item.snapshot.is_some()),
    ];
    let present = attributes.into_iter().filter(|(_, is_present)| *is_present);
    let mut found = present.map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>();
    add_fields(&serde_json::from_str(&item.record).unwrap(), "record", &mut found);
    found
}

fn fields_by_kind(items: &[StoredItem]) -> Fields {
    let mut rows: BTreeMap<String, Vec<BTreeSet<String>>> = BTreeMap::new();
    for item in items {
        rows.entry(kind_of(item)).or_default().push(fields_of(item));
    }
    let by_kind = rows.into_iter().map(|(kind, rows)| {
        let all = rows.iter().flatten().cloned().collect::<BTreeSet<_>>();
        let words = all.into_iter().map(|field| {
            let is_everywhere = rows.iter().all(|row| row.contains(&field));
            (field, if is_everywhere { "always" } else { "sometimes" }.to_owned())
        });
        (kind, words.collect::<BTreeMap<_, _>>())
    });
    by_kind.collect()
}

#[test]
fn the_committed_fields_of_rows_are_those_that_this_release_writes() {
    let items = recorded().table.all_items();
    let fields = pretty(&json!(fields_by_kind(&items)));
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all(committed("")).unwrap();
        fs::write(committed("fields.json"), &fields).unwrap();
        if !committed("released.json").exists() {
            write_rows(&committed("released.json"), &items);
        }
    }
    let before = fs::read_to_string(committed("fields.json")).unwrap_or_default();
    assert!(
        before == fields,
        "the rows have other fields: if both releases can read them, run `{COMMAND}` and commit it"
    );
}

#[test]
fn the_rows_of_this_code_are_written_for_another_release_that_asks_for_them() {
    if let Some(file) = std::env::var_os(ROWS_TO) {
        write_rows(Path::new(&file), &recorded().table.all_items());
    }
}

/// The last release wrote these fields in every row, so that it may not have a default for them.
#[test]
fn every_field_that_the_last_release_may_require_is_still_written() {
    let now = fields_by_kind(&recorded().table.all_items());
    for (kind, fields) in fields_by_kind(&released()) {
        let now = now.get(&kind).unwrap_or_else(|| panic!("no row of {kind} is written any more"));
        for (field, _) in fields.into_iter().filter(|(_, word)| word == "always") {
            let word = now.get(&field).map(String::as_str);
            assert_eq!(word, Some("always"), "{kind} {field}");
        }
    }
}

/// This is an upgrade: the books are those of the same day of work.
#[test]
fn rows_of_the_last_release_are_read_and_everything_keeps_syncing() {
    let mut world = recorded();
    world.table.restore_items(released());
    world.restart();
    run_day(&world, 2);
    assert_all_synced(&world, 1);
    assert_all_synced(&world, 2);
    assert_eq!(world.connection().state, ConnectionState::Active);
    assert!(!world.metrics.all().contains(&Metric::Defect));
}

#[test]
fn a_row_survives_its_way_through_the_file() {
    let items = recorded().table.all_items();
    assert!(items.iter().any(|item| item.snapshot.is_some()));
    for item in items {
        assert!(read_row(&write_row(&item)) == item, "{}", item.key);
    }
}

/// The row as a release writes it that has added a field to the record.
fn with_added_field(item: StoredItem) -> StoredItem {
    let mut record: Value = serde_json::from_str(&item.record).unwrap();
    record["added_by_a_later_release"] = json!({"of": ["any", "form"]});
    StoredItem { record: record.to_string(), ..item }
}

/// This is a rollback, or the part of the work that the last release still does.
#[test]
fn rows_with_a_field_of_a_later_release_are_read_and_everything_keeps_syncing() {
    let mut world = connected_to_core_tier();
    run_day(&world, 1);
    let items = world.table.all_items();
    let kinds = items.iter().filter_map(|item| item.key.sk.split('#').next().map(str::to_owned));
    let kinds = kinds.collect::<BTreeSet<_>>();
    for kind in ["CONNECTION", "GRANT", "MAP", "MONEY", "XID", "POLL", "CALLS", "CHART"] {
        assert!(kinds.contains(kind), "no row of {kind}: {kinds:?}");
    }
    world.table.restore_items(items.into_iter().map(with_added_field).collect());
    world.restart();
    run_day(&world, 2);
    assert_all_synced(&world, 1);
    assert_all_synced(&world, 2);
    assert_eq!(world.connection().state, ConnectionState::Active);
}
