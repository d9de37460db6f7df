//! The comparison of one credit note, or of an invoice with a negative total.
//!
//! Credit that both sides have is open on both, whether it is applied or not, so such a note adds
//! nothing to the balances. One that only one side has, or with another total, is a difference, and
//! so is credit that is used in Xero alone: less of it is left there than in the CRM. The CRM is
//! informed of credit that Xero applies to its invoices, so that is no difference.

use rust_decimal::Decimal;

use super::ComparedRecord;
use super::difference::{BalanceDifference, DifferenceCode, ReasonList};
use super::invoice::{counted_amounts, uncounted_code};
use crate::crm::credit_note::CreditNote;
use crate::crm::lines::RecordStatus;
use crate::mapping::{CreditUse, DocumentAmounts, Mapping};
use crate::money::Money;
use crate::operation::OperationState;

/// A credit note as the CRM has it.
struct CrmCreditNote {
    total: Money,
    is_voided: bool,
}

/// Compares a credit note. `only_in_xero` are the uses of its credit that the CRM does not have.
/// Returns `None` if neither its snapshot nor Xero's amounts are known.
pub fn compare_credit_note(
    mapping: &Mapping,
    only_in_xero: &[CreditUse],
) -> Option<ComparedRecord> {
    let note = read_crm_note(mapping)?;
    let zero = Money::new(Decimal::ZERO, note.total.currency).in_cents();
    let counted = counted_amounts(mapping);
    let uses = counted.map_or(NO_USES, |amounts| CreditUses::new(&note, amounts, only_in_xero));
    let crm = if note.is_voided { zero } else { negate(reduce(note.total, uses.by_both)) };
    let xero = counted.map_or(zero, |amounts| {
        negate(reduce(amounts.xero_total, uses.by_both.saturating_add(uses.by_xero)))
    });
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
        reasons: list_reasons(mapping, &note, (crm, xero), counted, uses).into_reasons(),
    };
    Some(ComparedRecord { crm, xero, difference: Some(difference) })
}

/// The uses of a note's credit in Xero, if the CRM does not have all of them.
#[derive(Debug, Clone, Copy)]
struct CreditUses {
    /// Those that the CRM has, too.
    by_both: Decimal,
    /// Those that only Xero has.
    by_xero: Decimal,
}

const NO_USES: CreditUses = CreditUses { by_both: Decimal::ZERO, by_xero: Decimal::ZERO };

impl CreditUses {
    fn new(note: &CrmCreditNote, amounts: &DocumentAmounts, only_in_xero: &[CreditUse]) -> Self {
        let is_comparable = !note.is_voided && note.total.currency == amounts.xero_total.currency;
        if only_in_xero.is_empty() || !is_comparable {
            return NO_USES;
        }
        let by_xero = only_in_xero.iter().map(|one| one.amount.amount);
        let by_xero = by_xero.fold(Decimal::ZERO, Decimal::saturating_add);
        let left = amounts.amount_due.amount;
        let used = amounts.xero_total.amount.saturating_sub(left);
        let by_both = used.saturating_sub(by_xero).max(Decimal::ZERO);
        Self { by_both, by_xero }
    }
}

fn reduce(credit: Money, used: Decimal) -> Money {
    Money::new(credit.amount.saturating_sub(used), credit.currency)
}

/// The credit note in the newest snapshot. A row without the text of its snapshot has the total
/// that was sent last.
fn read_crm_note(mapping: &Mapping) -> Option<CrmCreditNote> {
    if mapping.snapshot.json.is_empty() {
        let amounts = mapping.amounts_in_xero()?;
        return Some(CrmCreditNote { total: amounts.crm_total, is_voided: false });
    }
    let note: CreditNote = mapping.snapshot.parse_text().ok()?;
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
    (crm, xero): (Money, Money),
    counted: Option<&DocumentAmounts>,
    uses: CreditUses,
) -> ReasonList {
    let mut reasons = ReasonList::new(crm.currency);
    if counted.is_none() {
        reasons.add_amount(uncounted_code(mapping), crm.amount);
        return reasons;
    }
    let Some(difference) = crm.checked_sub(xero) else {
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
    reasons.add_amount(code, difference.amount.saturating_add(uses.by_xero));
    let missing = Decimal::ZERO.saturating_sub(uses.by_xero);
    reasons.add_amount(DifferenceCode::CreditUsedInXero, missing);
    reasons
}
