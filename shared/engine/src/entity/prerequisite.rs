//! Records that must be in Xero before others.

use domain::entity::EntityKind;
use domain::failure::{Failure, FailureClass};
use domain::ids::CrmId;
use domain::mapping::{Mapping, MappingKey};
use domain::operation::Parking;
use store::StoreError;

use crate::desk::{Desk, Trouble};

/// Reads the mapping of another record of the same ledger.
pub(super) async fn read(
    desk: &Desk<'_>,
    kind: EntityKind,
    crm_id: CrmId,
) -> Result<Option<Mapping>, StoreError> {
    let key = MappingKey::new(desk.ledger.clone(), kind, crm_id);
    Ok(desk.engine.store.mapping(&key).await?.map(|row| row.record))
}

/// Returns the error of a record that waits for another one that is not in Xero yet.
pub(super) fn blocked(kind: EntityKind, id: impl Into<CrmId>) -> Trouble {
    let crm_id = id.into();
    let failure = Failure::new(
        FailureClass::Blocked,
        "prerequisite_not_in_xero",
        format!("The {} {crm_id} is not in Xero yet. This record is sent after it.", kind.noun()),
        "",
    );
    Trouble::Blocked { failure, on: Box::new(Parking::Prerequisite { kind, crm_id }) }
}

/// The failure of a record whose document was voided or deleted in Xero.
pub(super) fn gone(document: &Mapping, cannot: &str) -> Failure {
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
        format!("Sync the {} again to make a fresh copy in Xero, then retry.", kind.noun()),
    )
}
