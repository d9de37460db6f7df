//! Import cycles between modules.
//!
//! The search compares the modules of one parent, at every level: if `a::x` imports `b::y`, then
//! `a` imports `b`. A cycle of files therefore appears among the children of their innermost common
//! parent.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Import, ModulePath, keep_first_of_each};

/// Modules of one parent, each of which imports every other one, directly or by way of others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    pub(super) modules: Vec<ModulePath>,
    /// The imports between them, an example of each.
    pub(super) imports: Vec<Import>,
}

/// The cycles that these imports make.
pub(super) fn find_cycles(imports: &[Import]) -> Vec<Cycle> {
    let imports = keep_first_of_each(imports.iter().filter_map(lift_to_siblings));
    let reachable = imports
        .iter()
        .map(|import| (import.from.as_slice(), find_reachable(&import.from, &imports)))
        .collect::<BTreeMap<&[String], BTreeSet<&[String]>>>();
    let mut seen = BTreeSet::<&[String]>::new();
    let mut cycles = Vec::new();
    for (module, reached) in &reachable {
        if !reached.contains(module) || seen.contains(module) {
            continue;
        }
        let members = reached
            .iter()
            .copied()
            .filter(|other| reachable.get(other).is_some_and(|back| back.contains(module)))
            .collect::<BTreeSet<&[String]>>();
        seen.extend(members.iter().copied());
        let inside = imports.iter().filter(|import| {
            members.contains(import.from.as_slice()) && members.contains(import.to.as_slice())
        });
        cycles.push(Cycle {
            modules: members.iter().map(|module| module.to_vec()).collect(),
            imports: inside.cloned().collect(),
        });
    }
    cycles
}

/// The same import between the modules of the innermost parent that both sides have in common.
fn lift_to_siblings(import: &Import) -> Option<Import> {
    let shared = import.from.iter().zip(&import.to).take_while(|(from, to)| from == to).count();
    Some(Import {
        from: import.from.get(..=shared)?.to_vec(),
        to: import.to.get(..=shared)?.to_vec(),
        site: import.site.clone(),
    })
}

/// What a module imports, directly or by way of others; itself only if it is in a cycle.
fn find_reachable<'imports>(
    module: &'imports [String],
    imports: &'imports [Import],
) -> BTreeSet<&'imports [String]> {
    let mut reached = BTreeSet::new();
    let mut pending = vec![module];
    while let Some(module) = pending.pop() {
        for import in imports.iter().filter(|import| import.from.as_slice() == module) {
            if reached.insert(import.to.as_slice()) {
                pending.push(import.to.as_slice());
            }
        }
    }
    reached
}
