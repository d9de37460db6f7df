//! Explains waits for records that are in the books of an organisation that was connected before.
//! Such a record is not carried over, so nothing ends the wait unless the CRM sends that record
//! again.

use domain::connection::Connection;
use domain::crm::credit_note::negative_invoice_record_id;
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureCause, FailureClass};
use domain::ids::{CrmId, Ledger, TenantId};
use domain::mapping::MappingKey;
use domain::operation::ParkingReason;
use store::StoreError;

use super::Attempt;
use crate::Engine;
use crate::connection::tenant_session::AttemptError;
use crate::error_chain::ErrorChain;

/// Replaces the failures of attempts that wait for a record which only other books of the account
/// have.
pub(super) async fn explain_waits(
    engine: &Engine,
    connection: &Connection,
    ledger: &Ledger,
    attempts: &[Attempt],
) {
    let others = connection.tenants.iter().copied().filter(|tenant| *tenant != ledger.tenant);
    let others = others.collect::<Vec<_>>();
    if others.is_empty() {
        return;
    }
    for attempt in attempts {
        let Some((kind, crm_id)) = attempt.outcome.awaited_record().filter(is_document) else {
            continue;
        };
        match is_only_in_other_books(engine, ledger, &others, kind, &crm_id).await {
            Ok(true) => {
                let failure = other_books_failure(kind, &crm_id);
                let on = Box::new(ParkingReason::Prerequisite { kind, crm_id });
                attempt.outcome.set(Err(AttemptError::Blocked { failure, on }));
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(
                    error = %ErrorChain(&error),
                    account.id = %ledger.account,
                    crm.id = %crm_id,
                    "the books that were connected before could not be read"
                );
            }
        }
    }
}

/// Returns whether the awaited record is an invoice or a credit note.
fn is_document((kind, _): &(EntityKind, CrmId)) -> bool {
    match kind {
        EntityKind::Invoice | EntityKind::CreditNote => true,
        EntityKind::Contact | EntityKind::Allocation | EntityKind::Payment => false,
    }
}

/// Returns whether the books in use do not know a record, and other books have its document.
async fn is_only_in_other_books(
    engine: &Engine,
    ledger: &Ledger,
    others: &[TenantId],
    kind: EntityKind,
    crm_id: &CrmId,
) -> Result<bool, StoreError> {
    for key in list_keys(ledger, kind, crm_id) {
        if engine.store.find_mapping(&key).await?.is_some() {
            return Ok(false);
        }
    }
    for tenant in others {
        let other = Ledger { account: ledger.account.clone(), tenant: *tenant };
        for key in list_keys(&other, kind, crm_id) {
            let row = engine.store.find_mapping(&key).await?;
            if row.is_some_and(|row| row.record.link.is_some()) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Returns the keys to which an awaited record's id can refer: it may be that of an invoice with a
/// negative total.
fn list_keys(ledger: &Ledger, kind: EntityKind, crm_id: &CrmId) -> [MappingKey; 2] {
    let of_invoice = negative_invoice_record_id(crm_id);
    [(kind, crm_id.clone()), (EntityKind::CreditNote, of_invoice)]
        .map(|(kind, id)| MappingKey::new(ledger.clone(), kind, id))
}

fn other_books_failure(kind: EntityKind, crm_id: &CrmId) -> Failure {
    let noun = kind.display_noun();
    Failure::new(
        FailureClass::Blocked,
        FailureCause::PrerequisiteNotInXero,
        format!(
            "The {noun} {crm_id} is in the Xero organisation that was connected before, and not in this one. This record will be sent once it is in this one, too."
        ),
        format!(
            "If the {noun} belongs in this organisation, send it again from ServiceCortex. Otherwise choose Never send for this record."
        ),
    )
}
