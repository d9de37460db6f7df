//! Decides whether what a parked mapping waits for has happened.

use domain::entity::EntityKind;
use domain::failure::FailureCause;
use domain::mapping::{Mapping, MappingKey};
use store::StoreError;

use crate::Engine;
use crate::sync::{find_negative_invoice, is_credit_note_in_xero, is_undecided};

/// Returns whether the record for which a mapping is parked allows its next attempt.
pub(super) async fn is_prerequisite_met(
    engine: &Engine,
    mapping: &Mapping,
) -> Result<bool, StoreError> {
    let Some(awaited) = mapping.awaited_record() else { return Ok(false) };
    // Whether the record is in Xero, if it is awaited by another name than its id.
    let by_other_name = match awaited.kind {
        EntityKind::CreditNote => is_credit_note_in_xero(engine, mapping).await,
        EntityKind::Contact
        | EntityKind::Invoice
        | EntityKind::Allocation
        | EntityKind::Payment => Ok(None),
    };
    match by_other_name {
        Err(error) if error.is_about_the_record() => return Ok(false),
        Err(error) => return Err(error),
        Ok(Some(is_met)) => return Ok(is_met),
        Ok(None) => {}
    }
    let known = match engine.store.find_mapping(&awaited).await {
        // Code that needs the unreadable row itself reports it.
        Err(error) if error.is_about_the_record() => return Ok(false),
        row => row?.map(|row| row.record),
    };
    // Only payments and allocations wait for an invoice. Xero accepts neither before its approval,
    // and neither if the invoice is a credit note there: then the attempt explains why.
    if known.as_ref().is_none_or(|one| one.link.is_none()) {
        return is_credit_in_xero(engine, &awaited, known.as_ref()).await;
    }
    // A record that waits for a draft to arrive continues once, to say that it waits for the approval.
    if known.is_some_and(|one| one.is_unapproved_in_xero()) {
        let cause = mapping.operation.failure.as_ref().and_then(|failure| failure.cause);
        return Ok(cause == Some(FailureCause::PrerequisiteNotInXero));
    }
    match is_undecided(engine, mapping).await {
        Err(error) if error.is_about_the_record() => Ok(false),
        undecided => Ok(!undecided?),
    }
}

/// Returns whether an awaited record that has no document in Xero is an invoice with a negative
/// total. `known` is its mapping, if it has one.
async fn is_credit_in_xero(
    engine: &Engine,
    awaited: &MappingKey,
    known: Option<&Mapping>,
) -> Result<bool, StoreError> {
    if awaited.kind != EntityKind::Invoice {
        return Ok(false);
    }
    match find_negative_invoice(engine, &awaited.ledger, &awaited.crm_id, known).await {
        Err(error) if error.is_about_the_record() => Ok(false),
        credit => Ok(credit?.is_some()),
    }
}
