//! Reports rows of Xero's lists that cannot be read. They do not stop the others. If a row belongs
//! to one of our records, the record's sync log says that its changes in Xero do not reach the CRM.

use std::collections::BTreeSet;

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::{XeroId, XeroInvoiceId};
use domain::mapping::{Mapping, MappingKey};
use domain::sync_log::{LogStatus, LoggedOperation};
use futures::FutureExt;
use store::StoreError;
use xero::{ResourceKind, UndecodableRow};

use crate::connection::tenant_session::TenantSession;
use crate::sync::sync_log::{self, LogNotice};

/// Returns the invoices of unreadable payments. The invoices themselves list these payments.
pub(super) fn affected_invoices(undecodable: &[UndecodableRow]) -> BTreeSet<XeroInvoiceId> {
    let payments = undecodable.iter().filter(|odd| row_kind(odd) == Some(EntityKind::Payment));
    payments.filter_map(|odd| odd.belongs_to).map(XeroInvoiceId).collect()
}

/// Writes a sync log entry for each of our records among these rows.
pub(super) async fn report_unreadable_rows(
    tenant_session: &TenantSession<'_>,
    undecodable: &[UndecodableRow],
) -> Result<(), StoreError> {
    let (engine, ledger) = (tenant_session.engine, &tenant_session.ledger);
    for odd in undecodable {
        let began = engine.clock.now();
        let (Some(kind), Some(id)) = (row_kind(odd), odd.id) else { continue };
        let found = engine
            .skip_failing(&ledger.account, find_record(tenant_session, kind, XeroId(id)).boxed());
        let Some(mapping) = found.await?.flatten() else { continue };
        let subject = (kind, mapping.key.crm_id, mapping.snapshot.natural_key);
        let failure = unreadable_row_failure(odd);
        let notice = LogNotice {
            operation: LoggedOperation::Import,
            subject,
            status: LogStatus::Waiting,
            message: failure.to_string(),
            failure: Some(&failure),
            began,
        };
        sync_log::log_without_attempt(engine, &ledger.account, notice).await;
    }
    Ok(())
}

/// Returns our record of a document, if there is one.
async fn find_record(
    tenant_session: &TenantSession<'_>,
    kind: EntityKind,
    id: XeroId,
) -> Result<Option<Mapping>, StoreError> {
    let (store, ledger) = (&tenant_session.engine.store, &tenant_session.ledger);
    let Some(crm_id) = store.find_linked_record(ledger, kind, id).await? else { return Ok(None) };
    let key = MappingKey::new(ledger.clone(), kind, crm_id);
    Ok(store.find_mapping(&key).await?.map(|row| row.record))
}

/// Returns the kind of a row, by the list that contained it.
fn row_kind(odd: &UndecodableRow) -> Option<EntityKind> {
    match odd.find_resource()? {
        ResourceKind::Contacts => Some(EntityKind::Contact),
        ResourceKind::CreditNotes | ResourceKind::Allocations => Some(EntityKind::CreditNote),
        ResourceKind::Invoices => Some(EntityKind::Invoice),
        ResourceKind::Payments => Some(EntityKind::Payment),
        ResourceKind::Accounts
        | ResourceKind::BankTransactions
        | ResourceKind::Items
        | ResourceKind::Organisation
        | ResourceKind::Overpayments
        | ResourceKind::Prepayments
        | ResourceKind::TaxRates
        | ResourceKind::TrackingCategories => None,
    }
}

fn unreadable_row_failure(odd: &UndecodableRow) -> Failure {
    Failure::new(
        FailureClass::Defect,
        "row_unreadable",
        format!(
            "Xero's data for this record cannot be read ({}), so changes made to it in Xero do not reach ServiceCortex.",
            odd.reason
        ),
        "Check its dates, currency and amounts in Xero. If this persists, contact support.",
    )
}
