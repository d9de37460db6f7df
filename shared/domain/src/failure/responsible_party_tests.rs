//! Tests of who must act on a failure.

use super::{Failure, FailureCause, FailureClass, FailureCode, ResponsibleParty};
use crate::rejection::explain_rejection;

/// The causes that a change in Xero ends.
const FOR_THE_BOOKKEEPER: [FailureCause; 16] = [
    FailureCause::RefundOverPaid,
    FailureCause::PaymentReconciled,
    FailureCause::PaymentInBatch,
    FailureCause::AmountOverDue,
    FailureCause::InvoiceNotApproved,
    FailureCause::DocumentHasPayments,
    FailureCause::VoidHasPayments,
    FailureCause::DocumentClosed,
    FailureCause::InvoiceHasPayments,
    FailureCause::InvoiceHasCredit,
    FailureCause::CreditNoteUsed,
    FailureCause::CreditNoteApplied,
    FailureCause::CreditNoteNotApproved,
    FailureCause::CreditOverLeft,
    FailureCause::CreditOverDue,
    FailureCause::AlreadyPaid,
];

fn find_party(class: FailureClass, code: impl Into<FailureCode>) -> ResponsibleParty {
    Failure::new(class, code, "It failed.", "").find_responsible_party()
}

#[test]
fn the_bookkeeper_resolves_what_payments_credits_and_approvals_in_xero_prevent() {
    for cause in FailureCause::ALL {
        let expected = if FOR_THE_BOOKKEEPER.contains(&cause) {
            ResponsibleParty::Bookkeeper
        } else {
            ResponsibleParty::User
        };
        let code = cause.stable_code();
        assert_eq!(find_party(FailureClass::Untranslatable, cause), expected, "{code}");
    }
}

#[test]
fn the_class_determines_the_party_if_the_code_does_not() {
    let expected = [
        (FailureClass::Transient, ResponsibleParty::Nobody),
        (FailureClass::Uncertain, ResponsibleParty::Nobody),
        (FailureClass::Throttled, ResponsibleParty::Nobody),
        (FailureClass::Unauthorized, ResponsibleParty::User),
        (FailureClass::Rejected, ResponsibleParty::User),
        (FailureClass::Blocked, ResponsibleParty::Nobody),
        (FailureClass::Untranslatable, ResponsibleParty::User),
        (FailureClass::Defect, ResponsibleParty::Support),
    ];
    assert_eq!(expected.map(|(class, _)| class), FailureClass::ALL);
    for (class, party) in expected {
        assert_eq!(find_party(class, "made_up"), party, "{class}");
    }
}

#[test]
fn sentences_of_xero_that_ask_for_a_change_in_xero_are_for_the_bookkeeper() {
    for sentence in [
        "The Account Number already exists. Please enter a different Account Number.",
        "Credit note cannot be allocated to an incorrect invoice type",
        "Organisation is not subscribed to currency EUR",
        "Website is invalid",
        "Users Organisation is not subscribed to currency NZD",
        "Only AUTHORISED invoices may have SentToContact updated.",
        "Payments within a batch cannot be deleted",
        "The payment cannot be deleted because it is reconciled",
        "The document date is before the lock date",
        "The document date cannot be before the end of year lock date, currently set at 31-Jul-2013",
        "You have reached the limit of 20 invoices you can approve",
    ] {
        let failure = explain_rejection(&[sentence.to_owned()]);
        assert_eq!(failure.find_responsible_party(), ResponsibleParty::Bookkeeper, "{sentence}");
    }
}

#[test]
fn sentences_of_xero_that_show_a_fault_of_the_integration_are_for_support() {
    for sentence in ["Url must be a valid absolute url", "Invoice not of valid type for creation"] {
        let failure = explain_rejection(&[sentence.to_owned()]);
        assert_eq!(failure.find_responsible_party(), ResponsibleParty::Support, "{sentence}");
    }
}

#[test]
fn documents_that_are_missing_or_not_approved_in_xero_are_for_the_bookkeeper() {
    for (class, code) in [
        (FailureClass::Rejected, "document_missing"),
        (FailureClass::Blocked, "prerequisite_not_approved"),
    ] {
        assert_eq!(find_party(class, code), ResponsibleParty::Bookkeeper, "{code}");
    }
}

#[test]
fn a_user_must_act_on_every_record_that_was_given_up() {
    for class in FailureClass::ALL {
        let failure = Failure::new(class, "made_up", "It failed.", "");
        let party = failure.find_responsible_party_once_given_up();
        assert_ne!(party, ResponsibleParty::Nobody, "{class}");
        let before = failure.find_responsible_party();
        assert!(party == before || before == ResponsibleParty::Nobody, "{class}");
    }
}
