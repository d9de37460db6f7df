//! The decision whether an invoice or a credit note found by its number is this integration's.

use crate::document::sales::{DocumentHead, SalesDocument};
use crate::entity::EntityKind;
use crate::failure::{Failure, FailureCause, FailureClass};
use crate::ids::{XeroContactId, XeroId};
use crate::money::Money;
use crate::translate::credit_note::{TAG_START, earlier_credit_note_tag};

/// The result of looking for a document by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundDocument<D> {
    /// No document prevents the creation.
    Nothing,
    /// The document that this integration created earlier.
    Ours(D),
    /// A document from another source, which must not be changed.
    Foreign(Failure),
}

/// The expected properties of this integration's document.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedDocument<'a> {
    /// Its kind.
    pub kind: EntityKind,
    /// Its number.
    pub number: &'a str,
    /// Every number under which it may exist, the current one included.
    pub numbers: &'a [&'a str],
    /// The number that an earlier release gave to a copy, which may be another record's number.
    pub earlier_copy: Option<&'a str>,
    /// The address of its page in the CRM, which contains the CRM's id. Credit notes have none.
    pub url: Option<&'a str>,
    /// The end of its reference, which contains the CRM's id. Invoices have the address instead.
    pub tag: Option<&'a str>,
    /// Its client's contact, if it is known.
    pub contact: Option<XeroContactId>,
    /// Its total by Xero's arithmetic.
    pub total: Money,
    /// The ids of earlier copies. They are ignored, except one that still counts in the books: Xero
    /// had only not shown it, so no other one may be created.
    pub left: &'a [XeroId],
}

/// Decides among the documents found under a document's number.
///
/// This integration's document is the one whose address or reference contains the CRM's id. If it
/// has neither, the contact and the total must match; under the number that an earlier release gave
/// to a copy, that is not enough. Numbers are unique among sales documents of a kind, so at most
/// one document still stands; a deleted document no longer occupies its number. So a copy may have
/// the number of the document that it replaced: the one in effect comes first.
pub fn choose_document<D: SalesDocument + Clone>(
    found: &[D],
    expected: ExpectedDocument<'_>,
) -> FoundDocument<D> {
    let sought = |head: &DocumentHead<'_>| {
        // Whether capitals matter to Xero is not documented.
        let is_named = head.number.is_some_and(|number| {
            expected.numbers.iter().any(|one| one.eq_ignore_ascii_case(number))
        });
        let is_replaced = expected.left.contains(&head.id) && head.status.is_gone();
        head.is_sales && is_named && !is_replaced
    };
    let standing = || found.iter().filter(|one| sought(&one.document_head()));
    let agrees = |head: &DocumentHead<'_>| {
        expected.contact.is_some()
            && head.contact == expected.contact
            && head.total == expected.total
    };
    let ours = |head: &DocumentHead<'_>| match (head.url, expected.tag, head.reference) {
        (Some(url), _, _) => expected.url == Some(url),
        (None, Some(tag), Some(reference)) if reference.contains(TAG_START) => {
            let earlier = earlier_credit_note_tag(tag).filter(|_| agrees(head));
            reference.ends_with(tag) || earlier.is_some_and(|tag| reference.ends_with(&tag))
        }
        (None, _, _) => agrees(head) && head.number != expected.earlier_copy,
    };
    let own = || standing().filter(|one| ours(&one.document_head()));
    let in_effect = own().find(|one| !one.document_head().status.is_gone());
    if let Some(remote) = in_effect.or_else(|| own().next()) {
        return FoundDocument::Ours(remote.clone());
    }
    let in_the_way =
        |head: &DocumentHead<'_>| !head.status.is_gone() && head.number == Some(expected.number);
    match standing().map(SalesDocument::document_head).find(in_the_way) {
        Some(head) => FoundDocument::Foreign(number_taken_failure(expected, head)),
        None => FoundDocument::Nothing,
    }
}

