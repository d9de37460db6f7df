//! The lists of mappings over which the sweep walks, a limited number of entries at a time.

use serde::{Deserialize, Serialize};

/// A list of mappings over which the sweep walks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SweptList {
    /// Those that wait for an event or another record. Rows of earlier releases name no list.
    #[default]
    Parked,
    /// Those that were given up.
    GivenUp,
}
