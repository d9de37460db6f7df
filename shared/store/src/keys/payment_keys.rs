//! The keys of the payments on invoices, and of overpayments and prepayments.

use domain::ids::{AccountId, CrmId, Ledger, PaymentId, XeroId, XeroPaymentId};

use super::{account_partition, ledger_partition};
use crate::table::{ItemKey, SortRange};

/// The prefix of the sort keys of the payments of all invoices.
pub(crate) const INVOICE_PAYMENTS_PREFIX: &str = "MONEY#";

pub(crate) fn invoice_payments_key(ledger: &Ledger, invoice: &CrmId) -> ItemKey {
    ItemKey::new(ledger_partition(ledger), format!("{INVOICE_PAYMENTS_PREFIX}{invoice}"))
}

/// The key of a CRM payment on an invoice.
pub(crate) fn recorded_payment_key(
    ledger: &Ledger,
    invoice: &CrmId,
    payment: &PaymentId,
) -> ItemKey {
    ItemKey::new(ledger_partition(ledger), format!("MONEY#{invoice}#CRM#{payment}"))
}

/// The key of the invoices of a payment that is only recorded.
pub(crate) fn paid_invoices_key(account: &AccountId, payment: &PaymentId) -> ItemKey {
    ItemKey::new(account_partition(account), format!("PAID#{payment}"))
}

/// The key of a Xero payment on an invoice.
pub(crate) fn received_payment_key(
    ledger: &Ledger,
    invoice: &CrmId,
    payment: XeroPaymentId,
) -> ItemKey {
    ItemKey::new(ledger_partition(ledger), format!("MONEY#{invoice}#XERO#{payment}"))
}

/// The range of the payments of an invoice. The invoice's own key comes first, and no
/// other invoice's key is in the range, because `#` sorts below every character of an id.
pub(crate) fn invoice_payments_range(invoice: &CrmId) -> SortRange {
    SortRange::Between { from: format!("MONEY#{invoice}"), to: invoice_payments_end(invoice) }
}

/// A sort key after the payments of an invoice and before those of the next one.
pub(crate) fn invoice_payments_end(invoice: &CrmId) -> String {
    format!("MONEY#{invoice}#~")
}

/// The prefix of the sort keys of overpayments, of rows and in the `attention` index.
pub(crate) const SURPLUS_PREFIX: &str = "SURPLUS#";

/// The prefix of the sort keys in the `attention` index of overpayments that belong to no client.
pub(crate) const UNLINKED_SURPLUS_PREFIX: &str = "SURPLUS UNLINKED#";

/// The prefix of both in the `attention` index.
pub(crate) const UNDECIDED_SURPLUS_PREFIX: &str = "SURPLUS";

pub(crate) fn surplus_key(ledger: &Ledger, id: XeroId) -> ItemKey {
    ItemKey::new(ledger_partition(ledger), format!("{SURPLUS_PREFIX}{id}"))
}
