//! The counting, on small texts.

use super::*;
use crate::project::locate_in_project;

/// A file with this module in it; `""` is the root of the crate.
fn parse(module: &str, text: &str) -> SourceFile {
    let names = module.split("::").filter(|name| !name.is_empty()).map(str::to_owned);
    let path = format!("src/{}.rs", module.replace("::", "/"));
    SourceFile::parse(&path, &names.collect::<Vec<_>>(), text).unwrap()
}

fn define(text: &str) -> Definitions {
    Definitions::collect(&[parse("", text)])
}

/// The imports between these modules, as `from → to`.
fn list(files: &[(&str, &str)]) -> Vec<String> {
    find(files).iter().map(describe).collect()
}

fn find(files: &[(&str, &str)]) -> Vec<Import> {
    let files = files.iter().map(|(module, text)| parse(module, text)).collect::<Vec<_>>();
    imports::list_imports(&files)
}

fn describe(import: &Import) -> String {
    format!("{} → {}", name_module(&import.from), name_module(&import.to))
}

#[test]
fn words_begin_at_underscores_and_capital_letters() {
    let words = [
        ("settle", 1),
        ("_settle", 1),
        ("record_failure", 2),
        ("find_by_numbers", 3),
        ("sha256", 1),
        ("Engine", 1),
        ("SyncLog", 2),
        ("HTTPServer", 2),
        ("URL", 1),
        ("CrmId", 2),
    ];
    for (name, count) in words {
        assert_eq!(count_words(name), count, "{name}");
    }
}

