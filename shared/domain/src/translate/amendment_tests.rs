//! Tests of changes of invoices that have payments: what is sent, and what a person must do.

use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::chart::tests::{a_chart, a_rate, an_account};
use crate::crm::lines::LineDiscount;
use crate::document::invoice::{AppliedCredit, PaymentsAndCredits};
use crate::ids::XeroInvoiceId;
use crate::money::{Currency, Money};

const URL: &str = "https://app.servicecortex.example/invoices/inv_1";

fn an_invoice(fields: &str) -> Invoice {
    let json = format!(
        r##"{{"id":"inv_1","revision":2,"number":"#INV-1","client_id":"cli_1",
        "issue_date":"2026-11-01","due_date":"2026-11-30","currency":"GBP",{fields}"total":"114.00",
        "lines":[{{"name":"Repair","quantity":"1","unit_price":"95.00","tax_rate":"20"}}]}}"##
    );
    serde_json::from_str(&json).unwrap()
}

/// The invoice in Xero, of which a part was paid.
fn a_remote() -> RemoteInvoice {
    let pounds = |cents| Money::new(Decimal::new(cents, 2), Currency::new("GBP").unwrap());
    RemoteInvoice {
        id: XeroInvoiceId(Uuid::from_u128(5)),
        number: Some("#INV-1".to_owned()),
        is_sales: true,
        status: DocumentStatus::Authorised,
        contact_id: Some(XeroContactId(Uuid::from_u128(2))),
        reference: None,
        url: Some(URL.to_owned()),
        total_tax: pounds(1_900),
        total: pounds(11_400),
        amount_due: pounds(6_400),
        date: Some(date(2026, 11, 1)),
        due_date: Some(date(2026, 11, 30)),
        updated_at: None,
        settlement: PaymentsAndCredits::default(),
        lines: vec![RemoteLine {
            id: Some(Uuid::from_u128(9)),
            description: Some("Repair".to_owned()),
            quantity: Decimal::ONE,
            unit_amount: Decimal::new(950_000, 4),
            discount_rate: None,
            discount_amount: None,
            account_code: Some("200".to_owned()),
            tax_type: None,
            item_code: None,
            tracking: Vec::new(),
        }],
    }
}

fn plan(invoice: &Invoice, remote: &RemoteInvoice) -> AmendmentPlan {
    let contact = Some(XeroContactId(Uuid::from_u128(2)));
    let (codes, chart) = (AccountCodes::default(), a_chart(Vec::new()));
    let number = &invoice.number;
    let context = AmendmentContext { contact, number, url: URL, codes: &codes, chart: &chart };
    plan_amendment(invoice, remote, context)
}

fn amended(invoice: &Invoice) -> InvoiceAmendment {
    let planned = plan(invoice, &a_remote());
    let AmendmentPlan::Amend { amendment, remarks } = planned else { panic!("{planned:?}") };
    assert_eq!(remarks, [""; 0]);
    *amendment
}

fn unchanged() -> AmendmentPlan {
    AmendmentPlan::Nothing { remarks: Vec::new() }
}

fn option(category: &str, option: &str) -> TrackingAssignment {
    TrackingAssignment { category: category.to_owned(), option: option.to_owned() }
}

/// An invoice whose line has these further fields.
fn naming(fields: &str) -> Invoice {
    let line = r#""quantity":"1""#;
    let json = serde_json::to_string(&an_invoice("")).unwrap();
    assert!(json.contains(line), "{json}");
    serde_json::from_str(&json.replace(line, &format!("{line},{fields}"))).unwrap()
}

/// The invoice in Xero, with other values on its line.
fn remote_with(change: impl FnOnce(&mut RemoteLine)) -> RemoteInvoice {
    let mut remote = a_remote();
    change(&mut remote.lines[0]);
    remote
}

fn nothing() -> InvoiceAmendment {
    InvoiceAmendment {
        invoice_id: XeroInvoiceId(Uuid::from_u128(5)),
        contact: None,
        due_date: None,
        invoice_number: None,
        reference: None,
        url: None,
        lines: Vec::new(),
    }
}

fn refusal(invoice: &Invoice, remote: &RemoteInvoice) -> Failure {
    let planned = plan(invoice, remote);
    let AmendmentPlan::Impossible(failure) = planned else { panic!("{planned:?}") };
    failure
}

