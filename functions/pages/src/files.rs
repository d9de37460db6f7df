//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.b07274c9700b.js",
        bytes: include_bytes!("../dist/xero.b07274c9700b.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.3530e1f089b9.js",
        bytes: include_bytes!("../dist/frame.3530e1f089b9.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
