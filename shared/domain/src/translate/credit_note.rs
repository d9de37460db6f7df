//! The translation of a credit note into a credit note in Xero.

use rust_decimal::Decimal;

use super::lines::{
    DiscountSupport, TranslationContext, check_total, line_items, untranslatable_document,
};
use crate::crm::credit_note::{CreditNote, earlier_record_id};
use crate::document::credit_note::{CreditNoteDocument, CreditNoteType};
use crate::document::sales::{ContactReference, NewStatus};
use crate::failure::Failure;
use crate::ids::{CrmId, XeroCreditNoteId};
use crate::totals;
use crate::translate::TranslatedDocument;
use crate::translate::text::DocumentTexts;

/// Xero's limit for a reference, in characters.
const REFERENCE_LIMIT: usize = 255;

/// The start of the tag with which the reference of every credit note of this integration ends.
pub(crate) const TAG_START: &str = "(SC-";

/// The tag by which a credit note is recognised in Xero.
pub fn credit_note_tag(note: &CreditNote) -> String {
    format!("{TAG_START}{})", note.crm_id())
}

/// The tag that an earlier version gave to the same credit note. It wrote the id of a negative
/// invoice with a point.
pub fn earlier_credit_note_tag(tag: &str) -> Option<String> {
    let id = tag.strip_prefix(TAG_START)?.strip_suffix(')')?;
    let earlier = earlier_record_id(&CrmId::new(id).ok()?)?;
    Some(format!("{TAG_START}{earlier})"))
}

/// The reference that the customer sees, followed by the tag.
fn build_reference(note: &CreditNote, texts: &mut DocumentTexts) -> String {
    let tag = credit_note_tag(note);
    let Some(text) = texts.prepare_optional("reference", note.reference.as_ref()) else {
        return tag;
    };
    let room = REFERENCE_LIMIT.saturating_sub(tag.len() + 1);
    let text = text.chars().take(room).collect::<String>();
    format!("{} {tag}", text.trim_end())
}

/// Translates a credit note. `existing` is the note to update; without it, a note is created.
///
/// # Errors
///
/// Fails with a message and a remedy if Xero could only reject the same input: the account code
/// cannot be used, the organisation has no matching tax rate, the total is negative, or rounding
/// does not explain the stated total.
pub fn translate_credit_note(
    note: &CreditNote,
    existing: Option<XeroCreditNoteId>,
    context: TranslationContext<'_>,
) -> Result<TranslatedDocument<CreditNoteDocument>, Failure> {
    if totals::sum_lines(&note.lines, note.line_amounts).total < Decimal::ZERO {
        return Err(untranslatable_document(
            "total_negative",
            format!(
                "The total of credit note {} is negative, which Xero accepts only as an invoice.",
                note.number
            ),
            "Issue an invoice instead.",
        ));
    }
    // Messages show a negative invoice's figures with the signs that the CRM shows.
    let sign = if note.is_negative_invoice { Decimal::NEGATIVE_ONE } else { Decimal::ONE };
    check_total(note.credited_total(), &note.lines, note.line_amounts, sign)?;
    let mut texts = DocumentTexts::default();
    let line_items = line_items(&note.lines, DiscountSupport::Within, context, &mut texts)?;
    let document = CreditNoteDocument {
        credit_note_id: existing,
        credit_note_type: CreditNoteType::Accreccredit,
        contact: ContactReference { contact_id: context.contact },
        date: note.issue_date,
        line_amount_types: note.line_amounts.into(),
        credit_note_number: note.number.clone(),
        reference: build_reference(note, &mut texts),
        currency_code: note.currency,
        status: existing.is_none().then_some(NewStatus::Authorised),
        line_items,
    };
    Ok(TranslatedDocument { document, warnings: texts.warnings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::tests::an_invoice;

    #[test]
    fn a_reference_ends_with_our_id_and_fits_into_what_xero_takes() {
        let reference = |note: &CreditNote| build_reference(note, &mut DocumentTexts::default());
        let note =
            CreditNote { reference: None, ..CreditNote::from_negated_invoice(&an_invoice()) };
        assert_eq!(reference(&note), "(SC-inv_1~credit)");
        assert_eq!(
            earlier_credit_note_tag(&credit_note_tag(&note)).as_deref(),
            Some("(SC-inv_1.credit)")
        );
        assert_eq!(earlier_credit_note_tag("(SC-cn_1)"), None);
        let long = CreditNote { reference: Some("Ø".repeat(255)), ..note.clone() };
        assert_eq!(reference(&long).chars().count(), REFERENCE_LIMIT);
        assert!(reference(&long).ends_with(&credit_note_tag(&long)));
        let named = CreditNote { reference: Some("Job 7".to_owned()), ..note };
        assert_eq!(reference(&named), "Job 7 (SC-inv_1~credit)");
    }
}
