//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.d8cc954f5fcd.js",
        bytes: include_bytes!("../dist/xero.d8cc954f5fcd.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.996da11943d5.js",
        bytes: include_bytes!("../dist/frame.996da11943d5.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
