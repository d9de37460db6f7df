//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.0b6869a4cc52.js",
        bytes: include_bytes!("../dist/xero.0b6869a4cc52.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.da8c7b7fc3b8.js",
        bytes: include_bytes!("../dist/frame.da8c7b7fc3b8.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
