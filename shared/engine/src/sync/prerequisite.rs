//! Finds records that must be in Xero before others.

use domain::crm::credit_note::negative_invoice_record_id;
use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::{CrmId, Ledger};
use domain::mapping::{Mapping, MappingKey};
use domain::operation::ParkingReason;
use store::StoreError;

use crate::Engine;
use crate::connection::tenant_session::AttemptError;

/// Reads the mapping of another record of the same ledger.
pub(super) async fn read_prerequisite(
    engine: &Engine,
    ledger: &Ledger,
    kind: EntityKind,
    crm_id: CrmId,
) -> Result<Option<Mapping>, StoreError> {
    let key = MappingKey::new(ledger.clone(), kind, crm_id);
    Ok(engine.store.find_mapping(&key).await?.map(|row| row.record))
}

/// Returns an invoice that must be in Xero before money or credit is applied to it. An invoice with
/// a negative total never is: it is a credit note there.
pub(super) async fn require_invoice(
    engine: &Engine,
    ledger: &Ledger,
    id: CrmId,
) -> Result<Mapping, AttemptError> {
    let kind = EntityKind::Invoice;
    if let Some(invoice) = read_prerequisite(engine, ledger, kind, id.clone()).await? {
        return Ok(invoice);
    }
    let of_invoice = negative_invoice_record_id(&id);
    match read_prerequisite(engine, ledger, EntityKind::CreditNote, of_invoice).await? {
        Some(credit) => Err(negative_invoice_failure(&credit).into()),
        None => Err(missing_prerequisite_error(kind, id)),
    }
}

fn negative_invoice_failure(credit: &Mapping) -> Failure {
    Failure::new(
        FailureClass::Rejected,
        "invoice_is_credit",
        format!(
            "{} has a negative total and is a credit note in Xero, so no payment or credit can be applied to it.",
            credit.snapshot.natural_key
        ),
        "In ServiceCortex, record a refund of this credit or apply the credit to an invoice instead, then choose Never send.",
    )
}

/// Returns the error of a record that waits for another one that is not in Xero yet.
pub(super) fn missing_prerequisite_error(kind: EntityKind, id: impl Into<CrmId>) -> AttemptError {
    let crm_id = id.into();
    let failure = Failure::new(
        FailureClass::Blocked,
        "prerequisite_not_in_xero",
        format!(
            "The {} {crm_id} is not in Xero yet. This record will be sent once it is.",
            kind.display_noun()
        ),
        "",
    );
    AttemptError::Blocked { failure, on: Box::new(ParkingReason::Prerequisite { kind, crm_id }) }
}

/// Returns the error of a record that waits for the approval of an invoice in Xero. The sweep
/// releases it after a poll has seen the approval.
pub(super) fn unapproved_invoice_error(invoice: &Mapping) -> AttemptError {
    let MappingKey { ledger: _, kind, crm_id } = invoice.key.clone();
    let failure = Failure::new(
        FailureClass::Blocked,
        "prerequisite_not_approved",
        format!(
            "{} is not approved in Xero yet. This record will be sent once it is.",
            invoice.snapshot.natural_key
        ),
        "Approve the invoice in Xero.",
    );
    AttemptError::Blocked { failure, on: Box::new(ParkingReason::Prerequisite { kind, crm_id }) }
}

/// The failure of a record whose document was voided or deleted in Xero.
pub(super) fn gone_document_failure(document: &Mapping, cannot: &str) -> Failure {
    let (kind, number) = (document.key.kind, &document.snapshot.natural_key);
    let code = match kind {
        EntityKind::Invoice => "invoice_gone",
        EntityKind::CreditNote => "credit_note_gone",
        EntityKind::Contact | EntityKind::Allocation | EntityKind::Payment => "document_gone",
    };
    Failure::new(
        FailureClass::Rejected,
        code,
        format!("{number} was voided or deleted in Xero, so {cannot}."),
        format!("Sync the {} again to create a new copy in Xero, then retry.", kind.display_noun()),
    )
}
