//! Matching settings in responses.

use domain::matching::{MatchEvidence, MatchingSettings};
use requests::MatchCriterion;
use serde::Serialize;
use utoipa::ToSchema;

/// Which certain matches a reconciliation links without a person. It proposes the others.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MatchingView {
    /// The values in common that suffice. The number always does.
    pub(crate) automatic: Vec<MatchCriterion>,
}

impl From<MatchingSettings> for MatchingView {
    fn from(settings: MatchingSettings) -> Self {
        let all = MatchEvidence::ALL.into_iter();
        let automatic = all.filter(|evidence| settings.links_by(*evidence));
        Self { automatic: automatic.map(MatchCriterion::from).collect() }
    }
}
