//! The change of an invoice that has payments or credits: what Xero still accepts is sent alone.

use rust_decimal::Decimal;

use super::lines::{DiscountSupport, LineFigures, compute_line};
use super::text::DocumentTexts;
use crate::crm::invoice::Invoice;
use crate::document::amendment::{InvoiceAmendment, LineText};
use crate::document::invoice::{CreditKind, RemoteInvoice, RemoteLine};
use crate::document::sales::{DocumentStatus, SalesDocument};
use crate::failure::{Failure, FailureClass};
use crate::ids::XeroContactId;
use crate::totals::{self, DocumentTotals};

/// What an invoice in Xero is to have, besides its lines.
#[derive(Debug, Clone, Copy)]
pub struct AmendmentContext<'a> {
    /// The contact of the invoice's client, if it is known.
    pub contact: Option<XeroContactId>,
    /// The number; that of a copy differs from the CRM's.
    pub number: &'a str,
    /// The address of the invoice's page in the CRM.
    pub url: &'a str,
}

/// What can be done about a change of an invoice that Xero refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AmendmentPlan {
    /// Send this instead.
    Amend {
        /// The change.
        amendment: Box<InvoiceAmendment>,
        /// Sentences about what Xero does not accept besides.
        remarks: Vec<String>,
    },
    /// Xero already has everything that it still accepts.
    Nothing,
    /// Xero never accepts the change; a person has to act.
    Impossible(Failure),
    /// Nothing prevents changes of the whole invoice, so Xero refused it for another reason.
    NotNeeded,
}

/// Plans the change of an invoice that Xero refused as a whole.
pub fn plan_amendment(
    invoice: &Invoice,
    remote: &RemoteInvoice,
    context: AmendmentContext<'_>,
) -> AmendmentPlan {
    let number = &invoice.number;
    if remote.status.is_gone() {
        return AmendmentPlan::Impossible(gone_invoice_failure(number, &remote.status));
    }
    if remote.document_head().is_editable() {
        return AmendmentPlan::NotNeeded;
    }
    let mut texts = DocumentTexts::default();
    let lines = invoice.lines.iter();
    let lines = lines.map(|line| compute_line(line, DiscountSupport::Apart, &mut texts));
    let lines = lines.collect::<Vec<_>>();
    if !has_same_money(invoice, &lines, remote) {
        return AmendmentPlan::Impossible(has_payments_failure(number));
    }
    let is_credited =
        remote.settlement.credits.iter().any(|credit| credit.kind == CreditKind::CreditNote);
    let contact = context.contact.filter(|contact| remote.contact_id != Some(*contact));
    let due_date = invoice.due_date.unwrap_or(invoice.issue_date);
    let reference = texts.prepare_optional("reference", invoice.reference.as_ref());
    let (wanted, held) = (reference.unwrap_or_default(), remote.reference.clone());
    let amendment = InvoiceAmendment {
        invoice_id: remote.id,
        contact: contact.filter(|_| !is_credited),
        due_date: (remote.due_date != Some(due_date)).then_some(due_date),
        invoice_number: (remote.number.as_deref() != Some(context.number))
            .then(|| context.number.to_owned()),
        reference: (held.unwrap_or_default() != wanted).then_some(wanted),
        url: (remote.url.as_deref() != Some(context.url)).then(|| context.url.to_owned()),
        line_texts: changed_texts(lines, &remote.lines),
    };
    let keeps_contact = contact.is_some() && is_credited;
    match (amendment.is_empty(), keeps_contact) {
        (true, false) => AmendmentPlan::Nothing,
        (true, true) => AmendmentPlan::Impossible(has_credit_failure(number)),
        (false, _) => AmendmentPlan::Amend {
            amendment: Box::new(amendment),
            remarks: keeps_contact.then(|| KEEPS_CONTACT.to_owned()).into_iter().collect(),
        },
    }
}

/// The remark about a contact that Xero keeps although other fields change.
const KEEPS_CONTACT: &str = "The client was not changed: Xero keeps the contact of an invoice to which a credit note is applied. Remove the credit note from it, then sync the invoice again.";

/// Whether the invoice bills the same lines and the same total with the same tax, on the same date,
/// as the one in Xero. The tax that prices contain may be rounded differently for each line.
fn has_same_money(invoice: &Invoice, lines: &[LineFigures], remote: &RemoteInvoice) -> bool {
    let DocumentTotals { total, total_tax, sub_total: _ } =
        totals::sum_lines(&invoice.lines, invoice.line_amounts);
    let rounding = Decimal::new(invoice.lines.len().try_into().unwrap_or(i64::MAX), 2);
    let is_same = |(line, held): (&LineFigures, &RemoteLine)| {
        line.quantity == held.quantity
            && line.unit_amount == held.unit_amount
            && same_discount(line.discount_rate, held.discount_rate)
            && same_discount(line.discount_amount, held.discount_amount)
    };
    invoice.currency == remote.total.currency
        && total == remote.total.amount
        && (total_tax - remote.total_tax.amount).abs() <= rounding
        && remote.date.is_none_or(|date| date == invoice.issue_date)
        && lines.len() == remote.lines.len()
        && lines.iter().zip(&remote.lines).all(is_same)
}

fn same_discount(ours: Option<Decimal>, theirs: Option<Decimal>) -> bool {
    ours.unwrap_or_default() == theirs.unwrap_or_default()
}

/// The texts of all lines if one of them changes, or none. A line without an id cannot be changed.
fn changed_texts(lines: Vec<LineFigures>, held: &[RemoteLine]) -> Vec<LineText> {
    let is_same = |(line, held): (&LineFigures, &RemoteLine)| {
        held.description.as_deref().unwrap_or_default().trim() == line.description.trim()
    };
    if lines.iter().zip(held).all(is_same) {
        return Vec::new();
    }
    let texts = lines
        .into_iter()
        .zip(held)
        .map(|(line, held)| Some(LineText { line_id: held.id?, description: line.description }));
    texts.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// The failure of a change that Xero does not accept on an invoice with payments or credits. It is
/// not repeated, because only a person can change that.
pub fn has_payments_failure(number: &str) -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        "invoice_has_payments",
        format!(
            "{number} has payments or credits in Xero, which then changes neither date, currency, quantities, prices nor tax."
        ),
        "Remove the payments and credits in Xero, then retry. Or undo the change in ServiceCortex, and issue a credit note or another invoice for the difference.",
    )
}

/// The failure of a change of the client of an invoice to which a credit note is applied.
fn has_credit_failure(number: &str) -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        "invoice_has_credit",
        format!(
            "{number} has another client, but Xero keeps the contact of an invoice to which a credit note is applied."
        ),
        "Remove the credit note from the invoice in Xero, then retry. Or undo the change in ServiceCortex.",
    )
}

/// The failure of a change of an invoice that no longer counts in the books.
fn gone_invoice_failure(number: &str, status: &DocumentStatus) -> Failure {
    let what = if *status == DocumentStatus::Deleted { "deleted" } else { "voided" };
    Failure::new(
        FailureClass::Untranslatable,
        "invoice_gone",
        format!("{number} was {what} in Xero, which does not change such an invoice."),
        "Make a fresh copy in Xero with Sync now, or void the invoice in ServiceCortex, too.",
    )
}

#[cfg(test)]
#[path = "amendment_tests.rs"]
mod tests;
