//! The imports between the modules of a crate.
//!
//! An import is a `use` of the crate itself, or a path in the code that begins with `crate`,
//! `super` or `self`. It leads to the innermost module on its path. If a module on the path only
//! re-exports the name, the import leads to the module that the name comes from.
//!
//! Imports between a module and the modules inside it do not count, nor do imports of and by the
//! root of the crate.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{Ident, ItemFn, ItemImpl, ItemMod, ItemUse, Path, UseTree};

use super::Site;
use super::definitions::find_line;
use super::sources::{SourceFile, is_test_only, read_name};

/// A module, by the names that lead to it from the root of its crate.
pub(super) type ModulePath = Vec<String>;

/// How many re-exports of re-exports are followed.
const REEXPORTS_MAX: usize = 8;

/// One module imports from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) from: ModulePath,
    pub(super) to: ModulePath,
    pub(super) site: Site,
}

/// A module's name, as it is written in code.
pub(super) fn name_module(module: &[String]) -> String {
    module.join("::")
}

/// The imports between the files of a crate; several from one module to another count once.
pub(super) fn list_imports(files: &[SourceFile]) -> Vec<Import> {
    let paths = files.iter().map(|file| (file, collect_paths(file))).collect::<Vec<_>>();
    let modules = Modules::from_files(&paths);
    let mut imports = Vec::new();
    for (file, paths) in &paths {
        for found in paths {
            let Some(path) = modules.make_absolute(&found.scope, &found.path) else { continue };
            let to = modules.find_module(&path);
            if !are_related(&file.module, &to) {
                let site = Site { file: file.path.clone(), line: found.line };
                imports.push(Import { from: file.module.clone(), to, site });
            }
        }
    }
    keep_first_of_each(imports)
}

/// One import for each pair of modules.
pub(super) fn keep_first_of_each(imports: impl IntoIterator<Item = Import>) -> Vec<Import> {
    let mut pairs = BTreeMap::new();
    for import in imports {
        pairs.entry((import.from, import.to)).or_insert(import.site);
    }
    pairs.into_iter().map(|((from, to), site)| Import { from, to, site }).collect()
}

/// Whether one module is the other or inside it.
fn are_related(one: &[String], other: &[String]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// The modules of a crate, each with the names that it imports and where these lead.
#[derive(Debug)]
struct Modules {
    names: BTreeMap<ModulePath, BTreeMap<String, ModulePath>>,
}

impl Modules {
    fn from_files(files: &[(&SourceFile, Vec<FoundPath>)]) -> Self {
        let names = files.iter().map(|(file, _)| (file.module.clone(), BTreeMap::new())).collect();
        let mut modules = Self { names };
        for (file, paths) in files {
            let of_module = paths.iter().filter(|found| found.scope == file.module);
            let names = of_module.filter_map(|found| {
                let path = modules.make_absolute(&found.scope, &found.path)?;
                Some((found.name.clone()?, path))
            });
            let names = names.collect::<BTreeMap<_, _>>();
            modules.names.insert(file.module.clone(), names);
        }
        modules
    }

    /// The path from the root of the crate, unless it leads to another crate.
    fn make_absolute(&self, scope: &[String], path: &[String]) -> Option<ModulePath> {
        let (first, mut rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => scope.to_vec(),
            "super" => scope.split_last().map(|(_, outer)| outer.to_vec())?,
            _ => {
                let child = [scope, std::slice::from_ref(first)].concat();
                return self.names.contains_key(&child).then(|| [scope, path].concat());
            }
        };
        while let Some((next, after)) = rest.split_first()
            && next == "super"
        {
            base.pop();
            rest = after;
        }
        Some([base.as_slice(), rest].concat())
    }

    /// The innermost module on a path from the root of the crate, behind the re-exports on its way.
    fn find_module(&self, path: &[String]) -> ModulePath {
        let mut path = path.to_vec();
        for _ in 0..REEXPORTS_MAX {
            let (module, rest) = path.split_at(self.count_modules(&path));
            let origin = rest.split_first().and_then(|(name, after)| {
                let origin = self.names.get(module)?.get(name)?;
                Some([origin.as_slice(), after].concat())
            });
            let Some(origin) = origin else { break };
            path = origin;
        }
        path.truncate(self.count_modules(&path));
        path
    }

    /// How many names at the beginning of a path are modules.
    fn count_modules(&self, path: &[String]) -> usize {
        let is_module = |length: &usize| {
            path.get(..*length).is_some_and(|module| self.names.contains_key(module))
        };
        (1..=path.len()).take_while(is_module).count()
    }
}

/// A path in a file that may lead to another one.
#[derive(Debug)]
struct FoundPath {
    /// The module that it is in.
    scope: ModulePath,
    path: Vec<String>,
    /// The name that it brings into its module, if it is a `use` of one name.
    name: Option<String>,
    line: usize,
}

fn collect_paths(file: &SourceFile) -> Vec<FoundPath> {
    let mut collector = PathCollector { scope: file.module.clone(), found: Vec::new() };
    collector.visit_file(&file.syntax);
    collector.found
}

#[derive(Debug)]
struct PathCollector {
    scope: ModulePath,
    found: Vec<FoundPath>,
}

impl PathCollector {
    fn add(&mut self, path: Vec<String>, name: Option<String>, line: usize) {
        self.found.push(FoundPath { scope: self.scope.clone(), path, name, line });
    }

    fn add_use(&mut self, tree: &UseTree, start: &[String]) {
        match tree {
            UseTree::Path(path) => self.add_use(&path.tree, &extend(start, &path.ident)),
            UseTree::Name(named) => {
                let path = extend_unless_self(start, &named.ident);
                let name = path.last().cloned();
                self.add(path, name, find_line(named.ident.span()));
            }
            UseTree::Rename(renamed) => {
                let path = extend_unless_self(start, &renamed.ident);
                let name = Some(read_name(&renamed.rename));
                self.add(path, name, find_line(renamed.ident.span()));
            }
            UseTree::Glob(glob) => {
                self.add(start.to_vec(), None, find_line(glob.star_token.span));
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(tree, start);
                }
            }
        }
    }
}

fn extend(path: &[String], identifier: &Ident) -> Vec<String> {
    [path, &[read_name(identifier)]].concat()
}

/// `use path::{self, name}`: `self` is the path.
fn extend_unless_self(path: &[String], identifier: &Ident) -> Vec<String> {
    if identifier == "self" { path.to_vec() } else { extend(path, identifier) }
}

impl<'ast> Visit<'ast> for PathCollector {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test_only(&item.attrs) {
            self.scope.push(read_name(&item.ident));
            visit::visit_item_mod(self, item);
            self.scope.pop();
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_test_only(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if !is_test_only(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_test_only(&item.attrs) && item.leading_colon.is_none() {
            self.add_use(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let names =
            path.segments.iter().map(|segment| read_name(&segment.ident)).collect::<Vec<_>>();
        let first = path.segments.first();
        let is_inside = names.first().is_some_and(|first| {
            ["crate", "self", "super"].contains(&first.as_str()) && names.len() > 1
        });
        if let Some(first) = first
            && is_inside
        {
            self.add(names, None, find_line(first.ident.span()));
        }
        visit::visit_path(self, path);
    }
}
