//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.f3fd8c79cbe2.js",
        bytes: include_bytes!("../dist/xero.f3fd8c79cbe2.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.db107cc3447a.js",
        bytes: include_bytes!("../dist/frame.db107cc3447a.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
