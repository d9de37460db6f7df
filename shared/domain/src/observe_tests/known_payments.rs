//! When the known payments of an invoice need not be read.

use super::*;

fn needs_payments(
    mapping: &Mapping,
    invoice: &RemoteInvoice,
    payments: &[ReceivedPayment],
) -> bool {
    depends_on_known_payments(mapping, SeenInvoice::There { invoice, payments }, NOW)
}

#[test]
fn the_known_payments_of_an_unpaid_invoice_that_is_as_it_was_need_not_be_read() {
    let (mapping, unpaid) = (a_mapping(), remote(0, 0));
    assert!(!needs_payments(&mapping, &unpaid, &[]));
    // A later change that shows nothing stores its instant, which needs no payments either.
    let later = Timestamp::from_second(3_600).unwrap();
    let touched = RemoteInvoice { updated_at: Some(later), ..unpaid.clone() };
    assert!(!needs_payments(&mapping, &touched, &[]));
    // Nothing is observed of a record without a document, or of a document of another record.
    assert!(!needs_payments(&Mapping { link: None, ..mapping.clone() }, &unpaid, &[]));
    let other = RemoteInvoice { id: XeroInvoiceId(Uuid::from_u128(6)), ..unpaid.clone() };
    assert!(!needs_payments(&mapping, &other, &[]));
    // That the invoice had too many payments to follow changes nothing without any.
    let mut known = receipts();
    known.is_beyond_limit = true;
    let seen = SeenInvoice::There { invoice: &unpaid, payments: &[] };
    assert_eq!(observe_invoice(&mapping, &known, seen, NOW), None);
}

#[test]
fn the_known_payments_are_read_if_xero_has_or_had_any_or_the_invoice_has_changed() {
    let (mapping, unpaid) = (a_mapping(), remote(0, 0));
    assert!(needs_payments(&mapping, &remote(5_000, 0), &[received(1, 5_000)]));
    assert!(needs_payments(&mapping, &unpaid, &[received(1, 5_000)]));
    assert!(needs_payments(&mapping, &remote(0, 5_000), &[]));
    let dearer = RemoteInvoice { total: pounds(12_000), ..unpaid.clone() };
    assert!(needs_payments(&mapping, &dearer, &[]));
    let part = seen(&remote(5_000, 0), &[received(1, 5_000)]).unwrap().mapping;
    assert!(needs_payments(&part, &remote(5_000, 0), &[received(1, 5_000)]));
    assert!(needs_payments(&part, &unpaid, &[]), "the payment was removed");
    let mut unseen = mapping.clone();
    unseen.link.as_mut().unwrap().xero_updated_at = None;
    assert!(needs_payments(&unseen, &unpaid, &[]));
    // The payments of the earlier copy may be known.
    let afresh = Mapping { link: mapping.link.clone(), ..mapping.clone().new_generation() };
    assert!(needs_payments(&afresh, &unpaid, &[]));
    let missing = SeenInvoice::Missing(unpaid.id);
    assert!(depends_on_known_payments(&mapping, missing, NOW));
}
