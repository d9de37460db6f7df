//! Open invoices and credit notes: those whose state in Xero may still change the CRM's.

use rust_decimal::Decimal;

use super::{DocumentAmounts, Mapping, XeroLink};
use crate::entity::EntityKind;
use crate::ids::XeroCreditNoteId;

impl DocumentAmounts {
    /// Whether the document counts in the books and something is still to be paid.
    pub fn is_unpaid(&self) -> bool {
        !self.status.is_gone() && self.amount_due.amount > Decimal::ZERO
    }
}

impl Mapping {
    /// The counterpart of an open invoice, or `None` if it is not an open invoice. The poll reads
    /// open invoices from Xero.
    ///
    /// An invoice is open if it is unpaid, or if its present state is unknown
    /// ([`XeroLink::is_unobserved`]). A record without a document in Xero is not open, and
    /// neither is a record of another kind.
    pub fn open_invoice_link(&self) -> Option<&XeroLink> {
        let link = self.link.as_ref().filter(|_| self.key.kind == EntityKind::Invoice)?;
        let amounts = link.amounts.as_ref()?;
        (amounts.is_unpaid() || link.is_unobserved()).then_some(link)
    }

    /// Returns the id in Xero of a credit note with credit left, or `None` for any other record.
    pub fn open_note_id(&self) -> Option<XeroCreditNoteId> {
        let link = self.link.as_ref().filter(|_| self.key.kind == EntityKind::CreditNote)?;
        link.amounts.as_ref()?.is_unpaid().then_some(XeroCreditNoteId(link.xero_id.0))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::document::sales::DocumentStatus;
    use crate::mapping::KeptSnapshot;
    use crate::mapping::tests::{a_link, an_unsent_mapping, document_amounts};

    /// A mapping whose document in Xero has this status and this amount due, in cents.
    fn a_mapping(status: DocumentStatus, due: i64) -> Mapping {
        let snapshot = KeptSnapshot::new(1, "#INV-1".to_owned(), "{}".to_owned());
        let link = XeroLink {
            xero_updated_at: Some(Timestamp::UNIX_EPOCH),
            amounts: Some(document_amounts(status, due)),
            ..a_link(1)
        };
        Mapping { link: Some(link), ..an_unsent_mapping("inv_1", snapshot) }
    }

    fn is_open(mapping: &Mapping) -> bool {
        mapping.open_invoice_link().is_some()
    }

    #[test]
    fn an_invoice_is_open_while_something_is_due() {
        assert!(is_open(&a_mapping(DocumentStatus::Authorised, 1)));
        assert!(is_open(&a_mapping(DocumentStatus::Other("QUARANTINED".to_owned()), 1)));
        assert!(!is_open(&a_mapping(DocumentStatus::Paid, 0)));
        assert!(!is_open(&a_mapping(DocumentStatus::Voided, 1)));
        assert!(!is_open(&a_mapping(DocumentStatus::Deleted, 1)));
    }

    #[test]
    fn an_invoice_with_an_unobserved_change_is_open_whatever_is_due() {
        for status in [DocumentStatus::Paid, DocumentStatus::Voided] {
            let mut mapping = a_mapping(status, 0);
            mapping.link.as_mut().unwrap().xero_updated_at = None;
            assert!(is_open(&mapping));
        }
    }

    #[test]
    fn a_record_of_another_kind_or_without_a_document_is_not_an_open_invoice() {
        let open = a_mapping(DocumentStatus::Authorised, 1);
        assert_eq!(open.open_note_id(), None);
        let mut note = open.clone();
        note.key.kind = EntityKind::CreditNote;
        assert!(!is_open(&note));
        assert!(note.open_note_id().is_some());
        let mut used = a_mapping(DocumentStatus::Paid, 0);
        used.key.kind = EntityKind::CreditNote;
        assert_eq!(used.open_note_id(), None);
        let mut contact = open.clone();
        contact.link.as_mut().unwrap().amounts = None;
        assert!(!is_open(&contact));
        assert!(!is_open(&Mapping { link: None, ..open }));
    }
}
