//! A credit note becomes a customer's credit note in Xero.

use rust_decimal::Decimal;

use super::lines::{Context, Discounts, line_items, untranslatable};
use crate::crm::credit_note::CreditNote;
use crate::document::credit_note::{CreditNoteDocument, CreditNoteType};
use crate::document::sales::{ContactReference, NewStatus};
use crate::failure::Failure;
use crate::ids::XeroCreditNoteId;
use crate::totals;
use crate::translate::Translated;

/// Translates a credit note. `existing` is the note to update; without it one is created.
///
/// Fails, with a sentence and a remedy, when the same input could only ever be refused: the account
/// code is not usable, no tax rate of the organisation fits, or the total is negative.
pub fn translate(
    note: &CreditNote,
    existing: Option<XeroCreditNoteId>,
    context: Context<'_>,
) -> Result<Translated<CreditNoteDocument>, Failure> {
    if totals::of(&note.lines, note.line_amounts).total < Decimal::ZERO {
        return Err(untranslatable(
            "total_negative",
            format!(
                "The total of the credit note {} is negative: it would be a bill.",
                note.number
            ),
            "Send an invoice instead.",
        ));
    }
    let (line_items, warnings) = line_items(&note.lines, Discounts::Within, context)?;
    let document = CreditNoteDocument {
        credit_note_id: existing,
        credit_note_type: CreditNoteType::Accreccredit,
        contact: ContactReference { contact_id: context.contact },
        date: note.issue_date,
        line_amount_types: note.line_amounts.into(),
        credit_note_number: note.number.clone(),
        reference: note.reference.clone(),
        currency_code: note.currency,
        status: existing.is_none().then_some(NewStatus::Authorised),
        line_items,
    };
    Ok(Translated { document, warnings })
}
