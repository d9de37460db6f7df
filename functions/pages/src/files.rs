//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.cd6b6c81a33b.js",
        bytes: include_bytes!("../dist/xero.cd6b6c81a33b.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.88f51ea43974.js",
        bytes: include_bytes!("../dist/frame.88f51ea43974.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
