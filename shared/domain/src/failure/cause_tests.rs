//! Tests of causes: what depends on them, and how rows hold them.

use super::{Failure, FailureCause, FailureClass};

/// The codes of the failures that other settings may resolve.
const ABOUT_SETTINGS: [&str; 13] = [
    "account_code_not_chosen",
    "account_code_missing",
    "account_code_unknown",
    "account_code_archived",
    "account_code_bank",
    "account_invalid",
    "account_takes_no_payments",
    "tax_rate_unknown",
    "tax_rate_ambiguous",
    "tax_rate_invalid",
    "tax_type_unknown",
    "tax_type_unusable",
    "tax_type_not_allowed",
];

/// The codes of the failures that an outage of Xero, or of the network, causes.
const OUTAGES: [&str; 6] = [
    "xero_silent",
    "xero_faulty",
    "xero_maintenance",
    "xero_unavailable",
    "xero_unreachable",
    "organisation_offline",
];

/// The codes of the failures that the state of a document in Xero causes.
const ABOUT_DOCUMENT_STATE: [&str; 20] = [
    "amount_over_due",
    "invoice_not_approved",
    "document_has_payments",
    "void_has_payments",
    "document_closed",
    "invoice_has_payments",
    "invoice_has_credit",
    "invoice_gone",
    "invoice_is_credit",
    "credit_note_used",
    "credit_note_applied",
    "credit_note_gone",
    "credit_note_not_approved",
    "credit_over_left",
    "credit_over_due",
    "credit_of_another_client",
    "already_paid",
    "refund_over_paid",
    "payment_reconciled",
    "payment_in_batch",
];

fn fail_with(cause: FailureCause) -> Failure {
    Failure::new(FailureClass::Uncertain, cause, "It failed.", "")
}

