//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.42b51388075c.js",
        bytes: include_bytes!("../dist/xero.42b51388075c.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.3e8b47a197de.js",
        bytes: include_bytes!("../dist/frame.3e8b47a197de.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