#[test]
fn a_description_with_the_line_breaks_of_xero_is_the_same() {
    let invoice = naming(r#""description":"New valve\nTested""#);
    for (held, is_same) in [
        ("Repair\r\nNew valve\r\nTested", true),
        ("Repair\nNew valve \nTested\n", true),
        ("Repair\r\nNew valve Tested", false),
    ] {
        let mut remote = a_remote();
        remote.lines[0].description = Some(held.to_owned());
        assert_eq!(plan(&invoice, &remote) == unchanged(), is_same, "{held:?}");
    }
}

#[test]
fn only_what_differs_and_what_xero_accepts_is_sent() {
    let same = an_invoice("");
    assert_eq!(plan(&same, &a_remote()), unchanged());
    let later = Invoice { due_date: Some(date(2026, 12, 31)), ..same.clone() };
    let expected = InvoiceAmendment { due_date: Some(date(2026, 12, 31)), ..nothing() };
    assert_eq!(amended(&later), expected, "the lines are not touched");
    let referenced = an_invoice(r#""reference":"PO 7","#);
    let expected = InvoiceAmendment { reference: Some("PO 7".to_owned()), ..nothing() };
    assert_eq!(amended(&referenced), expected);
    let renumbered = Invoice { number: "#INV-2".to_owned(), ..same.clone() };
    let expected = InvoiceAmendment { invoice_number: Some("#INV-2".to_owned()), ..nothing() };
    assert_eq!(amended(&renumbered), expected);
    let mut worded = same;
    worded.lines[0].name = "Repair of the boiler".to_owned();
    let line = LineAmendment { description: "Repair of the boiler".to_owned(), ..a_line() };
    assert_eq!(amended(&worded), InvoiceAmendment { lines: vec![line], ..nothing() });
}

/// The line as it is sent if nothing but its text is stated.
fn a_line() -> LineAmendment {
    LineAmendment {
        line_id: Uuid::from_u128(9),
        description: "Repair".to_owned(),
        account_code: None,
        tracking: None,
    }
}

#[test]
fn a_changed_account_and_changed_tracking_are_sent_without_anything_else() {
    let recoded = naming(r#""account_code":"260""#);
    let line = LineAmendment { account_code: Some("260".to_owned()), ..a_line() };
    assert_eq!(amended(&recoded), InvoiceAmendment { lines: vec![line], ..nothing() });
    let tracked = naming(r#""tracking":[{"category":"Region","option":"North"}]"#);
    let line = LineAmendment { tracking: Some(vec![option("Region", "North")]), ..a_line() };
    assert_eq!(amended(&tracked), InvoiceAmendment { lines: vec![line], ..nothing() });
    let has_north = remote_with(|line| line.tracking = vec![option("Region", "North")]);
    assert_eq!(plan(&tracked, &has_north), unchanged());
    let planned = plan(&naming(r#""tracking":[]"#), &has_north);
    let AmendmentPlan::Amend { amendment, .. } = planned else { panic!("{planned:?}") };
    assert_eq!(amendment.lines, [LineAmendment { tracking: Some(Vec::new()), ..a_line() }]);
    assert_eq!(
        describe_kept_tracking(&amendment, &has_north).as_deref(),
        Some("Xero did not remove the tracking of line 1. Remove it in Xero.")
    );
    assert_eq!(describe_kept_tracking(&amendment, &a_remote()), None);
}

#[test]
fn an_item_and_what_a_line_does_not_name_stay_and_are_remarked_on() {
    let remarks = |invoice: &Invoice, remote: &RemoteInvoice| {
        let planned = plan(invoice, remote);
        let AmendmentPlan::Nothing { remarks } = planned else { panic!("{planned:?}") };
        remarks
    };
    let itemised = remarks(&naming(r#""item_code":"PIPE-15""#), &a_remote());
    assert!(itemised[0].starts_with("The item of line 1 stays as it is"), "{itemised:?}");
    let recoded = remote_with(|line| line.account_code = Some("260".to_owned()));
    let kept = remarks(&an_invoice(""), &recoded);
    assert!(kept[0].starts_with("The account of line 1 stays as it is in Xero"), "{kept:?}");
    let tracked = remote_with(|line| line.tracking = vec![option("Region", "North")]);
    let kept = remarks(&an_invoice(""), &tracked);
    assert!(kept[0].starts_with("The tracking of line 1 stays as it is in Xero"), "{kept:?}");
    let unidentified = remote_with(|line| line.id = None);
    let kept = remarks(&naming(r#""account_code":"260""#), &unidentified);
    assert_eq!(kept, [UNIDENTIFIED_LINES]);
}

#[test]
fn a_change_of_money_is_never_sent_and_says_what_a_person_can_do() {
    let mut dearer = an_invoice("");
    dearer.lines[0].unit_price = Decimal::new(9_600, 2);
    let redated = Invoice { issue_date: date(2026, 11, 2), ..an_invoice("") };
    let mut longer = an_invoice("");
    longer.lines.push(longer.lines[0].clone());
    let taxed = RemoteInvoice {
        total: Money::new(Decimal::new(9_500, 2), Currency::new("GBP").unwrap()),
        ..a_remote()
    };
    for (invoice, remote) in
        [(dearer, a_remote()), (redated, a_remote()), (longer, a_remote()), (an_invoice(""), taxed)]
    {
        let failure = refusal(&invoice, &remote);
        assert_eq!(failure.code, "invoice_has_payments");
        assert_eq!(failure.class, FailureClass::Untranslatable, "it is not repeated");
        assert!(failure.remedy.contains("Remove the payments"), "{failure}");
    }
}

#[test]
fn another_quantity_price_discount_or_currency_under_the_same_total_is_a_change_of_money() {
    let with = |quantity: i64, price: i64, discount: Option<LineDiscount>| {
        let mut invoice = an_invoice("");
        invoice.lines[0].quantity = Decimal::from(quantity);
        invoice.lines[0].unit_price = Decimal::from(price);
        invoice.lines[0].discount = discount;
        invoice
    };
    let half = || Some(LineDiscount::Percent(Decimal::from(50)));
    let discounted = |price: i64, rate: Option<i64>, amount: Option<i64>| {
        remote_with(|line| {
            line.unit_amount = Decimal::from(price);
            line.discount_rate = rate.map(Decimal::from);
            line.discount_amount = amount.map(Decimal::from);
        })
    };
    let five = || Some(LineDiscount::Amount(Decimal::from(5)));
    for (invoice, remote) in [
        (with(1, 190, half()), discounted(190, Some(50), None)),
        (with(1, 100, five()), discounted(100, None, Some(5))),
        (with(1, 95, None), discounted(95, Some(0), Some(0))),
    ] {
        assert_eq!(plan(&invoice, &remote), unchanged(), "{remote:?}");
    }
    let euros = Invoice { currency: Currency::new("EUR").unwrap(), ..an_invoice("") };
    for (invoice, remote) in [
        (with(2, 95, half()), discounted(95, Some(50), None)),
        (with(1, 190, half()), discounted(95, Some(50), None)),
        (with(1, 190, half()), discounted(190, None, None)),
        (with(1, 100, five()), discounted(100, None, None)),
        (euros, a_remote()),
    ] {
        assert_eq!(refusal(&invoice, &remote).code, "invoice_has_payments", "{remote:?}");
    }
}

#[test]
fn tax_may_differ_by_a_cent_for_each_line_and_no_more() {
    let mut invoice = an_invoice(r#""line_amounts":"inclusive","#);
    invoice.lines[0].unit_price = Decimal::new(11_400, 2);
    let mut remote = remote_with(|line| line.unit_amount = Decimal::new(1_140_000, 4));
    for (cents, is_same) in [(1_898, false), (1_899, true), (1_901, true), (1_902, false)] {
        remote.total_tax.amount = Decimal::new(cents, 2);
        assert_eq!(plan(&invoice, &remote) == unchanged(), is_same, "{cents}");
    }
}

#[test]
fn a_change_of_tax_under_the_same_total_is_a_change_of_money() {
    let contained = |rate: &str| {
        let mut invoice = an_invoice(r#""line_amounts":"inclusive","#);
        invoice.lines[0].unit_price = Decimal::new(11_400, 2);
        invoice.lines[0].tax_rate = Some(rate.parse().unwrap());
        invoice
    };
    let mut remote = a_remote();
    remote.lines[0].unit_amount = Decimal::new(1_140_000, 4);
    assert_eq!(plan(&contained("20"), &remote), AmendmentPlan::Nothing { remarks: Vec::new() });
    assert_eq!(refusal(&contained("0"), &remote).code, "invoice_has_payments");
}

#[test]
fn another_tax_rate_that_charges_the_same_tax_is_remarked_on() {
    let rates = [("ZERORATEDOUTPUT", "Zero Rated Income"), ("EXEMPTOUTPUT", "Exempt Income")];
    let rates = rates.map(|(tax_type, name)| a_rate(tax_type, name, Decimal::ZERO));
    let codes = AccountCodes::default();
    let accounts = vec![an_account(&codes.sales, "REVENUE")];
    let chart = Chart { tax_rates: rates.into(), ..a_chart(accounts) };
    let named = |name: &str| {
        let mut invoice = an_invoice("");
        invoice.lines[0].tax_rate = Some(Decimal::ZERO);
        invoice.lines[0].tax_name = Some(name.to_owned());
        invoice
    };
    let mut remote = remote_with(|line| line.tax_type = Some("ZERORATEDOUTPUT".to_owned()));
    let currency = remote.total.currency;
    remote.total = Money::new(Decimal::new(9_500, 2), currency);
    remote.total_tax = Money::new(Decimal::ZERO, currency);
    let remarks = |invoice: &Invoice, remote: &RemoteInvoice| {
        let (contact, number) = (remote.contact_id, invoice.number.as_str());
        let context = AmendmentContext { contact, number, url: URL, codes: &codes, chart: &chart };
        let planned = plan_amendment(invoice, remote, context);
        let AmendmentPlan::Nothing { remarks } = planned else { panic!("{planned:?}") };
        remarks
    };
    assert_eq!(remarks(&named("Zero Rated Income"), &remote), [""; 0]);
    assert_eq!(remarks(&named("A rate that is gone"), &remote), [""; 0]);
    let changed = remarks(&named("Exempt Income"), &remote);
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert!(changed[0].starts_with("The tax rate of line 1 stays as it is: "), "{changed:?}");
    remote.lines[0].tax_type = None;
    assert_eq!(remarks(&named("Exempt Income"), &remote), [""; 0], "Xero does not state it");
}

#[test]
fn xero_keeps_the_contact_of_an_invoice_to_which_a_credit_note_is_applied() {
    let other = Some(XeroContactId(Uuid::from_u128(3)));
    let (codes, chart) = (AccountCodes::default(), a_chart(Vec::new()));
    let plan_for_other = |invoice: &Invoice, remote: &RemoteInvoice| {
        let (contact, number) = (other, invoice.number.as_str());
        let context = AmendmentContext { contact, number, url: URL, codes: &codes, chart: &chart };
        plan_amendment(invoice, remote, context)
    };
    let credit = AppliedCredit {
        kind: CreditKind::CreditNote,
        number: None,
        amount: Decimal::new(5_000, 2),
    };
    let credits = PaymentsAndCredits { credits: vec![credit], ..PaymentsAndCredits::default() };
    let credited = RemoteInvoice { settlement: credits, ..a_remote() };
    let invoice = an_invoice("");
    let expected = InvoiceAmendment { contact: other, ..nothing() };
    let AmendmentPlan::Amend { amendment, .. } = plan_for_other(&invoice, &a_remote()) else {
        panic!("it is not changed");
    };
    assert_eq!(*amendment, expected);
    let AmendmentPlan::Impossible(failure) = plan_for_other(&invoice, &credited) else {
        panic!("it is changed");
    };
    assert_eq!(failure.code, "invoice_has_credit");
    // What Xero accepts besides is sent, with a remark.
    let later = Invoice { due_date: Some(date(2026, 12, 31)), ..invoice };
    let AmendmentPlan::Amend { amendment, remarks } = plan_for_other(&later, &credited) else {
        panic!("it is not changed");
    };
    let expected = InvoiceAmendment { due_date: Some(date(2026, 12, 31)), ..nothing() };
    assert_eq!((*amendment, remarks.len()), (expected, 1));
}

#[test]
fn an_invoice_that_is_gone_says_so_and_one_without_payments_was_refused_for_another_reason() {
    for (status, word) in [(DocumentStatus::Voided, "voided"), (DocumentStatus::Deleted, "deleted")]
    {
        let failure = refusal(&an_invoice(""), &RemoteInvoice { status, ..a_remote() });
        assert!(failure.message.contains(word), "{failure}");
        assert!(failure.remedy.contains("new copy"), "{failure}");
    }
    let open = RemoteInvoice { amount_due: a_remote().total, ..a_remote() };
    assert_eq!(plan(&an_invoice(""), &open), AmendmentPlan::NotNeeded);
}
