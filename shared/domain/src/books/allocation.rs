//! The comparison of one allocation. An allocation that is in Xero is part of the amounts of its
//! invoice; one that is not yet applied or removed there is a difference of its own.

use rust_decimal::Decimal;

use super::ComparedRecord;
use super::difference::{BalanceDifference, DifferenceCode, ReasonList};
use crate::crm::allocation::{Allocation, AllocationRecordStatus};
use crate::mapping::Mapping;
use crate::money::Money;
use crate::operation::OperationState;

/// Compares an allocation. Returns `None` if its snapshot cannot be read.
pub fn compare_allocation(mapping: &Mapping) -> Option<ComparedRecord> {
    let allocation: Allocation = mapping.snapshot.parse_text().ok()?;
    let applied = allocation.applied_amount();
    let zero = Money::new(Decimal::ZERO, applied.currency).in_cents();
    let is_done = mapping.operation.state == OperationState::Synced
        && mapping.synced_revision == Some(mapping.snapshot.revision);
    let (amount, pending) = match (allocation.standing, mapping.link.is_some()) {
        (AllocationRecordStatus::Applied, false) if !is_done => {
            (-applied.amount, DifferenceCode::NotSent)
        }
        (AllocationRecordStatus::Removed, true) if !is_done => {
            (applied.amount, DifferenceCode::ChangeNotSent)
        }
        (AllocationRecordStatus::Applied | AllocationRecordStatus::Removed, _) => {
            return Some(ComparedRecord { crm: zero, xero: zero, difference: None });
        }
    };
    let crm = Money::new(amount, applied.currency).in_cents();
    let mut reasons = ReasonList::new(applied.currency);
    reasons.add_amount(DifferenceCode::of_unsent(mapping, pending), amount);
    let difference = BalanceDifference {
        entity: mapping.key.kind,
        crm_id: mapping.key.crm_id.clone(),
        number: allocation.display_name(),
        crm,
        xero: zero,
        reasons: reasons.into_reasons(),
    };
    Some(ComparedRecord { crm, xero: zero, difference: Some(difference) })
}
