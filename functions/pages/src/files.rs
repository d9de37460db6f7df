//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.78551c418a59.js",
        bytes: include_bytes!("../dist/xero.78551c418a59.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.8df147806a88.js",
        bytes: include_bytes!("../dist/frame.8df147806a88.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
