//! The translation of an invoice into a sales invoice in Xero.

use rust_decimal::Decimal;

use super::lines::{
    DiscountSupport, TranslationContext, check_total, line_items, untranslatable_document,
};
use crate::crm::invoice::Invoice;
use crate::document::invoice::{InvoiceDocument, InvoiceType};
use crate::document::sales::{ContactReference, NewStatus};
use crate::failure::Failure;
use crate::ids::{InvoiceId, XeroInvoiceId};
use crate::totals;
use crate::translate::TranslatedDocument;
use crate::translate::text::DocumentTexts;

/// The address of an invoice's page in the CRM. It is sent as the document's `Url`, so that the
/// document can be recognised by the id at its end.
pub fn crm_url(base: &str, id: &InvoiceId) -> String {
    format!("{}/invoices/{id}", base.trim_end_matches('/'))
}

/// Translates an invoice. `existing` is the invoice to update; without it, an invoice is created.
///
/// # Errors
///
/// Fails with a message and a remedy if Xero could only reject the same input: the account code
/// cannot be used, the organisation has no matching tax rate, the total is negative, or rounding
/// does not explain the stated total.
pub fn translate_invoice(
    invoice: &Invoice,
    existing: Option<XeroInvoiceId>,
    context: TranslationContext<'_>,
) -> Result<TranslatedDocument<InvoiceDocument>, Failure> {
    if totals::sum_lines(&invoice.lines, invoice.line_amounts).total < Decimal::ZERO {
        return Err(untranslatable_document(
            "total_negative",
            format!(
                "The total of {} is negative, which Xero accepts only as a credit note.",
                invoice.number
            ),
            "Issue a credit note instead.",
        ));
    }
    check_total(invoice.billed_total(), &invoice.lines, invoice.line_amounts, Decimal::ONE)?;
    let mut texts = DocumentTexts::default();
    let line_items = line_items(&invoice.lines, DiscountSupport::Apart, context, &mut texts)?;
    let reference = texts.prepare_optional("reference", invoice.reference.as_ref());
    let document = InvoiceDocument {
        invoice_id: existing,
        invoice_type: InvoiceType::Accrec,
        contact: ContactReference { contact_id: context.contact },
        date: invoice.issue_date,
        due_date: invoice.due_date.unwrap_or(invoice.issue_date),
        line_amount_types: invoice.line_amounts.into(),
        invoice_number: invoice.number.clone(),
        // Xero keeps a field that is absent from an update, and an empty text clears it.
        reference: reference.or_else(|| existing.map(|_| String::new())),
        currency_code: invoice.currency,
        status: existing.is_none().then_some(NewStatus::Authorised),
        url: crm_url(context.crm_url, &invoice.id),
        sent_to_contact: false,
        line_items,
    };
    Ok(TranslatedDocument { document, warnings: texts.warnings })
}
