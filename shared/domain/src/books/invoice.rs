//! The comparison of one invoice.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::ComparedRecord;
use super::difference::{BalanceDifference, DifferenceCode, ReasonList};
use super::payments::{KnownPayments, add_payment_reasons, sum_paid_in_crm};
use crate::crm::invoice::Invoice;
use crate::crm::lines::RecordStatus;
use crate::document::sales::DocumentStatus;
use crate::ids::PaymentId;
use crate::invoice_payments::InvoicePayments;
use crate::mapping::{DocumentAmounts, Mapping};
use crate::money::Money;
use crate::operation::OperationState;

/// An invoice as the CRM has it.
struct CrmInvoice {
    total: Money,
    is_voided: bool,
}

/// Compares the open balances of an invoice. `payments` are the known payments on it; `written` are
/// those among them that the integration writes to Xero because an account was chosen for their
/// method. Returns `None` if neither its snapshot nor Xero's amounts are known.
pub fn compare_invoice(
    mapping: &Mapping,
    payments: Option<&InvoicePayments>,
    written: &BTreeSet<PaymentId>,
) -> Option<ComparedRecord> {
    let payments = payments.map(|payments| KnownPayments { payments, written });
    let invoice = read_crm_invoice(mapping)?;
    let currency = invoice.total.currency;
    let zero = Money::new(Decimal::ZERO, currency).in_cents();
    let counted = counted_amounts(mapping);
    let xero = counted.map_or(zero, |amounts| amounts.amount_due);
    let crm = if invoice.is_voided {
        zero
    } else {
        let paid =
            payments.map_or(Decimal::ZERO, |known| sum_paid_in_crm(known.payments, currency));
        let credited = counted.and_then(|amounts| amounts.amount_credited);
        let credited = credited.filter(|credit| credit.currency == currency);
        let credited = credited.map_or(Decimal::ZERO, |credit| credit.amount);
        let balance = invoice.total.amount.saturating_sub(paid).saturating_sub(credited);
        Money::new(balance, currency).in_cents()
    };
    let is_equal = match crm.checked_sub(xero) {
        Some(difference) => difference.amount.is_zero(),
        None => crm.amount.is_zero() && xero.amount.is_zero(),
    };
    let difference = (!is_equal).then(|| BalanceDifference {
        entity: mapping.key.kind,
        crm_id: mapping.key.crm_id.clone(),
        number: mapping.snapshot.natural_key.clone(),
        crm,
        xero,
        reasons: list_reasons(mapping, &invoice, payments, crm, counted).into_reasons(),
    });
    Some(ComparedRecord { crm, xero, difference })
}

/// The invoice in the newest snapshot. A row without the text of its snapshot has the total that
/// was sent last.
fn read_crm_invoice(mapping: &Mapping) -> Option<CrmInvoice> {
    if mapping.snapshot.json.is_empty() {
        let amounts = mapping.amounts_in_xero()?;
        return Some(CrmInvoice { total: amounts.crm_total, is_voided: false });
    }
    let invoice: Invoice = mapping.snapshot.parse_text().ok()?;
    let is_voided = invoice.standing == RecordStatus::Voided;
    Some(CrmInvoice { total: invoice.billed_total(), is_voided })
}

/// The amounts in Xero, if the document counts among its receivables: it is approved and was not
/// voided.
pub(super) fn counted_amounts(mapping: &Mapping) -> Option<&DocumentAmounts> {
    let amounts = mapping.amounts_in_xero()?;
    match amounts.status {
        DocumentStatus::Authorised | DocumentStatus::Paid | DocumentStatus::Other(_) => {
            Some(amounts)
        }
        DocumentStatus::Draft
        | DocumentStatus::Submitted
        | DocumentStatus::Voided
        | DocumentStatus::Deleted => None,
    }
}

fn list_reasons(
    mapping: &Mapping,
    invoice: &CrmInvoice,
    payments: Option<KnownPayments<'_>>,
    crm: Money,
    counted: Option<&DocumentAmounts>,
) -> ReasonList {
    let mut reasons = ReasonList::new(crm.currency);
    let Some(amounts) = counted else {
        reasons.add_amount(uncounted_code(mapping), crm.amount);
        return reasons;
    };
    let Some(difference) = crm.checked_sub(amounts.amount_due) else {
        reasons.add_amount(DifferenceCode::CurrencyDiffers, crm.amount);
        return reasons;
    };
    let is_unread = mapping.link.as_ref().is_some_and(|link| link.xero_updated_at.is_none());
    if is_unread {
        reasons.add_amount(DifferenceCode::ChangeUnread, difference.amount);
        return reasons;
    }
    let change_code = DifferenceCode::of_unsent(mapping, DifferenceCode::ChangeNotSent);
    if invoice.is_voided {
        reasons.add_amount(change_code, difference.amount);
        return reasons;
    }
    let is_sent = mapping.synced_revision == Some(mapping.snapshot.revision)
        && mapping.operation.state == OperationState::Synced;
    let total_code = if is_sent { DifferenceCode::TotalDiffers } else { change_code };
    if let Some(more) = invoice.total.checked_sub(amounts.xero_total) {
        reasons.add_amount(total_code, more.amount);
    }
    if let Some(payments) = payments {
        add_payment_reasons(payments, crm.currency, &mut reasons);
    }
    let rest = difference.amount.saturating_sub(reasons.total_amount());
    reasons.add_amount(DifferenceCode::Unexplained, rest);
    reasons
}

/// Why a document does not count among Xero's receivables.
pub(super) fn uncounted_code(mapping: &Mapping) -> DifferenceCode {
    match mapping.amounts_in_xero() {
        Some(amounts) if amounts.status.is_gone() => DifferenceCode::GoneInXero,
        Some(_) => DifferenceCode::NotApproved,
        None => DifferenceCode::of_unsent(mapping, DifferenceCode::NotSent),
    }
}
