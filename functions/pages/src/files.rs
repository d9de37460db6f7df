//! The files of the bundle. Written by `npm run build`.

use runtime::pages::{BundleFile, FileRole};

/// Every file of the bundle.
pub(crate) const FILES: [BundleFile; 3] = [
    BundleFile {
        role: FileRole::Script,
        name: "xero.c3198f2ced17.js",
        bytes: include_bytes!("../dist/xero.c3198f2ced17.js"),
    },
    BundleFile {
        role: FileRole::FrameScript,
        name: "frame.fb914390ce4a.js",
        bytes: include_bytes!("../dist/frame.fb914390ce4a.js"),
    },
    BundleFile {
        role: FileRole::FrameStyle,
        name: "frame.c1771ffd8ea4.css",
        bytes: include_bytes!("../dist/frame.c1771ffd8ea4.css"),
    },
];
