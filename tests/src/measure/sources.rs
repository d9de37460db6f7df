//! The files of a crate that are part of the product.
//!
//! They are found as the compiler finds them, from `lib.rs` or `main.rs` on along the `mod`
//! declarations, so that a module that only tests compile is left out wherever its file is.

use std::path::{Path, PathBuf};
use std::{fs, io};

use syn::{Attribute, Ident, Item, Meta};

/// Conditions under which only tests compile something, without spaces. The store's contract suite
/// is a feature, because other crates' tests run it.
const TEST_CONDITIONS: [&str; 2] = ["test", "feature=\"conformance\""];

/// A file of the product.
pub(super) struct SourceFile {
    /// Its path below the project's root.
    pub(super) path: String,
    /// The module in it, from the root of its crate.
    pub(super) module: Vec<String>,
    /// How many lines it has, without the test modules in it.
    pub(super) lines: usize,
    /// What is in it.
    pub(super) syntax: syn::File,
}

impl SourceFile {
    /// Parses the text of a file.
    pub(super) fn parse(path: &str, module: &[String], text: &str) -> syn::Result<Self> {
        let syntax = syn::parse_file(text)?;
        let lines = text.lines().count().saturating_sub(count_test_lines(&syntax.items));
        Ok(Self { path: path.to_owned(), module: module.to_vec(), lines, syntax })
    }
}

/// A module in a file of its own.
struct Submodule {
    module: Vec<String>,
    file: PathBuf,
}

/// The product's files of the crate in this folder below `root`.
pub(super) fn read_crate(root: &Path, folder: &str) -> io::Result<Vec<SourceFile>> {
    let sources = root.join(folder).join("src");
    let library = sources.join("lib.rs");
    let file = if library.is_file() { library } else { sources.join("main.rs") };
    let mut pending = vec![Submodule { module: Vec::new(), file }];
    let mut found = Vec::new();
    while let Some(next) = pending.pop() {
        let path = next.file.strip_prefix(root).unwrap_or(&next.file).display().to_string();
        let text = fs::read_to_string(&next.file)
            .map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
        let source = SourceFile::parse(&path, &next.module, &text)
            .map_err(|error| describe_syntax_error(&path, &error))?;
        let submodules = find_submodule_folder(&next.file);
        list_submodules(&source.syntax.items, &submodules, &next.module, &mut pending);
        found.push(source);
    }
    Ok(found)
}

fn describe_syntax_error(path: &str, error: &syn::Error) -> io::Error {
    let line = error.span().start().line;
    io::Error::new(io::ErrorKind::InvalidData, format!("{path}:{line}: {error}"))
}

/// Where the submodules of a file are: beside `mod.rs` and the root of a crate, in a folder of its
/// name otherwise.
fn find_submodule_folder(file: &Path) -> PathBuf {
    let holds_folder = ["lib.rs", "main.rs", "mod.rs"].iter().any(|name| file.ends_with(name));
    if holds_folder {
        file.parent().map(Path::to_path_buf).unwrap_or_default()
    } else {
        file.with_extension("")
    }
}

/// The modules that are declared among `items` of the module `scope` and are in files below
/// `folder`.
fn list_submodules(
    items: &[Item],
    folder: &Path,
    scope: &[String],
    submodules: &mut Vec<Submodule>,
) {
    for item in items {
        let Item::Mod(declared) = item else { continue };
        if is_test_only(&declared.attrs) {
            continue;
        }
        let name = read_name(&declared.ident);
        let inner = folder.join(&name);
        let module = [scope, &[name]].concat();
        if let Some((_, items)) = &declared.content {
            list_submodules(items, &inner, &module, submodules);
        } else {
            let beside = inner.with_extension("rs");
            let file = if beside.is_file() { beside } else { inner.join("mod.rs") };
            submodules.push(Submodule { module, file });
        }
    }
}

/// Whether something is compiled for tests only.
pub(super) fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        let condition = list.tokens.to_string().replace(' ', "");
        TEST_CONDITIONS.contains(&condition.as_str())
    })
}

/// An identifier's name, without the `r#` that makes a keyword one.
pub(super) fn read_name(identifier: &Ident) -> String {
    identifier.to_string().trim_start_matches("r#").to_owned()
}

/// The lines of test modules among `items`, from the first attribute to the closing brace.
fn count_test_lines(items: &[Item]) -> usize {
    let mut lines = 0;
    for item in items {
        let Item::Mod(declared) = item else { continue };
        let Some((braces, inner)) = &declared.content else { continue };
        if !is_test_only(&declared.attrs) {
            lines += count_test_lines(inner);
            continue;
        }
        let start = declared
            .attrs
            .first()
            .map_or(declared.mod_token.span, |attribute| attribute.pound_token.span);
        let length = braces.span.close().end().line.saturating_sub(start.start().line);
        lines += length.saturating_add(1);
    }
    lines
}
