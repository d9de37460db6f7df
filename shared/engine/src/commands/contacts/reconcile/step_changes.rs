//! The changes that one step of a reconciliation makes, computed from the comparison.

use std::collections::BTreeMap;

use domain::ids::{CrmId, XeroId};
use domain::mapping::{Mapping, XeroLink};
use domain::matching::{ContactMatch, OrganisationContacts};
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
                taken.counts = taken.counts.with_match(found);
                if let ContactMatch::Confident { contact, by: _ } = found {
                    let link = XeroLink {
                        xero_id: XeroId::from(*contact),
                        number: comparison.contacts.contact_number(*contact).map(str::to_owned),
                        xero_updated_at: None,
                        amounts: None,
                    };
                    let linked = mapping.linked_to(link, now);
                    taken.linked.push((linked, version, XeroId::from(*contact)));
                }
                let (name, found) = (name.clone(), found.clone());
                taken.findings.push(ClientFinding { client_id: crm_id, name, found });
            }
        }
    }
    taken
}
