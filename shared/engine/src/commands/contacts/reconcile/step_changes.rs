//! The changes that one step of a reconciliation makes, computed from the comparison.

use std::collections::BTreeMap;

use domain::contact_fields::{ContactOrigin, WrittenContact};
use domain::ids::{CrmId, UserId, XeroId};
use domain::mapping::{LinkOrigin, Mapping, XeroLink};
use domain::matching::{ContactMatch, MatchingSettings, OrganisationContacts};
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
                let mut finding = ClientFinding {
                    client_id: crm_id,
                    name: name.clone(),
                    contact_name: None,
                    is_proposal: false,
                    found: found.clone(),
                };
                if let ContactMatch::Confident { contact, by } = found {
                    let contact_name = comparison.contacts.contact_name(*contact);
                    finding.contact_name = contact_name.map(str::to_owned);
                    finding.is_proposal =
                        comparison.is_preview || !comparison.settings.links_by(*by);
                    if !finding.is_proposal {
                        let written = WrittenContact::of_origin(ContactOrigin::Found);
                        let link = XeroLink {
                            xero_id: XeroId::from(*contact),
                            number: comparison.contacts.contact_number(*contact).map(str::to_owned),
                            xero_updated_at: None,
                            amounts: None,
                            contact: Some(Box::new(written)),
                        };
                        let by_user = comparison.by.clone();
                        let origin = LinkOrigin { by: by_user, at: now, evidence: Some(*by) };
                        let linked =
                            Mapping { link_origin: Some(origin), ..mapping.linked_to(link, now) };
                        taken.linked.push((linked, version, XeroId::from(*contact)));
                    }
                }
                taken.counts = taken.counts.with_finding(&finding);
                taken.findings.push(finding);
            }
        }
    }
    taken
}
