//! The functions and types that the product defines.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Ident, ImplItemFn, ItemEnum, ItemFn, ItemImpl, ItemMod, ItemStruct, ItemTrait,
    ItemType, TraitItemFn, Visibility,
};

use super::Site;
use super::sources::{SourceFile, is_test_only, read_name};

/// The origin of a function's name, and the code that can call it by that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Other crates may call it, or it belongs to the definition of a trait.
    Public,
    /// Its own crate alone may call it.
    Private,
    /// It implements a trait, which chose the name.
    Implementation,
}

/// A function or method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) site: Site,
}

/// A struct, an enum, a trait or a type alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedType {
    pub(super) name: String,
    pub(super) site: Site,
}

/// What is defined, in the order of the files.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    pub(super) functions: Vec<Function>,
    pub(super) types: Vec<NamedType>,
}

impl Definitions {
    /// The definitions in these files, without those that only tests compile.
    pub(super) fn collect(files: &[SourceFile]) -> Self {
        let mut collector = Collector::default();
        for file in files {
            collector.file.clone_from(&file.path);
            collector.visit_file(&file.syntax);
        }
        collector.found
    }
}

#[derive(Debug, Default)]
struct Collector {
    file: String,
    is_in_trait_impl: bool,
    found: Definitions,
}

impl Collector {
    fn locate(&self, identifier: &Ident) -> Site {
        Site { file: self.file.clone(), line: find_line(identifier.span()) }
    }

    fn add_function(&mut self, identifier: &Ident, role: Role) {
        let site = self.locate(identifier);
        self.found.functions.push(Function { name: read_name(identifier), role, site });
    }

    fn add_type(&mut self, identifier: &Ident, attributes: &[Attribute]) {
        if !is_test_only(attributes) {
            let site = self.locate(identifier);
            self.found.types.push(NamedType { name: read_name(identifier), site });
        }
    }
}

/// The number of the line on which something begins.
pub(super) fn find_line(span: Span) -> usize {
    span.start().line
}

fn find_role(visibility: &Visibility) -> Role {
    match visibility {
        Visibility::Public(_) => Role::Public,
        Visibility::Restricted(_) | Visibility::Inherited => Role::Private,
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test_only(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_test_only(&item.attrs) {
            self.add_function(&item.sig.ident, find_role(&item.vis));
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if !is_test_only(&item.attrs) {
            let outer = std::mem::replace(&mut self.is_in_trait_impl, item.trait_.is_some());
            visit::visit_item_impl(self, item);
            self.is_in_trait_impl = outer;
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_test_only(&item.attrs) {
            let role =
                if self.is_in_trait_impl { Role::Implementation } else { find_role(&item.vis) };
            self.add_function(&item.sig.ident, role);
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.add_type(&item.ident, &item.attrs);
        if !is_test_only(&item.attrs) {
            visit::visit_item_trait(self, item);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if !is_test_only(&item.attrs) {
            self.add_function(&item.sig.ident, Role::Public);
            visit::visit_trait_item_fn(self, item);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.add_type(&item.ident, &item.attrs);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.add_type(&item.ident, &item.attrs);
    }

    fn visit_item_type(&mut self, item: &'ast ItemType) {
        self.add_type(&item.ident, &item.attrs);
    }
}
