//! The change of an invoice that has payments or credits: what Xero still accepts is sent alone.

use rust_decimal::Decimal;

use super::line_remarks::{has_same_tracking, name_lines};
use super::lines::{DiscountSupport, LineFigures, compute_line};
use super::tax::find_tax_type;
use super::text::DocumentTexts;
use super::zero_total::zero_total_failure;
use crate::account_codes::AccountCodes;
use crate::chart::Chart;
use crate::crm::invoice::Invoice;
use crate::crm::lines::DocumentLine;
use crate::crm::tracking::LineTracking;
use crate::document::amendment::{InvoiceAmendment, LineAmendment};
use crate::document::invoice::{CreditKind, RemoteInvoice, RemoteLine};
use crate::document::sales::{DocumentStatus, SalesDocument, TrackingAssignment};
use crate::failure::{Failure, FailureCause, FailureClass};
use crate::ids::XeroContactId;
use crate::totals::{self, DocumentTotals};

/// What an invoice in Xero is to have, besides what the CRM's invoice says.
#[derive(Debug, Clone, Copy)]
pub struct AmendmentContext<'a> {
    /// The contact of the invoice's client, if it is known.
    pub contact: Option<XeroContactId>,
    /// The number; that of a copy differs from the CRM's.
    pub number: &'a str,
    /// The address of the invoice's page in the CRM.
    pub url: &'a str,
    /// The account's choices for lines that name no account and no tracking.
    pub codes: &'a AccountCodes,
    /// The organisation's chart.
    pub chart: &'a Chart,
}