fn number_taken_failure(expected: ExpectedDocument<'_>, head: DocumentHead<'_>) -> Failure {
    let ExpectedDocument { kind, number, .. } = expected;
    let dated = head.date.map(|date| format!(", dated {date}")).unwrap_or_default();
    Failure::new(
        FailureClass::Rejected,
        FailureCause::NumberTaken,
        format!(
            "Xero already has another {} with the number {number}: {}, {}{dated}.",
            kind.display_noun(),
            head.status.as_str(),
            head.total
        ),
        "Change the number of one of the two, then retry. Nothing was overwritten.",
    )
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::document::invoice::{PaymentsAndCredits, RemoteInvoice};
    use crate::document::sales::DocumentStatus;
    use crate::ids::XeroInvoiceId;
    use crate::money::tests::pounds;

    const URL: &str = "https://crm.example/invoices/inv_1";

    fn a_remote(url: Option<&str>, status: DocumentStatus) -> RemoteInvoice {
        RemoteInvoice {
            id: XeroInvoiceId(Uuid::from_u128(1)),
            number: Some("#INV-1".to_owned()),
            is_sales: true,
            status,
            contact_id: Some(XeroContactId(Uuid::from_u128(2))),
            reference: None,
            url: url.map(ToOwned::to_owned),
            total_tax: pounds(0),
            total: pounds(10_000),
            amount_due: pounds(10_000),
            date: None,
            due_date: None,
            updated_at: None,
            settlement: PaymentsAndCredits::default(),
            lines: Vec::new(),
        }
    }

    fn find(found: &[RemoteInvoice]) -> FoundDocument<RemoteInvoice> {
        find_beside(found, &[])
    }

    /// The same, if the record has these earlier copies.
    fn find_beside(found: &[RemoteInvoice], left: &[XeroId]) -> FoundDocument<RemoteInvoice> {
        choose_document(
            found,
            ExpectedDocument {
                kind: EntityKind::Invoice,
                number: "#INV-1",
                numbers: &["#INV-1", "#INV-1~2", "#INV-1-2", "#INV-0"],
                earlier_copy: Some("#INV-1-2"),
                url: Some(URL),
                tag: None,
                contact: Some(XeroContactId(Uuid::from_u128(2))),
                total: pounds(10_000),
                left,
            },
        )
    }

    #[test]
    fn an_earlier_copy_is_ignored_unless_it_counts_in_the_books() {
        for (status, is_ours) in [
            (DocumentStatus::Voided, false),
            (DocumentStatus::Deleted, false),
            (DocumentStatus::Authorised, true),
        ] {
            let earlier = a_remote(Some(URL), status);
            let left = [XeroId(earlier.id.0)];
            let found = find_beside(std::slice::from_ref(&earlier), &left);
            let expected =
                if is_ours { FoundDocument::Ours(earlier) } else { FoundDocument::Nothing };
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_copy_in_effect_is_ours_and_not_the_document_that_it_replaced() {
        let replaced = a_remote(Some(URL), DocumentStatus::Voided);
        let id = XeroInvoiceId(Uuid::from_u128(9));
        let copy = RemoteInvoice { id, ..a_remote(Some(URL), DocumentStatus::Authorised) };
        for found in [[replaced.clone(), copy.clone()], [copy.clone(), replaced]] {
            assert_eq!(find(&found), FoundDocument::Ours(copy.clone()));
        }
    }

    #[test]
    fn an_invoice_is_ours_by_its_link_or_by_contact_and_total() {
        let linked =
            RemoteInvoice { total: pounds(1), ..a_remote(Some(URL), DocumentStatus::Authorised) };
        assert_eq!(find(std::slice::from_ref(&linked)), FoundDocument::Ours(linked));
        let plain = a_remote(None, DocumentStatus::Authorised);
        assert_eq!(find(std::slice::from_ref(&plain)), FoundDocument::Ours(plain));
    }

    #[test]
    fn an_invoice_with_another_link_contact_or_total_is_somebody_elses() {
        let other = a_remote(Some("https://elsewhere.example/1"), DocumentStatus::Authorised);
        let dearer = RemoteInvoice { total: pounds(1), ..a_remote(None, DocumentStatus::Draft) };
        for foreign in [other, dearer] {
            let found = find(&[foreign]);
            let FoundDocument::Foreign(failure) = found else { panic!("{found:?}") };
            assert!(failure.message.contains("#INV-1"));
        }
    }

    #[test]
    fn bills_other_numbers_and_deleted_strangers_do_not_stand_in_the_way() {
        let bill = RemoteInvoice { is_sales: false, ..a_remote(None, DocumentStatus::Authorised) };
        let other = RemoteInvoice {
            number: Some("#INV-10".to_owned()),
            ..a_remote(None, DocumentStatus::Authorised)
        };
        let gone = a_remote(Some("https://elsewhere.example/1"), DocumentStatus::Deleted);
        assert_eq!(find(&[bill, other, gone]), FoundDocument::Nothing);
    }

    #[test]
    fn an_invoice_of_ours_is_found_whatever_capitals_its_number_has() {
        let number = Some("#inv-1".to_owned());
        let ours = RemoteInvoice {
            number: number.clone(),
            ..a_remote(Some(URL), DocumentStatus::Authorised)
        };
        assert_eq!(find(std::slice::from_ref(&ours)), FoundDocument::Ours(ours));
        // Xero decides whether the number is free.
        let url = Some("https://elsewhere.example/1");
        let other = RemoteInvoice { number, ..a_remote(url, DocumentStatus::Authorised) };
        assert_eq!(find(&[other]), FoundDocument::Nothing);
    }

    #[test]
    fn an_invoice_of_ours_is_found_under_an_earlier_number() {
        let renumbered = RemoteInvoice {
            number: Some("#INV-0".to_owned()),
            ..a_remote(Some(URL), DocumentStatus::Authorised)
        };
        let found = find(std::slice::from_ref(&renumbered));
        assert_eq!(found, FoundDocument::Ours(renumbered));
        let strangers = RemoteInvoice {
            number: Some("#INV-0".to_owned()),
            ..a_remote(Some("https://elsewhere.example/1"), DocumentStatus::Authorised)
        };
        assert_eq!(find(&[strangers]), FoundDocument::Nothing);
    }

    #[test]
    fn the_earlier_form_of_a_copys_number_may_be_another_records() {
        let copy = |number: &str, url: Option<&str>| RemoteInvoice {
            number: Some(number.to_owned()),
            ..a_remote(url, DocumentStatus::Authorised)
        };
        for number in ["#INV-1~2", "#INV-1-2"] {
            let ours = copy(number, Some(URL));
            assert_eq!(find(std::slice::from_ref(&ours)), FoundDocument::Ours(ours));
        }
        let other = copy("#INV-1-2", Some("https://crm.example/invoices/inv_2"));
        assert_eq!(find(&[other]), FoundDocument::Nothing);
        // The same client and the same total, entered in Xero under the next number.
        assert_eq!(find(&[copy("#INV-1-2", None)]), FoundDocument::Nothing);
        let unmarked = copy("#INV-1~2", None);
        assert_eq!(find(std::slice::from_ref(&unmarked)), FoundDocument::Ours(unmarked));
    }

    #[test]
    fn a_credit_note_is_ours_by_the_id_in_its_reference_whatever_it_comes_to() {
        let note = |reference: &str| RemoteInvoice {
            reference: Some(reference.to_owned()),
            total: pounds(1),
            ..a_remote(None, DocumentStatus::Authorised)
        };
        let find = |found: RemoteInvoice| {
            let expected = ExpectedDocument {
                kind: EntityKind::CreditNote,
                number: "#INV-1",
                numbers: &["#INV-1"],
                earlier_copy: None,
                url: None,
                tag: Some("(SC-cn_1)"),
                contact: Some(XeroContactId(Uuid::from_u128(2))),
                total: pounds(10_000),
                left: &[],
            };
            choose_document(&[found], expected)
        };
        assert!(matches!(find(note("Job 7 (SC-cn_1)")), FoundDocument::Ours(_)));
        assert!(matches!(find(note("Job 7 (SC-cn_2)")), FoundDocument::Foreign(_)));
        assert!(matches!(find(note("Job 7")), FoundDocument::Foreign(_)));
        let other = RemoteInvoice { total: pounds(10_000), ..note("(SC-cn_2)") };
        assert!(matches!(find(other), FoundDocument::Foreign(_)));
        let edited = RemoteInvoice { total: pounds(10_000), ..note("edited by hand") };
        assert!(matches!(find(edited), FoundDocument::Ours(_)));
    }
}
