//! The findings of a reconciliation, with what has happened to their clients since.

use domain::entity::EntityKind;
use domain::ids::AccountId;
use domain::mapping::MappingKey;
use domain::matching::ContactMatch;
use domain::reconciliation::ClientFinding;
use store::StoreError;

use crate::Engine;
use crate::commands::views::{LinkedContact, RecordView};
use crate::connection::ledgers::find_connected_ledger;

/// A finding, with the contact to which its client is linked now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFinding {
    /// The finding.
    pub finding: ClientFinding,
    /// The contact to which the client is linked now.
    pub contact: Option<LinkedContact>,
}

/// Returns a page of findings of the newest reconciliation, without clients that a person has
/// linked since.
pub async fn find_open_findings(
    engine: &Engine,
    account: &AccountId,
    page: u32,
) -> Result<Option<Vec<ClientFinding>>, StoreError> {
    let found = list_open_findings(engine, account, page).await?;
    Ok(found.map(|found| found.into_iter().map(|one| one.finding).collect()))
}

/// Like [`find_open_findings`], with the contacts to which the clients are linked now.
pub async fn list_open_findings(
    engine: &Engine,
    account: &AccountId,
    page: u32,
) -> Result<Option<Vec<OpenFinding>>, StoreError> {
    let Some(ledger) = find_connected_ledger(engine, account).await? else { return Ok(None) };
    let Some(row) = engine.store.find_reconciliation(&ledger).await? else { return Ok(None) };
    let started_at = row.record.started_at;
    let Some(found) = engine.store.find_findings_page(&ledger, started_at, page).await? else {
        return Ok(None);
    };
    let clients = found.findings.iter().map(|finding| {
        MappingKey::new(ledger.clone(), EntityKind::Contact, finding.client_id.clone())
    });
    let clients = clients.collect::<Vec<_>>();
    let clients = engine.view_mappings(account, &clients, RecordView::from_mapping).await?;
    let mut open = Vec::with_capacity(found.findings.len());
    for (finding, client) in found.findings.into_iter().zip(clients) {
        // A client whose row cannot be read counts as not linked.
        let is_linked = client.as_ref().is_some_and(|client| client.xero_id.is_some());
        let is_certain = matches!(finding.found, ContactMatch::Confident { contact: _, by: _ });
        if !is_linked || (is_certain && !finding.is_proposal) {
            let contact = client.and_then(|client| client.contact);
            open.push(OpenFinding { finding, contact });
        }
    }
    Ok(Some(open))
}