/// What can be done about a change of an invoice that Xero refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AmendmentPlan {
    /// Send this instead.
    Amend {
        /// What is sent.
        amendment: Box<InvoiceAmendment>,
        /// Sentences about what stays as it is in Xero.
        remarks: Vec<String>,
    },
    /// Xero already has everything that is still sent.
    Nothing {
        /// Sentences about what stays as it is in Xero.
        remarks: Vec<String>,
    },
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
        let is_free = remote.total.amount.is_zero();
        let failure = if is_free { zero_total_failure } else { has_payments_failure };
        return AmendmentPlan::Impossible(failure(number));
    }
    let is_credited =
        remote.settlement.credits.iter().any(|credit| credit.kind == CreditKind::CreditNote);
    let contact = context.contact.filter(|contact| remote.contact_id != Some(*contact));
    let due_date = invoice.due_date.unwrap_or(invoice.issue_date);
    let reference = texts.prepare_optional("reference", invoice.reference.as_ref());
    let (wanted, held) = (reference.unwrap_or_default(), remote.reference.clone());
    let mut remarks = describe_kept_values(&invoice.lines, &remote.lines, context);
    let lines = plan_lines(lines, &invoice.lines, &remote.lines).unwrap_or_else(|| {
        remarks.push(UNIDENTIFIED_LINES.to_owned());
        Vec::new()
    });
    let amendment = InvoiceAmendment {
        invoice_id: remote.id,
        contact: contact.filter(|_| !is_credited),
        due_date: (remote.due_date != Some(due_date)).then_some(due_date),
        invoice_number: (remote.number.as_deref() != Some(context.number))
            .then(|| context.number.to_owned()),
        reference: (held.unwrap_or_default() != wanted).then_some(wanted),
        url: (remote.url.as_deref() != Some(context.url)).then(|| context.url.to_owned()),
        lines,
    };
    let keeps_contact = contact.is_some() && is_credited;
    match (amendment.is_empty(), keeps_contact) {
        (true, false) => AmendmentPlan::Nothing { remarks },
        (true, true) => AmendmentPlan::Impossible(has_credit_failure(number)),
        (false, _) => {
            remarks.extend(keeps_contact.then(|| KEEPS_CONTACT.to_owned()));
            AmendmentPlan::Amend { amendment: Box::new(amendment), remarks }
        }
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

/// The remark on lines whose ids Xero's answer does not have.
const UNIDENTIFIED_LINES: &str = "The texts, accounts and tracking of the lines stay as they are in Xero, because its answer does not identify the lines. Change them in Xero.";

/// All lines if one of them changes, or none. `None` if one changes and Xero's answer does not
/// identify all of them.
fn plan_lines(
    figures: Vec<LineFigures>,
    lines: &[DocumentLine],
    held: &[RemoteLine],
) -> Option<Vec<LineAmendment>> {
    let is_changed = figures.iter().zip(lines).zip(held).any(|((figures, line), held)| {
        !is_same_block(held.description.as_deref().unwrap_or_default(), &figures.description)
            || find_changed_account(line, held).is_some()
            || find_changed_tracking(line, held).is_some()
    });
    if !is_changed {
        return Some(Vec::new());
    }
    let amended = figures.into_iter().zip(lines).zip(held).map(|((figures, line), held)| {
        Some(LineAmendment {
            line_id: held.id?,
            description: figures.description,
            account_code: find_changed_account(line, held),
            tracking: find_changed_tracking(line, held),
        })
    });
    amended.collect()
}

/// Whether two texts are the same to readers. Xero's answers break lines with a carriage return and
/// a line feed; whether they keep a line feed alone is not documented.
fn is_same_block(one: &str, other: &str) -> bool {
    one.trim().lines().map(str::trim_end).eq(other.trim().lines().map(str::trim_end))
}

/// The account that a line names, if Xero has another one.
fn find_changed_account(line: &DocumentLine, held: &RemoteLine) -> Option<String> {
    line.account_code.clone().filter(|code| held.account_code.as_ref() != Some(code))
}

/// The tracking options that a line names, if Xero has others.
fn find_changed_tracking(
    line: &DocumentLine,
    held: &RemoteLine,
) -> Option<Vec<TrackingAssignment>> {
    let wanted = assign_options(line.tracking.as_deref()?);
    (!has_same_tracking(&wanted, &held.tracking)).then_some(wanted)
}

fn assign_options(options: &[LineTracking]) -> Vec<TrackingAssignment> {
    options.iter().map(TrackingAssignment::from).collect()
}

/// Describes differences of lines that are not sent. Items and tax rates are not among the fields
/// that Xero changes. Defaults are not applied: they may have changed since the invoice was
/// written, and a bookkeeper may have chosen the account or the tracking.
fn describe_kept_values(
    lines: &[DocumentLine],
    held: &[RemoteLine],
    context: AmendmentContext<'_>,
) -> Vec<String> {
    let codes = context.codes;
    let default_tracking = assign_options(&codes.tracking);
    let find_lines = |is_kept: &dyn Fn(&DocumentLine, &RemoteLine) -> bool| {
        let pairs = lines.iter().zip(held).zip(1_usize..);
        let kept = pairs.filter(|((line, held), _)| is_kept(line, held)).map(|(_, place)| place);
        Some(kept.collect::<Vec<_>>()).filter(|kept| !kept.is_empty())
    };
    let items = find_lines(&|line, held| line.item_code != held.item_code);
    let accounts = find_lines(&|line, held| {
        line.account_code.is_none()
            && held.account_code.as_ref().is_some_and(|code| *code != codes.sales)
    });
    let tracking = find_lines(&|line, held| {
        line.tracking.is_none() && !has_same_tracking(&default_tracking, &held.tracking)
    });
    let taxes = find_lines(&|line, held| has_other_tax(line, held, context));
    let fixed = [("item", "items", items), ("tax rate", "tax rates", taxes)];
    let fixed = fixed.into_iter().filter_map(|(value, values, places)| {
        Some(format!(
            "The {value} of {} stays as it is: Xero changes no {values} on an invoice with payments or credits. To change it, remove the payments and credits in Xero, then send the invoice again.",
            name_lines(&places?)
        ))
    });
    let defaults = [("account", accounts), ("tracking", tracking)];
    let defaults = defaults.into_iter().filter_map(|(value, places)| {
        Some(format!(
            "The {value} of {} stays as it is in Xero: defaults are not applied to an invoice with payments or credits. To change it, name it on the line, or change it in Xero.",
            name_lines(&places?)
        ))
    });
    fixed.chain(defaults).collect()
}

/// Whether a line has another tax rate in Xero than it would be sent with. The two charge the same
/// tax, but belong to different boxes of the tax return. A rate that cannot be determined is not
/// compared.
fn has_other_tax(line: &DocumentLine, held: &RemoteLine, context: AmendmentContext<'_>) -> bool {
    let AmendmentContext { codes, chart, .. } = context;
    let account = chart.find_account(line.account_code.as_ref().unwrap_or(&codes.sales));
    let wanted = account.and_then(|account| find_tax_type(line, account, codes, chart).ok());
    wanted.zip(held.tax_type.as_deref()).is_some_and(|(wanted, held)| wanted != held)
}

/// Describes tracking options that the change was to remove and that Xero's answer still has. No
/// document of Xero says whether an empty list removes them.
pub fn describe_kept_tracking(
    amendment: &InvoiceAmendment,
    remote: &RemoteInvoice,
) -> Option<String> {
    let is_kept = |line: &LineAmendment| {
        let held = remote.lines.iter().find(|held| held.id == Some(line.line_id));
        let (Some(wanted), Some(held)) = (&line.tracking, held) else { return false };
        held.tracking.len() > wanted.len()
    };
    let places = amendment.lines.iter().zip(1_usize..);
    let places = places.filter(|(line, _)| is_kept(line)).map(|(_, place)| place);
    let places = places.collect::<Vec<_>>();
    (!places.is_empty()).then(|| {
        format!("Xero did not remove the tracking of {}. Remove it in Xero.", name_lines(&places))
    })
}

/// The failure of a change that Xero does not accept on an invoice with payments or credits. It is
/// not repeated, because only a person can change that.
pub fn has_payments_failure(number: &str) -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        FailureCause::InvoiceHasPayments,
        format!(
            "{number} has payments or credits in Xero. Xero then does not change its date, currency, quantities, prices or tax."
        ),
        "Remove the payments and credits in Xero: the change is then sent automatically. Or undo the change in ServiceCortex, and issue a credit note or another invoice for the difference.",
    )
}

/// The failure of a change of the client of an invoice to which a credit note is applied.
fn has_credit_failure(number: &str) -> Failure {
    Failure::new(
        FailureClass::Untranslatable,
        FailureCause::InvoiceHasCredit,
        format!(
            "{number} has another client, but Xero keeps the contact of an invoice to which a credit note is applied."
        ),
        "Remove the credit note from the invoice in Xero: the change is then sent automatically. Or undo the change in ServiceCortex.",
    )
}

/// The failure of a change of an invoice that no longer counts in the books.
fn gone_invoice_failure(number: &str, status: &DocumentStatus) -> Failure {
    let what = if *status == DocumentStatus::Deleted { "deleted" } else { "voided" };
    Failure::new(
        FailureClass::Untranslatable,
        FailureCause::InvoiceGone,
        format!("{number} was {what} in Xero, and Xero does not change {what} invoices."),
        "Create a new copy in Xero with Sync now, or void the invoice in ServiceCortex, too.",
    )
}

#[cfg(test)]
#[path = "amendment_tests.rs"]
mod tests;
