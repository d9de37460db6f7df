//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.3dfb07b710a8.js",
        bytes: include_bytes!("../dist/xero.3dfb07b710a8.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.c33fe4126e63.js",
        bytes: include_bytes!("../dist/frame.c33fe4126e63.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
