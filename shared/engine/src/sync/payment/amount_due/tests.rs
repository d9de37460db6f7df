//! Tests of payments and refunds that Xero refused because of what is due on an invoice, or left of
//! a credit note.

use domain::crm::payment::Payment;
use domain::crm::refund::Refund;
use domain::document::invoice::PaymentsAndCredits;
use domain::document::sales::DocumentStatus;
use domain::ids::{XeroCreditNoteId, XeroInvoiceId};
use domain::money::Currency;
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
        total_tax: None,
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

#[test]
fn a_refund_is_retried_only_if_its_credit_note_does_not_show_why_it_was_refused() {
    let note = a_note(DocumentStatus::Authorised);
    for (amount, class) in
        [("10.00", FailureClass::Rejected), ("10.01", FailureClass::Untranslatable)]
    {
        let failure = credit_left_failure(&a_part(OF_CRM, amount), &note);
        let expected = (class, Some(FailureCause::CreditOverLeft));
        assert_eq!((failure.class, failure.cause), expected, "{amount}");
    }
}

/// A payment over 10.00 on one invoice.
fn a_share() -> PaymentPart {
    let json = r#"{"id":"pay_1","revision":1,"method":"cash","date":"2026-11-02","currency":"GBP",
        "allocations":[{"invoice_id":"inv_1","amount":"10.00"}]}"#;
    let payment: Payment = serde_json::from_str(json).unwrap();
    payment.split_into_parts().remove(0)
}

fn an_invoice(status: DocumentStatus, due: &str) -> RemoteInvoice {
    let pounds = |amount: &str| Money::new(amount.parse().unwrap(), Currency::new("GBP").unwrap());
    RemoteInvoice {
        id: XeroInvoiceId(Uuid::from_u128(8)),
        number: None,
        is_sales: true,
        status,
        contact_id: None,
        reference: None,
        url: None,
        total_tax: pounds("0.00"),
        total: pounds("40.00"),
        amount_due: pounds(due),
        date: None,
        due_date: None,
        updated_at: None,
        settlement: PaymentsAndCredits::default(),
        lines: Vec::new(),
    }
}

#[test]
fn a_payment_is_retried_only_if_its_invoice_does_not_show_why_it_was_refused() {
    let (rejected, never) = (FailureClass::Rejected, FailureClass::Untranslatable);
    for (status, due, class, cause) in [
        (DocumentStatus::Authorised, "10.00", rejected, FailureCause::AmountOverDue),
        (DocumentStatus::Authorised, "9.99", never, FailureCause::AmountOverDue),
        (DocumentStatus::Authorised, "0.00", never, FailureCause::AlreadyPaid),
        (DocumentStatus::Draft, "10.00", never, FailureCause::InvoiceNotApproved),
        (DocumentStatus::Voided, "0.00", never, FailureCause::InvoiceGone),
    ] {
        let failure = amount_due_failure(&a_share(), &an_invoice(status, due), None);
        assert_eq!((failure.class, failure.cause), (class, Some(cause)), "{failure}");
    }
}

#[test]
fn a_payment_that_exceeds_only_the_lower_total_in_xero_names_both_totals_and_the_difference() {
    let billed =
        |amount: &str| Some(Money::new(amount.parse().unwrap(), a_share().amount.currency));
    // Xero's total is 40.00.
    for (total, due, is_explained) in [
        (billed("40.01"), "9.99", true),
        (billed("40.01"), "9.98", false),
        (billed("40.00"), "9.99", false),
        (billed("39.99"), "9.99", false),
        (None, "9.99", false),
    ] {
        let failure =
            amount_due_failure(&a_share(), &an_invoice(DocumentStatus::Authorised, due), total);
        let names_totals = failure
            .message
            .ends_with("Its total is GBP 40.00 in Xero and GBP 40.01 in ServiceCortex.");
        assert_eq!(names_totals, is_explained, "{failure}");
        let names_line =
            failure.remedy.contains("a line over GBP 0.01 on the account for rounding");
        assert_eq!(names_line, is_explained, "{failure}");
    }
}
