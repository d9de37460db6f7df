//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.9d91e60d52fb.js",
        bytes: include_bytes!("../dist/xero.9d91e60d52fb.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.5fba0f822ed7.js",
        bytes: include_bytes!("../dist/frame.5fba0f822ed7.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
