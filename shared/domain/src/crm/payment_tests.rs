//! Tests of payments as the CRM sends them, and of their parts.

use super::*;

/// A Stripe payment on two invoices, with a fee and a surcharge.
pub(crate) fn a_payment() -> Payment {
    let json = r#"{"id":"pay_1","revision":1,"method":"stripe","date":"2026-11-02","currency":"GBP",
        "reference":"ch_1","allocations":[{"invoice_id":"inv_1","amount":"100.00"},
        {"invoice_id":"inv_2","amount":"20.00"}],"fee":"3.20","surcharge":"2.00"}"#;
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_stripe_payment_has_a_part_for_each_invoice_its_fee_and_its_surcharge() {
    let parts = a_payment().split_into_parts();
    let named = parts.iter().map(|part| (part.id.as_str(), part.amount.amount.to_string()));
    let named = named.collect::<Vec<_>>();
    let named = named.iter().map(|(id, amount)| (*id, amount.as_str())).collect::<Vec<_>>();
    assert_eq!(
        named,
        [
            ("pay_1.1", "100.00"),
            ("pay_1.2", "20.00"),
            ("pay_1.fee", "3.20"),
            ("pay_1.surcharge", "2.00"),
        ]
    );
    assert_eq!(parts[0].reference_tag(), "Stripe ch_1 (SC-pay_1)");
    assert_eq!(parts[2].reference_tag(), "Stripe fee ch_1 (SC-pay_1)");
    let without = Payment { fee: Some(Decimal::ZERO), surcharge: None, ..a_payment() };
    assert_eq!(without.split_into_parts().len(), 2);
}

#[test]
fn a_cash_payment_has_a_part_for_each_invoice_that_names_the_method() {
    let method = PaymentMethod::Cash;
    let payment = Payment { method, reference: None, fee: None, surcharge: None, ..a_payment() };
    let parts = payment.split_into_parts();
    let tags = parts.iter().map(PaymentPart::reference_tag).collect::<Vec<_>>();
    assert_eq!(tags, ["Cash (SC-pay_1)", "Cash (SC-pay_1)"]);
}

#[test]
fn a_reference_in_xero_has_single_spaces_whatever_the_payments_reference_contains() {
    let tag_of = |reference: &str| {
        let reference = Some(reference.to_owned());
        let payment = Payment { reference, ..a_payment() };
        payment.split_into_parts().remove(0).reference_tag()
    };
    let cut = format!("{} {}", "x".repeat(149), "y".repeat(20));
    for (reference, tag) in [
        ("ch  1", "Stripe ch 1 (SC-pay_1)".to_owned()),
        ("ch \\ 1", "Stripe ch 1 (SC-pay_1)".to_owned()),
        ("ch\u{a0}\u{a0}1", "Stripe ch 1 (SC-pay_1)".to_owned()),
        ("\"\"\"", "Stripe (SC-pay_1)".to_owned()),
        (cut.as_str(), format!("Stripe {} (SC-pay_1)", "x".repeat(149))),
    ] {
        assert_eq!(tag_of(reference), tag, "{reference}");
        assert_eq!(normalise_reference(&tag), tag);
    }
}

#[test]
fn the_longest_id_has_room_for_its_parts() {
    let id = PaymentId::new("p".repeat(40)).unwrap();
    assert_eq!(Payment { id, ..a_payment() }.split_into_parts().len(), 4);
}

#[test]
fn no_part_of_one_payment_has_the_id_of_a_part_of_another() {
    let ids = ["pay", "pay.1", "pay.fee", "pay.1.1", "pay.surcharge", "pay.1.fee"];
    let mut seen = BTreeSet::new();
    for id in ids {
        let id = PaymentId::new(id).unwrap();
        for part in (Payment { id, ..a_payment() }).split_into_parts() {
            assert!(seen.insert(part.id.clone()), "{}", part.id);
        }
    }
    assert_eq!(seen.len(), ids.len() * 4);
}

#[test]
fn amounts_are_cents_above_zero_and_invoices_are_named_once() {
    for (allocations, wrong) in [
        (r#"[{"invoice_id":"inv_1","amount":"0.00"}]"#, "more than zero"),
        (r#"[{"invoice_id":"inv_1","amount":"-1.00"}]"#, "more than zero"),
        (r#"[{"invoice_id":"inv_1","amount":"1.001"}]"#, "at most 2 decimals"),
        (r#"[{"invoice_id":"inv_1","amount":"1"},{"invoice_id":"inv_1","amount":"2"}]"#, "once"),
        ("[]", "1 to 50"),
    ] {
        let json = format!(
            r#"{{"id":"p","revision":1,"method":"cash","date":"2026-11-02","currency":"GBP",
            "allocations":{allocations}}}"#
        );
        let error = serde_json::from_str::<Payment>(&json).unwrap_err().to_string();
        assert!(error.contains(wrong), "{error}");
    }
}

#[test]
fn a_payment_names_up_to_fifty_invoices() {
    let read = |count: usize| {
        let share = |number: usize| format!(r#"{{"invoice_id":"inv_{number}","amount":"1.00"}}"#);
        let shares = (0..count).map(share).collect::<Vec<_>>().join(",");
        let json = format!(
            r#"{{"id":"p","revision":1,"method":"cash","date":"2026-11-02","currency":"GBP",
            "allocations":[{shares}]}}"#
        );
        serde_json::from_str::<Payment>(&json).map_err(|error| error.to_string())
    };
    assert_eq!(read(50).unwrap().allocations.len(), 50);
    let refused = read(51).unwrap_err();
    assert!(refused.contains("must name 1 to 50 invoices"), "{refused}");
}
