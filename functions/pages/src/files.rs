//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.a941799fe619.js",
        bytes: include_bytes!("../dist/xero.a941799fe619.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.c37ea6a02201.js",
        bytes: include_bytes!("../dist/frame.c37ea6a02201.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
