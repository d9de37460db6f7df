//! Tests of the remedies of refunds that Xero refused because of what is left of a credit note.

use domain::crm::refund::Refund;
use domain::document::sales::DocumentStatus;
use domain::ids::XeroCreditNoteId;
use uuid::Uuid;

use super::*;

const OF_CRM: &str = r#""credit_note_id":"cn_1""#;

/// The part of a refund that returns the money. `document` is the field that names its document.
fn a_part(document: &str, amount: &str) -> PaymentPart {
    let json = format!(
        r#"{{"id":"ref_1","revision":1,"method":"stripe","date":"2026-11-02",
        "currency":"GBP",{document},"amount":"{amount}"}}"#
    );
    let refund: Refund = serde_json::from_str(&json).unwrap();
    let mut parts = refund.split_into_parts().into_iter();
    parts.find(|part| matches!(part.role, PartRole::Refund(_))).unwrap()
}

/// A credit note over 40.00, of which 10.00 are left.
fn a_note(status: DocumentStatus) -> RemoteCreditNote {
    let pounds = |amount: &str| a_part(OF_CRM, amount).amount;
    RemoteCreditNote {
        id: XeroCreditNoteId(Uuid::from_u128(7)),
        number: None,
        is_sales: true,
        status,
        contact_id: None,
        reference: None,
        total: pounds("40.00"),
        remaining: pounds("10.00"),
        date: None,
        updated_at: None,
        allocations: Vec::new(),
        refunds: Vec::new(),
        line_tracking: Vec::new(),
    }
}

#[test]
fn only_a_refund_of_a_credit_note_of_the_crm_is_said_to_be_sent_automatically() {
    for status in [DocumentStatus::Voided, DocumentStatus::Draft, DocumentStatus::Authorised] {
        let note = a_note(status);
        let remedy = |document: &str| credit_left_failure(&a_part(document, "40.00"), &note).remedy;
        let of_crm = remedy(OF_CRM);
        assert!(of_crm.contains("sent automatically"), "{note:?} {of_crm}");
        let of_refund = remedy(r#""invoice_id":"inv_1""#);
        assert!(!of_refund.contains("automatically"), "{note:?} {of_refund}");
    }
}
