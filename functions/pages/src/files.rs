//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.f325eb130403.js",
        bytes: include_bytes!("../dist/xero.f325eb130403.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.c4b608844449.js",
        bytes: include_bytes!("../dist/frame.c4b608844449.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
