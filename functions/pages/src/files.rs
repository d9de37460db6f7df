//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.8826d6d799b8.js",
        bytes: include_bytes!("../dist/xero.8826d6d799b8.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.cb955e0591e4.js",
        bytes: include_bytes!("../dist/frame.cb955e0591e4.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
