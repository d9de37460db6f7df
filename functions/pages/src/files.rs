//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.b45f16cf5dcd.js",
        bytes: include_bytes!("../dist/xero.b45f16cf5dcd.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.9d27875f9f6a.js",
        bytes: include_bytes!("../dist/frame.9d27875f9f6a.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
