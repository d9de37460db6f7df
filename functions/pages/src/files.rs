//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.b24faef77a9f.js",
        bytes: include_bytes!("../dist/xero.b24faef77a9f.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.ccc12b7d3c0d.js",
        bytes: include_bytes!("../dist/frame.ccc12b7d3c0d.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
