//! The values in common that suffice to link a client without a person.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::MatchEvidence;

/// How reconciliations treat certain matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchingSettings {
    /// The values that suffice. The contact number, which this integration assigns, always does.
    pub automatic: BTreeSet<MatchEvidence>,
}

impl MatchingSettings {
    /// The settings of a comparison that lacks a contact: only the contact number, which no other
    /// contact can have, suffices. By any other value, the contact that is lacking may be the
    /// better match.
    pub const fn number_only() -> Self {
        Self { automatic: BTreeSet::new() }
    }

    /// Whether a certain match by this value is linked. Otherwise it is proposed.
    pub fn links_by(&self, evidence: MatchEvidence) -> bool {
        let is_chosen = evidence == MatchEvidence::Number || self.automatic.contains(&evidence);
        is_chosen && evidence.can_link()
    }
}

/// Every certain match is linked.
impl Default for MatchingSettings {
    fn default() -> Self {
        let all = MatchEvidence::ALL.into_iter();
        Self { automatic: all.filter(|evidence| evidence.can_link()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_links_if_it_was_chosen_and_the_number_always_does() {
        let all = MatchingSettings::default();
        for evidence in MatchEvidence::ALL {
            assert_eq!(all.links_by(evidence), evidence.can_link());
        }
        let some = MatchingSettings { automatic: BTreeSet::from([MatchEvidence::Email]) };
        let linked = MatchEvidence::ALL.into_iter().filter(|evidence| some.links_by(*evidence));
        let expected = [MatchEvidence::Number, MatchEvidence::Email];
        assert_eq!(linked.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn without_all_contacts_only_the_contact_number_links() {
        let settings = MatchingSettings::number_only();
        let linked = MatchEvidence::ALL.into_iter().filter(|one| settings.links_by(*one));
        assert_eq!(linked.collect::<Vec<_>>(), [MatchEvidence::Number]);
    }
}
