//! The changes that one step of a reconciliation makes, computed from the comparison.

use std::collections::BTreeMap;

use domain::contact_fields::{ContactOrigin, WrittenContact};
use domain::ids::{CrmId, UserId, XeroContactId, XeroId};
use domain::mapping::{LinkOrigin, Mapping, XeroLink};
use domain::matching::{ContactMatch, MatchEvidence, MatchingSettings, OrganisationContacts};
use domain::reconciliation::{ClientFinding, ReconciliationCounts};
use jiff::Timestamp;
use store::VersionedRecord;
use store::table::ItemVersion;

use crate::commands::contacts::reconciliation_input::find_client_identity;

/// The data that a reconciliation compares.
pub(super) struct ContactComparison {
    pub(super) contacts: OrganisationContacts,
    /// The match of each client, with the client's name.
    pub(super) matches: BTreeMap<CrmId, (String, ContactMatch)>,
    pub(super) clients: u64,
    /// The user to whom links are attributed.
    pub(super) by: UserId,
    /// Whether all certain matches are proposed and not linked.
    pub(super) is_preview: bool,
    pub(super) settings: MatchingSettings,
}

impl ContactComparison {
    /// Returns what was found for a client without a contact. A certain match is a proposal if a
    /// person has to confirm it.
    fn describe_match(&self, client_id: CrmId, name: &str, found: &ContactMatch) -> ClientFinding {
        let (contact_name, is_proposal) = match found {
            ContactMatch::Confident { contact, by } => (
                self.contacts.contact_name(*contact).map(str::to_owned),
                self.is_preview || !self.settings.links_by(*by),
            ),
            ContactMatch::Ambiguous { candidates: _, why: _ } | ContactMatch::Missing => {
                (None, false)
            }
        };
        ClientFinding {
            client_id,
            name: name.to_owned(),
            contact_name,
            is_proposal,
            found: found.clone(),
        }
    }

    /// Returns the mapping of a client linked to this contact.
    fn link_to_contact(
        &self,
        client: Mapping,
        contact: XeroContactId,
        evidence: MatchEvidence,
        now: Timestamp,
    ) -> Mapping {
        let written = WrittenContact::of_origin(ContactOrigin::Found);
        let link = XeroLink {
            xero_id: XeroId::from(contact),
            number: self.contacts.contact_number(contact).map(str::to_owned),
            xero_updated_at: None,
            amounts: None,
            contact: Some(Box::new(written)),
        };
        let origin = LinkOrigin { by: self.by.clone(), at: now, evidence: Some(evidence) };
        Mapping { link_origin: Some(origin), ..client.linked_to(link, now) }
    }
}

/// The changes of one step.
pub(super) struct StepChanges {
    pub(super) linked: Vec<(Mapping, ItemVersion, XeroId)>,
    pub(super) findings: Vec<ClientFinding>,
    pub(super) counts: ReconciliationCounts,
}

impl StepChanges {
    /// A step that leaves all its clients alone.
    pub(super) fn all_left_alone(clients: usize, before: ReconciliationCounts) -> Self {
        let counts = before.with_left_alone(clients);
        Self { linked: Vec::new(), findings: Vec::new(), counts }
    }
}

pub(super) fn compute_step_changes(
    rows: Vec<VersionedRecord<Mapping>>,
    comparison: &ContactComparison,
    before: ReconciliationCounts,
    now: Timestamp,
) -> StepChanges {
    let contacts = u64::try_from(comparison.contacts.len()).unwrap_or(u64::MAX);
    let counts = ReconciliationCounts { clients: comparison.clients, contacts, ..before };
    let mut taken = StepChanges { linked: Vec::new(), findings: Vec::new(), counts };
    for VersionedRecord { record: mapping, version } in rows {
        let crm_id = mapping.key.crm_id.clone();
        let known = comparison
            .matches
            .get(&crm_id)
            .filter(|_| find_client_identity(&mapping, now).is_some());
        match (&mapping.link, known) {
            (Some(_), _) => taken.counts.linked_before += 1,
            (None, None) => taken.counts.left_alone += 1,
            (None, Some((name, found))) => {
                let finding = comparison.describe_match(crm_id, name, found);
                if let ContactMatch::Confident { contact, by } = found
                    && !finding.is_proposal
                {
                    let linked = comparison.link_to_contact(mapping, *contact, *by, now);
                    taken.linked.push((linked, version, XeroId::from(*contact)));
                }
                taken.counts = taken.counts.with_finding(&finding);
                taken.findings.push(finding);
            }
        }
    }
    taken
}