#[test]
fn every_function_is_counted_with_its_role() {
    let definitions = define(
        "
        pub fn open() { fn inner() {} }
        pub(crate) async fn in_crate() {}
        impl Door { pub const fn new() -> Self { Self } fn r#match(&self) {} }
        impl Clone for Door { fn clone(&self) -> Self { Self } }
        trait Lock { fn turn(&self); fn twice(&self) {} }
        ",
    );
    let found = definitions.functions.iter().map(|one| (one.name.as_str(), one.role));
    let expected = [
        ("open", Role::Public),
        ("inner", Role::Private),
        ("in_crate", Role::Private),
        ("new", Role::Public),
        ("match", Role::Private),
        ("clone", Role::Implementation),
        ("turn", Role::Public),
        ("twice", Role::Public),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
    let lines = definitions.functions.iter().map(|one| one.site.line).collect::<Vec<_>>();
    assert_eq!(lines, [2, 2, 3, 4, 4, 5, 6, 6]);
}

#[test]
fn structs_enums_traits_and_aliases_are_types() {
    let definitions = define(
        "
        struct Door;
        pub enum Way { In, Out }
        trait Lock { type Key; }
        type SharedDoor = Box<Door>;
        impl Lock for Door { type Key = u8; }
        ",
    );
    let found = definitions.types.iter().map(|named| named.name.as_str()).collect::<Vec<_>>();
    assert_eq!(found, ["Door", "Way", "Lock", "SharedDoor"]);
}

#[test]
fn what_only_tests_compile_is_not_counted() {
    let text = "fn open() {}
#[cfg(test)]
mod tests {
    struct Mock;
    fn helps() {}
}
#[cfg(feature = \"conformance\")]
mod conformance {}
#[cfg(test)]
fn helps() {}
mod kept { fn close() {} }
";
    let file = parse("", text);
    assert_eq!(file.lines, 4);
    let definitions = Definitions::collect(&[file]);
    let names = definitions.functions.iter().map(|one| one.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["open", "close"]);
    assert!(definitions.types.is_empty(), "{:?}", definitions.types);
}

#[test]
fn files_that_only_tests_compile_are_not_read() {
    let root = locate_in_project("");
    for folder in ["shared/domain", "shared/store"] {
        let files = read_crate(&root, folder).unwrap();
        assert!(files.len() > 20, "{folder}: {}", files.len());
        for file in files {
            assert!(!file.path.contains("tests.rs"), "{}", file.path);
            assert!(!file.path.contains("conformance"), "{}", file.path);
        }
    }
}

#[test]
fn every_way_of_writing_an_import_is_seen() {
    let target = ("target", "pub struct Thing; pub fn run() {}");
    let imports = [
        "use crate::target::Thing;",
        "use crate::target;",
        "use crate::{target::{self, Thing}, other};",
        "use crate::target::*;",
        "use crate::target::Thing as Other;",
        "pub(crate) use super::target::run;",
        "use self::super::target::run;",
        "fn go() { crate::target::run() }",
        "fn go() { use super::target::run; run() }",
        "struct Pair(crate::target::Thing);",
        "mod inner { use super::super::target::run; }",
    ];
    for text in imports {
        let found = list(&[("", ""), target, ("importer", text)]);
        assert_eq!(found, ["importer → target"], "{text}");
    }
}

#[test]
fn other_crates_relatives_and_tests_are_no_imports() {
    let texts = [
        "use std::fmt;",
        "use ::target::Thing;",
        "use target::Thing;",
        "use crate::Thing;",
        "impl Door { pub(super) fn go(&self) { self.target(); Self::target() } }",
        "use super::*;",
        "use self::child::run; use child::run as go;",
        "#[cfg(test)] mod tests { use crate::target::Thing; }",
        "#[cfg(test)] use crate::target::Thing;",
    ];
    for text in texts {
        let child = ("importer::child", "use super::Thing;");
        let found = list(&[("", ""), ("target", ""), ("importer", text), child]);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn an_import_of_what_is_only_re_exported_leads_to_where_it_is() {
    let root = ("", "pub use crate::target::inner::Thing;");
    let target = ("target", "pub use self::inner::run;");
    let inner = ("target::inner", "pub struct Thing; pub fn run() {}");
    let importer = ("importer", "use crate::Thing; use crate::target::run;");
    assert_eq!(list(&[root, target, inner, importer]), ["importer → target::inner"]);
}

#[test]
fn several_imports_of_one_module_count_once() {
    let text = "\nuse crate::target::Thing;\nuse crate::target::run;";
    let found = find(&[("target", ""), ("importer", text)]);
    assert_eq!(found.iter().map(describe).collect::<Vec<_>>(), ["importer → target"]);
    assert_eq!(found[0].site.to_string(), "src/importer.rs:2");
}

#[test]
fn a_cycle_is_found_among_the_modules_of_one_parent() {
    let imports = find(&[
        ("a", ""),
        ("a::x", "use crate::b::y::run;"),
        ("a::w", "use super::x::turn;"),
        ("b", ""),
        ("b::y", ""),
        ("b::z", "use crate::c;"),
        ("c", "use crate::a::w; use crate::d;"),
        ("d", ""),
    ]);
    let cycles = cycles::find_cycles(&imports);
    assert_eq!(cycles.iter().map(describe_cycle).collect::<Vec<_>>(), ["a, b, c"]);
    let found = cycles[0].imports.iter().map(describe).collect::<Vec<_>>();
    assert_eq!(found, ["a → b", "b → c", "c → a"]);
}

#[test]
fn separate_cycles_are_distinguished_and_a_parent_is_in_none_with_its_children() {
    let imports = find(&[
        ("a", "use crate::b;"),
        ("b", "use crate::a;"),
        ("c", "use self::x::run;"),
        ("c::x", "use super::Thing; use super::y::turn;"),
        ("c::y", "use super::x::run;"),
    ]);
    let cycles = cycles::find_cycles(&imports);
    let names = cycles.iter().map(describe_cycle).collect::<Vec<_>>();
    assert_eq!(names, ["a, b", "c::x, c::y"]);
    assert_eq!(measure_cycles(&imports).value, 4);
}

#[test]
fn an_import_of_a_higher_layer_is_upward() {
    let imports = find(&[
        ("ports", "use crate::connection;"),
        ("connection", "use crate::ports; use crate::jobs::sweep;"),
        ("jobs", "use crate::poll;"),
        ("jobs::sweep", "use crate::connection;"),
        ("poll", ""),
    ]);
    let upward = layers::find_upward(&imports);
    let names = upward.iter().map(|offender| offender.name.as_str()).collect::<Vec<_>>();
    let expected = [
        "connection (connection) → jobs::sweep (commands, inbound, poll, jobs)",
        "ports (errors, ports) → connection (connection)",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_module_in_no_layer_is_named_once() {
    let files = ["", "ports", "desktop", "desktop::inner"].map(|module| parse(module, ""));
    assert_eq!(layers::list_unplaced(&files), ["desktop"]);
}

#[test]
fn a_private_name_may_have_three_definitions() {
    let define_times = |name: &str, times: usize| {
        let functions = (0..times).map(|at| format!("mod m{at} {{ fn {name}() {{}} }}\n"));
        functions.collect::<Vec<_>>().concat()
    };
    let text = [
        define_times("settle", 4),
        define_times("finish", 3),
        define_times("new", 5),
        "impl Clone for Door { fn finish(&self) {} }".to_owned(),
        "pub fn finish() {}".to_owned(),
    ];
    let reading = measure_repeated_names(&define(&text.concat()));
    assert_eq!(reading.value, 1);
    let names = reading.offenders.iter().map(|offender| offender.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["settle"; 4]);
}

#[test]
fn a_share_is_in_tenths_of_a_percent_and_lists_what_can_be_renamed() {
    let definitions = define(
        "
        fn settle() {}
        fn new() {}
        fn record_failure() {}
        impl Clone for Door { fn clone(&self) -> Self { Self } }
        fn find_rows() {}
        fn find_row() {}
        struct Door;
        struct SyncLog;
        ",
    );
    let functions = measure_function_names(&definitions);
    assert_eq!(functions.value, 500);
    let names = functions.offenders.iter().map(|offender| offender.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["settle"]);
    assert_eq!(measure_type_names(&definitions).value, 500);
    assert_eq!(Reading::of_share(Measure::OneWordTypes, 2, 3).value, 667);
    assert_eq!(Reading::of_share(Measure::OneWordTypes, 0, 0).value, 0);
}

#[test]
fn the_report_is_an_aligned_table_and_a_list() {
    let site = Site { file: "src/push.rs".to_owned(), line: 7 };
    let offenders = vec![Offender::new("told", &site), Offender::new("of", &site)];
    let named = Reading::of_share(Measure::OneWordTypes, 1, 4).with_offenders(offenders);
    let named = Reading { remark: "1 of 4".to_owned(), ..named };
    let report = Report {
        readings: vec![named, Reading::of_count(Measure::ProductLines, 28_103)],
        unplaced_modules: Vec::new(),
    };
    let table = "\
measure                  value    target
type names of one word  25.0 %  ≤ 25.0 %
product lines           28,103  ≤ 24,000
";
    assert_eq!(report.to_string(), table);
    let listed = "\
type names of one word: 25.0 % (1 of 4)
  told  src/push.rs:7
  of    src/push.rs:7

";
    assert_eq!(report.render_list(), listed);
    assert_eq!(report.find_value(Measure::ProductLines), Some(28_103));
    assert_eq!(report.find_value(Measure::UpwardImports), None);
}
