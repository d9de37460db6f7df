//! Rows of Xero's lists that cannot be read. They hold nobody up; those that are records of ours are told in their
//! sync log, because what changes on them in Xero does not arrive.

use std::collections::BTreeSet;

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::{XeroId, XeroInvoiceId};
use domain::mapping::MappingKey;
use domain::sync_log::LogStatus;
use store::StoreError;
use xero::OddRow;

use crate::desk::Desk;
use crate::journal;

/// The invoices of payments that cannot be read. Their payments are known from the invoices themselves.
pub(super) fn touched(undecodable: &[OddRow]) -> BTreeSet<XeroInvoiceId> {
    let payments = undecodable.iter().filter(|odd| kind(odd) == Some(EntityKind::Payment));
    payments.filter_map(|odd| odd.belongs_to).map(XeroInvoiceId).collect()
}

/// Tells in the sync log of every record of ours among these rows that Xero's answer about it cannot be read.
pub(super) async fn report(desk: &Desk<'_>, undecodable: &[OddRow]) -> Result<(), StoreError> {
    let (engine, ledger) = (desk.engine, &desk.ledger);
    for odd in undecodable {
        let (Some(kind), Some(id)) = (kind(odd), odd.id) else { continue };
        let Some(crm_id) = engine.store.linked(ledger, kind, XeroId(id)).await? else { continue };
        let key = MappingKey { ledger: ledger.clone(), kind, crm_id };
        let Some(mapping) = engine.store.mapping(&key).await? else { continue };
        let subject = (kind, key.crm_id, mapping.record.snapshot.natural_key);
        let failure = failure(odd);
        let (status, told) = (LogStatus::Waiting, failure.to_string());
        journal::idle(engine, &ledger.account, subject, status, told, Some(&failure)).await;
    }
    Ok(())
}

/// What a row is of, by the list it came in.
fn kind(odd: &OddRow) -> Option<EntityKind> {
    match odd.endpoint.split('/').nth(1)? {
        "Contacts" => Some(EntityKind::Contact),
        "CreditNotes" => Some(EntityKind::CreditNote),
        "Invoices" => Some(EntityKind::Invoice),
        "Payments" => Some(EntityKind::Payment),
        _ => None,
    }
}

fn failure(odd: &OddRow) -> Failure {
    Failure::new(
        FailureClass::Defect,
        "row_unreadable",
        format!(
            "What Xero says of it cannot be read ({}), so changes made to it in Xero do not arrive.",
            odd.reason
        ),
        "Check its dates, currency and amounts in Xero. Contact support if it stays.",
    )
}
