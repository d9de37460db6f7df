//! The layers of `engine`: a module may import from its own layer and from those below.

use std::collections::BTreeSet;

use super::imports::{Import, name_module};
use super::report::Offender;
use super::sources::SourceFile;

struct Layer {
    name: &'static str,
    /// Modules at the top of the crate; what is inside them belongs to the same layer.
    modules: &'static [&'static str],
}

/// From the lowest layer to the highest.
const LAYERS: [Layer; 4] = [
    Layer {
        name: "errors, ports",
        modules: &[
            "errors",
            "ports",
            "concurrency",
            "error_chain",
            "read_ahead",
            "record_isolation",
            "sealing",
        ],
    },
    Layer { name: "connection", modules: &["connection"] },
    Layer { name: "sync", modules: &["sync"] },
    Layer {
        name: "commands, inbound, poll, jobs",
        modules: &["commands", "inbound", "poll", "jobs"],
    },
];

/// The layer of a module, by its place in the table, and the layer's name.
fn find_layer(module: &[String]) -> Option<(usize, &'static str)> {
    let top = module.first()?.as_str();
    let (height, layer) =
        LAYERS.iter().enumerate().find(|(_, layer)| layer.modules.contains(&top))?;
    Some((height, layer.name))
}

/// The imports that lead from a layer to a higher one.
pub(super) fn find_upward(imports: &[Import]) -> Vec<Offender> {
    let upward = imports.iter().filter_map(|import| {
        let (from, from_name) = find_layer(&import.from)?;
        let (to, to_name) = find_layer(&import.to)?;
        let (above, below) = (name_module(&import.from), name_module(&import.to));
        let name = format!("{above} ({from_name}) → {below} ({to_name})");
        (from < to).then(|| Offender::new(&name, &import.site))
    });
    upward.collect()
}

/// The modules at the top of the crate that are in no layer.
pub(super) fn list_unplaced(files: &[SourceFile]) -> Vec<String> {
    let unplaced = files.iter().filter(|file| find_layer(&file.module).is_none());
    let tops = unplaced.filter_map(|file| file.module.first().cloned()).collect::<BTreeSet<_>>();
    tops.into_iter().collect()
}
