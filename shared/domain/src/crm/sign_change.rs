//! The document that an invoice was before its total changed its sign, as it is needed to void it.
//! It is made from the invoice's message if the earlier snapshot is no longer known.

use super::credit_note::CreditNote;
use super::invoice::Invoice;
use super::lines::{DocumentLine, RecordStatus};
use crate::ids::InvoiceId;

/// The credit note with this number that an invoice was, voided.
pub fn voided_credit_note(invoice: &Invoice, number: String) -> CreditNote {
    let note = CreditNote::from_negated_invoice(invoice);
    let lines = first_line(&note.lines);
    CreditNote { number, lines, standing: RecordStatus::Voided, ..note }
}

/// The invoice with this number that a negative invoice was, voided.
pub fn voided_invoice(note: &CreditNote, number: String) -> Invoice {
    Invoice {
        id: InvoiceId::from(note.id.clone()),
        revision: note.revision,
        number,
        client_id: note.client_id.clone(),
        issue_date: note.issue_date,
        due_date: None,
        currency: note.currency,
        line_amounts: note.line_amounts,
        reference: None,
        lines: first_line(&note.lines),
        total: -note.total,
        standing: RecordStatus::Voided,
    }
}

/// A void names no lines, and a stored snapshot has at least one.
fn first_line(lines: &[DocumentLine]) -> Vec<DocumentLine> {
    lines.iter().take(1).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::tests::an_invoice;

    #[test]
    fn what_an_invoice_was_before_is_voided_under_its_number_at_that_time() {
        let invoice = an_invoice();
        let note = voided_credit_note(&invoice, "#INV-9".to_owned());
        assert_eq!((note.crm_id().as_str(), note.number.as_str()), ("inv_1~credit", "#INV-9"));
        assert_eq!((note.standing, note.total), (RecordStatus::Voided, -invoice.total));
        let before = voided_invoice(&note, "#INV-8".to_owned());
        assert_eq!((&before.id, before.number.as_str()), (&invoice.id, "#INV-8"));
        assert_eq!((before.standing, before.total), (RecordStatus::Voided, invoice.total));
        let stored = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<Invoice>(&stored).unwrap(), before);
    }
}
