//! The comparison of one credit note, or of an invoice with a negative total.
//!
//! Credit that both sides have is open on both, whether it is applied or not, so such a note adds
//! nothing to the balances. One that only one side has, or with another total, is a difference.

use rust_decimal::Decimal;

use super::ComparedRecord;
use super::difference::{BalanceDifference, DifferenceCode, ReasonList};
use super::invoice::{counted_amounts, uncounted_code};
use crate::crm::credit_note::CreditNote;
use crate::crm::lines::RecordStatus;
use crate::mapping::{DocumentAmounts, Mapping};
use crate::money::Money;
use crate::operation::OperationState;

/// A credit note as the CRM has it.
struct CrmCreditNote {
    total: Money,
    is_voided: bool,
}

/// Compares a credit note. Returns `None` if neither its snapshot nor Xero's amounts are known.
pub fn compare_credit_note(mapping: &Mapping) -> Option<ComparedRecord> {
    let note = read_crm_note(mapping)?;
    let zero = Money::new(Decimal::ZERO, note.total.currency).in_cents();
    let counted = counted_amounts(mapping);
    let crm = if note.is_voided { zero } else { negate(note.total) };
    let xero = counted.map_or(zero, |amounts| negate(amounts.xero_total));
    let is_equal = match crm.checked_sub(xero) {
        Some(difference) => difference.amount.is_zero(),
        None => crm.amount.is_zero() && xero.amount.is_zero(),
    };
    if is_equal {
        return Some(ComparedRecord { crm: zero, xero: zero, difference: None });
    }
    let difference = BalanceDifference {
        entity: mapping.key.kind,
        crm_id: mapping.key.crm_id.clone(),
        number: mapping.snapshot.natural_key.clone(),
        crm,
        xero,
        reasons: list_reasons(mapping, &note, crm, counted).into_reasons(),
    };
    Some(ComparedRecord { crm, xero, difference: Some(difference) })
}

/// The credit note in the newest snapshot. A row without the text of its snapshot has the total
/// that was sent last.
fn read_crm_note(mapping: &Mapping) -> Option<CrmCreditNote> {
    if mapping.snapshot.json.is_empty() {
        let amounts = mapping.link.as_ref()?.amounts.as_ref()?;
        return Some(CrmCreditNote { total: amounts.crm_total, is_voided: false });
    }
    let note: CreditNote = serde_json::from_str(&mapping.snapshot.json).ok()?;
    let is_voided = note.standing == RecordStatus::Voided;
    Some(CrmCreditNote { total: note.credited_total(), is_voided })
}

/// Credit as an open balance.
fn negate(credit: Money) -> Money {
    Money::new(Decimal::ZERO.saturating_sub(credit.amount), credit.currency).in_cents()
}

fn list_reasons(
    mapping: &Mapping,
    note: &CrmCreditNote,
    crm: Money,
    counted: Option<&DocumentAmounts>,
) -> ReasonList {
    let mut reasons = ReasonList::new(crm.currency);
    let Some(amounts) = counted else {
        reasons.add_amount(uncounted_code(mapping), crm.amount);
        return reasons;
    };
    let Some(difference) = crm.checked_sub(negate(amounts.xero_total)) else {
        reasons.add_amount(DifferenceCode::CurrencyDiffers, crm.amount);
        return reasons;
    };
    let is_sent = mapping.synced_revision == Some(mapping.snapshot.revision)
        && mapping.operation.state == OperationState::Synced;
    let code = if is_sent && !note.is_voided {
        DifferenceCode::TotalDiffers
    } else {
        DifferenceCode::of_unsent(mapping, DifferenceCode::ChangeNotSent)
    };
    reasons.add_amount(code, difference.amount);
    reasons
}