/// A row as releases without causes wrote it.
fn read_earlier_row(class: FailureClass, code: &str) -> Failure {
    let row =
        format!(r#"{{"class":"{class}","code":"{code}","message":"It failed.","remedy":""}}"#);
    serde_json::from_str(&row).unwrap()
}

#[test]
fn a_row_of_an_earlier_release_gets_its_cause_from_its_code() {
    let expected = [
        ("permission_missing", FailureCause::PermissionMissing),
        ("xero_silent", FailureCause::XeroSilent),
        ("xero_faulty", FailureCause::XeroFaulty),
        ("xero_maintenance", FailureCause::XeroMaintenance),
        ("xero_unavailable", FailureCause::XeroUnavailable),
        ("xero_unreachable", FailureCause::XeroUnreachable),
        ("organisation_offline", FailureCause::OrganisationOffline),
        ("account_code_not_chosen", FailureCause::AccountCodeNotChosen),
        ("account_code_missing", FailureCause::AccountCodeMissing),
        ("account_code_unknown", FailureCause::AccountCodeUnknown),
        ("account_code_archived", FailureCause::AccountCodeArchived),
        ("account_code_bank", FailureCause::AccountCodeBank),
        ("account_invalid", FailureCause::AccountInvalid),
        ("account_takes_no_payments", FailureCause::AccountTakesNoPayments),
        ("tax_rate_unknown", FailureCause::TaxRateUnknown),
        ("tax_rate_ambiguous", FailureCause::TaxRateAmbiguous),
        ("tax_rate_invalid", FailureCause::TaxRateInvalid),
        ("tax_type_unknown", FailureCause::TaxTypeUnknown),
        ("tax_type_unusable", FailureCause::TaxTypeUnusable),
        ("tax_type_not_allowed", FailureCause::TaxTypeNotAllowed),
        ("contact_name_taken", FailureCause::ContactNameTaken),
        ("contact_number_taken", FailureCause::ContactNumberTaken),
        ("number_taken", FailureCause::NumberTaken),
        ("email_invalid", FailureCause::EmailInvalid),
        ("primary_email_missing", FailureCause::PrimaryEmailMissing),
        ("contact_archived", FailureCause::ContactArchived),
        ("contact_merged", FailureCause::ContactMerged),
        ("amount_over_due", FailureCause::AmountOverDue),
        ("invoice_not_approved", FailureCause::InvoiceNotApproved),
        ("prerequisite_not_in_xero", FailureCause::PrerequisiteNotInXero),
        ("payment_unclear", FailureCause::PaymentUnclear),
        ("document_has_payments", FailureCause::DocumentHasPayments),
        ("void_has_payments", FailureCause::VoidHasPayments),
        ("document_closed", FailureCause::DocumentClosed),
        ("invoice_has_payments", FailureCause::InvoiceHasPayments),
        ("invoice_has_credit", FailureCause::InvoiceHasCredit),
        ("invoice_gone", FailureCause::InvoiceGone),
        ("invoice_is_credit", FailureCause::InvoiceIsCredit),
        ("credit_note_used", FailureCause::CreditNoteUsed),
        ("credit_note_applied", FailureCause::CreditNoteApplied),
        ("credit_note_gone", FailureCause::CreditNoteGone),
        ("credit_note_not_approved", FailureCause::CreditNoteNotApproved),
        ("credit_over_left", FailureCause::CreditOverLeft),
        ("credit_over_due", FailureCause::CreditOverDue),
        ("credit_of_another_client", FailureCause::CreditOfAnotherClient),
        ("already_paid", FailureCause::AlreadyPaid),
        ("refund_over_paid", FailureCause::RefundOverPaid),
        ("payment_reconciled", FailureCause::PaymentReconciled),
        ("payment_in_batch", FailureCause::PaymentInBatch),
        ("document_not_shown", FailureCause::DocumentNotShown),
        ("token_store_unavailable", FailureCause::TokenStoreUnavailable),
    ];
    assert_eq!(expected.map(|(_, cause)| cause), FailureCause::ALL);
    for (code, cause) in expected {
        assert_eq!(read_earlier_row(FailureClass::Uncertain, code), fail_with(cause), "{code}");
    }
}

#[test]
fn a_code_that_only_resembles_the_code_of_a_cause_has_none() {
    for code in ["", "xero", "xero_silent_", "XERO_SILENT", "account_", "not_permitted"] {
        assert_eq!(read_earlier_row(FailureClass::Uncertain, code).cause, None, "{code}");
    }
}

#[test]
fn a_row_holds_the_cause_and_the_code() {
    for cause in FailureCause::ALL {
        let failure = fail_with(cause);
        let row = serde_json::to_string(&failure).unwrap();
        let code = cause.stable_code();
        assert!(row.contains(&format!(r#""cause":"{code}""#)), "{row}");
        assert!(row.contains(&format!(r#""code":"{code}""#)), "{row}");
        assert_eq!(serde_json::from_str::<Failure>(&row).unwrap(), failure);
    }
    let failure = Failure::new(FailureClass::Defect, "integration_fault", "It failed.", "");
    let row = serde_json::to_string(&failure).unwrap();
    assert!(!row.contains(r#""cause""#), "{row}");
    assert_eq!(serde_json::from_str::<Failure>(&row).unwrap(), failure);
}

#[test]
fn a_stored_cause_takes_precedence_over_the_code_unless_a_later_release_wrote_it() {
    for (stored, expected) in [
        ("xero_silent", Some(FailureCause::XeroSilent)),
        ("made_up_later", Some(FailureCause::NumberTaken)),
    ] {
        let row = serde_json::to_string(&fail_with(FailureCause::NumberTaken)).unwrap();
        let row = row.replace(r#""cause":"number_taken""#, &format!(r#""cause":"{stored}""#));
        assert_eq!(serde_json::from_str::<Failure>(&row).unwrap().cause, expected, "{stored}");
    }
}

#[test]
fn a_cause_decides_whether_settings_or_the_end_of_an_outage_may_cure_a_failure() {
    for cause in FailureCause::ALL {
        let failure = fail_with(cause);
        let code = cause.stable_code();
        assert_eq!(failure.is_about_settings(), ABOUT_SETTINGS.contains(&code), "{code}");
        let is_about_a_decision = failure.is_about_settings() || code == "payment_unclear";
        assert_eq!(failure.may_end_by_decision(), is_about_a_decision, "{code}");
        assert_eq!(failure.is_about_an_outage(), OUTAGES.contains(&code), "{code}");
        let is_about_state = ABOUT_DOCUMENT_STATE.contains(&code);
        assert_eq!(failure.is_about_document_state(), is_about_state, "{code}");
        assert!(!failure.is_about_permission(), "{code}");
        let refused = Failure { class: FailureClass::Unauthorized, ..failure };
        let is_about_permission = cause == FailureCause::PermissionMissing;
        assert_eq!(refused.is_about_permission(), is_about_permission, "{code}");
    }
}

#[test]
fn an_account_number_that_another_contact_has_is_not_about_settings() {
    let code = "account_number_taken";
    let failure = Failure::new(FailureClass::Rejected, code, "It failed.", "");
    assert!(!failure.is_about_settings());
    assert!(!read_earlier_row(FailureClass::Rejected, code).is_about_settings());
}

#[test]
fn whatever_the_rules_of_the_integration_reject_is_about_settings() {
    let failure = Failure::new(FailureClass::Untranslatable, "total_negative", "It failed.", "");
    assert!(failure.is_about_settings());
}
